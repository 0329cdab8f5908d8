//! Keys that are fetched from the issuer: waiting for them, keeping them, looking for new ones, and what happens when they cannot be reached.

mod discovery;
mod exchange;
mod forgeries;
mod hostile;
mod outage;
mod rotation;
mod storm;

use std::time::Duration;

use hallpass_harness::{Call, Caller, Cluster, Harness, HarnessBuilder, Reply};
use hallpass_tokens::{NOW, SigningKey, TokenBuilder, jwks};
use serde_json::{Value, json};

use crate::setup::{
    IDP, alice, allow_until, config_with, health, key, order, profile, refused, seconds,
    unavailable,
};

/// The configuration with the provider's keys from there.
fn config_with_jwks(jwks: &Value) -> Value {
    config_with(|config| config["providers"][0]["jwks"] = jwks.clone())
}

fn remote_config() -> Value {
    config_with_jwks(&json!({
        "remote": { "cluster": IDP, "uri": "https://idp.example/keys.json", "timeout": "2s", "refresh": "5m", "max_stale": "1h" },
    }))
}

fn start(builder: HarnessBuilder) -> Harness {
    start_with(builder, &remote_config())
}

fn start_with(builder: HarnessBuilder, config: &Value) -> Harness {
    builder
        .start(config)
        .unwrap_or_else(|refused| panic!("{refused}"))
}

/// Serves the key of the default configuration.
fn served(_: &Call) -> Reply {
    Reply::json(200, &jwks(&[&key()]))
}

/// A module that has fetched the key of the default configuration from an issuer that goes on answering.
fn started_with_keys() -> Harness {
    start(Harness::builder().cluster(IDP, Cluster::answers(served)))
}

/// The issuer publishes these keys from now on.
fn publish(harness: &Harness, keys: &[&SigningKey]) {
    let keys = jwks(keys);
    harness.set_cluster(IDP, Cluster::answers(move |_| Reply::json(200, &keys)));
}

/// Every call to the issuer from now on gets this answer.
fn answer_with(harness: &Harness, reply: &Reply) {
    let reply = reply.clone();
    harness.set_cluster(IDP, Cluster::answers(move |_| reply.clone()));
}

fn asked(harness: &Harness) -> usize {
    harness.calls_to(IDP).len()
}

/// A key that nobody has published yet.
fn new_key() -> SigningKey {
    SigningKey::ed25519("kid-2")
}

/// A sound token of Alice's, signed by `key`.
fn signed_by(key: &SigningKey) -> String {
    TokenBuilder::for_user("alice").signed_by(key)
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
fn the_keys_are_fetched_again_after_the_refresh_period() {
    let harness = start(Harness::builder().cluster(IDP, Cluster::answers(served)));
    harness.advance(seconds(299));
    assert_eq!(harness.calls_to(IDP).len(), 1);
    harness.advance(seconds(2));
    assert_eq!(harness.calls_to(IDP).len(), 2);
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

#[test]
fn the_issuers_word_shortens_the_refresh_period_and_never_lengthens_it() {
    for (cache_control, fetched_again_after) in [
        ("public, max-age=60", 60),
        ("max-age=1", 10),
        ("max-age=86400", 300),
        ("no-cache, no-store, max-age=0, must-revalidate", 300),
    ] {
        let keys =
            Cluster::answers(move |call| served(call).header("cache-control", cache_control));
        let harness = start(Harness::builder().cluster(IDP, keys));
        harness.advance(seconds(fetched_again_after - 1));
        assert_eq!(asked(&harness), 1, "{cache_control}");
        harness.advance(seconds(2));
        assert_eq!(asked(&harness), 2, "{cache_control}");
    }
}

#[test]
fn requests_that_wait_when_the_configuration_is_replaced_are_not_left_hanging() {
    let harness = started_with_keys();
    harness.set_cluster(IDP, Cluster::Waits);
    harness.advance(seconds(300));
    assert_eq!(harness.callouts().len(), 1, "a refresh is under way");
    // When that ends in vain, this one would wait for a fetch of its own.
    let seeking = harness.request(profile(&signed_by(&new_key())));
    let asking = harness.request(order(&alice()));
    assert!(seeking.is_waiting() && asking.is_waiting());
    harness.reconfigure(remote_config());
    unavailable(&asking);
    refused(&seeking, 503, "keys_unavailable");
}

#[test]
fn a_request_that_waits_for_a_grant_when_the_configuration_is_replaced_is_let_through_by_no_failure_mode()
 {
    let mut config = remote_config();
    config["grants"]["service"]["failure_mode"] = json!("allow");
    let harness = start_with(
        Harness::builder().cluster(IDP, Cluster::answers(served)),
        &config,
    );
    let asking = harness.request(order(&alice()));
    assert!(asking.is_waiting());
    harness.reconfigure(&config);
    unavailable(&asking);
}

#[test]
fn a_key_that_is_withdrawn_while_a_request_waits_for_its_grant_lets_nobody_pass() {
    let harness = started_with_keys();
    harness.advance(Duration::from_millis(299_900));
    let asking = harness.request(order(&alice()));
    let question = harness.callout();
    publish(&harness, &[&new_key()]);
    harness.advance(Duration::from_millis(200));
    assert!(asking.is_waiting());
    question.reply_json(200, &allow_until(NOW + 3_600));
    assert!(!asking.is_forwarded(), "{asking:?}");
}
