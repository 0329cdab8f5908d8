//! A service that fails again and again is left alone for a while: nobody waits for it in vain, and it is not kept down.

use std::time::Duration;

use hallpass_harness::{Cluster, Harness, Reply};
use hallpass_tokens::{NOW, TokenBuilder};
use serde_json::json;

use super::{answers, asked, service};
use crate::setup::{
    GRANTS, alice, allow_until, fails, key, ms, order, seconds, start, unavailable,
};

fn user(number: usize) -> String {
    TokenBuilder::for_user(&format!("user-{number}")).signed_by(&key())
}

/// A service that has just failed for the third time in a row.
fn down(harness: &Harness) {
    fails(harness);
    for number in 0..3 {
        unavailable(&harness.request(order(&user(number))));
    }
}

#[test]
fn nobody_waits_for_a_service_that_is_down() {
    let harness = start();
    down(&harness);
    for number in 3..100 {
        let answer = unavailable(&harness.request(order(&user(number))));
        assert_eq!(answer.headers.all("retry-after"), ["1"]);
    }
    assert_eq!(asked(&harness), 3);
}

#[test]
fn a_service_that_is_down_is_asked_now_and_then() {
    let harness = start();
    down(&harness);
    for _ in 0..240 {
        harness.advance(Duration::from_millis(250));
        unavailable(&harness.request(order(&alice())));
    }
    let asked = asked(&harness);
    assert!((10..=20).contains(&asked), "{asked} questions in a minute");
}

#[test]
fn everybody_is_served_again_when_the_service_is_back() {
    let harness = start();
    down(&harness);
    answers(&harness, &allow_until(NOW + 3600));
    harness.advance(Duration::from_millis(250));
    for number in 0..3 {
        harness.request(order(&user(number))).forwarded();
    }
    for news in ["failed several times in a row", "decides again"] {
        let log = harness.log();
        let told = log.iter().filter(|line| line.text.contains(news)).count();
        assert_eq!(told, 1, "{news}");
    }
}

#[test]
fn an_answer_in_between_shows_that_the_service_is_up() {
    let harness = start();
    for number in 0..20 {
        let fails = number % 3 != 0;
        harness.set_cluster(GRANTS, Cluster::default());
        let exchange = harness.request(order(&user(number)));
        if fails {
            harness.callout().reply(Reply::failed_like_envoy(503));
            unavailable(&exchange);
        } else {
            harness.callout().reply_json(200, &allow_until(NOW + 3600));
            exchange.forwarded();
        }
    }
    assert_eq!(asked(&harness), 20);
}

#[test]
fn a_stale_allow_serves_at_once_while_the_service_is_left_alone() {
    let harness = service(|service| service["cache"] = json!({ "stale_if_error": "1h" }));
    answers(&harness, &allow_until(NOW + 3600));
    harness.request(order(&alice())).forwarded();
    harness.at(ms(NOW + 40));
    down(&harness);
    let before = asked(&harness);
    harness.request(order(&alice())).forwarded();
    assert_eq!(asked(&harness), before);
}

#[test]
fn an_open_failure_mode_counts_for_a_service_that_is_left_alone_too() {
    let harness = service(|service| service["failure_mode"] = json!("allow"));
    fails(&harness);
    for number in 0..10 {
        harness.request(order(&user(number))).forwarded();
    }
    assert_eq!(asked(&harness), 3);
    harness.advance(seconds(1));
    assert_eq!(asked(&harness), 3, "nobody asks without a request");
}

#[test]
fn a_question_that_the_service_does_not_understand_keeps_nobody_from_asking() {
    for odd in [
        Reply::status(400),
        Reply::status(414),
        Reply::status(200).body("<html>"),
    ] {
        let harness = start();
        harness.set_cluster(GRANTS, Cluster::answers(move |_| odd.clone()));
        for number in 0..10 {
            unavailable(&harness.request(order(&user(number))));
        }
        answers(&harness, &allow_until(NOW + 3600));
        harness.request(order(&alice())).forwarded();
        assert_eq!(asked(&harness), 11);
    }
}
