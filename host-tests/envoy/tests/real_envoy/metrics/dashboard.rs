//! The shipped dashboard: of the shape that Grafana loads, and about metrics that real Envoy shows.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::queries::{assert_shown, selections};
use super::samples;
use crate::world::world;

/// The oldest shape that is in use, of Grafana 10.
const OLDEST_SCHEMA: u64 = 38;

fn dashboard() -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join("envoy-config/grafana-dashboard.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn list<'a>(value: &'a Value, pointer: &str) -> &'a Vec<Value> {
    let list = value.pointer(pointer).and_then(Value::as_array);
    list.unwrap_or_else(|| panic!("no list {pointer} in {value}"))
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    let text = value.pointer(pointer).and_then(Value::as_str);
    text.unwrap_or_else(|| panic!("no text {pointer} in {value}"))
}

/// Panels that show something, with their queries.
fn panels(dashboard: &Value) -> impl Iterator<Item = &Value> {
    let panels = list(dashboard, "/panels").iter();
    panels.filter(|panel| panel["type"] != "row")
}

/// Every query: of panels, and of the variables that fill themselves.
fn queries(dashboard: &Value) -> Vec<&str> {
    let variables = list(dashboard, "/templating/list").iter();
    let variables = variables.filter(|variable| variable["type"] == "query");
    panels(dashboard)
        .flat_map(|panel| list(panel, "/targets"))
        .map(|target| text(target, "/expr"))
        .chain(variables.map(|variable| text(variable, "/definition")))
        .collect()
}

#[test]
fn the_dashboard_asks_for_metrics_labels_and_values_that_the_proxy_shows_and_leaves_none_out() {
    let samples = samples(&world().proxy);
    let dashboard = dashboard();
    let mut asked = BTreeSet::new();
    for query in queries(&dashboard) {
        assert_shown(query, &samples);
        asked.extend(selections(query).into_iter().map(|(metric, _)| metric));
    }
    let shown: BTreeSet<&str> = samples.iter().map(|sample| &*sample.name).collect();
    let forgotten: Vec<&&str> = shown.difference(&asked).collect();
    assert_eq!(
        forgotten,
        [] as [&&str; 0],
        "metrics that the dashboard does not show"
    );
}

#[test]
fn every_query_of_a_panel_can_be_narrowed_to_a_job_and_an_instance() {
    for panel in panels(&dashboard()) {
        for target in list(panel, "/targets") {
            let query = text(target, "/expr");
            for (metric, matchers) in selections(query) {
                for wanted in [("job", "$job"), ("instance", "$instance")] {
                    assert!(matchers.contains(&wanted), "{metric} in {query}");
                }
            }
        }
    }
}

#[test]
fn the_dashboard_has_the_shape_that_grafana_loads() {
    let dashboard = dashboard();
    assert!(dashboard["schemaVersion"].as_u64() >= Some(OLDEST_SCHEMA));
    for member in ["/title", "/uid", "/time/from", "/time/to"] {
        text(&dashboard, member);
    }
    assert!(
        dashboard.get("id").is_none_or(Value::is_null),
        "an id belongs to one Grafana"
    );
    let variables: Vec<&str> = list(&dashboard, "/templating/list")
        .iter()
        .map(|variable| text(variable, "/name"))
        .collect();
    assert_eq!(variables, ["datasource", "job", "instance"]);
    let mut ids = BTreeSet::new();
    let mut taken = BTreeSet::new();
    for panel in list(&dashboard, "/panels") {
        text(panel, "/title");
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel}");
        let side = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        assert!(side("x") + side("w") <= 24, "{panel}");
        for x in side("x")..side("x") + side("w") {
            for y in side("y")..side("y") + side("h") {
                assert!(taken.insert((x, y)), "one panel lies on another: {panel}");
            }
        }
    }
    for panel in panels(&dashboard) {
        assert!(
            ["timeseries", "stat"].contains(&text(panel, "/type")),
            "{panel}"
        );
        text(panel, "/fieldConfig/defaults/unit");
        assert!(!text(panel, "/description").is_empty(), "{panel}");
        let mut names = BTreeSet::new();
        for target in list(panel, "/targets") {
            assert!(names.insert(text(target, "/refId")), "{panel}");
            assert_eq!(text(target, "/datasource/uid"), "${datasource}");
        }
    }
}
