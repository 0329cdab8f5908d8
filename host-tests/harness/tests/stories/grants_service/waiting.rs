//! Requests that wait for one answer together, and clients that do not wait for it.

use hallpass_harness::{Exchange, Reply};
use hallpass_tokens::{NOW, TokenBuilder};

use super::{answers, asked};
use crate::setup::{
    alice, allow_until, config, deny, key, ms, order, refused, seconds, start, tell_all,
    unavailable,
};

#[test]
fn requests_that_miss_together_ask_once() {
    let harness = start();
    let waiting: Vec<_> = (0..20).map(|_| harness.request(order(&alice()))).collect();
    assert_eq!(asked(&harness), 1);
    harness.callout().reply_json(200, &allow_until(NOW + 3600));
    for exchange in waiting {
        exchange.forwarded();
    }
    assert_eq!(asked(&harness), 1);
}

#[test]
fn requests_that_miss_together_are_denied_together() {
    let harness = start();
    let waiting = [
        harness.request(order(&alice())),
        harness.request(order(&alice())),
    ];
    harness.callout().reply_json(200, &deny());
    for exchange in waiting {
        refused(&exchange, 403, "grant_denied");
    }
}

#[test]
fn requests_that_miss_together_fail_together() {
    for fail in [
        Reply::failed_like_envoy(504),
        Reply::failed_without_headers(),
    ] {
        let harness = start();
        let waiting = [
            harness.request(order(&alice())),
            harness.request(order(&alice())),
        ];
        harness.callout().reply(fail);
        for exchange in waiting {
            unavailable(&exchange);
        }
    }
}

#[test]
fn the_first_client_may_leave_without_harm_to_the_others() {
    let harness = start();
    let clients: Vec<_> = (0..5).map(|_| harness.request(order(&alice()))).collect();
    clients[0].hang_up();
    harness.callout().reply_json(200, &allow_until(NOW + 3600));
    assert!(clients[1..].iter().all(Exchange::is_forwarded));
    assert_eq!(asked(&harness), 1);
}

#[test]
fn all_clients_may_leave_and_the_answer_still_counts() {
    let harness = start();
    let clients: Vec<_> = (0..5).map(|_| harness.request(order(&alice()))).collect();
    clients.iter().for_each(Exchange::hang_up);
    harness.callout().reply_json(200, &allow_until(NOW + 3600));
    harness.request(order(&alice())).forwarded();
    assert!(harness.is_alive());
}

#[test]
fn a_client_that_leaves_last_and_a_service_that_fails_break_nothing() {
    let harness = start();
    harness.request(order(&alice())).hang_up();
    harness.advance(seconds(5));
    answers(&harness, &allow_until(NOW + 3600));
    harness.request(order(&alice())).forwarded();
}

#[test]
fn a_grant_that_ended_while_its_request_waited_does_not_pass() {
    let harness = start();
    let exchange = harness.request(order(&alice()));
    harness.at(ms(NOW + 10));
    harness.callout().reply_json(200, &allow_until(NOW + 10));
    refused(&exchange, 403, "grant_expired");
}

#[test]
fn a_token_that_ended_while_its_request_waited_does_not_pass() {
    let harness = start();
    let brief = harness.request(order(
        &TokenBuilder::for_user("alice")
            .expires_in(10)
            .signed_by(&key()),
    ));
    let lasting = harness.request(order(&alice()));
    harness.at(ms(NOW + 40));
    harness.callout().reply_json(200, &allow_until(NOW + 3600));
    refused(&brief, 401, "token_expired");
    lasting.forwarded();
}

#[test]
fn a_body_that_is_read_meanwhile_does_not_release_its_request() {
    let harness = start();
    let exchange = harness.request(order(&alice()));
    assert!(exchange.is_waiting());
    assert!(!exchange.sends_body(1024));
    assert!(exchange.sends_trailers(&[("x-checksum", "1")]).is_none());
    assert!(exchange.is_waiting());
    harness.callout().reply_json(200, &allow_until(NOW + 3600));
    assert!(exchange.sends_body(1024));
    exchange.forwarded();
}

/// More than are told in one callback.
const MANY: usize = 300;

/// How many are no longer held.
fn told(crowd: &[Exchange]) -> usize {
    crowd.iter().filter(|one| !one.is_waiting()).count()
}

#[test]
fn an_answer_that_many_waited_for_reaches_them_a_few_at_a_time_and_in_their_order() {
    let harness = start();
    let crowd: Vec<_> = (0..MANY)
        .map(|_| harness.request(order(&alice())))
        .collect();
    harness.callout().reply_json(200, &deny());
    assert_eq!(told(&crowd), 48);
    assert_eq!(told(&crowd[..48]), 48, "the first come first");
    tell_all(&harness, &crowd);
    for one in &crowd {
        refused(one, 403, "grant_denied");
    }
    assert_eq!(harness.audit().len(), MANY, "one line each");
}

#[test]
fn a_request_whose_turn_has_not_come_is_held_whatever_is_read_of_it() {
    let harness = start();
    let crowd: Vec<_> = (0..MANY)
        .map(|_| harness.request(order(&alice())))
        .collect();
    harness.callout().reply_json(200, &allow_until(NOW + 3600));
    let last = &crowd[MANY - 1];
    assert!(!last.sends_body(1024));
    assert!(last.sends_trailers(&[("x-checksum", "1")]).is_none());
    assert!(last.is_waiting());
    tell_all(&harness, &crowd);
    assert_eq!(
        last.forwarded().get("x-hallpass-subject").as_deref(),
        Some("alice")
    );
}

#[test]
fn what_ends_before_a_requests_turn_comes_does_not_pass() {
    let harness = start();
    let crowd: Vec<_> = (0..MANY)
        .map(|_| harness.request(order(&alice())))
        .collect();
    harness.callout().reply_json(200, &allow_until(NOW + 10));
    crowd[0].forwarded();
    harness.at(ms(NOW + 10));
    tell_all(&harness, &crowd);
    refused(&crowd[MANY - 1], 403, "grant_expired");
}

#[test]
fn a_client_that_leaves_before_its_turn_comes_harms_nobody() {
    let harness = start();
    let crowd: Vec<_> = (0..MANY)
        .map(|_| harness.request(order(&alice())))
        .collect();
    harness.callout().reply_json(200, &allow_until(NOW + 3600));
    crowd[100].hang_up();
    tell_all(&harness, &crowd);
    crowd[MANY - 1].forwarded();
    assert!(harness.is_alive());
}

#[test]
fn a_configuration_that_comes_before_a_requests_turn_leaves_nobody_hanging() {
    let harness = start();
    let waiting: Vec<_> = (0..MANY)
        .map(|_| harness.request(order(&alice())))
        .collect();
    harness.reconfigure(config());
    let newcomer = harness.request(order(&alice()));
    tell_all(&harness, &waiting);
    for one in &waiting {
        unavailable(one);
    }
    assert!(
        newcomer.is_waiting(),
        "it is asked for by the new configuration"
    );
}

#[test]
fn a_configuration_that_comes_between_an_answer_and_a_requests_turn_leaves_nobody_hanging() {
    for (until, passes) in [(NOW + 3600, true), (NOW + 1, false)] {
        let harness = start();
        let crowd: Vec<_> = (0..MANY)
            .map(|_| harness.request(order(&alice())))
            .collect();
        harness.callout().reply_json(200, &allow_until(until));
        assert!(told(&crowd) < MANY);
        harness.reconfigure(config());
        harness.at(ms(NOW + 1));
        tell_all(&harness, &crowd);
        assert_eq!(crowd[MANY - 1].is_forwarded(), passes);
    }
}
