//! Keys that come and go: nobody with a sound token is refused for it.

use std::time::Duration;

use super::*;
use hallpass_harness::Exchange;

/// Less than the timeout of a fetch, and more than the time between two ticks.
const HALF_A_SECOND: Duration = Duration::from_millis(500);

#[test]
fn a_token_of_a_new_key_waits_for_that_key_and_passes() {
    let harness = started_with_keys();
    publish(&harness, &[&key(), &new_key()]);
    harness.set_cluster(IDP, Cluster::Waits);
    let new = harness.request(profile(&signed_by(&new_key())));
    let another = harness.request(profile(&signed_by(&new_key())));
    assert!(new.is_waiting() && another.is_waiting());
    harness.request(profile(&alice())).forwarded();
    harness
        .callout()
        .reply_json(200, &jwks(&[&key(), &new_key()]));
    new.forwarded();
    another.forwarded();
    assert_eq!(asked(&harness), 2, "one fetch for both");
    assert_eq!(harness.callouts().len(), 0);
}

#[test]
fn through_a_whole_rotation_nobody_is_refused_though_the_issuer_signs_at_once() {
    let harness = started_with_keys();
    harness.advance(seconds(42));
    publish(&harness, &[&key(), &new_key()]);
    for _ in 0..100 {
        harness.request(profile(&signed_by(&new_key()))).forwarded();
        harness.request(profile(&alice())).forwarded();
        harness.advance(seconds(1));
    }
    publish(&harness, &[&new_key()]);
    for _ in 0..100 {
        harness.request(profile(&signed_by(&new_key()))).forwarded();
        harness.advance(seconds(1));
    }
    assert_eq!(asked(&harness), 2, "the start and the new key");
}

#[test]
fn a_refresh_that_just_happened_does_not_delay_a_new_key() {
    let harness = started_with_keys();
    harness.advance(seconds(301));
    assert_eq!(asked(&harness), 2);
    publish(&harness, &[&key(), &new_key()]);
    harness.request(profile(&signed_by(&new_key()))).forwarded();
}

#[test]
fn a_token_that_joins_a_refresh_which_began_too_early_gets_one_of_its_own() {
    let harness = started_with_keys();
    harness.set_cluster(IDP, Cluster::Waits);
    harness.advance(seconds(300));
    harness.advance(HALF_A_SECOND);
    let exchange = harness.request(profile(&signed_by(&new_key())));
    assert_eq!(harness.callouts().len(), 1, "it joins the one under way");
    harness.advance(HALF_A_SECOND);
    let call = harness.callout();
    call.reply(served(&call));
    assert!(exchange.is_waiting());
    harness
        .callout()
        .reply_json(200, &jwks(&[&key(), &new_key()]));
    exchange.forwarded();
}

#[test]
fn a_token_waits_for_two_fetches_at_most() {
    let harness = started_with_keys();
    harness.set_cluster(IDP, Cluster::Waits);
    harness.advance(seconds(300));
    harness.advance(HALF_A_SECOND);
    let exchange = harness.request(profile(&signed_by(&new_key())));
    for _ in 0..2 {
        assert!(exchange.is_waiting());
        harness.advance(HALF_A_SECOND);
        let call = harness.callout();
        call.reply(served(&call));
    }
    refused(&exchange, 401, "token_key_unknown");
    assert_eq!(harness.callouts().len(), 0);
}

#[test]
fn a_token_of_a_new_key_that_comes_before_the_first_keys_waits_for_both() {
    let harness = start(Harness::builder());
    harness.advance(seconds(1));
    let exchange = harness.request(profile(&signed_by(&new_key())));
    let call = harness.callout();
    call.reply(served(&call));
    assert!(exchange.is_waiting());
    harness.callout().reply_json(200, &jwks(&[&new_key()]));
    exchange.forwarded();
}

#[test]
fn a_key_that_the_issuer_withdrew_counts_no_longer() {
    let new = SigningKey::ed25519("kid-2");
    let harness = start(Harness::builder().cluster(IDP, Cluster::answers(served)));
    harness.request(profile(&alice())).forwarded();
    let keys = jwks(&[&new]);
    harness.set_cluster(IDP, Cluster::answers(move |_| Reply::json(200, &keys)));
    harness.advance(seconds(301));
    refused(
        &harness.request(profile(&alice())),
        401,
        "token_key_unknown",
    );
    harness
        .request(profile(&TokenBuilder::for_user("alice").signed_by(&new)))
        .forwarded();
}

#[test]
fn a_token_that_was_accepted_before_its_key_was_withdrawn_is_refused_like_every_other() {
    let harness = started_with_keys();
    let token = alice();
    for _ in 0..3 {
        harness.request(profile(&token)).forwarded();
    }
    assert_eq!(harness.metric("hallpass.tokens.hit"), 2);
    publish(&harness, &[&new_key()]);
    harness.advance(seconds(301));
    refused(&harness.request(profile(&token)), 401, "token_key_unknown");
}

#[test]
fn a_refresh_without_change_forgets_no_token() {
    let harness = started_with_keys();
    let token = alice();
    harness.request(profile(&token)).forwarded();
    harness.advance(seconds(301));
    assert_eq!(asked(&harness), 2);
    harness.request(profile(&token)).forwarded();
    assert_eq!(harness.metric("hallpass.tokens.hit"), 1);
}

#[test]
fn clients_that_leave_while_they_wait_for_a_new_key_disturb_nobody() {
    let harness = started_with_keys();
    harness.set_cluster(IDP, Cluster::Waits);
    let clients: Vec<_> = (0..5)
        .map(|_| harness.request(profile(&signed_by(&new_key()))))
        .collect();
    clients[0].hang_up();
    harness.callout().reply_json(200, &jwks(&[&new_key()]));
    assert!(clients[1..].iter().all(Exchange::is_forwarded));
}

#[test]
fn a_proxy_that_refuses_the_call_leaves_nobody_waiting() {
    for cluster in [Cluster::Unknown, Cluster::Refuses] {
        let harness = started_with_keys();
        harness.set_cluster(IDP, cluster);
        let exchange = harness.request(profile(&signed_by(&new_key())));
        refused(&exchange, 503, "keys_unavailable");
        harness.request(profile(&alice())).forwarded();
    }
}

#[test]
fn waiting_for_a_new_key_ends_even_when_the_proxy_forgets_the_call() {
    let harness = start(Harness::builder().without_callout_timeouts());
    let call = harness.callout();
    call.reply(served(&call));
    let exchange = harness.request(profile(&signed_by(&new_key())));
    harness.advance(seconds(2));
    assert!(exchange.is_waiting());
    harness.advance(seconds(2));
    refused(&exchange, 503, "keys_unavailable");
    harness.request(profile(&alice())).forwarded();
}
