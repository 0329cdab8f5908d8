//! Requests that stay open (a WebSocket, a stream of events, a long upload) and outlive what let them pass.
//!
//! A request that was forwarded and is not answered is open here.

use std::time::Duration;

use hallpass_harness::{Cluster, Exchange, Harness, Reply, Request};
use hallpass_tokens::{Grant, NOW, TokenBuilder};
use serde_json::{Value, json};

use crate::setup::{
    GRANTS, alice, allow_until, config_with, config_without_service, health, key, ms, order,
    profile, refused, seconds, start, start_with,
};

/// The longest that a stream may be open past its end.
const LATE: Duration = Duration::from_millis(999);

/// A request whose token carries a grant up to `end`.
fn order_until(end: i64) -> Request {
    let grant = Grant::new("orders", &["read"]).id("g-42").until(end);
    order(
        &TokenBuilder::for_user("alice")
            .id("t-9")
            .grant(grant)
            .signed_by(&key()),
    )
}

/// Lets time pass until just before `end` in which nothing may happen to the stream, and then what a cut may take, in which it must.
#[track_caller]
fn assert_cut_at(harness: &Harness, exchange: &Exchange, end: i64) {
    harness.advance(Duration::from_millis(ms(end) - 1 - harness.now()));
    assert!(
        exchange.is_forwarded(),
        "before its end at {end}: {exchange:?}"
    );
    harness.advance(Duration::from_millis(1) + LATE);
    assert!(
        exchange.is_reset(),
        "a second after its end at {end}: {exchange:?}"
    );
}

/// The records of streams that were cut.
fn cuts(harness: &Harness) -> Vec<Value> {
    let mut records = harness.audit();
    records.retain(|record| record["reason"] == "stream_expired");
    records
}

fn counted(harness: &Harness) -> u64 {
    harness.metric("hallpass.decisions.deny.stream_expired")
}

fn keeping(config: &mut Value) {
    for resource in config["resources"].as_array_mut().expect("a list") {
        resource["streams"] = json!("keep");
    }
}

#[test]
fn a_stream_is_cut_when_the_grant_in_its_token_ends_and_not_before() {
    let harness = start();
    let exchange = harness.request(order_until(NOW + 10));
    exchange.forwarded();
    assert_cut_at(&harness, &exchange, NOW + 10);
}

#[test]
fn a_stream_is_cut_where_no_service_is_ever_called() {
    let harness = start_with(&config_without_service());
    let exchange = harness.request(order_until(NOW + 10));
    exchange.forwarded();
    assert_cut_at(&harness, &exchange, NOW + 10);
}

#[test]
fn a_stream_is_cut_when_the_services_grant_ends_though_its_word_is_remembered_for_less() {
    let harness = start();
    harness.set_cluster(
        GRANTS,
        Cluster::answers(|_| Reply::json(200, &allow_until(NOW + 100))),
    );
    let asked = harness.request(order(&alice()));
    asked.forwarded();
    let remembered = harness.request(order(&alice()));
    remembered.forwarded();
    assert_cut_at(&harness, &asked, NOW + 100);
    assert!(remembered.is_reset(), "{remembered:?}");
}

#[test]
fn a_stream_is_cut_when_its_token_ends() {
    let harness = start();
    // Clocks may differ by 30 seconds.
    let brief = TokenBuilder::for_user("alice").expires_at(NOW - 20);
    let identity = harness.request(profile(&brief.clone().signed_by(&key())));
    identity.forwarded();
    let grant = Grant::new("orders", &["read"]).until(NOW + 3600);
    let granted = harness.request(order(&brief.grant(grant).signed_by(&key())));
    granted.forwarded();
    assert_cut_at(&harness, &identity, NOW + 10);
    assert!(granted.is_reset(), "{granted:?}");
}

#[test]
fn a_stream_that_was_held_first_is_cut_at_its_end_too() {
    let harness = start();
    let exchange = harness.request(order(&alice()));
    assert!(exchange.is_waiting());
    harness.callout().reply_json(200, &allow_until(NOW + 10));
    exchange.forwarded();
    assert_cut_at(&harness, &exchange, NOW + 10);
}

#[test]
fn a_stream_is_kept_where_that_is_written_down_and_where_permission_has_no_end() {
    let cutting = start();
    let public = cutting.request(health());
    cutting.advance(seconds(2 * 86_400));
    let harness = start_with(&config_with(keeping));
    let kept = [
        harness.request(order_until(NOW + 10)),
        harness.request(profile(&alice())),
    ];
    harness.advance(seconds(2 * 86_400));
    for exchange in [&public, &kept[0], &kept[1]] {
        assert!(exchange.is_forwarded(), "{exchange:?}");
    }
    assert_eq!(counted(&harness), 0);
    let next = harness.request(order_until(NOW + 10));
    refused(&next, 401, "token_expired");
}

#[test]
fn a_request_that_has_ended_by_itself_is_not_cut() {
    let harness = start();
    let answered = harness.request(order_until(NOW + 10));
    answered.upstream_answers(200);
    let left = harness.request(order_until(NOW + 10));
    left.hang_up();
    harness.advance(seconds(20));
    assert!(!answered.is_reset() && !left.is_reset());
    assert_eq!((cuts(&harness).len(), counted(&harness)), (0, 0));
}

#[test]
fn what_is_open_is_told_and_nothing_is_kept_of_what_has_ended() {
    let harness = start();
    let other = harness.second_worker();
    let open = || harness.metric("hallpass.streams.open");
    for _ in 0..3 {
        harness.request(order_until(NOW + 10)).upstream_answers(200);
    }
    let left = harness.request(order_until(NOW + 3600));
    let stays = other.request(profile(&alice()));
    harness.request(order_until(NOW + 10)).forwarded();
    harness.request(health()).forwarded();
    harness.request(Request::get("https://admin.example/me"));
    harness.advance(seconds(1));
    assert_eq!(open(), 3);
    left.hang_up();
    harness.advance(seconds(1));
    assert_eq!(open(), 2);
    other.reconfigure(config_without_service());
    harness.advance(seconds(10));
    assert_eq!(open(), 1);
    stays.upstream_answers(200);
    harness.advance(seconds(1));
    assert_eq!(open(), 0);
}

#[test]
fn each_stream_has_an_end_of_its_own() {
    let harness = start();
    let ends = [NOW + 30, NOW + 10, NOW + 20, NOW + 10];
    let streams = ends.map(|end| harness.request(order_until(end)));
    for moment in [NOW + 10, NOW + 20, NOW + 30] {
        harness.advance(Duration::from_millis(ms(moment) - harness.now()));
        let cut = streams.each_ref().map(Exchange::is_reset);
        assert_eq!(cut, ends.map(|end| end <= moment), "at {moment}");
    }
    assert_eq!(cuts(&harness).len(), 4);
}

#[test]
fn a_cut_is_recorded_and_counted_once_with_all_that_had_let_the_request_pass() {
    let harness = start();
    let request = order_until(NOW + 10)
        .with(":path", "/orders/7?card=4111")
        .header("x-request-id", "f3b1")
        .from_peer("10.1.2.3:4000");
    harness.request(request).forwarded();
    harness.advance(seconds(30));
    let [cut] = &cuts(&harness)[..] else {
        panic!("one record: {:?}", harness.audit());
    };
    let mut expected = harness.audit().remove(0);
    for (name, value) in [
        ("time", json!("2026-09-21T14:13:30.000Z")),
        ("decision", json!("deny")),
        ("reason", json!("stream_expired")),
        ("status", json!(403)),
    ] {
        expected[name] = value;
    }
    assert_eq!(*cut, expected);
    assert_eq!(counted(&harness), 1);
}

#[test]
fn a_clock_that_was_set_back_cuts_nothing_before_it_shows_the_end() {
    let harness = start();
    let exchange = harness.request(order_until(NOW + 10));
    harness.advance(seconds(9));
    harness.at(ms(NOW - 50));
    assert_cut_at(&harness, &exchange, NOW + 10);
}

#[test]
fn a_clock_that_was_set_forward_cuts_at_the_next_tick() {
    let harness = start();
    let exchange = harness.request(order_until(NOW + 10));
    harness.at(ms(NOW + 10) - 1);
    harness.tick();
    assert!(exchange.is_forwarded(), "{exchange:?}");
    harness.at(ms(NOW + 10));
    harness.tick();
    assert!(exchange.is_reset(), "{exchange:?}");
}

#[test]
fn a_stream_that_was_let_through_under_an_earlier_configuration_is_cut_and_recorded_under_it() {
    let harness = start_with(&config_without_service());
    let exchange = harness.request(order_until(NOW + 10));
    exchange.forwarded();
    harness.reconfigure(config_with(keeping));
    assert_cut_at(&harness, &exchange, NOW + 10);
    assert_eq!(cuts(&harness)[0]["config"], harness.audit()[0]["config"]);
    assert_eq!(cuts(&harness)[0]["resource"], "orders");
}

#[test]
fn nothing_is_cut_while_another_request_is_being_judged() {
    let harness = start();
    let exchange = harness.request(order_until(NOW + 10));
    harness.at(ms(NOW + 10));
    assert!(harness.request(order(&alice())).is_waiting());
    assert!(exchange.is_forwarded(), "{exchange:?}");
    harness.tick();
    assert!(exchange.is_reset(), "{exchange:?}");
}

#[test]
fn a_proxy_that_cannot_cut_is_told_of_once_and_nothing_is_recorded_that_did_not_happen() {
    let harness = Harness::builder()
        .refusing_resets()
        .start(config_with(|_| ()))
        .unwrap_or_else(|refused| panic!("{refused}"));
    let streams = [NOW + 10, NOW + 10, NOW + 20].map(|end| harness.request(order_until(end)));
    harness.advance(seconds(15));
    harness.reconfigure(config_without_service());
    harness.advance(seconds(15));
    let log = harness.log();
    let told = log
        .iter()
        .filter(|line| line.text.contains("would not cut"));
    assert_eq!(told.count(), 1, "{log:?}");
    assert_eq!((cuts(&harness).len(), counted(&harness)), (0, 0));
    for stream in streams {
        assert!(stream.is_forwarded(), "{stream:?}");
        stream.upstream_answers(200);
    }
}
