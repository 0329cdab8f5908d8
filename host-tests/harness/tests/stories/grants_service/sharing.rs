//! What one worker was answered serves the other workers of the same proxy.

use hallpass_harness::{Cluster, Harness, Reply};
use hallpass_tokens::{NOW, TokenBuilder};
use serde_json::json;

use super::{answers, asked, service};
use crate::setup::{GRANTS, alice, allow_until, deny, fails, key, ms, order, refused, start};

/// Two workers of one proxy, of which the first was told that Alice may.
fn workers() -> (Harness, Harness) {
    let first = start();
    let second = first.second_worker();
    answers(&first, &allow_until(NOW + 3600));
    first.request(order(&alice())).forwarded();
    (first, second)
}

#[test]
fn one_worker_asks_for_all() {
    let (first, second) = workers();
    let upstream = second.request(order(&alice())).forwarded();
    assert_eq!(upstream.get("x-hallpass-grant-id").as_deref(), Some("g-42"));
    second.request(order(&alice())).forwarded();
    assert_eq!(asked(&first), 1);
    assert_eq!(second.metric("hallpass.grants.shared"), 1);
}

#[test]
fn an_answer_gets_no_older_by_being_passed_on() {
    let (first, second) = workers();
    first.at(ms(NOW + 20));
    second.request(order(&alice())).forwarded();
    first.at(ms(NOW + 30));
    second.request(order(&alice())).forwarded();
    assert_eq!(asked(&first), 2, "30 seconds after it was given");
}

#[test]
fn nobody_passes_by_anothers_answer() {
    let (first, second) = workers();
    answers(&first, &deny());
    let bob = TokenBuilder::for_user("bob").signed_by(&key());
    refused(&second.request(order(&bob)), 403, "grant_denied");
    let write = order(&alice()).with(":method", "POST");
    refused(&second.request(write), 403, "grant_denied");
}

#[test]
fn a_refusal_is_passed_on_too() {
    let first = start();
    let second = first.second_worker();
    answers(&first, &deny());
    refused(&first.request(order(&alice())), 403, "grant_denied");
    refused(&second.request(order(&alice())), 403, "grant_denied");
    assert_eq!(asked(&first), 1);
}

#[test]
fn what_is_meant_for_now_only_is_for_the_one_who_asked() {
    let first = start();
    let second = first.second_worker();
    let allow = allow_until(NOW + 3600);
    first.set_cluster(
        GRANTS,
        Cluster::answers(move |_| Reply::json(200, &allow).header("cache-control", "no-store")),
    );
    first.request(order(&alice())).forwarded();
    second.request(order(&alice())).forwarded();
    assert_eq!(asked(&first), 2);
}

#[test]
fn a_worker_that_is_due_takes_what_another_was_answered_meanwhile() {
    let (first, second) = workers();
    second.request(order(&alice())).forwarded();
    first.at(ms(NOW + 25));
    first.request(order(&alice())).forwarded();
    first.tick();
    assert_eq!(asked(&first), 2, "the first asked again");
    second.request(order(&alice())).forwarded();
    second.tick();
    first.at(ms(NOW + 40));
    second.request(order(&alice())).forwarded();
    assert_eq!(asked(&first), 2, "and the second need not");
}

#[test]
fn an_answer_of_another_worker_may_stand_in_for_a_failing_service() {
    let first = service(|service| service["cache"] = json!({ "stale_if_error": "1h" }));
    let second = first.second_worker();
    answers(&first, &allow_until(NOW + 3600));
    first.request(order(&alice())).forwarded();
    fails(&first);
    first.at(ms(NOW + 40));
    second.request(order(&alice())).forwarded();
}

#[test]
fn another_configuration_takes_no_answers_of_this_one() {
    let (first, second) = workers();
    second.reconfigure(crate::setup::config_with(|config| {
        config["grants"]["service"]["timeout"] = json!("400ms");
    }));
    second.request(order(&alice())).forwarded();
    assert_eq!(asked(&first), 2);
}

#[test]
fn workers_that_are_told_not_to_share_ask_each_for_itself() {
    let first = service(|service| service["cache"] = json!({ "shared": false }));
    let second = first.second_worker();
    answers(&first, &allow_until(NOW + 3600));
    first.request(order(&alice())).forwarded();
    second.request(order(&alice())).forwarded();
    assert_eq!(asked(&first), 2);
}

#[test]
fn what_another_worker_was_answered_meanwhile_counts_more_than_what_may_stand_in() {
    for failure_mode in ["deny", "allow"] {
        let first = service(|service| {
            service["failure_mode"] = json!(failure_mode);
            service["cache"] = json!({ "stale_if_error": "1h" });
        });
        let second = first.second_worker();
        answers(&first, &allow_until(NOW + 3600));
        first.request(order(&alice())).forwarded();
        first.at(ms(NOW + 40));
        first.set_cluster(GRANTS, Cluster::Waits);
        let waiting = first.request(order(&alice()));
        let own = first.callouts().pop().expect("the first asks");
        let other = second.request(order(&alice()));
        let others = second.callouts().pop().expect("the second asks");
        others.reply_json(200, &deny());
        refused(&other, 403, "grant_denied");
        own.reply(Reply::failed_like_envoy(503));
        refused(&waiting, 403, "grant_denied");
    }
}
