//! The record, as auditors read it.

use axum::body::Body;
use hallpass_grants::audit::{Hash, Link, verify};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::world::{ADA, ALICE, AUDREY, By, LENA, OSCAR, Reply, World, request};

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    entry: &'a RawValue,
    hash: String,
}

async fn history(world: &World) {
    for by in [ALICE, OSCAR] {
        let body = json!({
            "resource": { "type": "http", "id": "orders" },
            "action": { "name": "read" },
            "reason": "OPS-7 \"quoted\"\nand on a second line — ünïcode",
        });
        world.post(by, "/access/v1/requests", &body).await;
    }
    let revocation = json!({ "resource": "orders", "why": "incident 9" });
    world
        .post(ADA, "/access/v1/revocations", &revocation)
        .await
        .expect(200);
}

async fn lines(world: &World, query: &str) -> Reply {
    let request =
        request(AUDREY, "GET", &format!("/audit{query}")).header("accept", "application/x-ndjson");
    world.send(request, Body::empty()).await.expect(200)
}

#[tokio::test]
async fn whoever_reads_the_lines_can_follow_the_chain_to_its_end() {
    let world = World::new().await;
    history(&world).await;
    let reply = lines(&world, "").await;
    assert_eq!(reply.header("content-type"), "application/x-ndjson");
    let mut end = (0, Hash::GENESIS);
    for line in reply.body.lines() {
        let told: Line<'_> = serde_json::from_str(line).unwrap();
        let link = Link {
            text: told.entry.get().to_owned(),
            hash: told.hash,
        };
        end = verify(end, &link).unwrap();
    }
    let (position, hash) = world.desk.store().chain_end().await.unwrap();
    assert_eq!((end.0, end.1.to_string()), (position, hash));
    assert!(position >= 6, "{position}");
}

#[tokio::test]
async fn pages_and_lines_hold_the_same_entries() {
    let world = World::new().await;
    history(&world).await;
    let mut paged = Vec::new();
    let mut next = json!(0);
    while !next.is_null() {
        let page = world
            .get(AUDREY, &format!("/audit?limit=2&after={next}"))
            .await
            .expect(200);
        let page = page.json();
        paged.extend(page["entries"].as_array().unwrap().clone());
        next = page["next"].clone();
    }
    let all = lines(&world, "").await.body;
    let all: Vec<Value> = all
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(paged, all);
    assert_eq!(u64::try_from(all.len()).unwrap(), world.recorded().await);
    assert_eq!(lines(&world, "?limit=3").await.body.lines().count(), 3);
}

#[tokio::test]
async fn filters_leave_what_they_say() {
    let world = World::new().await;
    history(&world).await;
    for (query, event, count) in [
        ("?event=request_opened", "request_opened", 2),
        ("?event=request_opened&actor=alice", "request_opened", 1),
        ("?subject=oscar&event=grant_given", "grant_given", 1),
        ("?actor=ada&event=resource_revoked", "resource_revoked", 1),
        ("?resource=vault", "", 0),
        ("?since=2100-01-01T00:00:00Z", "", 0),
        ("?until=2020-01-01T00:00:00Z", "", 0),
        ("?event=grant_revoked&actor=alice", "", 0),
    ] {
        let page = world
            .get(AUDREY, &format!("/audit{query}"))
            .await
            .expect(200)
            .json();
        let entries = page["entries"].as_array().unwrap();
        assert_eq!(entries.len(), count, "{query}");
        for entry in entries {
            assert_eq!(entry["entry"]["event"], event, "{query}");
        }
        assert_eq!(
            lines(&world, query).await.body.lines().count(),
            count,
            "{query}"
        );
    }
}

#[tokio::test]
async fn an_event_that_there_is_not_and_a_limit_of_nothing_are_refused() {
    let world = World::new().await;
    history(&world).await;
    for (query, told) in [
        ("?event=nope", "expected one of `request_opened`, "),
        ("?event=nope&format=ndjson", "`everything_revoked`"),
        ("?limit=0", "expected a nonzero"),
        ("?limit=0&format=ndjson", "expected a nonzero"),
    ] {
        let path = format!("/audit{query}");
        let reply = world.get(AUDREY, &path).await.expect(400).json();
        let detail = reply["detail"].as_str().unwrap();
        assert!(detail.contains(told), "{query}: {detail}");
    }
}

#[tokio::test]
async fn the_record_says_from_where_and_in_which_request() {
    let world = World::new().await;
    let asked = request(ALICE, "POST", "/access/v1/requests")
        .header("content-type", "application/json")
        .header("x-request-id", "req-7");
    let body = json!({
        "resource": { "type": "http", "id": "orders" },
        "action": { "name": "read" },
        "reason": "OPS-7",
    });
    world
        .send(asked, Body::from(body.to_string()))
        .await
        .expect(202);
    let page = world.get(AUDREY, "/audit").await.expect(200).json();
    let entry = &page["entries"][0]["entry"];
    assert_eq!(entry["source_ip"], "127.0.0.1");
    assert_eq!(entry["http_request"], "req-7");
    assert_eq!(entry["why"], "OPS-7");
}

#[tokio::test]
async fn the_record_is_for_auditors_only() {
    let world = World::new().await;
    history(&world).await;
    for (by, status) in [
        (ALICE, 403),
        (LENA, 403),
        (By::Proxy, 403),
        (By::Nobody, 401),
    ] {
        for query in ["", "?subject=alice"] {
            let reply = world
                .get(by, &format!("/audit{query}"))
                .await
                .expect(status);
            assert!(!reply.body.contains("OPS-7"), "{}", reply.body);
        }
    }
    world.get(ADA, "/audit").await.expect(200);
}
