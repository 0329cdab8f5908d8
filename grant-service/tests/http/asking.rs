//! Who may ask, and what is asked twice.

use std::time::Duration;

use axum::body::Body;
use serde_json::{Value, json};

use crate::world::{ALICE, By, ISSUER, LENA, MALLORY, NOON, Reply, World, request};

fn wish(action: &str) -> Value {
    json!({
        "resource": { "type": "http", "id": "orders" },
        "action": { "name": action },
        "reason": "OPS-7",
    })
}

async fn ask_with_key(world: &World, by: By, key: &str, body: &Value) -> Reply {
    let request = request(by, "POST", "/access/v1/requests")
        .header("content-type", "application/json")
        .header("idempotency-key", key);
    world.send(request, Body::from(body.to_string())).await
}

#[tokio::test]
async fn the_example_of_the_profile_is_answered_as_written() {
    let world = World::new().await;
    let until = NOON.saturating_add(Duration::from_mins(10)).to_rfc3339();
    let body = json!({
        "subject": { "type": "user", "id": "alice", "properties": { "iss": ISSUER } },
        "resource": { "type": "http", "id": "orders" },
        "action": { "name": "read" },
        "context": { "business_justification": "Needed for customer renewal review" },
        "requested_access": { "requested_until": until },
        "denial": {
            "evaluation_id": "eval_01",
            "evaluated_at": NOON.to_rfc3339(),
            "expires_at": until,
            "reason": "approval_required",
            "binding_token": "opaque",
            "template": "approval",
        },
    });
    let reply = ask_with_key(&world, ALICE, "7b8d0f0d", &body)
        .await
        .expect(202);
    let task = &reply.json()["task"];
    assert_eq!(task["status"], "pending");
    assert_eq!(task["reason"], "Needed for customer renewal review");
    let id = task["id"].as_str().unwrap();
    let address = format!("https://grants.example/access/v1/requests/{id}");
    assert_eq!(task["status_endpoint"], address);
    assert_eq!(task["links"]["cancel"], format!("{address}/withdraw"));
    assert_eq!(reply.header("location"), address);
}

#[tokio::test]
async fn one_item_is_a_target_like_any_other() {
    let world = World::new().await;
    let body = json!({
        "items": [{ "resource": { "type": "http", "id": "orders" }, "action": { "name": "read" } }],
        "context": { "reason": "OPS-7" },
    });
    let task = world
        .post(ALICE, "/access/v1/requests", &body)
        .await
        .expect(202)
        .json();
    assert_eq!(task["task"]["action"]["name"], "read");
}

#[tokio::test]
async fn nobody_asks_for_another_and_no_service_for_anybody() {
    let world = World::new().await;
    let mut body = wish("read");
    body["subject"] = json!({ "type": "user", "id": "alice" });
    for by in [LENA, By::Proxy] {
        let reply = world
            .post(by, "/access/v1/requests", &body)
            .await
            .expect(403);
        assert_eq!(reply.json()["type"], "urn:hallpass:grants:forbidden");
    }
    for subject in [
        json!({ "type": "service", "id": "alice" }),
        json!({ "type": "user", "id": "alice", "properties": { "iss": "https://other.example" } }),
    ] {
        body["subject"] = subject;
        world
            .post(ALICE, "/access/v1/requests", &body)
            .await
            .expect(403);
    }
    world
        .post(By::Nobody, "/access/v1/requests", &wish("read"))
        .await
        .expect(401);
    assert_eq!(world.recorded().await, 0);
}

#[tokio::test]
async fn what_no_rule_lets_one_ask_for_is_not_requestable_whether_or_not_it_is_there() {
    let world = World::new().await;
    let mut elsewhere = wish("read");
    elsewhere["resource"]["id"] = json!("vault");
    let mut told = Vec::new();
    for (by, body) in [
        (MALLORY, &wish("read")),
        (ALICE, &elsewhere),
        (ALICE, &wish("delete")),
    ] {
        let reply = world
            .post(by, "/access/v1/requests", body)
            .await
            .expect(400)
            .json();
        assert_eq!(
            reply["type"],
            "urn:openid:authzen:access-request:error:not_requestable"
        );
        told.push(reply["detail"].clone());
    }
    assert!(told.iter().all(|detail| *detail == told[0]), "{told:?}");
    assert_eq!(world.recorded().await, 0);
}

#[tokio::test]
async fn a_denial_that_is_too_old_is_not_answered() {
    let world = World::new().await;
    let mut body = wish("read");
    body["denial"] = json!({ "evaluation_id": "eval-1", "expires_at": NOON.to_rfc3339() });
    world.pass(Duration::from_secs(30));
    let reply = world
        .post(ALICE, "/access/v1/requests", &body)
        .await
        .expect(410)
        .json();
    assert_eq!(
        reply["type"],
        "urn:openid:authzen:access-request:error:expired_denial"
    );
    assert_eq!(world.recorded().await, 0);
}

#[tokio::test]
async fn the_same_wish_under_one_key_is_one_request_and_another_wish_is_refused() {
    let world = World::new().await;
    let first = ask_with_key(&world, ALICE, "k", &wish("read"))
        .await
        .expect(202)
        .json();
    let before = world.recorded().await;
    let again = ask_with_key(&world, ALICE, "k", &wish("read"))
        .await
        .expect(202)
        .json();
    assert_eq!(first["task"]["id"], again["task"]["id"]);
    let other = ask_with_key(&world, ALICE, "k", &wish("write"))
        .await
        .expect(409)
        .json();
    assert_eq!(
        other["type"],
        "urn:openid:authzen:access-request:error:duplicate_request"
    );
    assert_eq!(world.recorded().await, before);
}

#[tokio::test]
async fn who_waits_for_the_same_already_is_told_for_which_request() {
    let world = World::new().await;
    let first = world
        .post(ALICE, "/access/v1/requests", &wish("read"))
        .await
        .expect(202)
        .json();
    let before = world.recorded().await;
    let twin = world
        .post(ALICE, "/access/v1/requests", &wish("read"))
        .await
        .expect(409)
        .json();
    assert_eq!(
        twin["type"],
        "urn:openid:authzen:access-request:error:duplicate_request"
    );
    assert_eq!(twin["task"]["id"], first["task"]["id"]);
    assert_eq!(world.recorded().await, before);
}

#[tokio::test]
async fn a_wish_that_is_sent_again_tells_by_its_status_whether_it_waits_was_granted_or_came_to_nothing()
 {
    let world = World::new().await;
    for (number, (by, path, body, status, expected)) in [
        (LENA, "approve", json!({}), "approved", 201),
        (LENA, "deny", json!({ "why": "no" }), "denied", 200),
        (ALICE, "withdraw", json!({}), "cancelled", 200),
    ]
    .into_iter()
    .enumerate()
    {
        let key = format!("key-{number}");
        let opened = ask_with_key(&world, ALICE, &key, &wish("read"))
            .await
            .expect(202);
        let task = opened.json()["task"].clone();
        ask_with_key(&world, ALICE, &key, &wish("read"))
            .await
            .expect(202);
        let id = task["id"].as_str().unwrap();
        world
            .post(by, &format!("/access/v1/requests/{id}/{path}"), &body)
            .await
            .expect(200);
        let again = ask_with_key(&world, ALICE, &key, &wish("read"))
            .await
            .expect(expected);
        assert_eq!(again.json()["task"]["status"], status);
        assert_eq!(again.json()["task"]["id"], id);
    }
}

#[tokio::test]
async fn who_asks_for_too_much_is_told_how_many_seconds_it_is_until_there_is_room() {
    let world = World::new().await;
    for _ in 0..100 {
        let task = world
            .post(ALICE, "/access/v1/requests", &wish("read"))
            .await
            .expect(202)
            .json();
        let id = task["task"]["id"].as_str().unwrap();
        world
            .post(
                ALICE,
                &format!("/access/v1/requests/{id}/withdraw"),
                &json!({}),
            )
            .await
            .expect(200);
    }
    world.pass(Duration::from_millis(1_500));
    let reply = world
        .post(ALICE, "/access/v1/requests", &wish("read"))
        .await
        .expect(429);
    assert_eq!(reply.header("retry-after"), "3599");
    let detail = reply.json()["detail"].to_string();
    let until = NOON.saturating_add(Duration::from_hours(1)).to_rfc3339();
    assert!(detail.contains(&until), "{detail}");
}
