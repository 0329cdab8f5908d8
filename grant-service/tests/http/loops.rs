//! The loop over the network: refused with a link, requested, approved by someone else, in, over.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{ALICE, By, ISSUER, LENA, OSCAR, World};

fn question(subject: &str, action: &str) -> Value {
    json!({
        "subject": { "type": "user", "id": subject, "properties": { "iss": ISSUER, "groups": ["dev"] } },
        "action": { "name": action },
        "resource": { "type": "http", "id": "orders" },
    })
}

fn wish(action: &str) -> Value {
    json!({
        "resource": { "type": "http", "id": "orders" },
        "action": { "name": action },
        "context": { "reason": "OPS-7 look into it" },
        "requested_access": { "duration": "90s" },
    })
}

#[tokio::test]
async fn who_is_refused_follows_the_link_is_approved_and_is_in_until_the_end() {
    let world = World::new().await;
    let asked = question("alice", "read");
    let evaluate = || world.post(By::Proxy, "/access/v1/evaluation", &asked);

    let denied = evaluate().await.expect(200);
    assert_eq!(denied.header("cache-control"), "max-age=1");
    let denied = denied.json();
    assert_eq!(denied["decision"], false);
    assert_eq!(denied["context"]["reason"], "approval_required");
    let offer = &denied["context"]["access_request"];
    assert_eq!(
        offer["form_url"],
        "https://grants.example/request?resource=orders&action=read"
    );
    assert_eq!(
        offer["endpoint"],
        "https://grants.example/access/v1/requests"
    );

    let mut body = wish("read");
    body["denial"] = json!({
        "evaluation_id": denied["context"]["evaluation_id"],
        "expires_at": offer["expires_at"],
    });
    let asked = world
        .post(ALICE, "/access/v1/requests", &body)
        .await
        .expect(202);
    let task = asked.json()["task"].clone();
    assert_eq!(task["status"], "pending");
    assert_eq!(asked.header("location"), task["status_endpoint"]);
    assert_eq!(
        evaluate().await.json()["context"]["reason"],
        "grant_pending"
    );

    let id = task["id"].as_str().unwrap();
    let waiting = world
        .get(LENA, "/access/v1/requests?for=approval")
        .await
        .expect(200);
    assert_eq!(waiting.json()["requests"][0]["task"]["id"], id);
    let path = format!("/access/v1/requests/{id}");
    let approved = world
        .post(LENA, &format!("{path}/approve"), &json!({}))
        .await
        .expect(200);
    let approved = approved.json();
    assert_eq!(approved["task"]["status"], "approved");
    assert_eq!(approved["result"]["mode"], "reevaluate");

    let allowed = evaluate().await.expect(200);
    assert_eq!(allowed.header("cache-control"), "max-age=60");
    let approval = &allowed.json()["context"]["approval"];
    assert_eq!(approval["id"], approved["result"]["approval"]["id"]);
    assert_eq!(
        approval["approved_until"],
        approved["result"]["approval"]["approved_until"]
    );

    world.pass(Duration::from_millis(89_500));
    let last = evaluate().await.expect(200);
    assert_eq!(last.json()["decision"], true);
    assert_eq!(last.header("cache-control"), "no-store");
    world.pass(Duration::from_millis(500));
    assert_eq!(evaluate().await.json()["decision"], false);
    let over = world.get(ALICE, &path).await.expect(200).json();
    assert_eq!(over["result"]["approval"]["state"], "expired");
}

#[tokio::test]
async fn who_gets_it_at_once_is_told_so_in_the_answer_to_the_request() {
    let world = World::new().await;
    let asked = world
        .post(OSCAR, "/access/v1/requests", &wish("read"))
        .await
        .expect(201)
        .json();
    assert_eq!(asked["task"]["status"], "approved");
    assert_eq!(asked["result"]["approval"]["state"], "active");
    let allowed = world
        .post(OSCAR, "/access/v1/evaluation", &question("oscar", "read"))
        .await;
    assert_eq!(allowed.expect(200).json()["decision"], true);
}
