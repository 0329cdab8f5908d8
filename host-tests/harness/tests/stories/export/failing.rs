//! A collector that is away, slow, or does not like what it gets.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hallpass_harness::{Cluster, Harness, Reply};
use hallpass_tokens::TokenBuilder;
use serde_json::json;

use super::{COLLECTOR, ask, batch, batches, counts, exporting, named, start_exporting, told};
use crate::setup::{GRANTS, key, order, seconds, start_with};

#[test]
fn a_collector_that_fails_for_a_while_gets_every_record_once() {
    let harness = start_exporting();
    let left = Arc::new(AtomicUsize::new(3));
    let count = Arc::clone(&left);
    harness.set_cluster(
        COLLECTOR,
        Cluster::answers(move |_| {
            let fails = count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            });
            match fails {
                Ok(3) => Reply::failed_like_envoy(503),
                Ok(2) => Reply::status(429).header("retry-after", "3"),
                Ok(_) => Reply::failed_without_headers(),
                Err(_) => Reply::json(200, &json!({})),
            }
        }),
    );
    ask(&harness, 0..7);
    harness.advance(seconds(20));
    let sent = batches(&harness);
    assert_eq!(
        sent,
        [
            batch(0..3),
            batch(0..3),
            batch(0..3),
            batch(0..3),
            batch(3..6),
            batch(6..7)
        ]
    );
    assert_eq!(counts(&harness), [7, 0, 9, 0]);
    assert_eq!(told(&harness, "do not reach the collector"), 1);
    assert_eq!(told(&harness, "reach the collector again"), 1);
}

#[test]
fn a_collector_that_is_dead_harms_no_request_and_what_is_lost_is_counted() {
    for dead in [
        Cluster::answers(|_| Reply::failed_like_envoy(503)),
        Cluster::answers(|_| Reply::failed_without_headers()),
        Cluster::Unknown,
        Cluster::Refuses,
        Cluster::Waits,
    ] {
        let harness = start_with(&exporting(|otlp| otlp["max_queued"] = json!(10)));
        harness.set_cluster(COLLECTOR, dead.clone());
        for round in 0..20 {
            ask(&harness, round * 5..round * 5 + 5);
            harness.advance(seconds(1));
        }
        let [exported, dropped, _, queued] = counts(&harness);
        assert_eq!((exported, dropped, queued), (0, 90, 10), "{dead:?}");
        assert_eq!(told(&harness, "do not reach the collector"), 1, "{dead:?}");
        let calls = harness.calls_to(COLLECTOR).len();
        assert!(calls <= 6, "{dead:?}: asked {calls} times");
    }
}

#[test]
fn calls_to_the_collector_say_nothing_of_the_grant_service() {
    let harness = start_exporting();
    harness.set_cluster(
        COLLECTOR,
        Cluster::answers(|_| Reply::failed_like_envoy(503)),
    );
    harness.set_cluster(
        GRANTS,
        Cluster::answers(|_| Reply::json(200, &json!({ "decision": false }))),
    );
    for user in 0..10 {
        let token = TokenBuilder::for_user(&format!("user-{user}")).signed_by(&key());
        harness.request(order(&token)).answer();
        harness.advance(seconds(1));
    }
    assert!(harness.calls_to(COLLECTOR).len() > 3);
    assert_eq!(harness.metric("hallpass.callouts.ok"), 10);
    for name in ["error", "timeout", "refused"] {
        assert_eq!(
            harness.metric(&format!("hallpass.callouts.{name}")),
            0,
            "{name}"
        );
    }
    assert_eq!(harness.histogram("hallpass.callout_ms").len(), 10);
    assert_eq!(harness.calls_to(GRANTS).len(), 10);
}

#[test]
fn a_call_that_the_proxy_forgets_is_given_up_and_sent_again() {
    let builder = Harness::builder().without_callout_timeouts();
    let harness = builder
        .start(exporting(|otlp| otlp["timeout"] = json!("2s")))
        .unwrap_or_else(|refused| panic!("{refused}"));
    ask(&harness, 0..3);
    harness.advance(seconds(3));
    assert_eq!(harness.calls_to(COLLECTOR).len(), 1);
    harness.advance(seconds(2));
    assert_eq!(batches(&harness), [batch(0..3), batch(0..3)]);
    assert_eq!(harness.metric("hallpass.callouts.timeout"), 0);
    let late = harness.callouts().remove(0);
    late.reply_json(200, &json!({}));
    assert_eq!(counts(&harness), [0, 0, 3, 3], "a late answer is no answer");
    harness.callout().reply_json(200, &json!({}));
    assert_eq!(counts(&harness), [3, 0, 3, 0]);
}

#[test]
fn what_a_collector_rejects_is_dropped_and_told_on_one_line() {
    let harness = start_exporting();
    let message = "too old\nhallpass.audit {\"forged\":true}";
    let partly =
        json!({ "partialSuccess": { "rejectedLogRecords": "2", "errorMessage": message } });
    harness.set_cluster(
        COLLECTOR,
        Cluster::answers(move |_| Reply::json(200, &partly)),
    );
    ask(&harness, 0..9);
    harness.advance(seconds(1));
    assert_eq!(counts(&harness), [3, 6, 0, 0]);
    assert_eq!(batches(&harness), [batch(0..3), batch(3..6), batch(6..9)]);
    assert_eq!(told(&harness, "rejected 2 audit records: too old"), 1);
    for line in harness.log() {
        assert!(!line.text.contains('\n'), "{line}");
    }
}

#[test]
fn what_a_collector_refuses_is_not_sent_again() {
    let harness = start_exporting();
    harness.set_cluster(COLLECTOR, Cluster::answers(|_| Reply::status(401)));
    ask(&harness, 0..9);
    harness.advance(seconds(5));
    assert_eq!(batches(&harness), [batch(0..3), batch(3..6), batch(6..9)]);
    assert_eq!(counts(&harness), [0, 9, 0, 0]);
    assert_eq!(
        told(
            &harness,
            "do not reach the collector (cluster `collector`): status 401"
        ),
        1
    );
}

#[test]
fn a_flood_stays_within_the_bounds_of_the_queue() {
    let harness = start_with(&exporting(|otlp| otlp["max_queued_bytes"] = json!(65536)));
    for name in 0..200 {
        let long = format!("/{}", "x".repeat(5_000));
        let exchange = harness.request(named(name).with(":path", &long));
        exchange.answer();
    }
    harness.tick();
    let [_, dropped, _, queued] = counts(&harness);
    assert_eq!(dropped + queued, 200);
    assert!((3..60).contains(&queued), "{queued}");
}
