//! What gungraun tells of a run (the seventh version of its summary): one JSON object a line for each benchmark.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::figures::Instructions;

/// Instructions that were read, in Callgrind's words.
const INSTRUCTIONS: &str = "Ir";

#[derive(Deserialize)]
struct Benchmark {
    function_name: String,
    id: String,
    profiles: Vec<Profile>,
}

#[derive(Deserialize)]
struct Profile {
    tool: String,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    total: Total,
}

#[derive(Deserialize)]
struct Total {
    metrics: BTreeMap<String, Metric>,
}

#[derive(Deserialize)]
struct Metric {
    values: Values,
}

#[derive(Deserialize)]
struct Values {
    new: serde_json::Number,
}

/// Reads the instructions of each benchmark.
pub(crate) fn read(path: &Path) -> Result<Instructions> {
    let context = || format!("cannot read {}", path.display());
    parse(&std::fs::read_to_string(path).with_context(context)?).with_context(context)
}

fn parse(text: &str) -> Result<Instructions> {
    let counts: Instructions = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(count)
        .collect::<Result<_>>()?;
    ensure!(!counts.is_empty(), "nothing was counted");
    Ok(counts)
}

fn count(line: &str) -> Result<(String, u64)> {
    let benchmark: Benchmark = serde_json::from_str(line)?;
    let name = format!("{}::{}", benchmark.function_name, benchmark.id);
    let mut profiles = benchmark.profiles.iter();
    let count = profiles
        .find(|profile| profile.tool == "Callgrind")
        .and_then(|profile| profile.data.total.metrics.get(INSTRUCTIONS))
        .and_then(|metric| metric.values.new.as_u64())
        .with_context(|| format!("there is no count of {name}"))?;
    Ok((name, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_taken_by_the_benchmarks_name() {
        let run = r#"{"function_name":"hot","id":"one","profiles":[{"tool":"Callgrind","data":{"parts":[],"total":{"regressions":[],"metrics":{"Ir":{"values":{"new":12,"old":11}}}}}}]}

{"function_name":"hot","id":"two","profiles":[{"tool":"Callgrind","data":{"total":{"metrics":{"Ir":{"values":{"new":34}}}}}}]}
"#;
        let expected = [("hot::one".to_owned(), 12), ("hot::two".to_owned(), 34)];
        assert_eq!(parse(run).expect("a run"), expected.into());
    }

    #[test]
    fn a_run_that_counted_nothing_is_a_fault() {
        assert!(parse("\n").is_err());
        assert!(parse(r#"{"function_name":"hot","id":"one","profiles":[]}"#).is_err());
    }
}
