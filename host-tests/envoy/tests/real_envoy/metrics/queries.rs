//! Queries of Prometheus, as far as they must be understood to see that what they ask for is there.

use std::collections::{BTreeMap, BTreeSet};

use hallpass_envoy_tests::Sample;

/// Labels that Prometheus adds when it reads a proxy.
const SCRAPED: [&str; 2] = ["job", "instance"];

/// Each metric that the query names is shown, and so are the labels and values by which it selects and groups.
#[track_caller]
pub(super) fn assert_shown(query: &str, samples: &[Sample]) {
    let selections = selections(query);
    assert!(!selections.is_empty(), "no metric in {query}");
    for (metric, matchers) in selections {
        assert!(
            samples.iter().any(|sample| sample.name == metric),
            "no {metric}: {query}"
        );
        let shown = label_values(samples, metric);
        let grouped = between(query, "by (", ')')
            .into_iter()
            .flat_map(|names| names.split(", "));
        for label in grouped {
            assert!(
                shown.contains_key(label),
                "{metric} has no {label}: {query}"
            );
        }
        for (label, value) in matchers
            .into_iter()
            .filter(|(label, _)| !SCRAPED.contains(label))
        {
            let values = shown
                .get(label)
                .unwrap_or_else(|| panic!("{metric} has no {label}: {query}"));
            for value in value.split('|') {
                assert!(
                    values.contains(value),
                    "{metric} has no {label}={value}: {query}"
                );
            }
        }
    }
}

/// What is between `open` and the next `close` behind it.
fn between<'a>(text: &'a str, open: &str, close: char) -> Option<&'a str> {
    Some(text.split_once(open)?.1.split_once(close)?.0)
}

/// The metrics that a query names, each with the labels and values that it selects.
pub(super) fn selections(query: &str) -> Vec<(&str, Vec<(&str, &str)>)> {
    let starts = query.match_indices("hallpass_").map(|(start, _)| start);
    starts
        .map(|start| {
            let rest = &query[start..];
            let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
            let (name, rest) = rest.split_at(end.unwrap_or(rest.len()));
            let selection = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
            let matchers = selection.map_or("", |(matchers, _)| matchers).split(", ");
            let matchers = matchers.filter_map(|matcher| {
                let (label, value) = matcher.split_once('=')?;
                Some((label, value.trim_start_matches('~').trim_matches('"')))
            });
            (name, matchers.collect())
        })
        .collect()
}

fn label_values(samples: &[Sample], metric: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for sample in samples.iter().filter(|sample| sample.name == metric) {
        for (label, value) in &sample.labels {
            found
                .entry(label.clone())
                .or_default()
                .insert(value.clone());
        }
    }
    found
}
