//! Wishes, decisions and revocations that are not as they must be.

use axum::body::Body;
use serde_json::{Value, json};

use super::{but, wish};
use crate::world::{ADA, ALICE, LENA, World, request};

/// Sends each of these, and nothing is opened by it.
async fn refused(cases: &[(String, &str)]) {
    let world = World::new().await;
    for (body, detail) in cases {
        let reply = world
            .post_text(ALICE, "/access/v1/requests", body)
            .await
            .expect(400);
        assert_eq!(reply.header("content-type"), "application/problem+json");
        let problem = reply.json();
        assert_eq!(problem["type"], "urn:hallpass:grants:malformed");
        let told = problem["detail"].as_str().unwrap();
        assert!(told.starts_with(detail), "{body}: {told}");
    }
    assert_eq!(world.recorded().await, 0);
}

#[tokio::test]
async fn a_malformed_wish_is_told_what_is_wrong_and_opens_nothing() {
    let sound = wish();
    let item = json!({ "resource": sound["resource"], "action": sound["action"] });
    refused(&[
        (
            but(&sound, "/resource", json!(null)),
            "`resource`: expected an object",
        ),
        (
            but(&sound, "/resource/id", json!(7)),
            "`resource.id`: expected a string",
        ),
        (
            but(&sound, "/action/name", json!("")),
            "`action.name`: expected a string",
        ),
        (
            but(&sound, "/reason", json!(null)),
            "`reason`: expected why you need it",
        ),
        (
            but(&sound, "/reason", json!(" ")),
            "`reason`: expected a text",
        ),
        (
            but(&sound, "/reason", json!("x".repeat(1_001))),
            "`reason`: expected a text",
        ),
        (
            but(&sound, "/reason", json!("a\u{0}b")),
            "`reason`: expected a text",
        ),
        (
            but(&sound, "/context", json!("x")),
            "`context`: expected an object",
        ),
        (
            but(&sound, "/subject", json!("alice")),
            "`subject`: expected an object",
        ),
        (
            but(&sound, "/items", json!([])),
            "`items`: expected one element",
        ),
        (
            but(&sound, "/items", json!([item, item])),
            "`items`: expected one element",
        ),
        (
            but(&sound, "/items", json!([{}])),
            "`items[0].resource`: expected an object",
        ),
        (
            but(&sound, "/items", json!([item])),
            "`resource`: expected nothing beside `items`",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_wish_with_a_malformed_time_is_told_what_is_wrong_and_opens_nothing() {
    let sound = wish();
    let wanted = |wanted: Value| but(&sound, "/requested_access", wanted);
    let denial = |denial: Value| but(&sound, "/denial", denial);
    refused(&[
        (wanted(json!([])), "`requested_access`: expected an object"),
        (
            wanted(json!({ "duration": 60 })),
            "`requested_access.duration`: expected a duration",
        ),
        (
            wanted(json!({ "duration": "2h" })),
            "`duration`: expected between 1s and 1h",
        ),
        (
            wanted(json!({ "duration": "0s" })),
            "`duration`: expected between 1s and 1h",
        ),
        (
            wanted(json!({ "requested_until": "tomorrow" })),
            "`requested_access.requested_until`: expected a date and time",
        ),
        (
            wanted(json!({ "requested_until": "2020-01-01T00:00:00Z" })),
            "`requested_until`: expected between",
        ),
        (
            wanted(json!({ "duration": "1m", "requested_until": "2026-09-21T14:00:00Z" })),
            "`requested_access.duration`: expected nothing beside `requested_until`",
        ),
        (
            wanted(json!({ "emergency": "yes" })),
            "`requested_access.emergency`: expected `true`",
        ),
        (
            denial(json!({})),
            "`denial.expires_at`: expected a date and time",
        ),
        (
            denial(json!({ "expires_at": 1 })),
            "`denial.expires_at`: expected a date and time",
        ),
        (
            denial(json!({ "expires_at": "2030-01-01T00:00:00Z", "evaluation_id": 7 })),
            "`denial.evaluation_id`: expected a string",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_malformed_idempotency_key_opens_nothing() {
    let world = World::new().await;
    let send = |keys: &[&[u8]]| {
        let mut request = request(ALICE, "POST", "/access/v1/requests")
            .header("content-type", "application/json");
        for key in keys {
            request = request.header("idempotency-key", *key);
        }
        world.send(request, Body::from(wish().to_string()))
    };
    let long = [b'x'; 256];
    for keys in [&[b"a".as_slice(), b"b"][..], &[b""], &[b"\xff"], &[&long]] {
        send(keys).await.expect(400);
    }
    assert_eq!(world.recorded().await, 0);
}

#[tokio::test]
async fn a_malformed_revocation_takes_nothing_back() {
    let world = World::new().await;
    for (body, detail) in [
        (json!({}), "the body: expected exactly one of"),
        (json!({ "why": "x" }), "the body: expected exactly one of"),
        (
            json!({ "grant": "g-1", "everything": true, "why": "x" }),
            "the body: expected exactly",
        ),
        (
            json!({ "everything": false, "why": "x" }),
            "`everything`: expected `true`",
        ),
        (
            json!({ "everything": "true", "why": "x" }),
            "`everything`: expected `true`",
        ),
        (json!({ "everything": true }), "`why`: expected a text"),
        (
            json!({ "everything": true, "why": "" }),
            "`why`: expected a text",
        ),
        (
            json!({ "resource": 7, "why": "x" }),
            "`resource`: expected a string",
        ),
        (
            json!({ "subject": "alice", "issuer": 7, "why": "x" }),
            "`issuer`: expected a string",
        ),
    ] {
        let reply = world
            .post(ADA, "/access/v1/revocations", &body)
            .await
            .expect(400)
            .json();
        let told = reply["detail"].as_str().unwrap();
        assert!(told.starts_with(detail), "{body}: {told}");
    }
    assert_eq!(world.recorded().await, 0);
}

#[tokio::test]
async fn a_denial_by_an_approver_needs_its_why() {
    let world = World::new().await;
    let asked = world
        .post(ALICE, "/access/v1/requests", &wish())
        .await
        .expect(202)
        .json();
    let path = format!(
        "/access/v1/requests/{}/deny",
        asked["task"]["id"].as_str().unwrap()
    );
    let before = world.recorded().await;
    for body in [json!({}), json!({ "why": "" }), json!({ "why": 7 })] {
        world.post(LENA, &path, &body).await.expect(400);
    }
    assert_eq!(world.recorded().await, before);
}
