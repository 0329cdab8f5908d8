//! Where from, when, with what, as whom and how signed in a request must come, beside all else.

mod streams;

use hallpass_harness::{Cluster, Harness, Reply, Request};
use hallpass_tokens::{Grant, NOW, TokenBuilder};
use serde_json::{Value, json};

use crate::setup::{
    GRANTS, alice, allow_until, config_with, health, key, ms, order, profile, refused, start_with,
};

/// A module whose resources, but for the public and the closed one, have these conditions.
fn under(conditions: &Value) -> Harness {
    start_with(&demanding(&["profile", "orders"], conditions))
}

fn demanding(names: &[&str], conditions: &Value) -> Value {
    config_with(|config| {
        for resource in config["resources"].as_array_mut().expect("a list") {
            if names.contains(&resource["name"].as_str().expect("a name")) {
                resource["conditions"] = conditions.clone();
            }
        }
    })
}

fn alice_with(claims: &[(&str, Value)]) -> String {
    let alice = TokenBuilder::for_user("alice");
    let alice = claims.iter().fold(alice, |alice, (name, value)| {
        alice.claim(name, value.clone())
    });
    alice.signed_by(&key())
}

/// From 14:00 to 14:20 in UTC: it is 14:13:20.
fn afternoon() -> Value {
    json!([{ "days": ["mon"], "from": "16:00", "to": "16:20", "time_zone": "Europe/Berlin" }])
}

const WINDOW_END: i64 = NOW + 400;

#[track_caller]
fn asks_nobody(harness: &Harness) {
    assert_eq!(harness.calls_to(GRANTS).len(), 0);
}

#[test]
fn each_condition_refuses_for_its_own_reason_and_asks_nobody() {
    let morning = json!([{ "from": "08:00", "to": "12:00", "time_zone": "Europe/Berlin" }]);
    for (conditions, status, reason) in [
        (
            json!({ "source_cidrs": ["192.0.2.0/24"] }),
            403,
            "condition_source_ip",
        ),
        (json!({ "time_windows": morning }), 403, "condition_time"),
        (
            json!({ "claims": { "groups": ["oncall"] } }),
            403,
            "condition_claims",
        ),
        (
            json!({ "all_of": [{ "header": "x-region", "equals": "eu" }] }),
            403,
            "condition_request",
        ),
        (
            json!({ "all_of": [{ "certificate": "sha256", "present": true }] }),
            403,
            "condition_request",
        ),
        (json!({ "acr_values": ["mfa"] }), 401, "step_up_required"),
        (json!({ "max_auth_age": "1h" }), 401, "step_up_required"),
    ] {
        let harness = under(&conditions);
        for request in [order(&alice()), profile(&alice())] {
            let exchange = harness.request(request.from_peer("10.1.2.3:4000"));
            let answer = refused(&exchange, status, reason);
            assert!(!answer.json().to_string().contains("192.0.2"), "{answer:?}");
        }
        asks_nobody(&harness);
        assert_eq!(
            harness.metric(&format!("hallpass.decisions.deny.{reason}")),
            2
        );
        assert_eq!(harness.audit()[0]["reason"], reason);
        assert_eq!(harness.audit()[0]["subject"], "alice");
        harness.request(health()).forwarded();
    }
}

#[test]
fn a_request_that_meets_every_condition_passes() {
    let harness = Harness::builder()
        .property(
            &["connection", "sha256_peer_certificate_digest"],
            "ab".repeat(32),
        )
        .property(
            &["connection", "uri_san_peer_certificate"],
            "spiffe://corp/ops/7",
        )
        .start(demanding(
            &["profile"],
            &json!({
                "source_cidrs": ["10.0.0.0/8"],
                "time_windows": afternoon(),
                "claims": { "groups": ["oncall", "ops"] },
                "acr_values": ["mfa"], "max_auth_age": "1h",
                "all_of": [
                    { "claim": "/realm_access/roles", "contains": "reader" },
                    { "header": "x-region", "one_of": ["eu", "us"] },
                    { "certificate": "sha256", "equals": "AB".repeat(32) },
                ],
                "any_of": [{ "certificate": "uri_san", "prefix": "spiffe://corp/dev/" },
                           { "certificate": "uri_san", "prefix": "spiffe://corp/ops/" }],
                "not": { "claim": "email", "prefix": "guest-" },
            }),
        ))
        .unwrap_or_else(|refused| panic!("{refused}"));
    let token = alice_with(&[
        ("groups", json!(["dev", "oncall"])),
        ("acr", json!("mfa")),
        ("auth_time", json!(NOW - 60)),
        ("realm_access", json!({ "roles": ["reader"] })),
        ("email", json!("alice@corp.example")),
    ]);
    let request = || profile(&token).from_peer("[::ffff:10.1.2.3]:4000");
    harness
        .request(request().header("x-region", "eu"))
        .forwarded();
    for other in [
        request(),
        request().header("x-region", "eu").header("x-region", "eu"),
    ] {
        refused(&harness.request(other), 403, "condition_request");
    }
}

#[test]
fn a_negation_of_what_is_not_known_does_not_hold() {
    for not in [
        json!({ "source_cidrs": ["10.0.0.0/8"] }),
        json!({ "certificate": "sha256", "present": true }),
        json!({ "certificate": "uri_san", "equals": "spiffe://corp/dev" }),
        json!({ "claim": "blocked", "equals": true }),
        json!({ "header": "x-region", "equals": "us" }),
        json!({ "any_of": [{ "claim": "blocked", "equals": true }, { "header": "x-region", "equals": "us" }] }),
    ] {
        // No address, no certificate, no such claim and no such header.
        let harness = under(&json!({ "not": not }));
        let answer = harness.request(profile(&alice())).answer();
        assert_eq!(answer.status, 403, "{not}");
        assert!(
            answer.reason().starts_with("condition_"),
            "{not}: {answer:?}"
        );
    }
}

#[test]
fn a_certificate_that_has_further_names_is_not_known_to_lack_one() {
    let harness = Harness::builder()
        .property(
            &["connection", "uri_san_peer_certificate"],
            "spiffe://corp/ops/7",
        )
        .start(demanding(
            &["profile"],
            &json!({ "not": { "certificate": "uri_san", "prefix": "spiffe://corp/dev/" } }),
        ))
        .unwrap_or_else(|refused| panic!("{refused}"));
    refused(
        &harness.request(profile(&alice())),
        403,
        "condition_request",
    );
}

#[test]
fn a_public_resource_is_open_under_its_conditions_to_whoever_asks() {
    let harness = start_with(&demanding(
        &["health"],
        &json!({ "source_cidrs": ["10.0.0.0/8", "2001:db8::/32"], "time_windows": afternoon() }),
    ));
    let from = |peer: &str| harness.request(health().from_peer(peer));
    from("10.1.2.3:4000").forwarded();
    from("[2001:db8::1]:4000").forwarded();
    refused(&from("11.1.2.3:4000"), 403, "condition_source_ip");
    refused(&harness.request(health()), 403, "condition_source_ip");
    harness.at(ms(WINDOW_END));
    refused(&from("10.1.2.3:4000"), 403, "condition_time");
}

#[test]
fn the_source_is_whom_the_farthest_trusted_proxy_saw_in_rule_record_and_question() {
    let harness = start_with(&{
        let mut config = demanding(&["orders"], &json!({ "source_cidrs": ["203.0.113.0/24"] }));
        config["trusted_hops"] = json!(1);
        config["grants"]["service"]["context"] = json!(["source_ip"]);
        config
    });
    harness.set_cluster(
        GRANTS,
        Cluster::answers(|_| Reply::json(200, &allow_until(NOW + 600))),
    );
    let from = |forwarded: &[&str]| {
        let request = order(&alice()).from_peer("10.0.0.2:4000");
        harness.request(forwarded.iter().fold(request, |request, line| {
            request.header("x-forwarded-for", line)
        }))
    };
    from(&["203.0.113.9, 10.0.0.2"]).forwarded();
    assert_eq!(
        harness.calls_to(GRANTS)[0].json()["context"]["source_ip"],
        "203.0.113.9"
    );
    assert_eq!(harness.audit()[0]["source_ip"], "203.0.113.9");
    // Another source is another question.
    from(&["1.1.1.1", "203.0.113.10", "10.0.0.2"]).forwarded();
    assert_eq!(harness.calls_to(GRANTS).len(), 2);
    for hostile in [
        &["203.0.113.9, 198.51.100.1, 10.0.0.2"][..],
        &["203.0.113.9"],
        &["203.0.113.9, 203.0.113.9"],
        &["203.0.113.9:443, 10.0.0.2"],
        &["[203.0.113.9], 10.0.0.2"],
        &["203.0.113.9,, 10.0.0.2"],
        &["203.0.113.9 10.0.0.2"],
        &["10.0.0.2", "203.0.113.9"],
        &[],
    ] {
        refused(&from(hostile), 403, "condition_source_ip");
    }
    let bytes = order(&alice())
        .from_peer("10.0.0.2:4000")
        .header_bytes("x-forwarded-for", b"203.0.113.9\xff, 10.0.0.2");
    refused(&harness.request(bytes), 403, "condition_source_ip");
    assert_eq!(harness.calls_to(GRANTS).len(), 2);
}

#[test]
fn one_decision_serves_two_tokens_of_one_person_and_each_is_judged_by_itself() {
    let harness = under(&json!({ "claims": { "/realm_access/roles": ["ops"] } }));
    harness.set_cluster(
        GRANTS,
        Cluster::answers(|_| Reply::json(200, &allow_until(NOW + 600))),
    );
    let ops = alice_with(&[("realm_access", json!({ "roles": ["dev", "ops"] }))]);
    harness.request(order(&ops)).forwarded();
    refused(&harness.request(order(&alice())), 403, "condition_claims");
    harness.request(order(&ops)).forwarded();
    refused(&harness.request(order(&alice())), 403, "condition_claims");
    assert_eq!(harness.calls_to(GRANTS).len(), 1);
}

#[test]
fn a_request_that_waited_past_the_window_does_not_pass() {
    let harness = under(&json!({ "time_windows": afternoon() }));
    harness.at(ms(WINDOW_END) - 200);
    let exchange = harness.request(order(&alice()));
    assert!(exchange.is_waiting());
    harness.at(ms(WINDOW_END));
    harness.callout().reply_json(200, &allow_until(NOW + 3_600));
    refused(&exchange, 403, "condition_time");
}

#[test]
fn windows_keep_to_the_clock_of_their_zone_when_it_is_changed() {
    let night =
        json!([{ "days": ["sun"], "from": "02:15", "to": "02:45", "time_zone": "Europe/Berlin" }]);
    let harness = start_with(&demanding(&["health"], &json!({ "time_windows": night })));
    // Seconds since the epoch: 29 March 2026 goes from 02:00 to 03:00 at 1774746000, 25 October from 03:00 to 02:00 at 1792890000.
    for (moment, is_open) in [
        (1_774_746_000 - 1, false),
        (1_774_746_000, false),
        (1_774_746_000 + 900, false),
        (1_774_746_000 + 7 * 86_400 - 3_600 + 900, true),
        (1_792_890_000 - 2_700 - 1, false),
        (1_792_890_000 - 2_700, true),
        (1_792_890_000 - 900, false),
        (1_792_890_000, false),
        (1_792_890_000 + 900, true),
        (1_792_890_000 + 2_700, false),
    ] {
        harness.at(ms(moment));
        let exchange = harness.request(health());
        if is_open {
            exchange.forwarded();
        } else {
            refused(&exchange, 403, "condition_time");
        }
    }
}

#[test]
fn a_sign_in_that_falls_short_is_told_what_suffices_and_one_that_suffices_passes() {
    let harness = under(&json!({ "acr_values": ["mfa", "phr"], "max_auth_age": "1h" }));
    let signed_in =
        |acr: &str, ago: i64| alice_with(&[("acr", json!(acr)), ("auth_time", json!(NOW - ago))]);
    for token in [
        alice(),
        signed_in("pwd", 0),
        signed_in("mfa", 3_600),
        signed_in("mfa", -301),
    ] {
        let answer = refused(&harness.request(order(&token)), 401, "step_up_required");
        let challenge = answer.headers.get("www-authenticate");
        assert_eq!(
            challenge.as_deref(),
            Some(
                r#"Bearer error="insufficient_user_authentication", acr_values="mfa phr", max_age="3600""#
            )
        );
    }
    asks_nobody(&harness);
    harness
        .request(profile(&signed_in("phr", 3_599)))
        .forwarded();
    assert!(harness.request(order(&signed_in("mfa", 0))).is_waiting());
}

#[test]
fn a_grant_in_the_token_does_not_stand_above_a_condition() {
    let harness = under(&json!({ "source_cidrs": ["10.0.0.0/8"] }));
    let grant = Grant::new("orders", &["read"]).until(NOW + 600);
    let token = TokenBuilder::for_user("alice")
        .grant(grant)
        .signed_by(&key());
    let from = |peer: &str| harness.request(order(&token).from_peer(peer));
    from("10.0.0.1:1").forwarded();
    refused(&from("192.0.2.1:1"), 403, "condition_source_ip");
    asks_nobody(&harness);
}

#[test]
fn whoever_is_not_known_learns_nothing_of_conditions() {
    let harness = under(&json!({ "source_cidrs": ["10.0.0.0/8"], "acr_values": ["mfa"] }));
    let stranger =
        harness.request(Request::get("https://admin.example/me").from_peer("192.0.2.1:1"));
    refused(&stranger, 401, "token_missing");
}
