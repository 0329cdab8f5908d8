//! Answers that are not what an issuer should send: each is told with its origin, opens nothing, and costs nobody a good key.

use super::*;

const ORIGIN: &str =
    "the keys of provider `corp` (cluster `idp`, path `/keys.json`) could not be fetched: ";

/// Answers that hold no key set, by what an operator should read of them.
fn unsound() -> Vec<(&'static str, Reply)> {
    let ours = jwks(&[&key()]);
    let megabytes = json!({ "keys": [key().jwk()], "padding": "x".repeat(8 * 1024 * 1024) });
    vec![
        ("status 503", Reply::failed_like_envoy(503)),
        ("status 504", Reply::failed_like_envoy(504)),
        ("the call failed", Reply::failed_without_headers()),
        ("status 500", Reply::json(500, &ours)),
        ("status 404", Reply::status(404)),
        ("status 204", Reply::status(204)),
        (
            "status 302",
            Reply::json(302, &ours).header("location", "https://evil.example/keys.json"),
        ),
        (
            "status 200: expected value",
            Reply::status(200)
                .header("content-type", "text/html")
                .body("<html></html>"),
        ),
        ("status 200: ", Reply::status(200)),
        ("status 200: ", Reply::status(200).body("{")),
        ("status 200: ", Reply::status(200).body(vec![0xff; 1_000])),
        ("status 200: ", Reply::status(200).body("[".repeat(100_000))),
        (
            "no key that can be used",
            Reply::json(200, &json!({ "keys": [] })),
        ),
        (
            "no key that can be used",
            Reply::json(200, &json!({ "keys": [{ "kty": "oct", "k": "c2VjcmV0" }] })),
        ),
        ("`keys`", Reply::json(200, &json!({ "keys": "none" }))),
        (
            "`keys`",
            Reply::json(200, &json!({ "issuer": "https://idp.example" })),
        ),
        (
            "stands twice",
            Reply::status(200).body(r#"{"keys":[],"keys":[]}"#),
        ),
        (
            "more than 100 keys",
            Reply::json(200, &json!({ "keys": vec![key().jwk(); 101] })),
        ),
        (
            "status 200: larger than 262144 bytes",
            Reply::json(200, &megabytes),
        ),
    ]
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
fn an_unsound_answer_is_told_with_its_origin_and_costs_nobody_a_good_key() {
    for (cause, answer) in unsound() {
        let harness = started_with_keys();
        answer_with(&harness, &answer);
        harness.advance(seconds(301));
        harness.request(profile(&alice())).forwarded();
        let stranger = harness.request(profile(&signed_by(&new_key())));
        refused(&stranger, 503, "keys_unavailable");
        let lines = harness.log();
        let told = lines
            .iter()
            .find_map(|line| line.text.strip_prefix(ORIGIN))
            .unwrap_or_else(|| panic!("{cause}: not told: {harness:?}"));
        assert!(told.contains(cause), "{cause}: {told}");
        assert!(told.len() < 1_000, "{cause}: {} bytes", told.len());

        harness.set_cluster(IDP, Cluster::answers(served));
        harness.advance(seconds(60));
        harness.request(profile(&alice())).forwarded();
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let harness = start(Harness::builder());
    let elsewhere = "https://evil.example/keys.json";
    harness
        .callout()
        .reply(Reply::status(302).header("location", elsewhere));
    harness.advance(seconds(60));
    let calls = harness.calls_to(IDP);
    assert!(calls.len() > 1);
    assert!(calls.iter().all(|call| call.authority == "idp.example"));
}

#[test]
fn an_empty_set_does_not_replace_good_keys_however_often_it_is_served() {
    let harness = started_with_keys();
    publish(&harness, &[]);
    for _ in 0..12 {
        harness.advance(seconds(240));
        harness.request(profile(&alice())).forwarded();
    }
}

#[test]
fn one_bad_key_does_not_spoil_the_set() {
    let bad = json!({ "kty": "RSA", "kid": "bad", "n": "AQAB", "e": "AQAB", "alg": "RS256" });
    let strange = json!({ "kty": "magic", "kid": "strange" });
    let keys = json!({ "keys": [bad, strange, 7, key().jwk()] });
    let harness =
        start(Harness::builder().cluster(IDP, Cluster::answers(move |_| Reply::json(200, &keys))));
    harness.request(profile(&alice())).forwarded();
    let told = |harness: &Harness| {
        let lines = harness.log();
        let skipped = "cannot be used and is skipped";
        lines
            .iter()
            .filter(|line| line.text.contains(skipped))
            .count()
    };
    assert_eq!(told(&harness), 3, "{harness:?}");
    assert!(
        harness.logged(
            "of the keys of provider `corp` (cluster `idp`, path `/keys.json`), key 2 cannot"
        )
    );
    harness.advance(seconds(3_000));
    assert!(asked(&harness) > 5);
    assert_eq!(
        told(&harness),
        3,
        "each is told once, not with each refresh"
    );
}

#[test]
fn a_document_cannot_write_a_line_of_its_own_into_the_log() {
    let harness = start(Harness::builder());
    let forged = r#"{"x\nhallpass.audit {}":1,"x\nhallpass.audit {}":2}"#;
    harness.callout().reply(Reply::status(200).body(forged));
    let lines = harness.log();
    assert!(
        lines.iter().any(|line| line.text.contains("stands twice")),
        "{harness:?}"
    );
    assert!(
        lines.iter().all(|line| !line.text.contains('\n')),
        "{harness:?}"
    );
}
