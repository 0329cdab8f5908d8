//! What a decision must hold to let a request pass.

use hallpass_tokens::NOW;
use serde_json::json;

use super::{answers, asked, service};
use crate::setup::{
    alice, allow_until, config_with, deny, ms, order, refused, start, start_with, timestamp,
};

#[test]
fn an_allow_without_an_end_is_refused() {
    let harness = start();
    answers(&harness, &json!({ "decision": true }));
    refused(
        &harness.request(order(&alice())),
        403,
        "grant_without_expiry",
    );
}

#[test]
fn an_operator_may_trust_an_allow_without_an_end_for_its_time_to_live() {
    let harness = service(|service| service["require_expiry"] = json!(false));
    answers(&harness, &json!({ "decision": true }));
    harness.request(order(&alice())).forwarded();
    harness.at(ms(NOW + 30) - 1);
    harness.request(order(&alice())).forwarded();
    assert_eq!(asked(&harness), 1);
    harness.at(ms(NOW + 30));
    harness.request(order(&alice())).forwarded();
    assert_eq!(asked(&harness), 2);
}

#[test]
fn an_end_that_cannot_be_read_is_no_end() {
    for end in [
        json!("soon"),
        json!(""),
        json!(1_890_000_000),
        json!(null),
        json!("2026-13-41T00:00:00Z"),
    ] {
        let harness = start();
        answers(
            &harness,
            &json!({ "decision": true, "context": { "approval": { "id": "g", "approved_until": end } } }),
        );
        assert!(!harness.request(order(&alice())).is_forwarded(), "{end}");
    }
}

#[test]
fn an_end_in_another_time_zone_is_understood() {
    let harness = start();
    let end = timestamp(NOW + 10 + 2 * 3600).replace('Z', "+02:00");
    answers(
        &harness,
        &json!({ "decision": true, "context": { "approval": { "id": "g", "approved_until": end } } }),
    );
    harness.request(order(&alice())).forwarded();
    answers(&harness, &deny());
    harness.at(ms(NOW + 10));
    refused(&harness.request(order(&alice())), 403, "grant_denied");
}

#[test]
fn a_grant_that_lasts_longer_than_the_resource_allows_is_refused() {
    let harness = start_with(&config_with(|config| {
        config["resources"][3]["max_grant_lifetime"] = json!("10m");
    }));
    answers(&harness, &allow_until(NOW + 601));
    refused(
        &harness.request(order(&alice())),
        403,
        "grant_lifetime_exceeded",
    );
}
