//! How a worker keeps up with the feed: what it asks, when, and who waits for the first answer.

use hallpass_harness::Caller;

use super::*;
use crate::setup::unavailable;

fn nothing() -> Value {
    json!({ "cursor": "a/7", "complete": true, "revocations": [] })
}

#[test]
fn the_feed_is_asked_when_the_worker_starts_with_the_service_s_own_settings() {
    let harness = start(Harness::builder(), &following());
    let call = harness.callout();
    assert_eq!(
        (call.method.as_str(), call.path.as_str()),
        ("GET", "/revocations")
    );
    assert_eq!(call.authority, "grants.internal");
    assert_eq!(
        call.headers.get("authorization").as_deref(),
        Some("Bearer s3cr3t")
    );
    assert_eq!(call.timeout, Duration::from_millis(500));
    assert_eq!(call.caller, Caller::Root);
    assert_eq!(call.headers.get("if-none-match"), None);
}

#[test]
fn each_interval_it_is_asked_for_what_came_since() {
    let tagged = |call: &Call| {
        if !is_feed(call) {
            Reply::json(200, &deny())
        } else if call.headers.get("if-none-match").is_some() {
            Reply::status(304)
        } else {
            Reply::json(200, &nothing()).header("etag", "\"a/7\"")
        }
    };
    let builder = Harness::builder().cluster(GRANTS, Cluster::answers(tagged));
    let harness = start(builder, &following());
    harness.advance(Duration::from_secs(21));
    let polls = polls(&harness);
    assert_eq!(polls.len(), 11);
    for poll in &polls[1..] {
        assert_eq!(poll.path, "/revocations?since=a%2F7");
        assert_eq!(
            poll.headers.get("if-none-match").as_deref(),
            Some("\"a/7\"")
        );
    }
    // That nothing is new keeps what is known as fresh as the list itself.
    harness.request(carrying("dora", "g-7")).forwarded();
    assert_eq!(harness.metric("hallpass.revocations.ok"), 11);
    let callouts = ["ok", "error"].map(|kind| harness.metric(&format!("hallpass.callouts.{kind}")));
    assert_eq!(callouts, [0, 0], "these are about requests");
}

#[test]
fn there_is_one_question_at_a_time_and_one_that_is_never_answered_is_given_up() {
    let mut config = following();
    config["grants"]["service"]["revocations"]["interval"] = json!("500ms");
    let harness = start(Harness::builder().without_callout_timeouts(), &config);
    let waiting = harness.request(carrying("dora", "g-7"));
    harness.advance(Duration::from_secs(10));
    // Each is given up a second and a half after it was asked, and the next is asked then.
    assert_eq!(polls(&harness).len(), 7);
    assert_eq!(harness.metric("hallpass.revocations.error"), 6);
    unavailable(&waiting);
}

#[test]
fn who_comes_before_the_first_answer_waits_for_it() {
    let harness = start(Harness::builder(), &following());
    let waiting = [
        harness.request(carrying("dora", "g-7")),
        harness.request(carrying("dora", "g-8")),
    ];
    assert!(waiting.iter().all(hallpass_harness::Exchange::is_waiting));
    let feed = json!({ "cursor": "7", "complete": true, "revocations": [grant("g-8")] });
    harness.callout().reply_json(200, &feed);
    waiting[0].forwarded();
    harness.callout().reply_json(200, &deny());
    refused(&waiting[1], 403, "grant_denied");
}

#[test]
fn who_waits_for_a_first_answer_that_fails_asks_the_service_and_else_is_told_to_come_again() {
    for answer in [
        Reply::failed_like_envoy(504),
        Reply::failed_without_headers(),
        Reply::status(404),
        Reply::json(200, &json!({ "cursor": "7", "revocations": [] })),
    ] {
        let harness = start(Harness::builder(), &following());
        let waiting = [
            harness.request(carrying("dora", "g-7")),
            harness.request(carrying("emil", "g-8")),
        ];
        harness.callout().reply(answer);
        let [first, second] = &harness.callouts()[..] else {
            panic!("{harness:?}");
        };
        first.reply_json(200, &allow_until(NOW + 60));
        second.fail_like_envoy(503);
        waiting[0].forwarded();
        unavailable(&waiting[1]);
    }
}

#[test]
fn a_client_that_leaves_while_it_waits_changes_nothing_for_the_others() {
    let harness = start(Harness::builder(), &following());
    let waiting = [
        harness.request(carrying("dora", "g-7")),
        harness.request(carrying("dora", "g-7")),
    ];
    waiting[0].hang_up();
    harness.callout().reply_json(200, &nothing());
    waiting[1].forwarded();
}

#[test]
fn another_configuration_with_the_same_feed_goes_on_with_what_is_known() {
    let harness = worker();
    take_back(&harness, &[grant("g-7")]);
    harness.advance(WITHIN);
    harness.set_cluster(GRANTS, Cluster::Waits);
    harness.advance(Duration::from_secs(2));
    let mut config = following();
    config["audit"] = json!({ "log": "denied" });
    harness.reconfigure(&config);
    harness.request(carrying("dora", "g-8")).forwarded();
    assert!(harness.request(carrying("dora", "g-7")).is_waiting());
    assert!(!harness.logged("cannot be read"));
    assert_eq!(harness.metric("hallpass.revocations.entries"), 1);
}

#[test]
fn a_request_that_waits_while_the_configuration_is_replaced_is_told_to_come_again() {
    let harness = start(Harness::builder(), &following());
    let waiting = harness.request(carrying("dora", "g-7"));
    harness.reconfigure(following());
    harness.tick();
    unavailable(&waiting);
    assert!(harness.request(carrying("dora", "g-7")).is_waiting());
}
