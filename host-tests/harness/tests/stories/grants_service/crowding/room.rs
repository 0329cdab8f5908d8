//! What the proxy itself has no room for: it waits for a call to come back, opens nothing, and says nothing of the service.

use std::time::Duration;

use hallpass_harness::{Cluster, Exchange, Reply};
use hallpass_tokens::NOW;
use serde_json::json;

use super::super::{answers, asked, service};
use super::{allow, allow_all, people, token, unending};
use crate::setup::{
    GRANTS, alice, allow_until, config_with, deny, ms, order, refused, start, unavailable,
};

#[test]
fn calls_of_a_configuration_that_is_gone_take_room_until_they_are_over_and_their_answers_are_nobodys()
 {
    let open = config_with(|config| {
        config["grants"]["service"]["failure_mode"] = json!("allow");
    });
    let harness = unending(&open);
    let before = harness.request(order(&alice()));
    let call = harness.callout();
    harness.reconfigure(&open);
    unavailable(&before);
    harness.set_cluster(GRANTS, Cluster::Refuses);
    let next = harness.request(order(&alice()));
    assert!(next.is_waiting(), "for the room that the first call takes");

    harness.set_cluster(GRANTS, Cluster::Waits);
    allow(&call);
    assert!(next.is_waiting(), "that was no answer to her");
    let call = harness.callout();
    call.reply_json(200, &deny());
    refused(&next, 403, "grant_denied");
}

#[test]
fn a_call_of_a_configuration_that_is_gone_and_that_is_never_answered_takes_no_room_for_ever() {
    let harness = unending(&config_with(|_| {}));
    let _before = harness.request(order(&alice()));
    harness.reconfigure(config_with(|_| {}));
    harness.advance(Duration::from_secs(2));
    harness.set_cluster(GRANTS, Cluster::Refuses);
    unavailable(&harness.request(order(&alice())));
    assert!(harness.logged("has it hosts?"), "nothing else takes room");
}

/// What a proxy answers whose circuit breaker lets no more through.
fn overflow() -> Reply {
    Reply::failed_like_envoy(503).header("x-envoy-overloaded", "true")
}

#[test]
fn a_breaker_that_overflows_opens_nothing_and_says_nothing_of_the_service() {
    let harness = service(|service| service["failure_mode"] = json!("allow"));
    for number in 0..5 {
        let exchange = harness.request(order(&token(&format!("user-{number}"))));
        harness.callout().reply(overflow());
        let answer = unavailable(&exchange);
        assert_eq!(answer.headers.all("retry-after"), ["1"]);
    }
    assert!(harness.logged("circuit breaker"));
    assert!(!harness.logged("failed several times"));
    let next = harness.request(order(&alice()));
    assert!(next.is_waiting(), "the service is asked as before");
    harness.callout().reply(Reply::failed_like_envoy(503));
    next.forwarded();
}

#[test]
fn what_the_proxy_has_no_room_for_waits_for_a_call_to_come_back() {
    let harness = service(|service| service["failure_mode"] = json!("allow"));
    let first = harness.request(order(&alice()));
    harness.set_cluster(GRANTS, Cluster::Refuses);
    let others = people(&harness, 5);
    assert!(others.iter().all(Exchange::is_waiting));
    assert_eq!(
        harness.metric("hallpass.callouts.refused"),
        1,
        "it is not tried in vain"
    );
    assert!(harness.logged("circuit breaker"));
    assert!(!harness.logged("failed several times"));

    harness.set_cluster(GRANTS, Cluster::Waits);
    allow(&harness.callout());
    first.forwarded();
    assert_eq!(asked(&harness), 1 + 5);
    allow_all(&harness);
    assert!(others.iter().all(Exchange::is_forwarded));
    let records = harness.audit();
    assert!(
        records
            .iter()
            .all(|record| record["reason"] == "grant_service")
    );
}

#[test]
fn what_is_put_later_is_named_as_it_would_have_been() {
    let harness = start();
    let first = harness.request(order(&alice()));
    harness.set_cluster(GRANTS, Cluster::Refuses);
    let other = harness.request(order(&token("bob")).header("x-request-id", "of-bob"));
    harness.set_cluster(GRANTS, Cluster::Waits);
    allow(&harness.callout());
    first.forwarded();
    let call = harness.callout();
    assert_eq!(call.headers.all("x-request-id"), ["of-bob"]);
    assert_eq!(call.json()["subject"]["id"], "bob");
    allow(&call);
    other.forwarded();
}

#[test]
fn what_the_proxy_has_no_room_for_does_not_wait_for_ever() {
    let harness = unending(&config_with(|config| {
        config["grants"]["service"]["failure_mode"] = json!("allow");
    }));
    let _first = harness.request(order(&alice()));
    harness.set_cluster(GRANTS, Cluster::Refuses);
    let other = harness.request(order(&token("bob")));
    harness.advance(Duration::from_millis(499));
    assert!(other.is_waiting());
    harness.advance(Duration::from_millis(251));
    unavailable(&other);
}

#[test]
fn questions_that_leave_together_wait_together_for_room() {
    let harness = service(|service| service["batch"] = json!({ "calls": 1 }));
    let first = harness.request(order(&alice()));
    let others = people(&harness, 3);
    harness.set_cluster(GRANTS, Cluster::Refuses);
    // After their patience they leave although the first call is not back.
    harness.advance(Duration::from_millis(20));
    assert!(others.iter().all(Exchange::is_waiting));
    assert_eq!(harness.metric("hallpass.grants.gathered"), 0);
    harness.set_cluster(GRANTS, Cluster::Waits);
    allow(&harness.callout());
    first.forwarded();
    let call = harness.callout();
    let asked: Vec<_> = call.json()["evaluations"]
        .as_array()
        .expect("several")
        .iter()
        .map(|question| question["subject"]["id"].clone())
        .collect();
    assert_eq!(asked, ["person-0", "person-1", "person-2"]);
    let allow = allow_until(NOW + 3600);
    call.reply_json(200, &json!({ "evaluations": [allow, allow, allow] }));
    assert!(others.iter().all(Exchange::is_forwarded));
    assert_eq!(harness.metric("hallpass.grants.gathered"), 3);
}

#[test]
fn where_no_call_is_under_way_a_call_that_the_proxy_refuses_is_a_failure_of_the_service() {
    let harness = service(|service| service["failure_mode"] = json!("allow"));
    harness.set_cluster(GRANTS, Cluster::Refuses);
    harness.request(order(&alice())).forwarded();
    assert!(harness.logged("has it hosts?"));
}

#[test]
fn a_cluster_that_there_is_not_is_a_failure_of_the_service_whatever_is_under_way() {
    let harness = service(|service| service["failure_mode"] = json!("allow"));
    let _first = harness.request(order(&alice()));
    harness.set_cluster(GRANTS, Cluster::Unknown);
    harness.request(order(&token("bob"))).forwarded();
}

#[test]
fn a_stale_allow_serves_while_the_breaker_overflows() {
    let harness = service(|service| service["cache"] = json!({ "stale_if_error": "1h" }));
    answers(&harness, &allow_until(NOW + 3600));
    harness.request(order(&alice())).forwarded();
    harness.at(ms(NOW + 40));
    harness.set_cluster(GRANTS, Cluster::answers(|_| overflow()));
    harness.request(order(&alice())).forwarded();
    unavailable(&harness.request(order(&token("bob"))));
}

#[test]
fn an_answer_counts_whatever_a_proxy_says_of_its_load() {
    let harness = start();
    let exchange = harness.request(order(&alice()));
    let allow = Reply::json(200, &allow_until(NOW + 3600));
    harness
        .callout()
        .reply(allow.header("x-envoy-overloaded", "true"));
    exchange.forwarded();
}

#[test]
fn questions_that_were_put_together_are_not_put_apart_where_the_breaker_overflows() {
    let harness = service(|service| service["batch"] = json!({ "calls": 1 }));
    let first = harness.request(order(&alice()));
    let others = ["bob", "carol"].map(|name| harness.request(order(&token(name))));
    allow(&harness.callout());
    first.forwarded();
    harness.callout().reply(overflow());
    for other in &others {
        unavailable(other);
    }
    assert!(harness.callouts().is_empty());
    assert!(!harness.logged("failed several times"));
}
