//! What a collector is sent of the decisions, and that nobody's request feels it.

mod failing;

use std::time::Duration;

use hallpass_harness::{Caller, Cluster, Harness, Reply, Request};
use serde_json::{Value, json};

use crate::setup::{
    GRANTS, alice, config_with, health, order, profile, seconds, start, start_with,
};

const COLLECTOR: &str = "collector";

/// The default configuration with an export in batches of three, changed.
fn exporting(change: impl FnOnce(&mut Value)) -> Value {
    config_with(|config| {
        config["audit"] = json!({ "log": "none", "otlp": { "cluster": COLLECTOR, "batch": 3 } });
        change(&mut config["audit"]["otlp"]);
    })
}

fn start_exporting() -> Harness {
    start_with(&exporting(|_| {}))
}

fn named(id: usize) -> Request {
    health().header("x-request-id", &format!("r-{id}"))
}

/// Makes requests under these names, all of which must pass.
fn ask(harness: &Harness, names: std::ops::Range<usize>) {
    for name in names {
        let exchange = harness.request(named(name));
        exchange.forwarded();
        exchange.upstream_answers(200);
    }
}

fn log_records(sent: &Value) -> Vec<Value> {
    let records = &sent["resourceLogs"][0]["scopeLogs"][0]["logRecords"];
    records.as_array().expect("records").clone()
}

fn attribute<'a>(record: &'a Value, key: &str) -> &'a Value {
    let attributes = record["attributes"].as_array().expect("attributes");
    let found = attributes.iter().find(|attribute| attribute["key"] == key);
    found.map_or(&Value::Null, |attribute| &attribute["value"])
}

/// The names of the requests in each batch so far.
fn batches(harness: &Harness) -> Vec<Vec<String>> {
    let name = |record: &Value| {
        let name = attribute(record, "hallpass.request_id")["stringValue"].as_str();
        name.expect("a name").to_owned()
    };
    let calls = harness.calls_to(COLLECTOR);
    calls
        .iter()
        .map(|call| log_records(&call.json()).iter().map(name).collect())
        .collect()
}

fn batch(names: std::ops::Range<usize>) -> Vec<String> {
    names.map(|name| format!("r-{name}")).collect()
}

fn takes_all(harness: &Harness) {
    harness.set_cluster(
        COLLECTOR,
        Cluster::answers(|_| Reply::json(200, &json!({}))),
    );
}

/// Exported, dropped, sent again, and waiting.
fn counts(harness: &Harness) -> [u64; 4] {
    ["exported", "dropped", "retried", "queued"]
        .map(|name| harness.metric(&format!("hallpass.audit.{name}")))
}

fn told(harness: &Harness, text: &str) -> usize {
    let log = harness.log();
    log.iter().filter(|line| line.text.contains(text)).count()
}

#[test]
fn without_an_export_nothing_is_sent_nor_counted() {
    let harness = start();
    ask(&harness, 0..300);
    harness.advance(seconds(10));
    assert!(harness.callouts().is_empty());
    assert_eq!(counts(&harness), [0, 0, 0, 0]);
}

#[test]
fn a_full_batch_leaves_with_the_next_tick_and_never_from_within_a_request() {
    let harness = start_exporting();
    ask(&harness, 0..7);
    assert!(harness.calls_to(COLLECTOR).is_empty());
    takes_all(&harness);
    harness.tick();
    assert_eq!(batches(&harness), [batch(0..3), batch(3..6)]);
    harness.tick();
    assert_eq!(counts(&harness), [6, 0, 0, 1]);
    for call in harness.calls_to(COLLECTOR) {
        assert_eq!(call.caller, Caller::Root);
    }
}

#[test]
fn a_request_that_has_a_question_of_its_own_does_not_send_the_records_of_others() {
    let harness = start_exporting();
    ask(&harness, 0..7);
    assert!(harness.request(order(&alice())).is_waiting());
    assert_eq!(harness.calls_to(GRANTS).len(), 1);
    assert!(harness.calls_to(COLLECTOR).is_empty());
    harness.tick();
    assert_eq!(harness.calls_to(COLLECTOR).len(), 1);
}

#[test]
fn a_batch_that_does_not_fill_leaves_after_the_interval() {
    let harness = start_exporting();
    takes_all(&harness);
    ask(&harness, 0..2);
    harness.advance(Duration::from_millis(999));
    assert!(harness.calls_to(COLLECTOR).is_empty());
    harness.advance(Duration::from_millis(251));
    assert_eq!(batches(&harness), [batch(0..2)]);
    harness.advance(seconds(10));
    assert_eq!(
        harness.calls_to(COLLECTOR).len(),
        1,
        "without records nothing is sent"
    );
}

#[test]
fn a_batch_is_sent_as_configured() {
    let harness = start_with(&exporting(|otlp| {
        otlp["authority"] = json!("logs.internal");
        otlp["path"] = json!("/otlp/v1/logs");
        otlp["headers"] = json!({ "authorization": "Bearer collector", "x-scope-orgid": "edge" });
        otlp["timeout"] = json!("700ms");
    }));
    ask(&harness, 0..3);
    harness.tick();
    let call = harness.callout();
    assert_eq!(
        (
            call.method.as_str(),
            call.path.as_str(),
            call.authority.as_str()
        ),
        ("POST", "/otlp/v1/logs", "logs.internal")
    );
    for (name, value) in [
        ("content-type", "application/json"),
        ("authorization", "Bearer collector"),
        ("x-scope-orgid", "edge"),
    ] {
        assert_eq!(call.headers.get(name).as_deref(), Some(value));
    }
    assert_eq!(call.timeout, Duration::from_millis(700));
}

#[test]
fn a_record_holds_the_line_and_its_members_and_no_token() {
    let harness = start_with(&exporting(|otlp| otlp["batch"] = json!(1)));
    let token = alice();
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let request = profile(&token).with(":path", "/me?secret=1");
    harness
        .request(request.header("traceparent", trace))
        .forwarded();
    harness.tick();
    let call = harness.callout();
    let text = String::from_utf8_lossy(&call.body).into_owned();
    assert!(!text.contains(&token) && !text.contains("secret"), "{text}");
    let record = log_records(&call.json()).remove(0);
    let line = record["body"]["stringValue"].as_str().expect("a line");
    let line: Value = serde_json::from_str(line).expect("a line of JSON");
    assert_eq!(line["reason"], "identity");
    assert_eq!(
        attribute(&record, "hallpass.reason")["stringValue"],
        "identity"
    );
    assert_eq!(attribute(&record, "enduser.id")["stringValue"], "alice");
    assert_eq!(record["severityText"], "INFO");
    assert_eq!(record["traceId"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(record["timeUnixNano"], format!("{}000000", harness.now()));
    assert!(harness.audit().is_empty(), "the log is another matter");
}

#[test]
fn refusals_alone_are_exported_where_only_they_are_wanted() {
    let harness = start_with(&exporting(|otlp| otlp["decisions"] = json!("denied")));
    takes_all(&harness);
    ask(&harness, 0..5);
    harness
        .request(Request::get("https://admin.example/me"))
        .answer();
    harness.advance(seconds(2));
    let records = log_records(&harness.calls_to(COLLECTOR)[0].json());
    assert_eq!(records.len(), 1);
    assert_eq!(
        attribute(&records[0], "hallpass.reason")["stringValue"],
        "token_missing"
    );
    assert_eq!(counts(&harness), [1, 0, 0, 0]);
}

#[test]
fn what_monitor_mode_lets_pass_is_exported_as_the_refusal_that_it_would_be() {
    let mut config = exporting(|otlp| otlp["decisions"] = json!("denied"));
    config["mode"] = json!("monitor");
    let harness = start_with(&config);
    takes_all(&harness);
    harness
        .request(Request::get("https://admin.example/me"))
        .forwarded();
    harness.advance(seconds(2));
    let record = log_records(&harness.calls_to(COLLECTOR)[0].json()).remove(0);
    assert_eq!(record["severityText"], "WARN");
    assert_eq!(
        attribute(&record, "hallpass.decision")["stringValue"],
        "deny"
    );
    assert_eq!(attribute(&record, "hallpass.enforced")["boolValue"], false);
}

#[test]
fn a_request_that_the_proxy_would_not_change_is_not_exported_as_allowed() {
    let harness = start_exporting();
    takes_all(&harness);
    let exchange = harness.request(profile(&alice()).unchangeable());
    assert_eq!(exchange.answer().status, 503);
    harness.advance(seconds(2));
    assert!(harness.calls_to(COLLECTOR).is_empty());
}

#[test]
fn records_that_wait_go_on_under_a_new_configuration_and_none_is_sent_twice() {
    let harness = start_exporting();
    ask(&harness, 0..5);
    harness.tick();
    let under_way = harness.callout();
    harness.reconfigure(exporting(|otlp| otlp["authority"] = json!("new.internal")));
    assert_eq!(counts(&harness), [0, 0, 0, 5]);
    harness.advance(seconds(2));
    assert_eq!(batches(&harness), [batch(0..3)], "one batch at a time");
    under_way.reply_json(200, &json!({}));
    takes_all(&harness);
    harness.advance(seconds(2));
    assert_eq!(batches(&harness), [batch(0..3), batch(3..5)]);
    assert_eq!(harness.calls_to(COLLECTOR)[1].authority, "new.internal");
    assert_eq!(counts(&harness), [5, 0, 0, 0]);
}

#[test]
fn records_that_wait_when_the_export_ends_are_counted_as_dropped() {
    let harness = start_exporting();
    ask(&harness, 0..5);
    harness.tick();
    let under_way = harness.callout();
    harness.reconfigure(config_with(|_| {}));
    assert_eq!(counts(&harness), [0, 5, 0, 0]);
    assert_eq!(told(&harness, "5 audit records are dropped"), 1);
    under_way.reply_json(200, &json!({}));
    harness.advance(seconds(5));
    assert_eq!(counts(&harness), [0, 5, 0, 0]);
    assert_eq!(harness.calls_to(COLLECTOR).len(), 1);
}

#[test]
fn records_that_wait_when_the_filter_ends_are_counted_as_dropped_and_wait_no_longer() {
    let harness = start_exporting();
    ask(&harness, 0..5);
    harness.tick();
    assert_eq!(counts(&harness), [0, 0, 0, 5]);
    harness.end();
    assert_eq!(counts(&harness), [0, 5, 0, 0]);
    assert_eq!(told(&harness, "5 audit records are dropped"), 1);
}

#[test]
fn huge_and_odd_requests_arrive_as_one_record_each() {
    let harness = start_with(&exporting(|otlp| otlp["batch"] = json!(100)));
    takes_all(&harness);
    let odd = [
        "/a\"}},{\"timeUnixNano\":\"1\"".to_owned(),
        format!("/{}", "x".repeat(50_000)),
        "/a\r\n\u{0}\u{2028}".to_owned(),
    ];
    for path in &odd {
        harness.request(health().with(":path", path)).answer();
    }
    harness.advance(seconds(2));
    let records = log_records(&harness.calls_to(COLLECTOR)[0].json());
    assert_eq!(records.len(), odd.len());
    for record in &records {
        assert!(record.to_string().len() < 110_000);
    }
}

#[test]
fn each_worker_sends_its_own_records() {
    let harness = start_exporting();
    let second = harness.second_worker();
    takes_all(&harness);
    ask(&harness, 0..3);
    ask(&second, 3..6);
    harness.advance(seconds(2));
    let mut sent = batches(&harness);
    sent.sort();
    assert_eq!(sent, [batch(0..3), batch(3..6)]);
    assert_eq!(counts(&harness), [6, 0, 0, 0]);
}
