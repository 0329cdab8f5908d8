//! Each fault is told with its place.

use serde_json::{Value, json};

use super::{full, parse, with};

/// For each: what is put where in a sound configuration, and the place that the one fault names.
fn each_is_told(cases: &[(&str, Value, &str)]) {
    for (place, value, path) in cases {
        let told = parse(&with(full(), place, value.clone())).unwrap_err();
        let [one] = &told[..] else {
            panic!("{place} = {value}: one fault, found {told:#?}");
        };
        assert!(
            one.starts_with(&format!("`{path}`: found ")),
            "{place} = {value}: {one}"
        );
    }
}

#[test]
fn faults_in_addresses_webhooks_and_times_are_told_with_their_place() {
    each_is_told(&[
        ("/listen", json!("localhost"), "listen"),
        ("/listen", json!(null), "listen"),
        ("/listen", json!("127.0.0.1"), "listen"),
        (
            "/public_url",
            json!("https://grants.example/below"),
            "public_url",
        ),
        ("/public_url", json!("ftp://grants.example"), "public_url"),
        (
            "/public_url",
            json!("https://who@grants.example"),
            "public_url",
        ),
        ("/public_url", json!(null), "public_url"),
        (
            "/sign_in_url",
            json!("https://{return_to}/login"),
            "sign_in_url",
        ),
        ("/sign_in_url", json!("{return_to}"), "sign_in_url"),
        ("/sign_in_url", json!("javascript:x"), "sign_in_url"),
        (
            "/return_origins/1",
            json!("https://admin.example/orders"),
            "return_origins[1]",
        ),
        (
            "/return_origins/0",
            json!("admin.example"),
            "return_origins[0]",
        ),
        ("/database", json!("mysql://h/d"), "database"),
        ("/webhooks/0/events", json!([]), "webhooks[0].events"),
        (
            "/webhooks/0/events/0",
            json!("rain"),
            "webhooks[0].events[0]",
        ),
        ("/webhooks/0/url", json!("chat"), "webhooks[0].url"),
        ("/webhooks/0/secret", json!(null), "webhooks[0].secret"),
        ("/revocations/remember", json!("1s"), "revocations.remember"),
    ]);
}

#[test]
fn faults_in_who_is_believed_are_told_with_their_place() {
    each_is_told(&[
        ("/providers", json!({}), "providers"),
        ("/providers/0", json!(7), "providers[0]"),
        (
            "/providers/0/audiences",
            json!([]),
            "providers[0].audiences",
        ),
        ("/providers/0/odd", json!(1), "providers[0].odd"),
        (
            "/providers/0/jwks/remote/url",
            json!("/jwks.json"),
            "providers[0].jwks.remote.url",
        ),
        (
            "/providers/0/jwks/remote/url",
            json!(null),
            "providers[0].jwks.remote.url",
        ),
        (
            "/providers/0/jwks/remote/cluster",
            json!("idp"),
            "providers[0].jwks.remote.cluster",
        ),
        (
            "/providers/0/jwks/remote/refresh",
            json!("1"),
            "providers[0].jwks.remote.refresh",
        ),
        (
            "/identity_headers/trusted_proxies",
            json!([]),
            "identity_headers.trusted_proxies",
        ),
        (
            "/identity_headers/trusted_proxies",
            json!(null),
            "identity_headers.trusted_proxies",
        ),
        (
            "/identity_headers/trusted_proxies/0",
            json!("0.0.0.0/0"),
            "identity_headers.trusted_proxies[0]",
        ),
        (
            "/identity_headers/trusted_proxies/1",
            json!("proxy"),
            "identity_headers.trusted_proxies[1]",
        ),
        (
            "/identity_headers/email",
            json!("x-user"),
            "identity_headers.email",
        ),
        (
            "/identity_headers/email",
            json!("Authorization"),
            "identity_headers.email",
        ),
        (
            "/identity_headers/email",
            json!("no name"),
            "identity_headers.email",
        ),
        (
            "/identity_headers/issuers",
            json!([]),
            "identity_headers.issuers",
        ),
        ("/services/0/token", json!("too short"), "services[0].token"),
        ("/services/0/name", json!(""), "services[0].name"),
    ]);
}

#[test]
fn faults_in_the_policy_are_told_with_their_place() {
    each_is_told(&[
        ("/policy", json!(null), "policy"),
        (
            "/policy/administrators",
            json!("ada"),
            "policy.administrators",
        ),
        (
            "/policy/auditors/groups",
            json!([""]),
            "policy.auditors.groups[0]",
        ),
        ("/policy/auditors/everyone", json!(true), "policy.auditors"),
        (
            "/policy/resources/0/resource",
            json!(null),
            "policy.resources[0].resource",
        ),
        (
            "/policy/resources/0/actions",
            json!([]),
            "policy.resources[0].actions",
        ),
        (
            "/policy/resources/0/approvals",
            json!(0),
            "policy.resources[0].approvals",
        ),
        (
            "/policy/resources/0/max_duration",
            json!("400d"),
            "policy.resources[0].max_duration",
        ),
        (
            "/policy/resources/0/default_duration",
            json!("9h"),
            "policy.resources[0].default_duration",
        ),
        (
            "/policy/resources/0/reason_pattern",
            json!("("),
            "policy.resources[0].reason_pattern",
        ),
        (
            "/policy/resources/0/automatic/who",
            json!(null),
            "policy.resources[0].automatic.who",
        ),
        (
            "/policy/resources/0/break_glass/max_duration",
            json!("9h"),
            "policy.resources[0].break_glass.max_duration",
        ),
    ]);
}

#[test]
fn where_proxies_name_people_of_another_issuer_groups_need_theirs() {
    let partner = json!(["https://partner.example"]);
    let told = parse(&with(full(), "/identity_headers/issuers", partner)).unwrap_err();
    let places: Vec<_> = told
        .iter()
        .filter_map(|fault| fault.split('`').nth(1))
        .collect();
    assert_eq!(
        places,
        [
            "policy.administrators.issuers",
            "policy.auditors.issuers",
            "policy.resources[0].automatic.who.issuers",
            "policy.resources[0].break_glass.who.issuers",
        ]
    );
    let same = json!(["https://idp.example"]);
    assert!(parse(&with(full(), "/identity_headers/issuers", same)).is_ok());
}
