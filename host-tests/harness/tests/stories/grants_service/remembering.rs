//! How long a decision is remembered, and how much of it.

use hallpass_harness::{Call, Cluster, Reply};
use hallpass_tokens::{NOW, TokenBuilder};
use serde_json::json;

use super::{answers, asked, service};
use crate::setup::{
    GRANTS, alice, allow_until, deny, fails, key, ms, order, refused, start, unavailable,
};

#[test]
fn an_allow_lets_the_request_pass_and_is_remembered() {
    let harness = start();
    let exchange = harness.request(order(&alice()));
    harness.callout().reply_json(200, &allow_until(NOW + 3600));
    let forwarded = exchange.forwarded();
    assert_eq!(
        forwarded.get("x-hallpass-subject").as_deref(),
        Some("alice")
    );
    assert_eq!(
        forwarded.get("x-hallpass-grant-id").as_deref(),
        Some("g-42")
    );

    let forwarded = harness.request(order(&alice())).forwarded();
    assert_eq!(
        forwarded.get("x-hallpass-grant-id").as_deref(),
        Some("g-42")
    );
    assert_eq!(asked(&harness), 1);
}

#[test]
fn an_allow_is_remembered_for_its_time_to_live_and_no_longer() {
    let harness = start();
    answers(&harness, &allow_until(NOW + 3600));
    harness.request(order(&alice())).forwarded();
    harness.at(ms(NOW + 30) - 1);
    harness.request(order(&alice())).forwarded();
    assert_eq!(asked(&harness), 1);
    harness.at(ms(NOW + 30));
    harness.request(order(&alice())).forwarded();
    assert_eq!(asked(&harness), 2);
}

#[test]
fn an_allow_is_never_remembered_past_the_end_of_the_grant() {
    let harness = start();
    answers(&harness, &allow_until(NOW + 10));
    harness.request(order(&alice())).forwarded();
    answers(&harness, &deny());
    harness.at(ms(NOW + 10) - 1);
    harness.request(order(&alice())).forwarded();
    harness.at(ms(NOW + 10));
    refused(&harness.request(order(&alice())), 403, "grant_denied");
}

#[test]
fn a_remembered_allow_does_not_help_a_token_that_has_ended() {
    let harness = start();
    answers(&harness, &allow_until(NOW + 3600));
    let token = TokenBuilder::for_user("alice")
        .expires_at(NOW - 20)
        .signed_by(&key());
    harness.request(order(&token)).forwarded();
    harness.at(ms(NOW + 10));
    refused(&harness.request(order(&token)), 401, "token_expired");
}

#[test]
fn a_deny_is_told_with_a_way_to_ask_and_remembered_for_a_short_time() {
    let harness = start();
    answers(&harness, &deny());
    let answer = refused(&harness.request(order(&alice())), 403, "grant_denied");
    assert_eq!(
        answer.json()["request_url"],
        "https://grants.example/request?resource=orders&action=read"
    );
    assert!(!answer.headers.has("www-authenticate"));

    answers(&harness, &allow_until(NOW + 3600));
    harness.at(ms(NOW + 2) - 1);
    refused(&harness.request(order(&alice())), 403, "grant_denied");
    assert_eq!(asked(&harness), 1);
    harness.at(ms(NOW + 2));
    harness.request(order(&alice())).forwarded();
    assert_eq!(asked(&harness), 2);
}

#[test]
fn a_remembered_deny_gives_the_same_answer_as_the_first() {
    let harness = start();
    answers(&harness, &deny());
    let ask = || harness.request(order(&alice()).header("x-request-id", "r-1"));
    let first = refused(&ask(), 403, "grant_denied");
    let second = refused(&ask(), 403, "grant_denied");
    assert_eq!(second.json(), first.json());
    assert_eq!(asked(&harness), 1);
}

#[test]
fn no_store_is_honoured() {
    let harness = start();
    harness.set_cluster(
        GRANTS,
        Cluster::answers(|_: &Call| {
            Reply::json(200, &allow_until(NOW + 3600)).header("cache-control", "no-store")
        }),
    );
    harness.request(order(&alice())).forwarded();
    harness.request(order(&alice())).forwarded();
    assert_eq!(asked(&harness), 2);
}

#[test]
fn the_service_may_shorten_the_time_to_live_and_not_lengthen_it() {
    for (max_age, lifetime) in [
        ("max-age=5", 5),
        ("private, max-age=5", 5),
        ("max-age=3600", 30),
    ] {
        let harness = start();
        harness.set_cluster(
            GRANTS,
            Cluster::answers(move |_: &Call| {
                Reply::json(200, &allow_until(NOW + 3600)).header("cache-control", max_age)
            }),
        );
        harness.request(order(&alice())).forwarded();
        harness.at(ms(NOW + lifetime) - 1);
        harness.request(order(&alice())).forwarded();
        assert_eq!(asked(&harness), 1, "{max_age}");
        harness.at(ms(NOW + lifetime));
        harness.request(order(&alice())).forwarded();
        assert_eq!(asked(&harness), 2, "{max_age}");
    }
}

#[test]
fn a_stale_allow_bridges_a_failure_for_the_stated_time_only() {
    let harness = service(|service| service["cache"] = json!({ "stale_if_error": "60s" }));
    answers(&harness, &allow_until(NOW + 3600));
    harness.request(order(&alice())).forwarded();
    fails(&harness);
    harness.at(ms(NOW + 90) - 1);
    harness.request(order(&alice())).forwarded();
    harness.at(ms(NOW + 90));
    unavailable(&harness.request(order(&alice())));
}

#[test]
fn a_stale_allow_is_recorded_and_counted_as_one() {
    let harness = service(|service| service["cache"] = json!({ "stale_if_error": "60s" }));
    answers(&harness, &allow_until(NOW + 3600));
    harness.request(order(&alice())).forwarded();
    fails(&harness);
    harness.at(ms(NOW + 40));
    let exchange = harness.request(order(&alice()));
    let upstream = exchange.forwarded();
    assert_eq!(upstream.get("x-hallpass-grant-id").as_deref(), Some("g-42"));
    exchange.upstream_answers(200);
    let record = harness.audit().pop().expect("a record");
    assert_eq!(record["reason"], "grant_stale");
    assert_eq!(harness.metric("hallpass.grants.stale"), 1);
    assert_eq!(harness.metric("hallpass.decisions.allow.grant_stale"), 1);
}

#[test]
fn a_stale_allow_helps_nobody_whose_token_has_ended_and_nobody_else() {
    let harness = service(|service| service["cache"] = json!({ "stale_if_error": "1h" }));
    answers(&harness, &allow_until(NOW + 3600));
    let token = TokenBuilder::for_user("alice")
        .expires_in(60)
        .signed_by(&key());
    harness.request(order(&token)).forwarded();
    fails(&harness);
    harness.at(ms(NOW + 90));
    refused(&harness.request(order(&token)), 401, "token_expired");
    let bob = TokenBuilder::for_user("bob").signed_by(&key());
    unavailable(&harness.request(order(&bob)));
}

#[test]
fn a_stale_allow_never_outlives_its_grant() {
    let harness = service(|service| service["cache"] = json!({ "stale_if_error": "1h" }));
    answers(&harness, &allow_until(NOW + 40));
    harness.request(order(&alice())).forwarded();
    fails(&harness);
    harness.at(ms(NOW + 40) - 1);
    harness.request(order(&alice())).forwarded();
    harness.at(ms(NOW + 40));
    unavailable(&harness.request(order(&alice())));
}

#[test]
fn a_stale_allow_does_not_outweigh_a_fresh_deny() {
    let harness = service(|service| service["cache"] = json!({ "stale_if_error": "1h" }));
    answers(&harness, &allow_until(NOW + 3600));
    harness.request(order(&alice())).forwarded();
    answers(&harness, &deny());
    harness.at(ms(NOW + 30));
    refused(&harness.request(order(&alice())), 403, "grant_denied");
    fails(&harness);
    harness.at(ms(NOW + 40));
    unavailable(&harness.request(order(&alice())));
}

#[test]
fn the_memory_is_bounded() {
    let harness =
        service(|service| service["cache"] = json!({ "max_entries": 2, "shared": false }));
    answers(&harness, &allow_until(NOW + 3600));
    let user = |name: &str| order(&TokenBuilder::for_user(name).signed_by(&key()));
    for name in ["a", "b", "c"] {
        harness.request(user(name)).forwarded();
    }
    harness.request(user("c")).forwarded();
    assert_eq!(asked(&harness), 3);
    harness.request(user("a")).forwarded();
    assert_eq!(asked(&harness), 4, "the oldest was forgotten");
}
