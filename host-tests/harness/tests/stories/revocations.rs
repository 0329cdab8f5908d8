//! What the grant service takes back before its end: out within an interval on every worker, however permission was given.

mod following;
mod open;
mod outage;

use std::time::Duration;

use hallpass_harness::{Call, Callout, Cluster, Harness, HarnessBuilder, Reply, Request};
use hallpass_tokens::{Grant, NOW, TokenBuilder};
use serde_json::{Value, json};

use crate::setup::{
    GRANTS, alice, allow_until, config_with, deny, fails, health, key, order, profile, refused,
    timestamp,
};

/// What a revocation takes to be felt at most: the interval, and what the worker's tick adds.
const WITHIN: Duration = Duration::from_millis(2_250);

fn following() -> Value {
    config_with(|config| {
        config["grants"]["service"]["headers"] = json!({ "authorization": "Bearer s3cr3t" });
        config["grants"]["service"]["revocations"] =
            json!({ "interval": "2s", "max_stale": "10s" });
    })
}

fn is_feed(call: &Call) -> bool {
    call.path.starts_with("/revocations")
}

/// A service that decides like this, and has taken this back.
fn service(decision: &Value, taken: &[Value]) -> Cluster {
    let decision = decision.clone();
    let feed = json!({ "cursor": "7", "complete": true, "revocations": taken });
    Cluster::answers(move |call| Reply::json(200, if is_feed(call) { &feed } else { &decision }))
}

fn start(builder: HarnessBuilder, config: &Value) -> Harness {
    builder
        .start(config)
        .unwrap_or_else(|refused| panic!("{refused}"))
}

/// A worker that has read that nothing is taken back, and a service that allows.
fn worker() -> Harness {
    let allows = service(&allow_until(NOW + 3600), &[]);
    start(Harness::builder().cluster(GRANTS, allows), &following())
}

/// From now on the service denies, and has taken this back.
fn take_back(harness: &Harness, taken: &[Value]) {
    harness.set_cluster(GRANTS, service(&deny(), taken));
}

fn grant(id: &str) -> Value {
    json!({ "grant": id, "until": timestamp(NOW + 3600) })
}

fn subject(subject: &str) -> Value {
    json!({ "subject": subject, "issuer": "https://idp.example", "not_before": timestamp(NOW), "until": timestamp(NOW + 3600) })
}

/// A request of someone whose token carries a grant.
fn carrying(user: &str, id: &str) -> Request {
    let grant = Grant::new("orders", &["read"]).id(id).until(NOW + 3600);
    let token = TokenBuilder::for_user(user).issued_at(NOW).grant(grant);
    order(&token.signed_by(&key()))
}

fn by(user: &str) -> Request {
    order(&TokenBuilder::for_user(user).signed_by(&key()))
}

/// How often the service was asked about a request.
fn questions(harness: &Harness) -> usize {
    let calls = harness.calls_to(GRANTS);
    calls.iter().filter(|call| !is_feed(call)).count()
}

fn polls(harness: &Harness) -> Vec<Call> {
    let mut calls = harness.calls_to(GRANTS);
    calls.retain(is_feed);
    calls
}

fn open_polls(harness: &Harness) -> Vec<Callout> {
    let mut open = harness.callouts();
    open.retain(|call| is_feed(call));
    open
}

#[test]
fn a_revocation_is_felt_within_an_interval_on_every_worker_however_permission_was_given() {
    for taken in [
        vec![grant("g-42"), grant("g-7")],
        vec![subject("alice"), subject("dora")],
        vec![
            json!({ "resource": "orders", "not_before": timestamp(NOW), "until": timestamp(NOW + 60) }),
        ],
    ] {
        let first = worker();
        let second = first.second_worker();
        for worker in [&first, &second] {
            // Cached in the first, shared with the second.
            worker.request(by("alice")).forwarded();
            worker.request(carrying("dora", "g-7")).forwarded();
        }
        assert_eq!(questions(&first), 1);
        first.advance(Duration::from_secs(1));
        take_back(&first, &taken);
        first.advance(WITHIN);
        for worker in [&first, &second] {
            refused(&worker.request(by("alice")), 403, "grant_denied");
            refused(
                &worker.request(carrying("dora", "g-7")),
                403,
                "grant_denied",
            );
        }
        assert_eq!(
            first.metric("hallpass.revocations.entries"),
            2 * taken.len() as u64
        );
    }
}

#[test]
fn others_feel_nothing_of_it() {
    let harness = worker();
    harness.request(by("bob")).forwarded();
    harness.request(carrying("dora", "g-7")).forwarded();
    take_back(&harness, &[grant("g-1"), subject("alice")]);
    harness.advance(WITHIN);
    harness.request(by("bob")).forwarded();
    harness.request(carrying("dora", "g-7")).forwarded();
    assert_eq!(questions(&harness), 1);
}

#[test]
fn who_is_given_anew_what_was_taken_back_passes_again() {
    let harness = worker();
    harness.request(by("alice")).forwarded();
    harness.set_cluster(
        GRANTS,
        service(&allow_until(NOW + 1800), &[subject("alice")]),
    );
    harness.advance(WITHIN);
    for _ in 0..3 {
        harness.request(by("alice")).forwarded();
        harness.advance(WITHIN);
    }
    assert_eq!(questions(&harness), 2);
}

#[test]
fn a_question_under_way_while_the_revocation_comes_is_asked_again() {
    let harness = start(Harness::builder(), &following());
    harness.callout().reply_json(
        200,
        &json!({ "cursor": "7", "complete": true, "revocations": [] }),
    );
    harness.advance(Duration::from_millis(1_900));
    let waiting = harness.request(by("alice"));
    let other = harness.request(by("bob"));
    let [of_alice, of_bob] = &harness.callouts()[..] else {
        panic!("{harness:?}");
    };
    let (of_alice, of_bob) = (of_alice.clone(), of_bob.clone());
    harness.advance(Duration::from_millis(100));
    let [poll] = &open_polls(&harness)[..] else {
        panic!("{harness:?}");
    };
    poll.reply_json(
        200,
        &json!({ "cursor": "8", "complete": false, "revocations": [subject("alice")] }),
    );
    of_alice.reply_json(200, &allow_until(NOW + 3600));
    of_bob.reply_json(200, &allow_until(NOW + 3600));
    assert!(waiting.is_waiting() && other.is_forwarded(), "{harness:?}");
    harness.callout().reply_json(200, &deny());
    refused(&waiting, 403, "grant_denied");
}

#[test]
fn a_grant_that_is_taken_back_is_told_as_such_where_the_service_cannot_say_more() {
    let harness = worker();
    take_back(&harness, &[grant("g-7")]);
    harness.advance(WITHIN);
    fails(&harness);
    let answer = refused(
        &harness.request(carrying("dora", "g-7")),
        403,
        "grant_revoked",
    );
    assert_eq!(
        answer.json()["request_url"],
        "https://grants.example/request?resource=orders&action=read"
    );
    let record = harness.audit().pop().expect("a record");
    assert_eq!(record["grant_id"], "g-7");
    assert_eq!(harness.metric("hallpass.decisions.deny.grant_revoked"), 1);
}

#[test]
fn monitor_mode_tells_who_would_have_been_out() {
    let mut config = following();
    config["mode"] = json!("monitor");
    let allows = service(&allow_until(NOW + 3600), &[grant("g-7")]);
    let harness = start(Harness::builder().cluster(GRANTS, allows), &config);
    fails(&harness);
    harness.request(carrying("dora", "g-7")).forwarded();
    assert_eq!(harness.metric("hallpass.monitored.grant_revoked"), 1);
}

#[test]
fn more_than_fits_takes_everything_back() {
    let harness = worker();
    harness.request(by("bob")).forwarded();
    let many: Vec<Value> = (0..10_050).map(|id| grant(&format!("x-{id}"))).collect();
    take_back(&harness, &many);
    harness.advance(WITHIN);
    refused(&harness.request(by("bob")), 403, "grant_denied");
    refused(
        &harness.request(carrying("dora", "g-7")),
        403,
        "grant_denied",
    );
    let told = harness.log();
    let told = told.iter().filter(|line| line.text.contains("taken back"));
    assert!(told.count() < 60);
}

#[test]
fn what_is_taken_back_is_told_once_in_one_line_each() {
    let harness = worker();
    take_back(&harness, &[grant("g\nhallpass.audit {}"), subject("alice")]);
    harness.advance(3 * WITHIN);
    let log = harness.log();
    let told: Vec<_> = log
        .iter()
        .filter(|line| line.text.contains("taken back"))
        .collect();
    assert_eq!(told.len(), 2, "{log:?}");
    assert!(told.iter().all(|line| !line.text.contains('\n')));
    assert!(harness.audit().is_empty(), "nothing was decided");
}

#[test]
fn without_a_feed_nothing_is_asked_and_nothing_waits() {
    let harness = start(Harness::builder(), &config_with(|_| ()));
    harness.request(carrying("dora", "g-7")).forwarded();
    harness.advance(Duration::from_mins(10));
    assert_eq!(harness.calls_to(GRANTS).len(), 0);
    assert_eq!(harness.metric("hallpass.revocations.ok"), 0);
}

#[test]
fn what_needs_no_grant_needs_no_feed() {
    let harness = start(Harness::builder(), &following());
    harness.request(health()).forwarded();
    harness.request(profile(&alice())).forwarded();
    assert!(harness.request(carrying("dora", "g-7")).is_waiting());
}
