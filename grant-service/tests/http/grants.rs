//! Whose grants are shown to whom, and who may take them back.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{ADA, ALICE, AUDREY, By, ISSUER, LENA, MALLORY, OSCAR, World};

async fn granted(world: &World) -> String {
    let body = json!({
        "resource": { "type": "http", "id": "orders" },
        "action": { "name": "read" },
        "reason": "OPS-7",
        "requested_access": { "duration": "60s" },
    });
    let reply = world
        .post(OSCAR, "/access/v1/requests", &body)
        .await
        .expect(201);
    let id = reply.json()["result"]["approval"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(is_in(world).await);
    id
}

async fn is_in(world: &World) -> bool {
    let question = json!({
        "subject": { "type": "user", "id": "oscar" },
        "action": { "name": "read" },
        "resource": { "type": "http", "id": "orders" },
    });
    let answer = world
        .post(By::Proxy, "/access/v1/evaluation", &question)
        .await
        .expect(200);
    answer.json()["decision"] == true
}

#[tokio::test]
async fn everyone_sees_their_own_grants_and_auditors_see_all() {
    let world = World::new().await;
    let id = granted(&world).await;
    let count = async |by, path: &str| {
        let listed = world.get(by, path).await.expect(200).json();
        listed["grants"].as_array().unwrap().len()
    };
    let mine = world
        .get(OSCAR, "/access/v1/grants")
        .await
        .expect(200)
        .json();
    assert_eq!(mine["grants"][0]["id"], id);
    assert_eq!(mine["grants"][0]["state"], "active");
    assert_eq!(count(ALICE, "/access/v1/grants").await, 0);
    assert_eq!(count(OSCAR, "/access/v1/grants?subject=oscar").await, 1);
    for by in [AUDREY, ADA] {
        assert_eq!(count(by, "/access/v1/grants").await, 0);
        assert_eq!(count(by, "/access/v1/grants?all=true").await, 1);
        assert_eq!(
            count(by, "/access/v1/grants?resource=orders&live=true").await,
            1
        );
        assert_eq!(count(by, "/access/v1/grants?subject=oscar").await, 1);
        assert_eq!(count(by, "/access/v1/grants?subject=alice").await, 0);
        let elsewhere = "/access/v1/grants?subject=oscar&issuer=https%3A%2F%2Fother.example";
        assert_eq!(count(by, elsewhere).await, 0);
    }
    for path in [
        "?all=true",
        "?resource=orders",
        "?subject=oscar",
        "?subject=alice&issuer=x",
    ] {
        let path = format!("/access/v1/grants{path}");
        world.get(ALICE, &path).await.expect(403);
        world.get(LENA, &path).await.expect(403);
    }
    let anybody = "/access/v1/grants?issuer=https%3A%2F%2Fother.example";
    for by in [AUDREY, ALICE] {
        world.get(by, anybody).await.expect(400);
    }
    let own = "/access/v1/grants?issuer=https%3A%2F%2Fidp.example";
    world.get(ALICE, own).await.expect(400);
    world.get(By::Proxy, "/access/v1/grants").await.expect(403);
    world.get(By::Nobody, "/access/v1/grants").await.expect(401);
    world.pass(Duration::from_mins(1));
    let over = world
        .get(OSCAR, "/access/v1/grants")
        .await
        .expect(200)
        .json();
    assert_eq!(over["grants"][0]["state"], "expired");
    assert_eq!(count(OSCAR, "/access/v1/grants?live=true").await, 0);
}

#[tokio::test]
async fn only_who_may_takes_a_grant_back() {
    let world = World::new().await;
    let id = granted(&world).await;
    let before = world.recorded().await;
    let bodies = |id: &str| -> [Value; 4] {
        [
            json!({ "grant": id, "why": "x" }),
            json!({ "subject": "oscar", "issuer": ISSUER, "why": "x" }),
            json!({ "resource": "orders", "why": "x" }),
            json!({ "everything": true, "why": "x" }),
        ]
    };
    let [grant, subject, resource, everything] = bodies(&id);
    for (by, body, status) in [
        (MALLORY, &grant, 404),
        (ALICE, &grant, 404),
        (By::Proxy, &grant, 403),
        (By::Nobody, &grant, 401),
        (OSCAR, &subject, 403),
        (LENA, &subject, 403),
        (LENA, &resource, 403),
        (LENA, &everything, 403),
        (AUDREY, &everything, 403),
        (By::Proxy, &everything, 403),
    ] {
        let reply = world.post(by, "/access/v1/revocations", body).await;
        assert_eq!(reply.status, status, "{by:?} {body}: {}", reply.body);
    }
    assert_eq!(world.recorded().await, before);
    assert!(is_in(&world).await);
    let unknown = json!({ "grant": "g-0", "why": "x" });
    let reply = world
        .post(ADA, "/access/v1/revocations", &unknown)
        .await
        .expect(404)
        .json();
    assert_eq!(reply["type"], "urn:hallpass:grants:unknown_grant");

    for (by, nth) in [(OSCAR, 0), (LENA, 0), (ADA, 1), (ADA, 2), (ADA, 3)] {
        let world = World::new().await;
        let id = granted(&world).await;
        let body = &bodies(&id)[nth];
        let ended = world
            .post(by, "/access/v1/revocations", body)
            .await
            .expect(200)
            .json();
        assert_eq!(ended, json!({ "ended": 1 }), "{body}");
        assert!(!is_in(&world).await, "{body}");
        if nth == 0 {
            world
                .post(by, "/access/v1/revocations", body)
                .await
                .expect(409);
        }
    }
}
