//! Lines that wait for others are all written, each on a line of its own, in their time, and whatever becomes of the filter.

use std::time::Duration;

use hallpass_harness::{Harness, Request};
use hallpass_tokens::{Grant, NOW, TokenBuilder};
use serde_json::{Value, json};

use crate::setup::{
    alice, allow_until, config_with, config_without_service, health, key, order, profile,
    start_with,
};

const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn flushing_every(interval: &str) -> Value {
    config_with(|config| config["audit"] = json!({ "flush_interval": interval }))
}

fn named(name: &str) -> Request {
    health().header("x-request-id", name)
}

/// Makes a request to its end.
fn ask(harness: &Harness, request: Request) {
    let exchange = harness.request(request);
    if exchange.is_forwarded() {
        exchange.upstream_answers(200);
    }
}

/// Whose lines are there, by the requests' names.
fn written(harness: &Harness) -> Vec<String> {
    let name = |line: &Value| line["request_id"].as_str().expect("a name").to_owned();
    harness.audit().iter().map(name).collect()
}

/// How often the proxy was told to write audit lines.
fn writes(harness: &Harness) -> usize {
    let log = harness.log();
    log.iter().filter(|line| !line.audit().is_empty()).count()
}

#[test]
fn they_are_written_together_when_the_first_of_them_has_waited_long_enough() {
    let harness = start_with(&flushing_every("20ms"));
    ask(&harness, named("r-1"));
    harness.advance(millis(12));
    ask(&harness, named("r-2"));
    harness.advance(millis(7));
    assert_eq!(written(&harness), [] as [&str; 0], "it is not time yet");
    harness.advance(millis(1));
    assert_eq!(written(&harness), ["r-1", "r-2"]);
    assert_eq!(writes(&harness), 1);
    harness.advance(millis(5_000));
    assert_eq!(written(&harness), ["r-1", "r-2"], "each is written once");

    ask(&harness, named("r-3"));
    harness.advance(millis(20));
    assert_eq!(written(&harness), ["r-1", "r-2", "r-3"]);
}

#[test]
fn a_long_interval_is_kept_to_as_well() {
    let harness = start_with(&flushing_every("1s"));
    harness.advance(millis(130));
    ask(&harness, named("r-1"));
    harness.advance(millis(999));
    assert_eq!(written(&harness), [] as [&str; 0]);
    harness.advance(millis(1));
    assert_eq!(written(&harness), ["r-1"]);
}

#[test]
fn many_do_not_wait_for_more() {
    let harness = start_with(&flushing_every("1s"));
    let names: Vec<String> = (0..200).map(|number| format!("r-{number}")).collect();
    for name in &names {
        ask(&harness, named(name));
    }
    let so_far = written(&harness);
    assert!(so_far.len() > 150, "{} of 200 are written", so_far.len());
    assert!(
        writes(&harness) < 20,
        "they were written in {} pieces",
        writes(&harness)
    );
    harness.advance(millis(1_000));
    assert_eq!(written(&harness), names);
}

#[test]
fn refusals_and_requests_that_were_held_and_cut_have_their_lines_too() {
    let harness = start_with(&flushing_every("20ms"));
    ask(&harness, Request::get("https://admin.example/me"));
    let held = harness.request(order(&alice()));
    harness.callout().reply_json(200, &allow_until(NOW + 60));
    held.forwarded();
    harness.advance(millis(20));
    let reasons = |harness: &Harness| -> Vec<Value> {
        let lines = harness.audit();
        lines.iter().map(|line| line["reason"].clone()).collect()
    };
    assert_eq!(reasons(&harness), ["token_missing", "grant_service"]);
    harness.advance(millis(60_000));
    assert!(held.is_reset());
    harness.advance(millis(20));
    assert_eq!(
        reasons(&harness),
        ["token_missing", "grant_service", "stream_expired"]
    );
}

#[test]
fn none_is_lost_with_the_configuration_that_it_was_made_under() {
    for next in [
        flushing_every("1s"),
        config_with(|_| {}),
        config_with(|config| config["audit"] = json!({ "log": "none" })),
    ] {
        let harness = start_with(&flushing_every("1s"));
        ask(&harness, named("r-1"));
        harness.reconfigure(&next);
        assert_eq!(written(&harness), ["r-1"], "{next}");
    }
}

#[test]
fn a_request_that_waits_when_the_configuration_is_replaced_has_its_line_too() {
    let harness = start_with(&flushing_every("20ms"));
    let _waiting = harness.request(order(&alice()).header("x-request-id", "r-1"));
    harness.reconfigure(flushing_every("1s"));
    harness.advance(millis(1_001));
    assert_eq!(written(&harness), ["r-1"]);
}

#[test]
fn a_line_has_nothing_else_come_later() {
    let harness = start_with(&flushing_every("200ms"));
    let grant = Grant::new("orders", &["read"]).until(NOW + 2);
    let token = TokenBuilder::for_user("alice")
        .grant(grant)
        .signed_by(&key());
    let open = harness.request(order(&token));
    open.forwarded();
    // Its line was written after 200 ms, and every 250 ms since then there is a tick: the next one cuts it.
    harness.advance(millis(2_199));
    assert!(!open.is_reset());
    ask(&harness, named("r-2"));
    harness.advance(millis(1));
    assert!(open.is_reset());
}

#[test]
fn none_is_lost_with_the_filter() {
    let harness = start_with(&flushing_every("1s"));
    ask(&harness, named("r-1"));
    ask(&harness, named("r-2"));
    harness.end();
    assert_eq!(written(&harness), ["r-1", "r-2"]);
}

#[test]
fn a_clock_that_is_set_back_keeps_none_waiting() {
    let harness = start_with(&flushing_every("1s"));
    ask(&harness, named("r-1"));
    harness.at(harness.now() - 3_600_000);
    ask(&harness, named("r-2"));
    assert_eq!(written(&harness), ["r-1"]);
    harness.advance(millis(1_000));
    harness.tick();
    assert_eq!(written(&harness), ["r-1", "r-2"]);
}

#[test]
fn nobody_forges_one_among_them() {
    let mut config = config_without_service();
    config["audit"] = json!({ "flush_interval": "20ms" });
    config["identity_headers"] = json!({ "subject": null });
    let harness = start_with(&config);
    let forged = "alice\"}\nhallpass.audit {\"decision\":\"allow\",\"subject\":\"root\"}";
    let token = TokenBuilder::for_user(forged).signed_by(&key());
    ask(&harness, named("r-1"));
    ask(&harness, profile(&token).header("x-request-id", "r-2"));
    ask(
        &harness,
        named("r-3").with(":path", "/healthz?\nhallpass.audit {}\u{2028}"),
    );
    harness.advance(millis(20));
    let lines = harness.audit();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert_eq!(lines[1]["subject"], forged);
}
