//! Very many different questions: as many calls as may be are under way, the others wait their turn, and nobody's crowd out anybody else's.

mod room;

use std::time::Duration;

use hallpass_harness::{Callout, Cluster, Exchange, Harness, Reply, Request};
use hallpass_tokens::{NOW, TokenBuilder};
use serde_json::{Value, json};

use super::{answers, asked, service};
use crate::setup::{
    GRANTS, alice, allow_until, config_with, key, ms, order, start, tell_all, unavailable,
};

/// So many calls of a worker are under way at most.
const CALLS: usize = 256;
/// So many of them are about the same subject.
const CALLS_OF_ONE: usize = 32;
/// So many requests a worker holds, and so many of the same subject.
const HELD: usize = 4_096;
const HELD_OF_ONE: usize = 1_024;

/// A service that is asked about each path by itself.
fn asked_about_paths(change: impl FnOnce(&mut Value)) -> Harness {
    service(|service| {
        service["context"] = json!(["path"]);
        change(service);
    })
}

/// A module in a proxy that ends no call, however long it takes.
fn unending(config: &Value) -> Harness {
    let builder = Harness::builder().without_callout_timeouts();
    builder.start(config).expect("it starts")
}

fn token(name: &str) -> String {
    TokenBuilder::for_user(name).signed_by(&key())
}

/// A request of each of so many people.
fn people(harness: &Harness, count: usize) -> Vec<Exchange> {
    let one = |number| harness.request(order(&token(&format!("person-{number}"))));
    (0..count).map(one).collect()
}

/// So many requests of `name`, each with a question of its own.
fn crowd(harness: &Harness, name: &str, count: usize) -> Vec<Exchange> {
    let token = token(name);
    let one = |number| {
        let url = format!("https://admin.example/orders/{number}");
        harness.request(Request::get(&url).bearer(&token))
    };
    (0..count).map(one).collect()
}

fn allow(callout: &Callout) {
    callout.reply_json(200, &allow_until(NOW + 3600));
}

/// Lets in whoever is asked about, until nobody is.
fn allow_all(harness: &Harness) {
    while let Some(callout) = harness.callouts().first() {
        allow(callout);
    }
}

/// Whom the last of the calls is about.
fn asked_last(harness: &Harness) -> Value {
    let calls = harness.calls_to(GRANTS);
    calls.last().expect("a call").json()["subject"]["id"].clone()
}

#[test]
fn as_many_calls_as_may_be_are_under_way_and_the_others_leave_as_these_come_back() {
    let harness = start();
    let people = people(&harness, CALLS + 50);
    assert_eq!(asked(&harness), CALLS);
    for back in 1..=50 {
        allow(&harness.callouts()[0]);
        assert_eq!(asked(&harness), CALLS + back);
    }
    allow_all(&harness);
    assert_eq!(asked(&harness), CALLS + 50, "each is asked once");
    tell_all(&harness, &people);
    assert!(people.iter().all(Exchange::is_forwarded));
}

#[test]
fn nobody_has_all_the_calls_to_himself() {
    let harness = asked_about_paths(|_| {});
    let crowd = crowd(&harness, "mallory", CALLS);
    assert_eq!(asked(&harness), CALLS_OF_ONE);
    let one = harness.request(order(&alice()));
    assert_eq!(
        asked(&harness),
        CALLS_OF_ONE + 1,
        "she is asked about at once"
    );
    allow(harness.callouts().last().expect("hers"));
    one.forwarded();
    allow(&harness.callouts()[0]);
    assert_eq!(asked(&harness), CALLS_OF_ONE + 2);
    allow_all(&harness);
    tell_all(&harness, &crowd);
    assert!(crowd.iter().all(Exchange::is_forwarded));
    assert_eq!(asked(&harness), CALLS + 1, "each is asked once");
}

#[test]
fn who_asks_little_does_not_wait_for_who_asks_much() {
    let harness = asked_about_paths(|_| {});
    let _people = people(&harness, CALLS);
    let _crowd = crowd(&harness, "mallory", 500);
    let one = harness.request(order(&alice()));
    assert!(one.is_waiting());
    for name in ["mallory", "alice", "mallory"] {
        allow(&harness.callouts()[0]);
        assert_eq!(asked_last(&harness), name);
    }
}

#[test]
fn questions_whose_clients_have_left_do_not_leave() {
    let harness = asked_about_paths(|_| {});
    let _under_way = people(&harness, CALLS);
    for _ in 0..3 {
        let gone = crowd(&harness, "bob", 500);
        gone.iter().for_each(Exchange::hang_up);
    }
    let one = harness.request(order(&alice()));
    allow(&harness.callouts()[0]);
    assert_eq!(asked_last(&harness), "alice");
    allow_all(&harness);
    assert_eq!(asked(&harness), CALLS + 1);
    one.forwarded();
}

#[test]
fn one_of_two_who_wait_for_a_question_may_leave_before_it_does() {
    let harness = start();
    let _under_way = people(&harness, CALLS);
    let twice = [1, 2].map(|_| harness.request(order(&alice())));
    twice[0].hang_up();
    allow(&harness.callouts()[0]);
    assert_eq!(asked_last(&harness), "alice");
    allow(harness.callouts().last().expect("hers"));
    twice[1].forwarded();
}

#[test]
fn whoever_waits_with_very_many_requests_leaves_room_for_the_others() {
    for failure_mode in ["deny", "allow"] {
        let harness = asked_about_paths(|service| service["failure_mode"] = json!(failure_mode));
        let mut crowd = crowd(&harness, "mallory", HELD_OF_ONE + 200);
        for refused in crowd.split_off(HELD_OF_ONE) {
            let answer = unavailable(&refused);
            assert_eq!(answer.headers.all("retry-after"), ["1"]);
        }
        assert!(crowd.iter().all(Exchange::is_waiting));
        let one = harness.request(order(&alice()));
        assert!(one.is_waiting());
        allow_all(&harness);
        tell_all(&harness, &crowd);
        one.forwarded();
        let another =
            Request::get("https://admin.example/orders/another").bearer(&token("mallory"));
        assert!(harness.request(another).is_waiting(), "there is room again");
    }
}

#[test]
fn a_worker_holds_only_so_many_whoever_they_are() {
    let harness = start();
    let names = ["mallory", "mallet", "marvin", "mike"];
    for name in names {
        let token = token(name);
        for _ in 0..HELD / names.len() {
            assert!(harness.request(order(&token)).is_waiting(), "{name}");
        }
    }
    unavailable(&harness.request(order(&alice())));
    assert_eq!(asked(&harness), names.len());
    allow_all(&harness);
    for _ in 0..HELD {
        harness.tick();
    }
    assert!(harness.request(order(&alice())).is_waiting());
}

#[test]
fn nobody_waits_longer_to_be_asked_about_than_a_call_may_take() {
    let harness = unending(&config_with(|config| {
        config["grants"]["service"]["failure_mode"] = json!("allow");
    }));
    let mut people = people(&harness, CALLS + 3);
    harness.advance(Duration::from_millis(499));
    assert!(people.iter().all(Exchange::is_waiting));
    harness.advance(Duration::from_millis(251));
    for refused in people.split_off(CALLS) {
        unavailable(&refused);
    }
    assert!(people.iter().all(Exchange::is_waiting));
    assert!(harness.logged("3 questions were not put to the grant service"));
    assert_eq!(harness.metric("hallpass.grants.unasked"), 3);
    // That says nothing of the service: whoever comes waits as before.
    assert!(harness.request(order(&alice())).is_waiting());
    assert_eq!(asked(&harness), CALLS);
}

#[test]
fn whoever_waited_in_vain_to_be_asked_about_has_a_stale_allow() {
    let harness = unending(&config_with(|config| {
        config["grants"]["service"]["cache"] = json!({ "stale_if_error": "1h" });
    }));
    answers(&harness, &allow_until(NOW + 3600));
    harness.request(order(&alice())).forwarded();
    harness.set_cluster(GRANTS, Cluster::Waits);
    harness.at(ms(NOW + 40));
    let _people = people(&harness, CALLS);
    let waits = harness.request(order(&alice()));
    assert!(waits.is_waiting());
    harness.advance(Duration::from_millis(750));
    waits.forwarded();
}

#[test]
fn when_the_service_begins_to_fail_those_who_wait_share_the_fate_of_those_who_were_asked_about() {
    for (failure_mode, passes) in [("deny", false), ("allow", true)] {
        let harness = service(|service| service["failure_mode"] = json!(failure_mode));
        let people = people(&harness, CALLS + 50);
        for _ in 0..3 {
            harness.callouts()[0].reply(Reply::failed_like_envoy(504));
        }
        harness.tick();
        harness.tick();
        let waiting = people.iter().filter(|exchange| exchange.is_waiting());
        assert_eq!(waiting.count(), CALLS - 1, "those who are asked about");
        assert_eq!(asked(&harness), CALLS + 2, "two had left before");
        let last = people.last().expect("one of them");
        if passes {
            last.forwarded();
        } else {
            unavailable(last);
        }
    }
}

#[test]
fn what_is_late_of_a_failing_service_does_not_keep_it_from_being_asked_whether_it_is_back() {
    let harness = unending(&config_with(|config| {
        config["grants"]["service"]["batch"] = json!({ "calls": 1 });
    }));
    let mut asked_about = Vec::new();
    for number in 0..5 {
        asked_about.push(harness.request(order(&token(&format!("person-{number}")))));
        harness.advance(Duration::from_millis(20));
    }
    assert_eq!(asked(&harness), 5, "none waits for long");
    let calls = harness.callouts();
    for call in &calls[..3] {
        call.reply(Reply::failed_like_envoy(504));
    }
    harness.advance(Duration::from_millis(250));
    let probe = harness.request(order(&alice()));
    assert_eq!(asked(&harness), 5, "it gathers");
    for call in &calls[3..] {
        call.reply(Reply::failed_like_envoy(504));
    }
    assert_eq!(asked_last(&harness), "alice");
    allow(&harness.callout());
    probe.forwarded();
}

#[test]
fn a_configuration_that_comes_while_questions_wait_leaves_nobody_hanging() {
    let harness = start();
    let people = people(&harness, CALLS + 10);
    harness.reconfigure(config_with(|_| {}));
    tell_all(&harness, &people);
    for refused in &people {
        unavailable(refused);
    }
    let next = harness.request(order(&alice()));
    assert_eq!(asked(&harness), CALLS, "the calls of before are under way");
    allow(&harness.callouts()[0]);
    assert_eq!(asked_last(&harness), "alice");
    allow(harness.callouts().last().expect("hers"));
    next.forwarded();
}

#[test]
fn answers_that_are_over_soon_are_not_asked_for_anew_while_others_must_wait() {
    let harness = start();
    answers(&harness, &allow_until(NOW + 3600));
    harness.request(order(&alice())).forwarded();
    harness.set_cluster(GRANTS, Cluster::Waits);
    harness.at(ms(NOW + 29));
    let _people = people(&harness, CALLS + 1);
    harness.request(order(&alice())).forwarded();
    for _ in 0..3 {
        harness.tick();
    }
    assert_eq!(asked(&harness), 1 + CALLS);
    for _ in 0..2 {
        allow(&harness.callouts()[0]);
    }
    harness.tick();
    assert_eq!(asked(&harness), 1 + CALLS + 2);
    assert_eq!(asked_last(&harness), "alice");
}
