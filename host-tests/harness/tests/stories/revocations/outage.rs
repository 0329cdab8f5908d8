//! A feed that cannot be read: it is not felt for a while, and then nothing counts of which it could say that it is taken back.

use super::*;
use crate::setup::unavailable;

/// The feed is away, and the service itself decides like this.
fn without_feed(decision: &Value) -> Cluster {
    let decision = decision.clone();
    Cluster::answers(move |call| {
        if is_feed(call) {
            Reply::failed_like_envoy(503)
        } else {
            Reply::json(200, &decision)
        }
    })
}

#[test]
fn an_outage_that_is_shorter_than_allowed_is_not_felt() {
    let harness = worker();
    harness.request(by("alice")).forwarded();
    harness.set_cluster(GRANTS, without_feed(&deny()));
    harness.advance(Duration::from_secs(9));
    harness.request(by("alice")).forwarded();
    harness.request(carrying("dora", "g-7")).forwarded();
}

#[test]
fn after_a_longer_one_only_what_the_service_says_now_counts() {
    let harness = worker();
    harness.request(by("alice")).forwarded();
    harness.set_cluster(GRANTS, without_feed(&allow_until(NOW + 3600)));
    harness.advance(Duration::from_secs(11));
    for _ in 0..2 {
        harness.request(by("alice")).forwarded();
        harness.request(carrying("dora", "g-7")).forwarded();
    }
    assert_eq!(questions(&harness), 5, "none of the answers is used twice");
    harness.request(health()).forwarded();
    harness.request(profile(&alice())).forwarded();
    fails(&harness);
    for request in [by("alice"), carrying("dora", "g-7")] {
        unavailable(&harness.request(request));
    }
}

#[test]
fn who_has_nothing_but_a_grant_in_the_token_is_told_to_come_again() {
    let harness = worker();
    harness.set_cluster(GRANTS, without_feed(&deny()));
    harness.advance(Duration::from_secs(11));
    unavailable(&harness.request(carrying("dora", "g-7")));
    refused(&harness.request(by("alice")), 403, "grant_denied");
}

#[test]
fn a_service_that_may_fail_open_does_so_loudly_here_too() {
    let mut config = following();
    config["grants"]["service"]["failure_mode"] = json!("allow");
    let allows = service(&allow_until(NOW + 3600), &[grant("g-8")]);
    let harness = start(Harness::builder().cluster(GRANTS, allows), &config);
    fails(&harness);
    harness.advance(Duration::from_secs(11));
    harness.request(carrying("dora", "g-7")).forwarded();
    assert_eq!(
        harness.metric("hallpass.decisions.allow.grant_service_failed_open"),
        1
    );
    refused(
        &harness.request(carrying("emil", "g-8")),
        403,
        "grant_revoked",
    );
}

#[test]
fn it_is_told_once_that_the_feed_is_away_and_once_that_it_is_back() {
    let harness = worker();
    for answer in [
        Reply::failed_like_envoy(503),
        Reply::status(200).body("<html>"),
        Reply::status(401),
    ] {
        harness.set_cluster(GRANTS, Cluster::answers(move |_| answer.clone()));
        harness.advance(Duration::from_secs(10));
    }
    harness.set_cluster(GRANTS, Cluster::Refuses);
    harness.advance(Duration::from_secs(10));
    let told = |text: &str| {
        let log = harness.log();
        log.iter().filter(|line| line.text.contains(text)).count()
    };
    assert_eq!((told("cannot be read"), told("refused a call")), (1, 0));
    assert_eq!(told("read again"), 0);
    take_back(&harness, &[]);
    harness.advance(WITHIN);
    assert_eq!((told("cannot be read"), told("read again")), (1, 1));
    harness.request(carrying("dora", "g-7")).forwarded();
    assert!(harness.metric("hallpass.revocations.error") >= 19);
}

#[test]
fn what_is_known_to_be_taken_back_stays_so_while_the_feed_is_away() {
    let harness = worker();
    take_back(&harness, &[grant("g-7")]);
    harness.advance(WITHIN);
    harness.set_cluster(GRANTS, without_feed(&deny()));
    harness.advance(Duration::from_secs(5));
    refused(
        &harness.request(carrying("dora", "g-7")),
        403,
        "grant_denied",
    );
    harness.request(carrying("dora", "g-8")).forwarded();
}
