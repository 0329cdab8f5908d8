//! Asking again before an answer is over, in the background, so that a steady user never waits.

use std::time::Duration;

use hallpass_harness::{Cluster, Harness, Reply};
use hallpass_tokens::{NOW, TokenBuilder};

use super::{answers, asked};
use crate::setup::{GRANTS, alice, allow_until, deny, key, ms, order, refused, start};

/// An allow that counts for 30 seconds, was given at [`NOW`], and will be followed by answers that the test gives.
fn allowed() -> Harness {
    let harness = start();
    answers(&harness, &allow_until(NOW + 3600));
    harness.request(order(&alice())).forwarded();
    harness.set_cluster(GRANTS, Cluster::default());
    harness
}

/// Uses the allow shortly before it is over.
fn use_late(harness: &Harness) {
    harness.at(ms(NOW + 25));
    harness.request(order(&alice())).forwarded();
    harness.tick();
}

#[test]
fn a_steady_user_never_waits() {
    let harness = allowed();
    use_late(&harness);
    harness.callout().reply_json(200, &allow_until(NOW + 3600));
    harness.at(ms(NOW + 30));
    harness.request(order(&alice())).forwarded();
    assert_eq!(asked(&harness), 2);
}

#[test]
fn nobody_waits_for_the_question_and_it_is_put_once() {
    let harness = allowed();
    harness.at(ms(NOW + 29));
    for _ in 0..10 {
        harness.advance(Duration::from_millis(50));
        harness.request(order(&alice())).forwarded();
        harness.tick();
    }
    assert_eq!(asked(&harness), 2);
    harness.at(ms(NOW + 30));
    let late = harness.request(order(&alice()));
    assert!(late.is_waiting(), "it joins the question under way");
    harness.callout().reply_json(200, &allow_until(NOW + 3600));
    late.forwarded();
    assert_eq!(asked(&harness), 2);
}

#[test]
fn a_refusal_takes_effect_at_once() {
    let harness = allowed();
    use_late(&harness);
    harness.callout().reply_json(200, &deny());
    refused(&harness.request(order(&alice())), 403, "grant_denied");
}

#[test]
fn a_failure_changes_nothing_until_the_allow_is_over() {
    let harness = allowed();
    use_late(&harness);
    harness.callout().reply(Reply::failed_like_envoy(503));
    harness.at(ms(NOW + 30) - 1);
    harness.request(order(&alice())).forwarded();
    harness.tick();
    assert_eq!(asked(&harness), 2, "it is not asked a third time");
    harness.at(ms(NOW + 30));
    assert!(harness.request(order(&alice())).is_waiting());
}

#[test]
fn a_grant_that_ends_with_its_answer_is_not_asked_for_again() {
    let harness = start();
    answers(&harness, &allow_until(NOW + 20));
    harness.request(order(&alice())).forwarded();
    harness.at(ms(NOW + 20) - 1);
    harness.request(order(&alice())).forwarded();
    harness.tick();
    assert_eq!(asked(&harness), 1);
}

#[test]
fn a_request_with_another_question_takes_nobody_elses_place() {
    let harness = allowed();
    harness.at(ms(NOW + 25));
    harness.request(order(&alice())).forwarded();
    // The question about Alice has not left yet when Bob has to be asked for.
    let bob = harness.request(order(&TokenBuilder::for_user("bob").signed_by(&key())));
    assert!(bob.is_waiting());
    harness.tick();
    assert_eq!(asked(&harness), 3);
    for callout in harness.callouts() {
        callout.reply_json(200, &allow_until(NOW + 3600));
    }
    bob.forwarded();
    harness.advance(Duration::from_secs(10));
    harness.request(order(&alice())).forwarded();
    assert_eq!(asked(&harness), 3);
}

#[test]
fn many_questions_that_nobody_waits_for_leave_a_few_at_a_time() {
    let harness = start();
    answers(&harness, &allow_until(NOW + 3600));
    let users: Vec<_> = (0..100)
        .map(|number| TokenBuilder::for_user(&format!("user-{number}")).signed_by(&key()))
        .collect();
    for late in [0, 25] {
        harness.at(ms(NOW + late));
        for user in &users {
            harness.request(order(user)).forwarded();
        }
    }
    assert_eq!(asked(&harness), 100);
    let mut after_each_tick = Vec::new();
    for _ in 0..8 {
        harness.tick();
        after_each_tick.push(asked(&harness));
    }
    assert_eq!(after_each_tick, [116, 132, 148, 164, 180, 196, 200, 200]);
}
