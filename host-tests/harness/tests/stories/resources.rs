//! Which resource a request is for, and what that resource asks of it.

use hallpass_harness::{Exchange, Harness, Request};
use serde_json::{Value, json};

use crate::setup::{GRANTS, alice, config, config_with, health, refused, start, start_with};

fn with_resources(resources: &Value) -> Harness {
    start_with(&config_with(|config| {
        config["resources"] = resources.clone();
    }))
}

fn get(harness: &Harness, url: &str) -> Exchange {
    harness.request(Request::get(url).bearer(&alice()))
}

#[test]
fn a_public_resource_asks_for_nothing() {
    let harness = start();
    harness.request(health()).forwarded();
    assert!(harness.callouts().is_empty());
}

#[test]
fn a_public_resource_does_not_mind_a_bad_token() {
    start().request(health().bearer("nonsense")).forwarded();
}

#[test]
fn an_identity_resource_asks_for_a_token_and_no_grant() {
    let harness = start();
    get(&harness, "https://admin.example/me/settings").forwarded();
    assert!(harness.calls_to(GRANTS).is_empty());
}

#[test]
fn a_closed_resource_refuses_everybody() {
    refused(
        &get(&start(), "https://admin.example/internal/x"),
        403,
        "resource_closed",
    );
}

#[test]
fn what_no_resource_matches_is_refused() {
    let harness = start();
    for url in [
        "https://admin.example/elsewhere",
        "https://admin.example/",
        "https://admin.example/orders",
        "https://admin.example/healthz/x",
    ] {
        refused(&get(&harness, url), 403, "resource_unknown");
    }
    assert!(harness.calls_to(GRANTS).is_empty());
}

#[test]
fn the_first_resource_that_matches_decides() {
    let harness = with_resources(&json!([
        { "name": "one", "match": { "paths": ["/a/b"] }, "access": "deny" },
        { "name": "all", "match": { "paths": ["/{*rest}"] }, "access": "public" },
        { "name": "late", "match": { "paths": ["/a/c"] }, "access": "deny" },
    ]));
    refused(
        &get(&harness, "https://admin.example/a/b"),
        403,
        "resource_closed",
    );
    get(&harness, "https://admin.example/a/c").forwarded();
}

#[test]
fn a_rule_is_not_walked_past_by_an_escape_that_is_not_needed() {
    let harness = with_resources(&json!([
        { "name": "cancel", "match": { "paths": ["/orders/{id}:cancel"] }, "access": "deny" },
        { "name": "orders", "match": { "paths": ["/orders/{id}", "/users/{id}"] }, "access": "public" },
    ]));
    refused(
        &get(&harness, "https://admin.example/orders/7:cancel"),
        403,
        "resource_closed",
    );
    for escaped in [
        "/orders/7%3Acancel",
        "/orders/7%3acancel",
        "/orders/%37%3Acancel",
    ] {
        refused(
            &get(&harness, &format!("https://admin.example{escaped}")),
            400,
            "request_ambiguous",
        );
    }
    // Where both readings are the same resource's, the upstream gets what came.
    let passed = get(&harness, "https://admin.example/users/alice%40example.com");
    passed.forwarded();
    let preflight = Request::new("OPTIONS", "https://admin.example/orders/7%3Acancel");
    refused(&harness.request(preflight), 400, "request_ambiguous");
}

#[test]
fn a_list_left_out_matches_everything() {
    let harness = with_resources(&json!([{ "name": "all", "match": {}, "access": "public" }]));
    harness
        .request(Request::new(
            "DELETE",
            "https://anything.example/at/all?x=1",
        ))
        .forwarded();
}

#[test]
fn a_parameter_matches_one_segment() {
    let harness = with_resources(
        &json!([{ "name": "one", "match": { "paths": ["/a/{id}"] }, "access": "public" }]),
    );
    get(&harness, "https://admin.example/a/7").forwarded();
    refused(
        &get(&harness, "https://admin.example/a/7/8"),
        403,
        "resource_unknown",
    );
}

#[test]
fn the_query_is_no_part_of_the_path() {
    let harness = start();
    harness
        .request(Request::get("https://admin.example/healthz?verbose=1"))
        .forwarded();
    refused(
        &get(&harness, "https://admin.example/elsewhere?/healthz"),
        403,
        "resource_unknown",
    );
}

#[test]
fn hosts_are_compared_by_label_without_case_and_port() {
    let harness = with_resources(&json!([
        { "name": "exact", "match": { "hosts": ["admin.example"] }, "access": "public" },
        { "name": "below", "match": { "hosts": ["*.corp.example"] }, "access": "public" },
    ]));
    for host in [
        "admin.example",
        "ADMIN.example",
        "admin.example:8443",
        "a.corp.example",
        "A.b.Corp.Example:80",
    ] {
        let exchange = get(&harness, &format!("https://{host}/x"));
        assert!(exchange.is_forwarded(), "{host}: {exchange:?}");
    }
    for host in [
        "evil-admin.example",
        "admin.example.evil",
        "xadmin.example",
        "corp.example",
        "evilcorp.example",
        "admin.examples",
    ] {
        let exchange = get(&harness, &format!("https://{host}/x"));
        assert!(!exchange.is_forwarded(), "{host} was forwarded");
        assert_eq!(exchange.answer().status, 403, "{host}");
    }
}

#[test]
fn the_method_chooses_among_resources_of_one_path() {
    let harness = start();
    let exchange =
        harness.request(Request::new("POST", "https://admin.example/orders/7").bearer(&alice()));
    assert!(exchange.is_waiting());
    assert_eq!(
        harness.callout().json()["action"]["name"],
        "post",
        "the action is the method in lower case"
    );
}

#[test]
fn the_action_that_a_resource_names_is_the_one_that_is_asked_for() {
    let harness = start();
    get(&harness, "https://admin.example/orders/7");
    assert_eq!(harness.callout().json()["action"]["name"], "read");
}

#[test]
fn a_method_override_header_changes_nothing() {
    let harness = start();
    let request = Request::get("https://admin.example/orders/7")
        .bearer(&alice())
        .header("x-http-method-override", "DELETE");
    harness.request(request);
    assert_eq!(harness.callout().json()["action"]["name"], "read");
}

#[test]
fn headers_that_claim_another_path_change_nothing() {
    let harness = start();
    let lies = [
        "x-original-url",
        "x-rewrite-url",
        "x-forwarded-uri",
        "x-envoy-original-path",
        "x-forwarded-prefix",
    ];
    let lying = lies
        .iter()
        .fold(Request::get("https://admin.example/me"), |request, name| {
            request.header(name, "/healthz")
        });
    refused(&harness.request(lying), 401, "token_missing");
}

#[test]
fn a_path_that_could_be_read_in_two_ways_is_refused() {
    let harness = start();
    let paths: [&[u8]; 19] = [
        b"/healthz/../orders/7",
        b"/orders/../healthz",
        b"/orders/./7",
        b"/healthz/%2e%2e/orders/7",
        b"/healthz/%2E./orders/7",
        b"//healthz",
        b"/orders//7",
        b"/healthz%2f..%2forders/7",
        b"/me%2Fx",
        b"/me%5cx",
        b"/me\\x",
        b"/me/%00",
        b"/me/\x00",
        b"/healthz#/../orders/7",
        b"/me/%c0%af",
        b"/me/%zz",
        b"/me/\xff",
        b"healthz",
        b"http://admin.example/healthz",
    ];
    for path in paths {
        let exchange = harness.request(
            Request::get("https://admin.example/")
                .bearer(&alice())
                .with(":path", path),
        );
        let shown = path.escape_ascii();
        assert!(!exchange.is_forwarded(), "{shown} was forwarded");
        let answer = exchange.answer();
        assert_eq!(
            (answer.status, answer.reason().as_str()),
            (400, "request_ambiguous"),
            "{shown}"
        );
    }
    assert!(harness.callouts().is_empty());
}

#[test]
fn an_escape_that_hides_nothing_matches_what_it_stands_for() {
    let harness = start();
    let exchange = harness.request(Request::get("https://admin.example/%6de"));
    assert!(
        !exchange.is_forwarded(),
        "an escaped letter must not open a guarded path"
    );
}

#[test]
fn a_host_that_could_be_read_in_two_ways_is_refused() {
    let harness = start();
    for host in [
        "admin.example@evil.example",
        "admin.example:80:81",
        "admin.example/orders",
        "admin example",
        "admin.example,evil.example",
        "admin.example:x",
    ] {
        let request = Request::get("https://admin.example/me")
            .bearer(&alice())
            .with(":authority", host);
        refused(&harness.request(request), 400, "request_ambiguous");
    }
}

#[test]
fn a_configuration_of_public_resources_needs_no_provider() {
    let harness =
        start_with(&json!({ "resources": [{ "name": "all", "match": {}, "access": "public" }] }));
    harness.request(health()).forwarded();
}

#[test]
fn a_refusal_names_the_resource_and_the_action() {
    let answer = refused(
        &get(&start(), "https://admin.example/internal/x"),
        403,
        "resource_closed",
    );
    assert_eq!(
        (
            answer.json()["resource"].as_str(),
            answer.json()["action"].as_str()
        ),
        (Some("internal"), Some("get"))
    );
    assert_eq!(config()["resources"][2]["name"], "internal");
}
