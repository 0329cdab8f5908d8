//! Keys that are fetched from the issuer: waiting for them, keeping them, and what happens when they cannot be reached.

use hallpass_harness::{Call, Caller, Cluster, Harness, HarnessBuilder, Reply};
use hallpass_tokens::{SigningKey, TokenBuilder, jwks};
use serde_json::{Value, json};

use crate::setup::{IDP, alice, config_with, health, key, profile, refused, seconds};

fn remote_config() -> Value {
    config_with(|config| {
        config["providers"][0]["jwks"] = json!({
            "remote": { "cluster": IDP, "uri": "https://idp.example/keys.json", "timeout": "2s", "refresh": "5m", "max_stale": "1h" },
        });
    })
}

fn start(builder: HarnessBuilder) -> Harness {
    builder
        .start(remote_config())
        .unwrap_or_else(|refused| panic!("{refused}"))
}

/// Serves the key of the default configuration.
fn served(_: &Call) -> Reply {
    Reply::json(200, &jwks(&[&key()]))
}

#[test]
fn the_keys_are_fetched_once_when_the_worker_starts() {
    let harness = start(Harness::builder());
    let call = harness.callout();
    assert_eq!((call.cluster.as_str(), call.method.as_str()), (IDP, "GET"));
    assert_eq!(
        (call.authority.as_str(), call.path.as_str()),
        ("idp.example", "/keys.json")
    );
    assert_eq!((call.timeout, call.caller), (seconds(2), Caller::Root));
    call.reply(served(&call));
    harness.request(profile(&alice())).forwarded();
    assert_eq!(harness.calls_to(IDP).len(), 1);
}

#[test]
fn requests_that_come_before_the_first_keys_wait_for_them() {
    let harness = start(Harness::builder());
    let waiting = [
        harness.request(profile(&alice())),
        harness.request(profile(&alice())),
    ];
    assert!(waiting.iter().all(hallpass_harness::Exchange::is_waiting));
    assert_eq!(
        harness.calls_to(IDP).len(),
        1,
        "waiting causes no further call"
    );
    let call = harness.callout();
    call.reply(served(&call));
    for exchange in waiting {
        exchange.forwarded();
    }
}

#[test]
fn a_public_resource_does_not_wait_for_keys() {
    start(Harness::builder()).request(health()).forwarded();
}

#[test]
fn a_request_without_a_token_does_not_wait_for_keys() {
    let request = hallpass_harness::Request::get("https://admin.example/me");
    refused(
        &start(Harness::builder()).request(request),
        401,
        "token_missing",
    );
}

#[test]
fn keys_that_cannot_be_had_are_our_fault_and_not_the_tokens() {
    let failures = [
        ("connection refused", Reply::failed_like_envoy(503)),
        ("timeout", Reply::failed_like_envoy(504)),
        ("no headers", Reply::failed_without_headers()),
        ("server error", Reply::json(500, &jwks(&[&key()]))),
        ("not found", Reply::status(404)),
        (
            "redirect",
            Reply::status(302).header("location", "https://evil.example/keys.json"),
        ),
        (
            "a page",
            Reply::status(200)
                .header("content-type", "text/html")
                .body("<html></html>"),
        ),
        (
            "not a key set",
            Reply::json(200, &json!({ "keys": "none" })),
        ),
        ("an empty answer", Reply::status(200)),
    ];
    for (name, failure) in failures {
        let harness = start(Harness::builder());
        let exchange = harness.request(profile(&alice()));
        harness.callout().reply(failure);
        let answer = exchange.answer();
        assert_eq!(
            (answer.status, answer.reason().as_str()),
            (503, "keys_unavailable"),
            "{name}"
        );
        assert_eq!(answer.headers.all("retry-after"), ["1"], "{name}");
        assert!(!answer.headers.has("www-authenticate"), "{name}");
    }
}

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
fn the_keys_are_fetched_again_after_the_refresh_period() {
    let harness = start(Harness::builder().cluster(IDP, Cluster::answers(served)));
    harness.advance(seconds(299));
    assert_eq!(harness.calls_to(IDP).len(), 1);
    harness.advance(seconds(2));
    assert_eq!(harness.calls_to(IDP).len(), 2);
}

#[test]
fn a_key_that_the_issuer_withdrew_counts_no_longer() {
    let new = SigningKey::ed25519("kid-2");
    let harness = start(Harness::builder().cluster(IDP, Cluster::answers(served)));
    harness.request(profile(&alice())).forwarded();
    let keys = jwks(&[&new]);
    harness.set_cluster(IDP, Cluster::answers(move |_| Reply::json(200, &keys)));
    harness.advance(seconds(301));
    assert_eq!(harness.request(profile(&alice())).answer().status, 401);
    harness
        .request(profile(&TokenBuilder::for_user("alice").signed_by(&new)))
        .forwarded();
}

#[test]
fn a_request_is_served_with_the_known_keys_while_new_ones_are_fetched() {
    let harness = start(Harness::builder().cluster(IDP, Cluster::answers(served)));
    harness.set_cluster(IDP, Cluster::Waits);
    harness.advance(seconds(301));
    assert_eq!(harness.callouts().len(), 1);
    harness.request(profile(&alice())).forwarded();
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
fn a_bad_answer_does_not_replace_good_keys() {
    let harness = start(Harness::builder().cluster(IDP, Cluster::answers(served)));
    harness.set_cluster(IDP, Cluster::answers(|_| Reply::status(200).body("{")));
    harness.advance(seconds(301));
    harness.request(profile(&alice())).forwarded();
}

#[test]
fn one_bad_key_does_not_spoil_the_set() {
    let bad = json!({ "kty": "RSA", "kid": "bad", "n": "AQAB", "e": "AQAB", "alg": "RS256" });
    let strange = json!({ "kty": "magic", "kid": "strange" });
    let keys = json!({ "keys": [bad, strange, 7, key().jwk()] });
    let harness =
        start(Harness::builder().cluster(IDP, Cluster::answers(move |_| Reply::json(200, &keys))));
    harness.request(profile(&alice())).forwarded();
}

#[test]
fn a_token_that_ended_while_its_request_waited_for_keys_does_not_pass() {
    let harness = start(Harness::builder());
    let token = TokenBuilder::for_user("alice")
        .expires_in(1)
        .signed_by(&key());
    let exchange = harness.request(profile(&token));
    harness.at(harness.now() + 31_000);
    let call = harness.callout();
    call.reply(served(&call));
    refused(&exchange, 401, "token_expired");
}

#[test]
fn clients_that_leave_while_they_wait_for_keys_disturb_nobody() {
    let harness = start(Harness::builder());
    let first = harness.request(profile(&alice()));
    let second = harness.request(profile(&alice()));
    first.hang_up();
    let call = harness.callout();
    call.reply(served(&call));
    second.forwarded();
}

#[test]
fn each_worker_fetches_its_own_keys() {
    let harness = start(Harness::builder().cluster(IDP, Cluster::answers(served)));
    let second = harness.second_worker();
    second.request(profile(&alice())).forwarded();
    assert_eq!(harness.calls_to(IDP).len(), 2);
}
