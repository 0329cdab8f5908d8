//! What came out: tables for a person, and JSON with every sample for programs.

use std::fmt::{self, Display};
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::contender::{Contender, Modules};
use crate::growth::Growth;
use crate::load::CONNECTIONS;
use crate::memory::Memory;
use crate::plan::{Group, Row};
use crate::ratio::Ratio;
use crate::rounds::Rounds;
use crate::sample::{Sample, Spread};
use crate::startup::StartUp;
use crate::targets::{self, Verdict};

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    processors: usize,
    connections: u32,
    rounds: u32,
    seconds: u32,
    modules: Vec<Size>,
    groups: Vec<GroupReport>,
    #[serde(flatten)]
    others: Others,
    targets: Vec<Verdict>,
}

/// What was measured beside the groups, or is told of several of their rows.
#[derive(Debug, Serialize)]
pub(crate) struct Others {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) start_up: Option<StartUp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) memory: Option<Memory>,
    #[serde(skip_serializing_if = "Growth::is_empty")]
    pub(crate) growth: Growth,
}

#[derive(Debug, Serialize)]
struct GroupReport {
    id: String,
    title: String,
    workers: u32,
    rows: Vec<RowReport>,
}

#[derive(Debug, Serialize)]
struct RowReport {
    name: &'static str,
    contender: Contender,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    median: Option<Sample>,
    ratios: Vec<Column>,
    samples: Vec<Sample>,
}

/// How a row compares with the one of a column.
#[derive(Debug, Serialize)]
struct Column {
    heading: &'static str,
    to: &'static str,
    #[serde(flatten)]
    ratio: Option<Ratio>,
}

/// How large a module is.
#[derive(Debug, Serialize)]
pub(crate) struct Size {
    module: &'static str,
    bytes: u64,
}

impl Size {
    /// Of each module that is loaded.
    pub(crate) fn of_all(modules: &Modules) -> Result<Vec<Self>> {
        let Modules {
            hallpass,
            other_build,
            empty,
            empty_stripped,
        } = modules;
        let paths = [
            ("hallpass", Some(hallpass)),
            ("hallpass, other build", other_build.as_ref()),
            ("empty filter, as built", Some(empty)),
            ("empty filter, stripped", Some(empty_stripped)),
        ];
        let present = paths
            .into_iter()
            .filter_map(|(module, path)| Some((module, path?)));
        present
            .map(|(module, path)| {
                let metadata = std::fs::metadata(path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                let bytes = metadata.len();
                Ok(Self { module, bytes })
            })
            .collect()
    }
}

impl Report {
    /// Of rows that have been measured.
    pub(crate) fn new(
        groups: &[Group],
        rounds: &Rounds,
        modules: Vec<Size>,
        others: Others,
    ) -> Self {
        Self {
            processors: std::thread::available_parallelism().map_or(0, Into::into),
            connections: CONNECTIONS,
            rounds: rounds.count,
            seconds: rounds.seconds,
            modules,
            groups: groups.iter().map(GroupReport::new).collect(),
            others,
            targets: targets::judge(groups),
        }
    }

    /// Whether every row has figures, and every proxy of its own.
    pub(crate) fn is_complete(&self) -> bool {
        let mut rows = self.groups.iter().flat_map(|group| &group.rows);
        rows.all(|row| row.fault.is_none()) && self.others.growth.is_complete()
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
            contender: row.contender,
            fault: row.fault.clone(),
            median: median(row.sound_samples()),
            ratios: columns(group, index),
            samples: row.samples.clone(),
        };
        Self {
            id: group.id.clone(),
            title: group.title.clone(),
            workers: group.workers,
            rows: group.rows.iter().enumerate().map(row).collect(),
        }
    }
}

/// How a row compares. Only rows below the one that is compared with are: the others would say the same the other way round.
fn columns(group: &Group, index: usize) -> Vec<Column> {
    let (above, rest) = group.rows.split_at(index);
    let comparisons = group.comparisons.iter();
    comparisons
        .map(|comparison| {
            let other = above.iter().find(|other| other.name == comparison.with);
            let row = rest.first();
            Column {
                heading: comparison.heading,
                to: comparison.with,
                ratio: other
                    .zip(row)
                    .and_then(|(other, row)| Ratio::between(row, other)),
            }
        })
        .collect()
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
            "\nMedians of {} rounds of {} s; {} connections, {} processors; one worker unless it says otherwise.\n\
             Ratios are of requests a second within a round (the median, from the lowest to the highest), and of CPU time for a request.\n\
             `busy` is how much of one processor the proxy had: well under 100 % of each worker means that something else held it up.",
            self.rounds, self.seconds, self.connections, self.processors,
        )?;
        self.groups.iter().try_for_each(|group| group.fmt(out))?;
        writeln!(out, "\nKiB of each module")?;
        for Size { module, bytes } in &self.modules {
            writeln!(out, "  {module:24}{:>8}", bytes / 1024)?;
        }
        let Others {
            start_up,
            memory,
            growth,
        } = &self.others;
        start_up.iter().try_for_each(|start| start.fmt(out))?;
        memory.iter().try_for_each(|memory| memory.fmt(out))?;
        if !growth.is_empty() {
            growth.fmt(out)?;
        }
        targets::table(&self.targets, out)
    }
}

/// How wide a row's name is shown.
const NAME: usize = 30;
/// How wide a ratio is shown.
const RATIO: usize = 34;

impl Display for GroupReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "\n{}: {}\n  {:NAME$}{:>12}{:>9}{:>9}{:>12}{:>7}",
            self.id, self.title, "", "requests/s", "p50 µs", "p99 µs", "CPU µs/req", "busy"
        )?;
        let headings = self.rows.first().into_iter().flat_map(|row| &row.ratios);
        for Column { heading, .. } in headings {
            write!(out, "{heading:>RATIO$}")?;
        }
        writeln!(out)?;
        self.rows.iter().try_for_each(|row| row.fmt(out))
    }
}

impl Display for RowReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "  {:NAME$}", self.name)?;
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
        for column in &self.ratios {
            let shown = |Ratio {
                             throughput, cpu, ..
                         }| format!("{throughput}, CPU {:.2}", cpu.median);
            let ratio = column.ratio.map(shown).unwrap_or_default();
            write!(out, "{ratio:>RATIO$}")?;
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
