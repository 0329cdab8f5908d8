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

/// An issuer that has moved its keys to this path and publishes these, while the old address goes on serving what it did.
fn move_keys(harness: &Harness, path: &'static str, keys: &[&SigningKey]) {
    let keys = jwks(keys);
    let moved = move |call: &Call| match call.path.as_str() {
        WELL_KNOWN => {
            let mut document = document();
            document["jwks_uri"] = json!(format!("https://idp.example{path}"));
            Reply::json(200, &document)
        }
        asked if asked == path => Reply::json(200, &keys),
        _ => issuer(call),
    };
    harness.set_cluster(IDP, Cluster::answers(moved));
}

#[test]
fn keys_that_moved_are_followed_with_the_next_refresh_though_the_old_address_lives_on() {
    let harness = start_discovering(Harness::builder().cluster(IDP, Cluster::answers(issuer)));
    let withdrawn = alice();
    harness.request(profile(&withdrawn)).forwarded();
    move_keys(&harness, "/v2/keys", &[&new_key()]);
    harness.advance(seconds(301));
    let fetch = [WELL_KNOWN, "/v2/keys"];
    assert_eq!(paths(&harness)[2..], fetch, "{harness:?}");
    harness.request(profile(&signed_by(&new_key()))).forwarded();
    for token in [withdrawn, TokenBuilder::for_user("bob").signed_by(&key())] {
        refused(&harness.request(profile(&token)), 401, "token_key_unknown");
    }
}

#[test]
fn a_new_key_is_sought_where_the_document_says_by_then() {
    let harness = start_discovering(Harness::builder().cluster(IDP, Cluster::answers(issuer)));
    move_keys(&harness, "/v2/keys", &[&key(), &new_key()]);
    harness.request(profile(&signed_by(&new_key()))).forwarded();
    assert_eq!(paths(&harness)[2..], [WELL_KNOWN, "/v2/keys"]);
    assert_eq!(harness.metric("hallpass.jwks.ok"), 2, "a fetch each");
}

#[test]
fn strangers_cause_one_fetch_of_two_steps_per_cool_down() {
    let harness = start_discovering(Harness::builder().cluster(IDP, Cluster::answers(issuer)));
    for _ in 0..20 {
        for number in 0..10 {
            let stranger = signed_by(&SigningKey::ed25519(&format!("nobodys-{number}")));
            refused(
                &harness.request(profile(&stranger)),
                401,
                "token_key_unknown",
            );
        }
        harness.advance(seconds(1));
    }
    let fetch = [WELL_KNOWN, KEYS];
    assert_eq!(paths(&harness), fetch.repeat(3), "the start, and two");
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
