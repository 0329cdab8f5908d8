//! Requests that nobody means well with: whatever their bytes, the module neither traps nor lets them through, and serves the next client.

use hallpass_harness::{Cluster, Exchange, Harness, Outcome, Reply, Request};
use hallpass_tokens::{NOW, SigningKey, TokenBuilder};
use serde_json::{Value, json};

use crate::setup::{GRANTS, alice, allow_until, config, config_with, key, order, profile};

fn me() -> Request {
    Request::get("https://admin.example/me")
}

fn long(count: usize) -> String {
    "a".repeat(count)
}

type Named = (String, Request);

/// Requests without a sound token for a guarded resource, each with a name.
fn requests() -> Vec<Named> {
    [
        strange_heads(),
        oversized(),
        strange_tokens(),
        strange_bytes(),
    ]
    .concat()
}

fn named<const COUNT: usize>(table: [(&str, Request); COUNT]) -> Vec<Named> {
    table
        .map(|(name, request)| (name.to_owned(), request))
        .into()
}

fn strange_heads() -> Vec<Named> {
    let names = [
        ":method",
        ":path",
        ":authority",
        ":scheme",
        "authorization",
        "cookie",
        "accept",
    ];
    let empty = names
        .iter()
        .fold(Request::empty(), |request, name| request.header(name, ""));
    let connect = Request::empty().header(":method", "CONNECT");
    named([
        ("nothing at all", Request::empty()),
        ("empty everything", empty.header("", "").header("", "")),
        ("no path", me().without(":path")),
        ("no method", me().without(":method")),
        ("no authority", me().without(":authority")),
        ("no scheme", me().without(":scheme")),
        ("two paths", me().header(":path", "/healthz")),
        ("two methods", me().header(":method", "HEAD")),
        ("two authorities", me().header(":authority", "evil.example")),
        ("another host", me().header("host", "evil.example")),
        ("CONNECT", connect.header(":authority", "admin.example:443")),
        (
            "OPTIONS *",
            me().with(":method", "OPTIONS").with(":path", "*"),
        ),
        (
            "a host of dots",
            me().with(":authority", ".".repeat(10_000)),
        ),
        (
            "a port of digits",
            me().with(":authority", "a.example:99999999999999999999"),
        ),
        ("an open bracket", me().with(":authority", "[::1")),
    ])
}

fn oversized() -> Vec<Named> {
    let long = |name: &str| me().with(name, long(60_000));
    let repeated = |name: &str, text: &str| me().with(name, text.repeat(60_000 / text.len()));
    let many = (0..1_000).fold(me(), |request, index| {
        request.header(&format!("x-{index}"), "1")
    });
    named([
        ("a long path", long(":path")),
        ("a deep path", repeated(":path", "/a")),
        ("many dots", repeated(":path", "/..")),
        ("many escapes", repeated(":path", "/%2e")),
        ("a long method", long(":method")),
        ("a long host", long(":authority")),
        ("a long header", long("x-long")),
        ("a long request id", long("x-request-id")),
        (
            "a long list of proxies",
            repeated("x-forwarded-for", "10.0.0.1, "),
        ),
        ("a long accept", repeated("accept", "text/html,")),
        ("a long cookie", long("cookie")),
        ("a cookie of semicolons", repeated("cookie", ";")),
        ("a cookie of many tokens", repeated("cookie", "=;hallpass=")),
        ("many headers", many),
    ])
}

fn strange_tokens() -> Vec<Named> {
    let user = || TokenBuilder::for_user("alice");
    let own = SigningKey::rs256("own");
    let with =
        |name: &str, value: Value| me().bearer(&user().header(name, value).signed_by(&key()));
    let authorization = |value: &str| me().header("authorization", value);
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    named([
        ("long", me().bearer(&long(60_000))),
        ("dots", me().bearer(&".".repeat(60_000))),
        (
            "three long parts",
            me().bearer(&[long(20_000), long(20_000), long(20_000)].join(".")),
        ),
        ("empty", me().bearer("")),
        ("two dots", me().bearer("..")),
        (
            "many spaces",
            authorization(&format!("Bearer{}x", " ".repeat(60_000))),
        ),
        ("a tab for a space", authorization("Bearer\tnonsense")),
        ("twice", me().bearer(&alice()).bearer(&alice())),
        (
            "twice in two cases",
            me().bearer(&alice()).header("Authorization", "Bearer x"),
        ),
        (
            "a hundred times",
            (0..100).fold(me(), |request, _| request.bearer(&alice())),
        ),
        (
            "joined",
            authorization(&format!("Bearer {0},Bearer {0}", alice())),
        ),
        (
            "deep claims",
            me().bearer(&user().raw_claims(deep).signed_by(&key())),
        ),
        ("a key id of a page", with("kid", json!(long(20_000)))),
        ("a key id that is no text", with("kid", json!({ "a": [1] }))),
        (
            "an algorithm that is no text",
            with("alg", json!(["ES256"])),
        ),
        (
            "its own key in it",
            me().bearer(&user().header("jwk", own.jwk()).signed_by(&own)),
        ),
        ("no signature", me().bearer(&without_signature(&alice()))),
        (
            "a signature of a page",
            me().bearer(&format!("{}{}", alice(), long(20_000))),
        ),
    ])
}

fn strange_bytes() -> Vec<Named> {
    let names = [
        ":method",
        ":path",
        ":authority",
        ":scheme",
        "authorization",
        "cookie",
        "accept",
        "x-request-id",
        "x-forwarded-for",
        "host",
        "content-type",
        "user-agent",
    ];
    let kinds: [(&str, &[u8]); 5] = [
        ("no text", b"\xff\xfe\xfd"),
        ("NUL", b"a\x00b"),
        ("overlong text", b"/\xc0\xaf"),
        ("line breaks", b"a\r\nb: c"),
        ("a lone surrogate", b"\xed\xa0\x80"),
    ];
    let of =
        |name, (kind, bytes): (&str, &[u8])| (format!("{name} of {kind}"), me().with(name, bytes));
    let mut table: Vec<_> = names
        .iter()
        .flat_map(|name| kinds.map(|kind| of(name, kind)))
        .collect();
    table.extend(named([
        (
            "a header name of no text",
            me().header_bytes(b"\xff\xfe", b"1"),
        ),
        (
            "a token of no text",
            me().header_bytes("authorization", b"Bearer \xff.\xff.\xff"),
        ),
    ]));
    table
}

fn without_signature(token: &str) -> String {
    token
        .rsplit_once('.')
        .map(|(signed, _)| format!("{signed}."))
        .expect("three parts")
}

#[track_caller]
fn assert_a_good_request_is_served(harness: &Harness, after: &str) {
    assert!(harness.is_alive(), "the module died of {after}");
    let exchange = harness.request(profile(&alice()));
    assert!(
        exchange.is_forwarded(),
        "a good request was not served after {after}: {exchange:?}"
    );
}

#[track_caller]
fn assert_refused(exchange: &Exchange, name: &str) {
    match exchange.outcome() {
        Outcome::Answered(answer) => {
            assert!((400..=503).contains(&answer.status), "{name}: {exchange:?}");
        }
        other => panic!("{name} was not refused: {other:?}"),
    }
}

#[test]
fn no_request_traps_the_module_or_slips_through() {
    let harness = Harness::builder()
        .traps_are_outcomes()
        .start(config())
        .expect("it starts");
    for (name, request) in requests() {
        assert_refused(&harness.request(request), &name);
        assert_a_good_request_is_served(&harness, &name);
    }
    assert!(
        harness.callouts().is_empty(),
        "no hostile request reaches the grant service"
    );
}

#[test]
fn no_request_slips_through_when_browsers_are_answered_and_cookies_carry_tokens() {
    let config = config_with(|config| {
        config["providers"][0]["token_sources"] =
            json!([{ "cookie": "hallpass" }, { "header": "authorization", "scheme": "Bearer" }]);
    });
    let harness = Harness::builder()
        .traps_are_outcomes()
        .start(config)
        .expect("it starts");
    for (name, request) in requests() {
        assert_refused(
            &harness.request(request.header("accept", "text/html")),
            &name,
        );
        assert_a_good_request_is_served(&harness, &name);
    }
}

#[test]
fn monitor_mode_lets_hostile_requests_pass_and_survives_them() {
    let config = config_with(|config| config["mode"] = json!("monitor"));
    let harness = Harness::builder()
        .traps_are_outcomes()
        .start(config)
        .expect("it starts");
    for (name, request) in requests() {
        harness.request(request);
        assert_a_good_request_is_served(&harness, &name);
    }
}

#[test]
fn hostile_bytes_beside_a_sound_token_do_no_harm() {
    let harness = Harness::builder()
        .traps_are_outcomes()
        .start(config())
        .expect("it starts");
    for name in [
        "accept",
        "x-request-id",
        "cookie",
        "x-forwarded-for",
        "user-agent",
        "x-hallpass-subject",
    ] {
        for bytes in [&b"\xff\xfe"[..], b"a\x00b", b"", long(60_000).as_bytes()] {
            let exchange = harness.request(profile(&alice()).header_bytes(name, bytes));
            assert_eq!(
                exchange.forwarded().get("x-hallpass-subject").as_deref(),
                Some("alice"),
                "{name}"
            );
        }
    }
}

#[test]
fn hostile_answers_of_the_service_do_no_harm() {
    let deep = format!(
        "{{\"decision\":{}true{}}}",
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    let endless = format!(
        "{{\"decision\":true,\"context\":{{\"reason\":\"{}\"}}}}",
        long(2_000_000)
    );
    let bodies: [Vec<u8>; 6] = [
        deep.into_bytes(),
        endless.into_bytes(),
        vec![0; 100_000],
        b"\xff".repeat(100_000),
        br#"{"decision":true,"context":{"approval":{"approved_until":"9999999-01-01T00:00:00Z"}}}"#
            .to_vec(),
        br#"{"decision":true,"context":[]}"#.to_vec(),
    ];
    let harness = Harness::builder()
        .traps_are_outcomes()
        .start(config())
        .expect("it starts");
    for body in bodies {
        let shown = body[..body.len().min(60)].escape_ascii().to_string();
        let reply = Reply::status(200)
            .header("content-type", "application/json")
            .body(body);
        harness.set_cluster(GRANTS, Cluster::answers(move |_| reply.clone()));
        assert_refused(&harness.request(order(&alice())), &shown);
        assert_a_good_request_is_served(&harness, &shown);
        harness.at(harness.now() + 3_000);
    }
    harness.set_cluster(
        GRANTS,
        Cluster::answers(|_| Reply::json(200, &allow_until(NOW + 3600))),
    );
    harness.request(order(&alice())).forwarded();
}

#[test]
fn hostile_key_sets_do_no_harm() {
    let huge: Vec<_> = (0..5_000)
        .map(|index| json!({ "kty": "oct", "kid": index.to_string(), "k": "AAAA" }))
        .collect();
    let bodies = [
        json!({ "keys": huge }).to_string(),
        json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x": "", "y": "", "kid": "kid-1" }] }).to_string(),
        json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x": "AAAA", "y": long(100_000), "kid": "kid-1" }] }).to_string(),
        json!({ "keys": [{ "kty": "RSA", "n": "", "e": "", "kid": "kid-1" }, { "kty": "RSA", "n": "AA", "e": "AA", "kid": "kid-1" }] }).to_string(),
        json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": "AAAA", "kid": "kid-1" }] }).to_string(),
        format!("{{\"keys\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000)),
    ];
    for body in bodies {
        let remote =
            json!({ "remote": { "cluster": "idp", "uri": "https://idp.example/keys.json" } });
        let config = config_with(|config| config["providers"][0]["jwks"] = remote);
        let shown = body[..body.len().min(80)].to_owned();
        let script = Cluster::answers(move |_| Reply::status(200).body(body.clone()));
        let harness = Harness::builder()
            .traps_are_outcomes()
            .cluster("idp", script)
            .start(config)
            .expect("it starts");
        assert_refused(&harness.request(profile(&alice())), &shown);
        assert!(harness.is_alive(), "the module died of {shown}");
    }
}
