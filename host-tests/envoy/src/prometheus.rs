//! The proxy's stats as Prometheus reads them.

use std::collections::BTreeMap;

/// One line of `/stats/prometheus`: a metric with its labels, and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The metric.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its value.
    pub value: f64,
}

/// Reads the text format. The labels that matter here hold no quotes and commas.
///
/// # Panics
/// When a line is not of the format.
pub(crate) fn samples(text: &str) -> Vec<Sample> {
    let lines = text.lines();
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(sample)
        .collect()
}

fn sample(line: &str) -> Sample {
    let read = || {
        let (name, rest) = line.split_once('{')?;
        let (labels, value) = rest.rsplit_once("} ")?;
        let labels = labels.split(',').filter(|label| !label.is_empty());
        let labels = labels.map(|label| {
            let (name, value) = label.split_once("=\"")?;
            Some((name.to_owned(), value.strip_suffix('"')?.to_owned()))
        });
        Some(Sample {
            name: name.to_owned(),
            labels: labels.collect::<Option<_>>()?,
            value: value.parse().ok()?,
        })
    };
    read().unwrap_or_else(|| panic!("not a sample: {line}"))
}
