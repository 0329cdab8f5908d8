//! An issuer that is away: last good keys for the stated time, then nobody is judged, and it heals by itself.

use super::*;

#[test]
fn a_fetch_that_cannot_be_dispatched_fails_too() {
    for cluster in [Cluster::Unknown, Cluster::Refuses] {
        let harness = start(Harness::builder().cluster(IDP, cluster));
        let exchange = harness.request(profile(&alice()));
        harness.advance(seconds(3));
        refused(&exchange, 503, "keys_unavailable");
    }
}

#[test]
fn waiting_for_keys_ends_with_the_timeout_even_when_the_proxy_forgets_it() {
    let harness = start(Harness::builder().without_callout_timeouts());
    let exchange = harness.request(profile(&alice()));
    harness.advance(seconds(1));
    assert!(exchange.is_waiting());
    harness.advance(seconds(3));
    refused(&exchange, 503, "keys_unavailable");
}

#[test]
fn the_filter_recovers_when_the_issuer_is_back() {
    let harness =
        start(Harness::builder().cluster(IDP, Cluster::answers(|_| Reply::failed_like_envoy(503))));
    refused(&harness.request(profile(&alice())), 503, "keys_unavailable");
    harness.set_cluster(IDP, Cluster::answers(served));
    harness.advance(seconds(60));
    harness.request(profile(&alice())).forwarded();
}

#[test]
fn an_issuer_that_is_down_is_not_hammered() {
    let harness =
        start(Harness::builder().cluster(IDP, Cluster::answers(|_| Reply::failed_like_envoy(503))));
    for _ in 0..100 {
        refused(&harness.request(profile(&alice())), 503, "keys_unavailable");
    }
    assert!(
        harness.calls_to(IDP).len() <= 2,
        "{} calls",
        harness.calls_to(IDP).len()
    );
}

#[test]
fn the_last_good_keys_are_kept_for_the_stated_time_and_no_longer() {
    let lasting = || {
        TokenBuilder::for_user("alice")
            .expires_in(86_400)
            .signed_by(&key())
    };
    let harness = start(Harness::builder().cluster(IDP, Cluster::answers(served)));
    harness.set_cluster(IDP, Cluster::answers(|_| Reply::failed_like_envoy(503)));
    harness.advance(seconds(50 * 60));
    harness.request(profile(&lasting())).forwarded();
    harness.advance(seconds(70 * 60));
    refused(
        &harness.request(profile(&lasting())),
        503,
        "keys_unavailable",
    );
}

#[test]
fn an_outage_that_is_shorter_than_allowed_is_not_felt() {
    let harness = started_with_keys();
    let lasting = TokenBuilder::for_user("alice")
        .expires_in(86_400)
        .signed_by(&key());
    answer_with(&harness, &Reply::failed_like_envoy(503));
    for _ in 0..60 {
        harness.advance(seconds(60));
        harness.request(profile(&lasting)).forwarded();
    }
    let failures = asked(&harness) - 1;
    assert!(
        (100..=140).contains(&failures),
        "one try each half minute: {failures}"
    );
    harness.set_cluster(IDP, Cluster::answers(served));
    harness.advance(seconds(31));
    let recovered = asked(&harness);
    harness.advance(seconds(3_900));
    harness.request(profile(&lasting)).forwarded();
    assert_eq!(
        asked(&harness),
        recovered + 13,
        "one fetch each five minutes"
    );
}

#[test]
fn after_a_longer_outage_service_is_good_again_within_one_refresh() {
    let harness = started_with_keys();
    let lasting = TokenBuilder::for_user("alice")
        .expires_in(86_400)
        .signed_by(&key());
    answer_with(&harness, &Reply::failed_like_envoy(504));
    harness.advance(seconds(2 * 3_600));
    refused(&harness.request(profile(&lasting)), 503, "keys_unavailable");
    harness.set_cluster(IDP, Cluster::answers(served));
    harness.advance(seconds(31));
    harness.request(profile(&lasting)).forwarded();
}

#[test]
fn each_failure_is_told_with_its_cause_and_the_recovery_ends_it() {
    let harness = started_with_keys();
    answer_with(&harness, &Reply::failed_like_envoy(503));
    harness.advance(seconds(305));
    let told = |harness: &Harness| {
        let lines = harness.log();
        let told = lines
            .iter()
            .filter(|line| line.text.contains("could not be fetched: status 503"));
        told.count()
    };
    assert_eq!(told(&harness), asked(&harness) - 1);
    harness.set_cluster(IDP, Cluster::answers(served));
    harness.advance(seconds(600));
    let before = told(&harness);
    harness.advance(seconds(600));
    assert_eq!(told(&harness), before);
    assert_eq!(
        harness.metric("hallpass.jwks.error"),
        u64::try_from(before).expect("few")
    );
}
