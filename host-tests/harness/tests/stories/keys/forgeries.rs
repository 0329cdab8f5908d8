//! Forgers whose tokens name a key that the issuer has: they can do no more than strangers who name one that nobody has.

use super::*;
use crate::setup::tell_all;
use hallpass_harness::Request;
use hallpass_tokens::with_flipped_signature;

/// A request whose token names the issuer's key, which did not sign it; otherwise it looks sound. No two are alike.
fn forgery(number: usize) -> Request {
    let mallory = TokenBuilder::for_user(&format!("mallory-{number}"));
    profile(&with_flipped_signature(&mallory.signed_by(&key())))
}

/// A user of whom no worker has heard.
fn newcomer(number: usize) -> Request {
    let user = TokenBuilder::for_user(&format!("user-{number}"));
    profile(&user.signed_by(&key()))
}

#[test]
fn a_storm_of_forged_signatures_causes_one_fetch_per_cool_down_and_slows_nobody() {
    let harness = started_with_keys();
    for second in 0..30 {
        for number in 0..20 {
            refused(
                &harness.request(forgery(second * 20 + number)),
                401,
                "token_signature_invalid",
            );
        }
        harness.request(profile(&alice())).forwarded();
        harness.request(newcomer(second)).forwarded();
        harness.advance(seconds(1));
    }
    let calls = harness.calls_to(IDP);
    assert_eq!(calls.len(), 1 + 3, "the start, and one each ten seconds");
    for pair in calls[1..].windows(2) {
        assert!(pair[1].at - pair[0].at >= 10_000, "{pair:?}");
    }
}

#[test]
fn forgers_and_strangers_together_cause_one_fetch_per_cool_down() {
    let harness = started_with_keys();
    for number in 0..10 {
        let stranger = signed_by(&SigningKey::ed25519(&format!("nobodys-{number}")));
        harness.request(forgery(number)).answer();
        harness.request(profile(&stranger)).answer();
    }
    assert_eq!(asked(&harness), 1 + 1);
}

#[test]
fn forgers_who_wait_for_a_slow_issuer_hold_up_nobody_and_are_refused_when_it_answers() {
    let harness = started_with_keys();
    harness.request(profile(&alice())).forwarded();
    harness.set_cluster(IDP, Cluster::Waits);
    let forgers: Vec<_> = (0..1_100)
        .map(|number| harness.request(forgery(number)))
        .collect();
    assert_eq!(harness.callouts().len(), 1);
    let waiting = forgers.iter().filter(|forger| forger.is_waiting());
    assert_eq!(waiting.count(), 1_024);
    refused(&forgers[1_099], 503, "keys_unavailable");
    harness.request(profile(&alice())).forwarded();
    harness.request(newcomer(1)).forwarded();

    let call = harness.callout();
    call.reply(served(&call));
    tell_all(&harness, &forgers);
    refused(&forgers[0], 401, "token_signature_invalid");
    assert_eq!(asked(&harness), 2, "nobody seeks a second time");
}

#[test]
fn waiting_with_a_forged_token_ends_even_when_the_proxy_forgets_the_call() {
    let harness = start(Harness::builder().without_callout_timeouts());
    let call = harness.callout();
    call.reply(served(&call));
    let exchange = harness.request(forgery(0));
    harness.advance(seconds(2));
    assert!(exchange.is_waiting());
    harness.advance(seconds(2));
    refused(&exchange, 503, "keys_unavailable");
    harness.request(profile(&alice())).forwarded();
}

#[test]
fn forgers_do_not_add_to_the_load_of_an_issuer_that_is_away() {
    let calls = |forgers: usize| {
        let harness = started_with_keys();
        answer_with(&harness, &Reply::failed_like_envoy(503));
        // The first refresh fails, and tries follow by themselves.
        harness.advance(seconds(301));
        for second in 0..60 {
            for number in 0..forgers {
                refused(&harness.request(forgery(number)), 503, "keys_unavailable");
            }
            harness.request(newcomer(second)).forwarded();
            harness.advance(seconds(1));
        }
        asked(&harness)
    };
    let (without, with) = (calls(0), calls(5));
    assert_eq!(with, without, "calls in a minute");
}
