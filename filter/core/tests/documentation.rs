//! What the documentation promises is what the code does.
#![cfg(not(target_arch = "wasm32"))]

use std::collections::HashSet;
use std::path::Path;

use hallpass_core::config::Config;
use hallpass_core::denial::Reason;
use hallpass_core::metrics::Counter;

fn document(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read_to_string(root.join(path)).expect(path)
}

/// The first JSON block of a document.
fn first_json(document: &str) -> &str {
    let (_, rest) = document.split_once("```json\n").expect("a JSON block");
    rest.split_once("\n```").expect("its end").0
}

#[test]
fn the_documented_configurations_are_accepted() {
    for path in ["README.md", "docs/configuration.md"] {
        let document = document(path);
        if let Err(faults) = Config::parse(first_json(&document).as_bytes()) {
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            panic!("{path}: {faults:#?}");
        }
    }
}

#[test]
fn the_documented_conditions_are_accepted() {
    let document = document("docs/configuration.md");
    let (_, rest) = document
        .split_once("```json\n\"conditions\": ")
        .expect("an example");
    let (conditions, _) = rest.split_once("\n```").expect("its end");
    let mut config: serde_json::Value =
        serde_json::from_str(first_json(&document)).expect("an example");
    config["resources"][1]["conditions"] = serde_json::from_str(conditions).expect("JSON");
    if let Err(faults) = Config::parse(config.to_string().as_bytes()) {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        panic!("{faults:#?}");
    }
}

#[test]
fn the_readme_lists_every_reason_with_its_status_and_no_other() {
    let readme = document("README.md");
    let (_, table) = readme
        .split_once("| reason | status |")
        .expect("a table of reasons");
    let mut listed: Vec<(String, String)> = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            (cells[1].trim_matches('`').to_owned(), cells[2].to_owned())
        })
        .collect();
    let mut known: Vec<(String, String)> = Reason::ALL
        .iter()
        .map(|reason| {
            let status = if reason.allows() {
                "passes".to_owned()
            } else {
                reason.kind().status().to_string()
            };
            (reason.as_str().to_owned(), status)
        })
        .collect();
    listed.sort();
    known.sort();
    assert_eq!(listed, known);
}

#[test]
fn operators_are_told_of_every_reason_what_it_means_and_what_to_do() {
    let operations = document("docs/operations.md");
    for reason in Reason::ALL {
        let row = format!("\n| `{}` | ", reason.as_str());
        let (_, rest) = operations
            .split_once(&row)
            .unwrap_or_else(|| panic!("no row for {}", reason.as_str()));
        let answer = rest.split(' ').next().unwrap_or_default();
        let status = reason.kind().status().to_string();
        let expected = match reason {
            Reason::StreamExpired => "cut",
            reason if reason.allows() => "passes",
            _ => &status,
        };
        assert_eq!(answer, expected, "{}", reason.as_str());
    }
}

#[test]
fn operators_are_told_of_every_metric_what_it_counts() {
    let operations = document("docs/operations.md");
    let is_told = |name: &str| operations.contains(&format!("\n| `{name}` | "));
    for counter in Counter::all() {
        let name = match counter {
            Counter::Decision(_) => r"hallpass.decisions.<allow\|deny>.<reason>".to_owned(),
            Counter::Monitored(_) => "hallpass.monitored.<reason>".to_owned(),
            other => other.name(),
        };
        assert!(is_told(&name), "no row for {name}");
    }
    // Gauges and the histogram are the plugin's.
    let sinks = document("filter/plugin/src/sinks.rs");
    let quoted = sinks.split("\"hallpass.").skip(1);
    let names = quoted
        .filter_map(|rest| rest.split('"').next())
        .filter(|name| !name.contains([' ', '\\']));
    let mut told = 0;
    for name in names {
        let name = format!("hallpass.{}", name.replace('{', "<").replace('}', ">"));
        assert!(is_told(&name), "no row for {name}");
        told += 1;
    }
    assert!(told >= 5, "only {told} of the plugin's metrics were found");
}

/// The names of all functions in the workspace's Rust files, tests among them.
fn functions(folder: &Path, found: &mut HashSet<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            functions(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = std::fs::read_to_string(&path).expect("a source file");
            let names = source.split("fn ").skip(1);
            found.extend(names.filter_map(|rest| Some(rest.split_once('(')?.0.to_owned())));
        }
    }
}

#[test]
fn every_threat_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut known = HashSet::new();
    for folder in ["cli", "filter", "grant-service", "host-tests", "fuzz"] {
        functions(&root.join(folder), &mut known);
    }
    let threats = document("docs/threats.md");
    for threat in threats.split("\n### ").skip(1) {
        let title = threat.lines().next().unwrap_or_default();
        let (_, tests) = threat
            .split_once("Tests: ")
            .unwrap_or_else(|| panic!("`{title}` names no test"));
        let paragraph = tests.split("\n\n").next().unwrap_or_default();
        let named: Vec<&str> = paragraph.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "`{title}` names no test");
        for name in named {
            assert!(known.contains(name), "`{title}`: there is no test `{name}`");
        }
    }
}
