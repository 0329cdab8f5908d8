//! Grants that the identity token carries.

use hallpass_harness::Harness;
use hallpass_tokens::{Grant, NOW, TokenBuilder};
use serde_json::{Value, json};

use crate::setup::{
    config_with, config_without_service, key, ms, order, refused, start, start_with,
};

fn user() -> TokenBuilder {
    TokenBuilder::for_user("alice")
}

fn read() -> Grant {
    Grant::new("orders", &["read"])
}

fn without_service() -> Harness {
    start_with(&config_without_service())
}

#[test]
fn a_grant_in_the_token_lets_the_request_pass_without_asking_anybody() {
    let harness = start();
    let token = user()
        .grant(read().id("g-42").until(NOW + 600))
        .signed_by(&key());
    let forwarded = harness.request(order(&token)).forwarded();
    assert_eq!(
        forwarded.get("x-hallpass-grant-id").as_deref(),
        Some("g-42")
    );
    assert!(forwarded.has("x-hallpass-grant-expires"));
    assert!(harness.callouts().is_empty());
}

#[test]
fn without_a_grant_and_a_service_the_request_is_refused_with_a_way_to_ask() {
    let answer = refused(
        &without_service().request(order(&user().signed_by(&key()))),
        403,
        "grant_missing",
    );
    let body = answer.json();
    assert_eq!(
        (body["resource"].as_str(), body["action"].as_str()),
        (Some("orders"), Some("read"))
    );
    assert_eq!(
        body["request_url"],
        "https://grants.example/request?resource=orders&action=read"
    );
    assert!(!answer.headers.has("www-authenticate"));
}

#[test]
fn a_grant_for_something_else_does_not_count() {
    let harness = without_service();
    let others = [
        Grant::new("billing", &["read"]),
        Grant::new("orders", &["write"]),
        Grant::new("orders", &[]),
        Grant::new("Orders", &["read"]),
        Grant::new("*", &["read"]),
        Grant::new("orders", &["READ"]),
        Grant::new("orders", &["re*"]),
    ];
    for grant in others {
        let shown = format!("{grant:?}");
        let answer = harness
            .request(order(&user().grant(grant).signed_by(&key())))
            .answer();
        assert_eq!(
            (answer.status, answer.reason().as_str()),
            (403, "grant_missing"),
            "{shown}"
        );
    }
}

#[test]
fn a_grant_for_any_action_covers_this_one() {
    without_service()
        .request(order(
            &user().grant(Grant::new("orders", &["*"])).signed_by(&key()),
        ))
        .forwarded();
}

#[test]
fn a_grant_is_over_the_moment_that_its_end_is_reached() {
    let harness = without_service();
    let token = user().grant(read().until(NOW + 60)).signed_by(&key());
    harness.at(ms(NOW + 60) - 1);
    harness.request(order(&token)).forwarded();
    harness.at(ms(NOW + 60));
    refused(&harness.request(order(&token)), 403, "grant_expired");
}

#[test]
fn a_grant_does_not_count_before_its_start() {
    let harness = without_service();
    let token = user()
        .grant(read().from(NOW + 60).until(NOW + 600))
        .signed_by(&key());
    harness.at(ms(NOW + 60) - 1);
    assert_eq!(harness.request(order(&token)).answer().status, 403);
    harness.at(ms(NOW + 60));
    harness.request(order(&token)).forwarded();
}

#[test]
fn a_grant_never_outlives_its_token() {
    let harness = without_service();
    let token = user()
        .expires_in(60)
        .grant(read().until(NOW + 7200))
        .signed_by(&key());
    harness.at(ms(NOW + 90));
    refused(&harness.request(order(&token)), 401, "token_expired");
}

#[test]
fn a_malformed_grant_grants_nothing_and_hides_no_sound_one() {
    let sound = read().until(NOW + 600).into_json();
    let malformed = [
        json!({ "id": "g", "resource": "orders", "actions": ["read"] }),
        json!({ "id": "g", "resource": "orders", "actions": ["read"], "exp": "2030-01-01" }),
        json!({ "id": "g", "resource": "orders", "actions": ["read"], "exp": null }),
        json!({ "id": "g", "resource": "orders", "actions": "read", "exp": NOW + 600 }),
        json!({ "id": "g", "resource": "orders", "exp": NOW + 600 }),
        json!({ "id": "g", "actions": ["read"], "exp": NOW + 600 }),
        json!({ "id": "g", "resource": ["orders"], "actions": ["read"], "exp": NOW + 600 }),
        json!({ "id": "g", "resource": "orders", "actions": ["read"], "exp": NOW + 600, "nbf": "soon" }),
        json!([null, "g", "orders", null, ["read"], null, NOW + 600]),
        json!("orders:read"),
        json!(null),
        json!([]),
    ];
    let harness = without_service();
    for grant in malformed {
        let alone = user().grants_json(json!([grant])).signed_by(&key());
        assert_eq!(
            harness.request(order(&alone)).answer().status,
            403,
            "{grant}"
        );
        let beside = user().grants_json(json!([grant, sound])).signed_by(&key());
        assert!(
            harness.request(order(&beside)).is_forwarded(),
            "{grant} hid a sound grant"
        );
    }
}

#[test]
fn a_claim_that_is_no_list_of_grants_grants_nothing() {
    let harness = without_service();
    for claim in [
        json!("*"),
        json!(true),
        json!({ "orders": ["read"] }),
        Value::Null,
        json!(7),
    ] {
        let token = user().grants_json(claim.clone()).signed_by(&key());
        assert_eq!(
            harness.request(order(&token)).answer().status,
            403,
            "{claim}"
        );
    }
}

#[test]
fn grants_can_be_written_as_authorization_details() {
    let harness = without_service();
    let detail = |kind: &str| json!([{ "type": kind, "identifier": "orders", "actions": ["read"], "exp": NOW + 600 }]);
    harness
        .request(order(
            &user().grants_json(detail("hallpass")).signed_by(&key()),
        ))
        .forwarded();
    let foreign = user()
        .grants_json(detail("payment_initiation"))
        .signed_by(&key());
    assert_eq!(harness.request(order(&foreign)).answer().status, 403);
}

#[test]
fn the_claim_that_holds_the_grants_can_be_chosen() {
    let mut config = config_without_service();
    config["grants"]["claim"] = json!("authorization_details");
    let harness = start_with(&config);
    let grants = json!([read().into_json()]);
    harness
        .request(order(
            &user()
                .claim("authorization_details", grants.clone())
                .signed_by(&key()),
        ))
        .forwarded();
    assert_eq!(
        harness
            .request(order(&user().grants_json(grants).signed_by(&key())))
            .answer()
            .status,
        403
    );
}

#[test]
fn a_grant_that_lasts_longer_than_the_resource_allows_is_refused() {
    let mut config = config_without_service();
    config["resources"][3]["max_grant_lifetime"] = json!("10m");
    let harness = start_with(&config);
    let lasting = |seconds| user().grant(read().until(NOW + seconds)).signed_by(&key());
    harness.request(order(&lasting(600))).forwarded();
    refused(
        &harness.request(order(&lasting(601))),
        403,
        "grant_lifetime_exceeded",
    );
}

#[test]
fn an_expired_grant_in_the_token_leaves_the_question_to_the_service() {
    let harness = start();
    let exchange = harness.request(order(
        &user().grant(read().until(NOW - 1)).signed_by(&key()),
    ));
    assert!(exchange.is_waiting());
    assert_eq!(harness.callouts().len(), 1);
}

#[test]
fn a_grant_for_an_unsigned_token_is_worth_nothing() {
    let token = hallpass_tokens::unsigned(&user().grant(read()).signed_by(&key()));
    refused(
        &without_service().request(order(&token)),
        401,
        "token_algorithm_not_allowed",
    );
}

#[test]
fn a_hundred_grants_are_read_once_with_their_token() {
    let harness = start_with(&config_with(|config| {
        config["max_token_bytes"] = json!(32_768);
    }));
    let others = (0..99).fold(user(), |user, number| {
        user.grant(Grant::new(&format!("other-{number}"), &["read"]).until(NOW + 600))
    });
    let token = others.grant(read().until(NOW + 600)).signed_by(&key());
    for _ in 0..3 {
        harness.request(order(&token)).forwarded();
    }
    assert_eq!(harness.metric("hallpass.tokens.miss"), 1);
    assert_eq!(harness.metric("hallpass.tokens.hit"), 2);
    assert_eq!(harness.callouts().len(), 0);
}
