//! What came out: a table for a person, and JSON with every sample for programs.

use std::fmt::{self, Display};
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::load::CONNECTIONS;
use crate::memory::Memory;
use crate::plan::{Comparison, Group, Row};
use crate::rounds::Rounds;
use crate::sample::{Sample, Spread};

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    processors: usize,
    connections: u32,
    rounds: u32,
    seconds: u32,
    module_bytes: u64,
    groups: Vec<GroupReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<Memory>,
}

#[derive(Debug, Serialize)]
struct GroupReport {
    title: String,
    rows: Vec<RowReport>,
}

#[derive(Debug, Serialize)]
struct RowReport {
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    median: Option<Sample>,
    ratios: Vec<Ratio>,
    samples: Vec<Sample>,
}

/// How a row compares with another, round by round.
#[derive(Debug, Serialize)]
struct Ratio {
    heading: &'static str,
    /// Of requests a second: more is better.
    throughput: Option<Spread>,
    /// Of processor time for a request: less is better. It suffers less from whatever else the machine does.
    cpu: Option<Spread>,
}

impl Report {
    /// Of rows that have been measured.
    pub(crate) fn new(
        groups: &[Group],
        rounds: &Rounds,
        module_bytes: u64,
        memory: Option<Memory>,
    ) -> Self {
        Self {
            processors: std::thread::available_parallelism().map_or(0, Into::into),
            connections: CONNECTIONS,
            rounds: rounds.count,
            seconds: rounds.seconds,
            module_bytes,
            groups: groups.iter().map(GroupReport::new).collect(),
            memory,
        }
    }

    /// Whether every row has figures.
    pub(crate) fn is_complete(&self) -> bool {
        let mut rows = self.groups.iter().flat_map(|group| &group.rows);
        rows.all(|row| row.fault.is_none())
    }

    /// Writes it to a file, as JSON.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let json = serde_json::to_string_pretty(self)?;
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)
                .with_context(|| format!("cannot make {}", parent.display()))?;
        }
        std::fs::write(path, json).with_context(|| format!("cannot write {}", path.display()))
    }
}

impl GroupReport {
    fn new(group: &Group) -> Self {
        let row = |(index, row): (usize, &Row)| RowReport {
            name: row.name,
            fault: row.fault.clone(),
            median: median(row.sound_samples()),
            ratios: group
                .comparisons
                .iter()
                .map(|comparison| Ratio::new(&group.rows, index, *comparison))
                .collect(),
            samples: row.samples.clone(),
        };
        Self {
            title: group.title.clone(),
            rows: group.rows.iter().enumerate().map(row).collect(),
        }
    }
}

impl Ratio {
    /// The machine's speed drifts, so each sample is compared with that of its own round. Only rows below the one that is compared with
    /// are: the others would say the same the other way round.
    fn new(rows: &[Row], index: usize, Comparison { heading, with }: Comparison) -> Self {
        let of = |figure: fn(&Sample) -> f64| {
            let pairs = rows[index]
                .sound_samples()
                .iter()
                .zip(rows[with].sound_samples());
            let ratios = pairs.map(|(sample, other)| figure(sample) / figure(other));
            (index > with).then(|| Spread::of(ratios)).flatten()
        };
        Self {
            heading,
            throughput: of(|sample| sample.requests_per_second),
            cpu: of(|sample| sample.cpu_us_per_request),
        }
    }
}

/// The median of each figure.
fn median(samples: &[Sample]) -> Option<Sample> {
    let of = |figure: fn(&Sample) -> f64| {
        Spread::of(samples.iter().map(figure)).map(|spread| spread.median)
    };
    let strangers = samples
        .iter()
        .filter_map(|sample| sample.strangers_per_second);
    Some(Sample {
        requests_per_second: of(|sample| sample.requests_per_second)?,
        p50_us: of(|sample| sample.p50_us)?,
        p99_us: of(|sample| sample.p99_us)?,
        cpu_us_per_request: of(|sample| sample.cpu_us_per_request)?,
        strangers_per_second: Spread::of(strangers).map(|spread| spread.median),
        key_fetches: samples.iter().filter_map(|sample| sample.key_fetches).max(),
    })
}

impl Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "\nMedians of {} rounds of {} s; one worker, {} connections, {} processors; the filter has {} KiB.\n\
             Ratios are of requests a second within a round (the median, from the lowest to the highest), and of CPU time for a request.\n\
             `busy` is how much of one processor the proxy had: well under 100 % means that something else held it up.",
            self.rounds,
            self.seconds,
            self.connections,
            self.processors,
            self.module_bytes / 1024
        )?;
        self.groups.iter().try_for_each(|group| group.fmt(out))?;
        self.memory.iter().try_for_each(|memory| memory.fmt(out))
    }
}

impl Display for GroupReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "\n{}\n{:26}{:>12}{:>9}{:>9}{:>12}{:>7}",
            self.title, "", "requests/s", "p50 µs", "p99 µs", "CPU µs/req", "busy"
        )?;
        let headings = self.rows.first().into_iter().flat_map(|row| &row.ratios);
        for Ratio { heading, .. } in headings {
            write!(out, "{heading:>32}")?;
        }
        writeln!(out)?;
        self.rows.iter().try_for_each(|row| row.fmt(out))
    }
}

impl Display for RowReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "  {:24}", self.name)?;
        let Some(median) = &self.median else {
            let fault = self.fault.as_deref().unwrap_or("not measured");
            return writeln!(out, "  no figure: {fault}");
        };
        let busy = median.requests_per_second * median.cpu_us_per_request / 1e4;
        write!(
            out,
            "{:>12.0}{:>9.0}{:>9.0}{:>12.1}{busy:>5.0} %",
            median.requests_per_second, median.p50_us, median.p99_us, median.cpu_us_per_request
        )?;
        for ratio in &self.ratios {
            write!(out, "{:>32}", ratio.to_string())?;
        }
        if let (Some(strangers), Some(fetches)) = (median.strangers_per_second, median.key_fetches)
        {
            write!(
                out,
                "  ({strangers:.0} strangers/s, at most {fetches} key fetches a run)"
            )?;
        }
        writeln!(out)
    }
}

impl Display for Ratio {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(throughput), Some(cpu)) = (self.throughput, self.cpu) else {
            return Ok(());
        };
        let Spread { median, min, max } = throughput;
        write!(
            out,
            "{median:.2} ({min:.2} to {max:.2}), CPU {:.2}",
            cpu.median
        )
    }
}
