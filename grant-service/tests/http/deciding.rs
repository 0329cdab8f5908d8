//! Who may decide, and on what there is nothing left to decide.

use serde_json::{Value, json};

use crate::world::{ADA, ALICE, AUDREY, By, LENA, MALLORY, World};

async fn asked(world: &World) -> String {
    let body = json!({
        "resource": { "type": "http", "id": "orders" },
        "action": { "name": "read" },
        "reason": "OPS-7",
    });
    let reply = world
        .post(ALICE, "/access/v1/requests", &body)
        .await
        .expect(202);
    let id = reply.json()["task"]["id"].as_str().unwrap().to_owned();
    format!("/access/v1/requests/{id}")
}

fn why() -> Value {
    json!({ "why": "not this week" })
}

#[tokio::test]
async fn only_approvers_decide_and_nobody_on_their_own_request() {
    let world = World::new().await;
    let path = asked(&world).await;
    let before = world.recorded().await;
    for (by, status) in [
        (ALICE, 403),
        (By::Person("alice", "dev,lead"), 403),
        (AUDREY, 403),
        (ADA, 403),
        (MALLORY, 404),
        (By::Proxy, 403),
        (By::Nobody, 401),
    ] {
        for step in ["approve", "deny"] {
            let reply = world.post(by, &format!("{path}/{step}"), &why()).await;
            assert_eq!(reply.status, status, "{by:?} {step}: {}", reply.body);
        }
    }
    for by in [LENA, AUDREY] {
        world
            .post(by, &format!("{path}/withdraw"), &json!({}))
            .await
            .expect(403);
    }
    assert_eq!(world.recorded().await, before);
    assert_eq!(
        world.get(ALICE, &path).await.json()["task"]["status"],
        "pending"
    );
}

#[tokio::test]
async fn who_has_no_part_in_a_request_is_not_told_that_there_is_one() {
    let world = World::new().await;
    let path = asked(&world).await;
    let hidden = world.get(MALLORY, &path).await.expect(404);
    assert_eq!(
        hidden.json()["type"],
        "urn:openid:authzen:access-request:error:unknown_task"
    );
    for unknown in ["r-0", "%00", "x%20y", &"x".repeat(65)] {
        let path = format!("/access/v1/requests/{unknown}");
        assert_eq!(world.get(LENA, &path).await.expect(404).body, hidden.body);
        let approve = format!("{path}/approve");
        assert_eq!(
            world
                .post(LENA, &approve, &json!({}))
                .await
                .expect(404)
                .body,
            hidden.body
        );
    }
    let listed = world
        .get(MALLORY, "/access/v1/requests?for=approval")
        .await
        .expect(200);
    assert_eq!(listed.json(), json!({ "requests": [] }));
    for by in [ALICE, LENA, AUDREY, ADA] {
        world.get(by, &path).await.expect(200);
    }
}

#[tokio::test]
async fn a_request_that_is_over_stays_as_it_ended() {
    for (by, step, status) in [
        (LENA, "deny", "denied"),
        (ALICE, "withdraw", "cancelled"),
        (LENA, "approve", "approved"),
    ] {
        let world = World::new().await;
        let path = asked(&world).await;
        let ended = world
            .post(by, &format!("{path}/{step}"), &why())
            .await
            .expect(200)
            .json();
        assert_eq!(ended["task"]["status"], status);
        assert!(ended["task"]["links"].get("cancel").is_none());
        let before = world.recorded().await;
        for (by, step) in [(LENA, "approve"), (LENA, "deny"), (ALICE, "withdraw")] {
            let reply = world
                .post(by, &format!("{path}/{step}"), &why())
                .await
                .expect(409);
            assert_eq!(
                reply.json()["type"],
                "urn:openid:authzen:access-request:error:invalid_task_state"
            );
        }
        assert_eq!(world.recorded().await, before);
        assert_eq!(world.get(ALICE, &path).await.json(), ended);
    }
}

#[tokio::test]
async fn who_was_denied_is_told_why_and_by_whom() {
    let world = World::new().await;
    let path = asked(&world).await;
    world
        .post(LENA, &format!("{path}/deny"), &why())
        .await
        .expect(200);
    let mine = world
        .get(ALICE, "/access/v1/requests")
        .await
        .expect(200)
        .json();
    let closed = &mine["requests"][0]["task"]["closed"];
    assert_eq!(closed["why"], "not this week");
    assert_eq!(closed["by"]["subject"], "lena");
    assert!(mine["requests"][0].get("result").is_none());
}

#[tokio::test]
async fn an_approval_needs_no_body() {
    let world = World::new().await;
    let path = asked(&world).await;
    let request = crate::world::request(LENA, "POST", &format!("{path}/approve"));
    let reply = world
        .send(request, axum::body::Body::empty())
        .await
        .expect(200);
    assert_eq!(reply.json()["task"]["status"], "approved");
}
