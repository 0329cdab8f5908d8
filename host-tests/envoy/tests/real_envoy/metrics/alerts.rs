//! The shipped alerts: of the shape that Prometheus loads, and about metrics that real Envoy shows.

use std::path::Path;

use serde_json::Value;

use super::queries::assert_shown;
use super::samples;
use crate::world::world;

const FILE: &str = "envoy-config/prometheus-alerts.yaml";

/// The rules in it.
fn rules() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(FILE);
    let text = std::fs::read_to_string(path).unwrap();
    let document: Value = serde_saphyr::from_str(&text).unwrap();
    let groups = document["groups"].as_array().expect("groups");
    let rules = |group: &Value| group["rules"].as_array().expect("rules").clone();
    groups.iter().flat_map(rules).collect()
}

#[test]
fn the_alerts_ask_for_metrics_labels_and_values_that_the_proxy_shows() {
    let samples = samples(&world().proxy);
    for rule in rules() {
        assert_shown(rule["expr"].as_str().expect("an expression"), &samples);
    }
}

#[test]
fn each_alert_says_what_is_wrong_and_what_to_do() {
    let rules = rules();
    assert!(rules.len() >= 8);
    for rule in rules {
        let members = rule.as_object().unwrap();
        let known = ["alert", "expr", "for", "labels", "annotations"];
        assert!(
            members.keys().all(|name| known.contains(&&**name)),
            "{rule}"
        );
        let name = rule["alert"].as_str().expect("a name");
        assert!(name.starts_with("Hallpass"), "{name}");
        let severity = rule["labels"]["severity"].as_str();
        assert!(matches!(severity, Some("page" | "ticket")), "{name}");
        for annotation in ["summary", "description"] {
            let text = rule["annotations"][annotation].as_str();
            assert!(text.is_some_and(|text| text.ends_with('.')), "{name}");
        }
        let held = rule["for"].as_str();
        assert!(held.is_none_or(is_duration), "{name}: {held:?}");
    }
}

/// As Prometheus writes durations: `5m`.
fn is_duration(time: &str) -> bool {
    let number = time.strip_suffix(['s', 'm', 'h']);
    number.is_some_and(|number| number.parse::<u32>().is_ok())
}
