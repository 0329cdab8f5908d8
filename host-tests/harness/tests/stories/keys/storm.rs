//! Strangers who name keys that nobody has: they cannot make us hammer the issuer, nor slow the users whose keys are known.

use super::*;
use crate::setup::{GRANTS, allow_until, tell_all};
use hallpass_harness::Request;
use hallpass_tokens::{NOW, with_flipped_signature};

/// How long an answer about an unknown key stands.
const COOL_DOWN_MS: u64 = 10_000;

/// A request whose token names a key that nobody has; otherwise it looks sound.
fn stranger(number: usize) -> Request {
    profile(&signed_by(&SigningKey::ed25519(&format!(
        "kid-{number}-{:x}",
        number * 0x9e37
    ))))
}

#[test]
fn strangers_with_random_key_ids_cause_one_fetch_per_cool_down_and_slow_nobody() {
    let harness = started_with_keys();
    let mut number = 0;
    for _ in 0..30 {
        for _ in 0..100 {
            number += 1;
            refused(&harness.request(stranger(number)), 401, "token_key_unknown");
        }
        harness.request(profile(&alice())).forwarded();
        harness.advance(seconds(1));
    }
    let calls = harness.calls_to(IDP);
    assert_eq!(calls.len(), 1 + 3, "the start, and one each ten seconds");
    for pair in calls[1..].windows(2) {
        assert!(pair[1].at - pair[0].at >= COOL_DOWN_MS, "{pair:?}");
    }
}

#[test]
fn strangers_who_wait_for_a_slow_issuer_leave_room_for_those_who_are_known() {
    let harness = started_with_keys();
    harness.set_cluster(IDP, Cluster::Waits);
    let strangers: Vec<_> = (0..3_000)
        .map(|number| harness.request(stranger(number)))
        .collect();
    assert_eq!(harness.callouts().len(), 1);
    let waiting = strangers.iter().filter(|stranger| stranger.is_waiting());
    assert_eq!(waiting.count(), 1_024);
    refused(&strangers[2_999], 503, "keys_unavailable");

    harness.request(profile(&alice())).forwarded();
    let asking = harness.request(order(&alice()));
    let question = harness
        .callouts()
        .into_iter()
        .find(|call| call.cluster == GRANTS)
        .expect("the decision point is asked");
    question.reply_json(200, &allow_until(NOW + 3_600));
    asking.forwarded();

    let call = harness.callout();
    call.reply(served(&call));
    tell_all(&harness, &strangers);
    refused(&strangers[0], 401, "token_key_unknown");
}

#[test]
fn strangers_do_not_add_to_the_load_of_an_issuer_that_is_away() {
    let calls = |strangers: usize| {
        let harness = started_with_keys();
        answer_with(&harness, &Reply::failed_like_envoy(503));
        // The first refresh fails, and tries follow by themselves.
        harness.advance(seconds(301));
        for _ in 0..60 {
            for number in 0..strangers {
                refused(&harness.request(stranger(number)), 503, "keys_unavailable");
            }
            harness.request(profile(&alice())).forwarded();
            harness.advance(seconds(1));
        }
        asked(&harness)
    };
    let (without, with) = (calls(0), calls(20));
    assert_eq!(with, without, "calls in a minute");
}

#[test]
fn those_who_wait_for_the_first_keys_of_one_issuer_leave_room_for_the_users_of_another() {
    let mut config = remote_config();
    let mut healthy = config["providers"][0].clone();
    healthy["name"] = json!("partner");
    healthy["issuer"] = json!("https://partner.example");
    healthy["jwks"] = json!({ "inline": jwks(&[&key()]) });
    config["providers"]
        .as_array_mut()
        .expect("a list")
        .push(healthy);
    let harness = start_with(Harness::builder(), &config);
    let anyones: Vec<_> = (0..1_100)
        .map(|number| harness.request(stranger(number)))
        .collect();
    let waiting = anyones.iter().filter(|request| request.is_waiting());
    assert_eq!(waiting.count(), 1_024);
    refused(&anyones[1_099], 503, "keys_unavailable");
    let by_partner = TokenBuilder::for_user("alice")
        .issuer("https://partner.example")
        .signed_by(&key());
    assert!(harness.request(order(&by_partner)).is_waiting());
}

#[test]
fn a_token_that_would_be_refused_anyway_does_not_wait_for_the_first_keys() {
    let harness = start(Harness::builder());
    for (token, reason) in [
        (
            TokenBuilder::for_user("alice").audience("billing"),
            "token_audience_mismatch",
        ),
        (
            TokenBuilder::for_user("alice").expires_in(-3_600),
            "token_expired",
        ),
        (
            TokenBuilder::for_user("alice").header("typ", json!("dpop+jwt")),
            "token_type_not_allowed",
        ),
    ] {
        refused(
            &harness.request(profile(&token.signed_by(&key()))),
            401,
            reason,
        );
    }
}

#[test]
fn a_token_that_would_be_refused_anyway_causes_no_fetch() {
    let sound = || TokenBuilder::for_user("alice");
    for (what, token) in [
        ("expired", sound().expires_in(-3_600)),
        ("another's", sound().audience("billing")),
        ("of another type", sound().header("typ", json!("dpop+jwt"))),
        ("of another issuer", sound().issuer("https://evil.example")),
    ] {
        for token in [
            token.clone().signed_by(&new_key()),
            with_flipped_signature(&token.signed_by(&key())),
        ] {
            let harness = started_with_keys();
            let exchange = harness.request(profile(&token));
            assert_eq!(exchange.answer().status, 401, "{what}");
            assert_eq!(asked(&harness), 1, "{what}");
        }
    }
}

#[test]
fn each_worker_asks_for_itself_and_once_per_cool_down() {
    let harness = started_with_keys();
    let second = harness.second_worker();
    for number in 0..50 {
        refused(&harness.request(stranger(number)), 401, "token_key_unknown");
        refused(&second.request(stranger(number)), 401, "token_key_unknown");
    }
    assert_eq!(asked(&harness), 2 + 2);
}

#[test]
fn one_issuers_strangers_are_not_anothers() {
    let other = "https://other.example";
    let config = config_with(|config| {
        let first = &mut config["providers"][0];
        first["jwks"] = json!({ "remote": { "cluster": IDP, "uri": "/keys.json" } });
        let mut second = first.clone();
        second["name"] = json!("other");
        second["issuer"] = json!(other);
        second["jwks"]["remote"]["cluster"] = json!("other");
        let providers = config["providers"].as_array_mut().expect("a list");
        providers.push(second);
    });
    let builder = Harness::builder()
        .cluster(IDP, Cluster::answers(served))
        .cluster("other", Cluster::answers(served));
    let harness = start_with(builder, &config);
    refused(&harness.request(stranger(1)), 401, "token_key_unknown");
    assert_eq!(harness.calls_to("other").len(), 1);
    let keys = jwks(&[&key(), &new_key()]);
    harness.set_cluster("other", Cluster::answers(move |_| Reply::json(200, &keys)));
    let token = TokenBuilder::for_user("bob")
        .issuer(other)
        .signed_by(&new_key());
    harness.request(profile(&token)).forwarded();
    refused(
        &harness.request(profile(&signed_by(&new_key()))),
        401,
        "token_key_unknown",
    );
}
