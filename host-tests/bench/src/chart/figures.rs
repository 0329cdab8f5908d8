//! What the picture shows, read from the JSON of a run.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// The groups that the picture shows, in its order; those that were not measured are left out.
const SHOWN: [&str; 4] = ["hot", "cold-rs256", "cold-both", "refusal-none"];

/// The row that the others of a group are compared with: the proxy without any filter. More may follow, after a comma.
const PLAIN: &str = "plain";

/// A run.
#[derive(Debug)]
pub(super) struct Figures {
    pub(super) rounds: u32,
    pub(super) seconds: u32,
    pub(super) connections: u32,
    pub(super) processors: usize,
    pub(super) panels: Vec<Panel>,
}

/// A group of rows, each with its throughput.
#[derive(Debug)]
pub(super) struct Panel {
    pub(super) title: String,
    pub(super) bars: Vec<Bar>,
}

/// A row.
#[derive(Debug)]
pub(super) struct Bar {
    pub(super) name: String,
    /// Nothing if a premise did not hold.
    pub(super) throughput: Option<Throughput>,
}

/// How many requests were answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Throughput {
    pub(super) a_second: f64,
    /// Beside that of the plain proxy, which has 1.
    pub(super) share: f64,
}

impl Bar {
    /// Whether it is one of ours.
    pub(super) fn is_hallpass(&self) -> bool {
        self.name.starts_with("hallpass")
    }
}

impl Figures {
    /// Reads what a run wrote.
    pub(super) fn parse(json: &str) -> Result<Self> {
        let run: Run = serde_json::from_str(json)?;
        let shown = SHOWN.iter().filter_map(|id| {
            run.groups
                .iter()
                .find(|group| group.id.as_deref() == Some(id))
        });
        let panels: Vec<Panel> = shown.map(Group::panel).collect::<Result<_>>()?;
        ensure!(
            !panels.is_empty(),
            "there is nothing to draw: no group is one of {}",
            SHOWN.join(", ")
        );
        Ok(Self {
            rounds: run.rounds,
            seconds: run.seconds,
            connections: run.connections,
            processors: run.processors,
            panels,
        })
    }
}

#[derive(Deserialize)]
struct Run {
    rounds: u32,
    seconds: u32,
    connections: u32,
    processors: usize,
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    /// What the picture knows it by. Others may have none.
    id: Option<String>,
    title: String,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    name: String,
    median: Option<Median>,
}

#[derive(Deserialize)]
struct Median {
    requests_per_second: f64,
}

impl Group {
    fn panel(&self) -> Result<Panel> {
        let plain = self.rows.iter().find(|row| row.is_plain());
        let plain = plain
            .and_then(Row::a_second)
            .filter(|plain| *plain > 0.0)
            .with_context(|| format!("`{}` has no figure for `{PLAIN}`", self.title))?;
        let bar = |row: &Row| Bar {
            name: row.name.clone(),
            throughput: row.a_second().map(|a_second| Throughput {
                a_second,
                share: a_second / plain,
            }),
        };
        Ok(Panel {
            title: self.title.clone(),
            bars: self.rows.iter().map(bar).collect(),
        })
    }
}

impl Row {
    fn is_plain(&self) -> bool {
        self.name.split(',').next() == Some(PLAIN)
    }

    fn a_second(&self) -> Option<f64> {
        Some(self.median.as_ref()?.requests_per_second)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn run(groups: &Value) -> Result<Figures> {
        let run = json!({ "rounds": 1, "seconds": 1, "connections": 16, "processors": 2, "groups": groups });
        Figures::parse(&run.to_string())
    }

    fn row(name: &str, a_second: f64) -> Value {
        json!({ "name": name, "median": { "requests_per_second": a_second, "p50_us": 1.0 }, "ratios": [] })
    }

    #[test]
    fn known_groups_are_shown_in_the_pictures_order_and_others_are_not() {
        let group = |id: &str| json!({ "id": id, "title": id, "rows": [row("plain", 100.0)] });
        let groups = json!([
            group("refusal-none"), group("other"), group("hot"),
            { "title": "without an id", "rows": [] },
        ]);
        let figures = run(&groups).expect("a run");
        let titles: Vec<_> = figures.panels.iter().map(|panel| &*panel.title).collect();
        assert_eq!(titles, ["hot", "refusal-none"]);
    }

    #[test]
    fn a_row_is_compared_with_the_plain_proxy_of_its_group() {
        let rows = [row("plain, letting pass", 200.0), row("hallpass", 50.0)];
        let figures = run(&json!([{ "id": "hot", "title": "t", "rows": rows }])).expect("a run");
        let shares = figures.panels[0].bars.iter();
        let shares: Vec<_> = shares.map(|bar| bar.throughput.map(|t| t.share)).collect();
        assert_eq!(shares, [Some(1.0), Some(0.25)]);
    }

    #[test]
    fn figures_that_lack_what_is_shown_are_a_fault() {
        assert!(run(&json!([])).is_err());
        let without_plain = json!([{ "id": "hot", "title": "t", "rows": [row("hallpass", 1.0)] }]);
        assert!(run(&without_plain).is_err());
        let without_a_figure =
            json!([{ "id": "hot", "title": "t", "rows": [{ "name": "plain", "median": null }] }]);
        assert!(run(&without_a_figure).is_err());
    }
}
