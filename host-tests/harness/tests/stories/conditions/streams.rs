//! Requests that are open when a condition ends.

use std::time::Duration;

use hallpass_harness::{Cluster, Exchange, Harness, Reply};
use hallpass_tokens::NOW;
use serde_json::{Value, json};

use super::{WINDOW_END, afternoon, alice_with, demanding, under};
use crate::setup::{
    GRANTS, alice, allow_until, config, health, ms, order, profile, refused, seconds, start_with,
};

/// Lets time pass until just before `end`, at which nothing may have happened, and then what a cut may take.
#[track_caller]
fn assert_cut_at(harness: &Harness, exchange: &Exchange, end: i64) {
    harness.advance(Duration::from_millis(ms(end) - 1 - harness.now()));
    assert!(
        exchange.is_forwarded(),
        "before its end at {end}: {exchange:?}"
    );
    harness.advance(seconds(1));
    assert!(
        exchange.is_reset(),
        "a second after its end at {end}: {exchange:?}"
    );
}

#[test]
fn a_stream_is_cut_when_the_window_ends_on_a_public_resource_too() {
    let harness = start_with(&demanding(
        &["health", "profile"],
        &json!({ "time_windows": afternoon() }),
    ));
    let public = harness.request(health());
    let known = harness.request(profile(&alice()));
    public.forwarded();
    assert_cut_at(&harness, &known, WINDOW_END);
    assert!(public.is_reset(), "{public:?}");
    let cut = harness.audit();
    let reasons: Vec<(&Value, &Value)> = cut
        .iter()
        .map(|line| (&line["reason"], &line["resource"]))
        .collect();
    assert!(
        reasons.contains(&(&json!("stream_expired"), &json!("health"))),
        "{reasons:?}"
    );
    assert!(
        reasons.contains(&(&json!("stream_expired"), &json!("profile"))),
        "{reasons:?}"
    );
}

#[test]
fn a_stream_is_cut_when_the_sign_in_is_too_old() {
    let harness = under(&json!({ "max_auth_age": "10m" }));
    let exchange = harness.request(profile(&alice_with(&[("auth_time", json!(NOW - 540))])));
    exchange.forwarded();
    assert_cut_at(&harness, &exchange, NOW + 60);
}

#[test]
fn a_stream_is_cut_when_the_sign_in_that_the_service_demanded_is_too_old() {
    let harness = start_with(&config());
    let mut allow = allow_until(NOW + 600);
    allow["context"]["obligations"] =
        json!([{ "type": "step-up", "id": "1", "acr_value": "mfa", "max_age": 600 }]);
    harness.set_cluster(GRANTS, Cluster::answers(move |_| Reply::json(200, &allow)));
    let token = alice_with(&[("acr", json!("mfa")), ("auth_time", json!(NOW - 540))]);
    let exchange = harness.request(order(&token));
    exchange.forwarded();
    assert_cut_at(&harness, &exchange, NOW + 60);
}

#[test]
fn a_stream_that_is_kept_outlives_the_window() {
    let mut config = demanding(&["health"], &json!({ "time_windows": afternoon() }));
    config["resources"][0]["streams"] = json!("keep");
    let harness = start_with(&config);
    let exchange = harness.request(health());
    harness.advance(seconds(3_600));
    assert!(exchange.is_forwarded(), "{exchange:?}");
    refused(&harness.request(health()), 403, "condition_time");
}
