//! Tokens that were verified before: recognized by every byte, as long as they hold and their keys do, and no longer.

use hallpass_harness::{Cluster, Harness, Reply, Request};
use hallpass_tokens::{NOW, SigningKey, TokenBuilder, jwks};
use serde_json::{Value, json};

use crate::setup::{
    GRANTS, IDP, alice, config_with, deny, key, ms, order, profile, refused, seconds, start,
    start_with,
};

/// How many tokens were recognized, and how many had to be verified.
fn counted(harness: &Harness) -> (u64, u64) {
    (
        harness.metric("hallpass.tokens.hit"),
        harness.metric("hallpass.tokens.miss"),
    )
}

fn user(name: &str) -> String {
    TokenBuilder::for_user(name).signed_by(&key())
}

#[test]
fn a_token_is_verified_once_and_recognized_afterwards() {
    let harness = start();
    for _ in 0..3 {
        let upstream = harness.request(profile(&alice())).forwarded();
        assert_eq!(upstream.all("x-hallpass-subject"), ["alice"]);
    }
    assert_eq!(counted(&harness), (2, 1));
}

#[test]
fn one_person_is_never_taken_for_another() {
    let harness = start();
    for _ in 0..2 {
        for name in ["alice", "bob", "alice2"] {
            let upstream = harness.request(profile(&user(name))).forwarded();
            assert_eq!(upstream.all("x-hallpass-subject"), [name]);
        }
    }
    assert_eq!(counted(&harness), (3, 3));
}

#[test]
fn a_token_that_differs_in_one_byte_is_another_token() {
    let harness = start();
    let token = alice();
    harness.request(profile(&token)).forwarded();
    for place in [0, token.len() / 2, token.len() - 1] {
        let mut other = token.clone().into_bytes();
        other[place] = if other[place] == b'A' { b'B' } else { b'A' };
        let other = String::from_utf8(other).expect("a token is ASCII");
        assert_eq!(harness.request(profile(&other)).answer().status, 401);
    }
    for longer in [format!("{token}A"), format!("{token}.")] {
        assert_eq!(harness.request(profile(&longer)).answer().status, 401);
    }
}

#[test]
fn a_token_that_was_refused_is_not_remembered_as_good() {
    let harness = start();
    let forged = hallpass_tokens::with_flipped_signature(&alice());
    for _ in 0..2 {
        refused(
            &harness.request(profile(&forged)),
            401,
            "token_signature_invalid",
        );
    }
    assert_eq!(counted(&harness), (0, 2));
}

#[test]
fn a_known_token_is_over_at_its_end() {
    let harness = start();
    let token = TokenBuilder::for_user("alice")
        .expires_in(60)
        .signed_by(&key());
    harness.request(profile(&token)).forwarded();
    harness.at(ms(NOW + 60 + 30) - 1);
    harness.request(profile(&token)).forwarded();
    harness.at(ms(NOW + 60 + 30));
    refused(&harness.request(profile(&token)), 401, "token_expired");
}

#[test]
fn a_known_token_does_not_count_before_it_was_issued_when_the_clock_is_set_back() {
    for token in [
        TokenBuilder::for_user("alice").not_before(NOW - 3_600),
        TokenBuilder::for_user("alice").without_claim("nbf"),
    ] {
        let harness = start();
        let token = token.signed_by(&key());
        harness.request(profile(&token)).forwarded();
        harness.at(ms(NOW - 30));
        harness.request(profile(&token)).forwarded();
        harness.at(ms(NOW - 30) - 1);
        let early = harness.request(profile(&token));
        refused(&early, 401, "token_not_yet_valid");
        harness.at(ms(NOW));
        harness.request(profile(&token)).forwarded();
        assert_eq!(
            counted(&harness),
            (2, 2),
            "it is verified anew where it does not hold, and known again where it does"
        );
    }
}

#[test]
fn a_known_token_counts_only_where_its_provider_looks_for_tokens() {
    let harness = start_with(&config_with(|config| {
        let mut partner = config["providers"][0].clone();
        partner["name"] = json!("partner");
        partner["issuer"] = json!("https://partner.example");
        partner["token_sources"] = json!([{ "cookie": "hallpass" }]);
        config["providers"]
            .as_array_mut()
            .expect("a list")
            .push(partner);
    }));
    let token = TokenBuilder::for_user("alice")
        .issuer("https://partner.example")
        .signed_by(&key());
    let by_cookie =
        || Request::get("https://admin.example/me").header("cookie", &format!("hallpass={token}"));
    harness.request(by_cookie()).forwarded();
    refused(&harness.request(profile(&token)), 401, "token_missing");
    harness.request(by_cookie()).forwarded();
    assert_eq!(counted(&harness), (1, 1));
}

fn remote_config() -> Value {
    config_with(|config| {
        config["providers"][0]["jwks"] = json!({
            "remote": { "cluster": IDP, "uri": "/keys.json", "refresh": "5m", "max_stale": "1h" },
        });
    })
}

fn serves(harness: &Harness, keys: &[&SigningKey]) {
    let set = jwks(keys);
    harness.set_cluster(IDP, Cluster::answers(move |_| Reply::json(200, &set)));
}

fn started_with_keys(keys: &[&SigningKey]) -> Harness {
    let set = jwks(keys);
    Harness::builder()
        .cluster(IDP, Cluster::answers(move |_| Reply::json(200, &set)))
        .start(remote_config())
        .unwrap_or_else(|refused| panic!("{refused}"))
}

#[test]
fn a_withdrawn_key_takes_the_tokens_with_it_that_it_had_verified() {
    let (old, new) = (key(), SigningKey::rs256("new"));
    let harness = started_with_keys(&[&old, &new]);
    let [by_old, by_new] = [&old, &new].map(|key| {
        TokenBuilder::for_user("alice")
            .expires_in(7200)
            .signed_by(key)
    });
    harness.request(profile(&by_old)).forwarded();
    harness.request(profile(&by_new)).forwarded();
    serves(&harness, &[&new]);
    harness.advance(seconds(300));
    harness.tick();
    assert!(!harness.request(profile(&by_old)).is_forwarded());
    harness.request(profile(&by_new)).forwarded();
}

#[test]
fn a_refresh_that_changes_nothing_forgets_nothing() {
    let harness = started_with_keys(&[&key()]);
    let token = TokenBuilder::for_user("alice")
        .expires_in(7200)
        .signed_by(&key());
    harness.request(profile(&token)).forwarded();
    harness.advance(seconds(300));
    harness.tick();
    assert_eq!(harness.calls_to(IDP).len(), 2);
    harness.request(profile(&token)).forwarded();
    assert_eq!(counted(&harness), (1, 1));
}

#[test]
fn a_known_token_does_not_outlive_its_issuers_keys() {
    let harness = started_with_keys(&[&key()]);
    let token = TokenBuilder::for_user("alice")
        .expires_in(7 * 3600)
        .signed_by(&key());
    harness.request(profile(&token)).forwarded();
    harness.set_cluster(IDP, Cluster::answers(|_| Reply::status(500)));
    harness.advance(seconds(300 + 3600));
    refused(&harness.request(profile(&token)), 503, "keys_unavailable");
}

#[test]
fn what_a_filter_remembered_is_in_no_figure_once_it_has_ended() {
    let harness = start();
    harness.set_cluster(GRANTS, Cluster::answers(|_| Reply::json(200, &deny())));
    harness.request(order(&user("alice"))).answer();
    harness.tick();
    let held = ["hallpass.tokens.entries", "hallpass.grants.entries"];
    assert_eq!(held.map(|name| harness.metric(name)), [1, 1]);
    harness.end();
    assert_eq!(held.map(|name| harness.metric(name)), [0, 0]);
}

fn remembers_two() -> Harness {
    start_with(&config_with(|config| {
        config["token_cache"] = json!({ "max_entries": 2 });
    }))
}

#[test]
fn a_worker_remembers_as_many_tokens_as_configured_and_the_latest_used() {
    let harness = remembers_two();
    let carol_comes_twice = ["alice", "bob", "alice", "carol", "carol"];
    for name in carol_comes_twice {
        harness.request(profile(&user(name))).forwarded();
    }
    assert_eq!(counted(&harness), (1, 4));
    for name in ["alice", "carol", "bob"] {
        harness.request(profile(&user(name))).forwarded();
    }
    assert_eq!(counted(&harness), (3, 5), "bob had to make room for carol");
}

#[test]
fn tokens_that_come_once_drive_out_none_that_come_again() {
    let harness = remembers_two();
    for name in ["alice", "bob"] {
        harness.request(profile(&user(name))).forwarded();
    }
    for number in 0..50 {
        let once = user(&format!("visitor-{number}"));
        harness.request(profile(&once)).forwarded();
    }
    for name in ["alice", "bob"] {
        harness.request(profile(&user(name))).forwarded();
    }
    harness.tick();
    assert_eq!(counted(&harness), (2, 52));
}

#[test]
fn a_token_that_is_over_makes_room_at_once() {
    let harness = remembers_two();
    let short = TokenBuilder::for_user("alice").expires_in(60);
    harness
        .request(profile(&short.signed_by(&key())))
        .forwarded();
    harness.request(profile(&user("bob"))).forwarded();
    harness.advance(seconds(60 + 30));
    for _ in 0..2 {
        harness.request(profile(&user("carol"))).forwarded();
    }
    assert_eq!(counted(&harness), (1, 3));
}

#[test]
fn remembering_tokens_can_be_switched_off_and_bounded_in_bytes() {
    for bounds in [json!({ "max_entries": 0 }), json!({ "max_bytes": 100 })] {
        let harness = start_with(&config_with(|config| {
            config["token_cache"] = bounds.clone();
        }));
        for _ in 0..2 {
            harness.request(profile(&alice())).forwarded();
        }
        assert_eq!(counted(&harness), (0, 2), "{bounds}");
    }
}

#[test]
fn a_token_larger_than_configured_is_malformed() {
    let padded = |bytes: usize| {
        TokenBuilder::for_user("alice")
            .claim("padding", json!("x".repeat(bytes)))
            .signed_by(&key())
    };
    let harness = start();
    harness.request(profile(&padded(4_000))).forwarded();
    refused(
        &harness.request(profile(&padded(8_000))),
        401,
        "token_malformed",
    );
    let harness = start_with(&config_with(|config| {
        config["max_token_bytes"] = json!(16_384);
    }));
    harness.request(profile(&padded(8_000))).forwarded();
}
