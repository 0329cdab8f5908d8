//! Keys that are exchanged for others of the same name or of none: no token tells that it needs another, only its signature does.

use super::*;
use hallpass_harness::Exchange;

/// Two keys of one name, which sign by the same algorithm or by different ones.
fn pairs() -> [(SigningKey, SigningKey); 2] {
    [
        (SigningKey::rs256("same"), SigningKey::other_rs256("same")),
        (SigningKey::es256("same"), SigningKey::ed25519("same")),
    ]
}

/// A module that has fetched these keys.
fn started_with(keys: &Value) -> Harness {
    let harness = Harness::builder().cluster(IDP, serving(keys));
    start(harness)
}

fn serving(keys: &Value) -> Cluster {
    let keys = keys.clone();
    Cluster::answers(move |_| Reply::json(200, &keys))
}

/// A set whose keys have no names.
fn unnamed(keys: &[&SigningKey]) -> Value {
    let mut set = jwks(keys);
    for key in set["keys"].as_array_mut().expect("a list") {
        key.as_object_mut().expect("an object").remove("kid");
    }
    set
}

#[test]
fn a_token_of_a_key_that_was_exchanged_under_its_name_waits_for_that_key_and_passes() {
    for (old, new) in pairs() {
        let harness = started_with(&jwks(&[&old]));
        let by_old = signed_by(&old);
        harness.request(profile(&by_old)).forwarded();
        harness.set_cluster(IDP, Cluster::Waits);
        let waiting = [(), ()].map(|()| harness.request(profile(&signed_by(&new))));
        assert!(waiting.iter().all(Exchange::is_waiting), "{new:?}");
        harness.request(profile(&by_old)).forwarded();
        harness.callout().reply_json(200, &jwks(&[&new]));
        for exchange in waiting {
            exchange.forwarded();
        }
        assert_eq!(asked(&harness), 2, "one fetch for both");
        for token in [by_old, TokenBuilder::for_user("bob").signed_by(&old)] {
            let exchange = harness.request(profile(&token));
            assert_eq!(exchange.answer().status, 401, "{old:?}");
        }
    }
}

#[test]
fn through_exchanges_under_one_name_nobody_is_refused_though_the_issuer_signs_at_once() {
    let (old, new) = &pairs()[0];
    let harness = started_with(&jwks(&[old]));
    for (exchanges, key) in [new, old, new].into_iter().enumerate() {
        publish(&harness, &[key]);
        for second in 0..20 {
            let user = TokenBuilder::for_user(&format!("user-{second}"));
            harness.request(profile(&user.signed_by(key))).forwarded();
            harness.advance(seconds(1));
        }
        assert_eq!(asked(&harness), 1 + exchanges + 1, "one fetch for each");
    }
}

#[test]
fn a_set_without_names_whose_only_key_is_exchanged_refuses_nobody() {
    let (old, new) = &pairs()[0];
    let token = |key| {
        TokenBuilder::for_user("alice")
            .without_header("kid")
            .signed_by(key)
    };
    let harness = started_with(&unnamed(&[old]));
    harness.request(profile(&token(old))).forwarded();
    harness.set_cluster(IDP, serving(&unnamed(&[new])));
    harness.request(profile(&token(new))).forwarded();
    refused(
        &harness.request(profile(&token(old))),
        401,
        "token_signature_invalid",
    );
    assert_eq!(asked(&harness), 2);

    // Which of two was meant is unknown until the issuer withdraws one.
    let harness = started_with(&unnamed(&[old, new]));
    refused(
        &harness.request(profile(&token(new))),
        401,
        "token_key_unknown",
    );
    harness.advance(seconds(10));
    harness.set_cluster(IDP, serving(&unnamed(&[new])));
    harness.request(profile(&token(new))).forwarded();
}

#[test]
fn a_forgers_cool_down_delays_an_exchanged_key_for_no_longer_than_it_lasts() {
    let (old, new) = &pairs()[0];
    let harness = started_with(&jwks(&[old]));
    let forged = hallpass_tokens::with_flipped_signature(&signed_by(old));
    refused(
        &harness.request(profile(&forged)),
        401,
        "token_signature_invalid",
    );
    publish(&harness, &[new]);
    refused(
        &harness.request(profile(&signed_by(new))),
        401,
        "token_signature_invalid",
    );
    harness.advance(seconds(10));
    harness.request(profile(&signed_by(new))).forwarded();
}
