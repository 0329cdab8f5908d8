//! Keys whose address the issuer's own document tells.

use super::*;

const WELL_KNOWN: &str = "/realms/x/.well-known/openid-configuration";
const KEYS: &str = "/realms/x/keys";

fn discovery_config() -> Value {
    let discovery = json!({ "cluster": IDP, "issuer_path": "/realms/x/", "timeout": "2s", "refresh": "5m", "max_stale": "1h" });
    config_with_jwks(&json!({ "discovery": discovery }))
}

fn start_discovering(builder: HarnessBuilder) -> Harness {
    start_with(builder, &discovery_config())
}

fn document() -> Value {
    json!({
        "issuer": "https://idp.example",
        "authorization_endpoint": "https://idp.example/realms/x/auth",
        "jwks_uri": format!("https://idp.example{KEYS}"),
        "response_types_supported": ["code"],
    })
}

/// An issuer with both documents.
fn issuer(call: &Call) -> Reply {
    match call.path.as_str() {
        WELL_KNOWN => Reply::json(200, &document()),
        KEYS => served(call),
        _ => Reply::status(404),
    }
}

fn paths(harness: &Harness) -> Vec<String> {
    let calls = harness.calls_to(IDP).into_iter();
    calls.map(|call| call.path).collect()
}

#[test]
fn the_document_leads_to_the_keys_for_which_requests_wait() {
    let harness = start_discovering(Harness::builder());
    let exchange = harness.request(profile(&alice()));
    let call = harness.callout();
    assert_eq!(
        (
            call.method.as_str(),
            call.authority.as_str(),
            call.path.as_str()
        ),
        ("GET", "idp.example", WELL_KNOWN)
    );
    assert_eq!((call.timeout, call.caller), (seconds(2), Caller::Root));
    call.reply_json(200, &document());
    assert!(exchange.is_waiting());
    let call = harness.callout();
    assert_eq!(
        (
            call.method.as_str(),
            call.authority.as_str(),
            call.path.as_str()
        ),
        ("GET", "idp.example", KEYS)
    );
    call.reply(served(&call));
    exchange.forwarded();
}

#[test]
fn the_address_is_remembered_while_it_serves_and_sought_anew_when_it_does_not() {
    let harness = start_discovering(Harness::builder().cluster(IDP, Cluster::answers(issuer)));
    harness.advance(seconds(301));
    assert_eq!(paths(&harness), [WELL_KNOWN, KEYS, KEYS]);
    let moved = |call: &Call| match call.path.as_str() {
        WELL_KNOWN => {
            let mut document = document();
            document["jwks_uri"] = json!("https://idp.example/v2/keys");
            Reply::json(200, &document)
        }
        "/v2/keys" => Reply::json(200, &jwks(&[&key(), &new_key()])),
        _ => Reply::status(404),
    };
    harness.set_cluster(IDP, Cluster::answers(moved));
    harness.advance(seconds(300));
    harness.request(profile(&alice())).forwarded();
    harness.advance(seconds(2));
    assert_eq!(
        paths(&harness)[3..],
        [KEYS, WELL_KNOWN, "/v2/keys"],
        "{harness:?}"
    );
    harness.request(profile(&signed_by(&new_key()))).forwarded();
}

#[test]
fn a_new_key_is_fetched_from_the_known_address() {
    let harness = start_discovering(Harness::builder().cluster(IDP, Cluster::answers(issuer)));
    publish(&harness, &[&key(), &new_key()]);
    harness.request(profile(&signed_by(&new_key()))).forwarded();
    assert_eq!(paths(&harness), [WELL_KNOWN, KEYS, KEYS]);
}

#[test]
fn a_document_that_is_not_sound_leads_nowhere_and_is_told_with_its_origin() {
    let with = |member: &str, value: Value| {
        let mut document = document();
        document[member] = value;
        Reply::json(200, &document)
    };
    for (cause, answer) in [
        ("status 503", Reply::failed_like_envoy(503)),
        ("the call failed", Reply::failed_without_headers()),
        ("status 301", Reply::json(301, &document())),
        (
            "status 200: expected value",
            Reply::status(200).body("<html></html>"),
        ),
        (
            "status 200: larger than",
            Reply::status(200).body("x".repeat(2_000_000)),
        ),
        (
            "missing field `jwks_uri`",
            Reply::json(200, &json!({ "issuer": "https://idp.example" })),
        ),
        (
            "expected `https://idp.example`",
            with("issuer", json!("https://idp.example/")),
        ),
        (
            "expected `https://idp.example`",
            with("issuer", json!("https://evil.example")),
        ),
        (
            "`remote`",
            with("jwks_uri", json!("https://evil.example/keys")),
        ),
        (
            "`remote`",
            with("jwks_uri", json!("https://idp.example:8443/keys")),
        ),
        (
            "no `http` or `https` URL",
            with("jwks_uri", json!("file:///etc/keys")),
        ),
        ("no `http` or `https` URL", with("jwks_uri", json!("/keys"))),
        ("invalid type", with("jwks_uri", json!(null))),
    ] {
        let harness = start_discovering(Harness::builder());
        let exchange = harness.request(profile(&alice()));
        harness.callout().reply(answer);
        refused(&exchange, 503, "keys_unavailable");
        assert_eq!(paths(&harness), [WELL_KNOWN], "{cause}");
        let origin = format!(
            "the keys of provider `corp` (cluster `idp`, path `{WELL_KNOWN}`) could not be fetched: "
        );
        let lines = harness.log();
        let told = lines
            .iter()
            .find_map(|line| line.text.strip_prefix(&origin));
        let told = told.unwrap_or_else(|| panic!("{cause}: not told: {harness:?}"));
        assert!(told.contains(cause), "{cause}: {told}");

        harness.set_cluster(IDP, Cluster::answers(issuer));
        harness.advance(seconds(2));
        harness.request(profile(&alice())).forwarded();
    }
}

#[test]
fn good_keys_outlive_a_document_that_goes_bad() {
    let harness = start_discovering(Harness::builder().cluster(IDP, Cluster::answers(issuer)));
    answer_with(&harness, &Reply::status(200).body("<html></html>"));
    harness.advance(seconds(1_800));
    harness.request(profile(&alice())).forwarded();
    harness.set_cluster(IDP, Cluster::answers(issuer));
    harness.advance(seconds(31));
    assert_eq!(paths(&harness).last().map(String::as_str), Some(KEYS));
    harness.request(profile(&alice())).forwarded();
}

#[test]
fn each_step_that_the_proxy_forgets_ends_at_a_deadline_of_its_own() {
    let harness = start_discovering(Harness::builder().without_callout_timeouts());
    let exchange = harness.request(profile(&alice()));
    harness.advance(seconds(2));
    harness.callout().reply_json(200, &document());
    // The first step's deadline comes, and the second goes on.
    harness.advance(seconds(2));
    assert!(exchange.is_waiting());
    harness.advance(seconds(2));
    refused(&exchange, 503, "keys_unavailable");

    let harness = start_discovering(Harness::builder().without_callout_timeouts());
    let exchange = harness.request(profile(&alice()));
    harness.advance(seconds(4));
    refused(&exchange, 503, "keys_unavailable");
}

#[test]
fn an_answer_that_comes_after_its_deadline_is_none() {
    let harness = start_discovering(Harness::builder().without_callout_timeouts());
    let late = harness.callout();
    harness.advance(seconds(4));
    let before = harness.calls_to(IDP).len();
    late.reply_json(200, &document());
    assert_eq!(harness.calls_to(IDP).len(), before);
    assert!(harness.is_alive());
}

#[test]
fn a_configuration_without_an_issuers_url_is_refused() {
    let mut config = discovery_config();
    config["providers"][0]["issuer"] = json!("corp");
    let refused = Harness::builder()
        .start(&config)
        .expect_err("it is refused");
    let told = refused.log.iter().any(|line| {
        line.text.contains("providers[0].issuer") && line.text.contains("jwks.discovery")
    });
    assert!(told, "{refused}");
}
