//! The feed that proxies follow.

use std::time::{Duration, Instant};

use axum::body::Body;
use serde_json::{Value, json};

use hallpass_grants::life::{Actor, Origin};
use hallpass_grants::store::Revoked;

use crate::world::{ADA, ALICE, By, ISSUER, NOON, OSCAR, Reply, World, request};

async fn follow(world: &World, query: &str, headers: &[(&str, &str)]) -> Reply {
    let mut request = request(By::Proxy, "GET", &format!("/revocations{query}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    world.send(request, Body::empty()).await
}

async fn revoke(world: &World, mut body: Value) {
    body["why"] = json!("incident 9");
    world
        .post(ADA, "/access/v1/revocations", &body)
        .await
        .expect(200);
}

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
    reply.json()["result"]["approval"]["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn cursor(feed: &Value) -> String {
    feed["cursor"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_feed_tells_all_at_first_and_then_what_is_new() {
    let world = World::new().await;
    let first = follow(&world, "", &[]).await.expect(200);
    assert_eq!(
        first.json(),
        json!({ "cursor": first.json()["cursor"], "complete": true, "revocations": [] })
    );
    let begin = cursor(&first.json());
    assert_eq!(first.header("etag"), format!("\"{begin}\""));
    assert_eq!(first.header("cache-control"), "no-cache");

    let id = granted(&world).await;
    revoke(&world, json!({ "grant": id })).await;
    let second = follow(&world, &format!("?since={begin}"), &[])
        .await
        .expect(200)
        .json();
    let until = NOON.saturating_add(Duration::from_mins(1)).to_rfc3339();
    assert_eq!(second["complete"], false);
    assert_eq!(
        second["revocations"],
        json!([{ "grant": id, "until": until }])
    );
    assert!(second.get("epoch").is_none());

    revoke(&world, json!({ "subject": "alice", "issuer": ISSUER })).await;
    revoke(&world, json!({ "resource": "orders" })).await;
    revoke(&world, json!({ "everything": true })).await;
    let since = format!("?since={}", cursor(&second));
    let third = follow(&world, &since, &[]).await.expect(200).json();
    let now = NOON.to_rfc3339();
    let until = NOON
        .saturating_add(Duration::from_hours(7 * 24))
        .to_rfc3339();
    assert_eq!(third["complete"], false);
    assert_eq!(third["epoch"], now);
    assert_eq!(
        third["revocations"],
        json!([
            { "subject": "alice", "issuer": ISSUER, "not_before": now, "until": until },
            { "resource": "orders", "not_before": now, "until": until },
        ])
    );
    let all = follow(&world, "", &[]).await.expect(200).json();
    assert_eq!(all["complete"], true);
    assert_eq!(all["epoch"], now);
    assert_eq!(all["revocations"].as_array().unwrap().len(), 3);
    assert_eq!(cursor(&all), cursor(&third));
}

#[tokio::test]
async fn a_cursor_that_the_service_does_not_know_leads_to_everything_at_once() {
    let world = World::new().await;
    revoke(&world, json!({ "resource": "orders" })).await;
    let began = Instant::now();
    let known = cursor(&follow(&world, "", &[]).await.expect(200).json());
    let of_another_record = known.replace(char::is_alphabetic, "0");
    let (without_time, _) = known.rsplit_once('-').unwrap();
    for since in [
        "x",
        "",
        "-1",
        "1",
        "2-00",
        "1-",
        "18446744073709551616-0-0",
        &of_another_record,
        without_time,
        &format!("{without_time}-"),
        &format!("{known}-0"),
    ] {
        let tag = format!("\"{known}\"");
        let headers = [("prefer", "wait=30"), ("if-none-match", tag.as_str())];
        let all = follow(&world, &format!("?since={since}"), &headers)
            .await
            .expect(200)
            .json();
        assert_eq!(all["complete"], true, "{since}");
        assert_eq!(all["revocations"].as_array().unwrap().len(), 1, "{since}");
    }
    assert!(began.elapsed() < Duration::from_secs(20), "nobody waited");
}

#[tokio::test]
async fn who_asked_while_the_clock_was_ahead_is_told_everything_once_it_is_right() {
    let world = World::new().await;
    let begin = cursor(&follow(&world, "", &[]).await.expect(200).json());
    revoke(&world, json!({ "resource": "orders" })).await;
    let month = Duration::from_hours(30 * 24);
    world.pass(month);
    world.desk.expire().await.unwrap();
    let anew = follow(&world, "", &[]).await.expect(200).json();
    assert_eq!(
        (&anew["complete"], &anew["revocations"]),
        (&json!(true), &json!([])),
        "by this clock it is over"
    );
    let tag = format!("\"{begin}\"");
    let since = format!("?since={begin}");
    let same = follow(&world, &since, &[("if-none-match", &tag)])
        .await
        .expect(304);
    assert_eq!(same.header("etag"), tag, "it has come no further");
    let follows = follow(&world, &since, &[]).await.expect(200).json();
    assert_eq!(follows["revocations"], json!([]));

    world.step_back(month);
    for told in [&anew, &follows] {
        let cursor = cursor(told);
        let tag = format!("\"{cursor}\"");
        for query in [String::new(), format!("?since={cursor}")] {
            let headers = [("prefer", "wait=30"), ("if-none-match", tag.as_str())];
            let all = follow(&world, &query, &headers).await.expect(200).json();
            assert_eq!(all["complete"], true, "{query}");
            assert_eq!(all["revocations"][0]["resource"], "orders", "{query}");
        }
    }
    let news = follow(&world, &since, &[("if-none-match", &tag)])
        .await
        .expect(200)
        .json();
    assert_eq!(news["complete"], false);
    assert_eq!(news["revocations"][0]["resource"], "orders");
}

#[tokio::test]
async fn a_cursor_of_a_replica_whose_clock_is_ahead_by_as_much_as_clocks_may_differ_counts() {
    let world = World::new().await;
    world.pass(Duration::from_secs(5));
    let since = cursor(&follow(&world, "", &[]).await.expect(200).json());
    world.step_back(Duration::from_secs(5));
    let query = format!("?since={since}");
    let news = follow(&world, &query, &[]).await.expect(200).json();
    assert_eq!(news["complete"], false);
    world.step_back(Duration::from_millis(1));
    let all = follow(&world, &query, &[]).await.expect(200).json();
    assert_eq!(all["complete"], true, "that is no difference of clocks");
}

#[tokio::test]
async fn who_knows_the_latest_is_told_that_nothing_has_changed_whatever_else_is_on_record() {
    let world = World::new().await;
    let begin = cursor(&follow(&world, "", &[]).await.expect(200).json());
    revoke(&world, json!({ "resource": "orders" })).await;
    let latest = cursor(&follow(&world, "", &[]).await.expect(200).json());
    granted(&world).await;
    let since = format!("?since={latest}");
    for query in ["", &since] {
        for tag in [
            format!("\"{latest}\""),
            format!("W/\"{latest}\""),
            format!("\"{begin}\", \"{latest}\""),
        ] {
            let same = follow(&world, query, &[("if-none-match", &tag)])
                .await
                .expect(304);
            assert_eq!(same.header("etag"), format!("\"{latest}\""));
            assert_eq!(same.body, "");
        }
        follow(&world, query, &[("if-none-match", "\"99\"")])
            .await
            .expect(200);
    }
    let tag = format!("\"{begin}\"");
    let stale = follow(&world, "", &[("if-none-match", &tag)])
        .await
        .expect(200)
        .json();
    assert_eq!(stale["complete"], true);
    let nothing = follow(&world, &since, &[]).await.expect(200).json();
    assert_eq!(nothing["revocations"], json!([]));
    assert_eq!(nothing["complete"], false);
}

#[tokio::test]
async fn who_waits_is_told_as_soon_as_something_is_revoked_by_any_replica() {
    for by_another in [false, true] {
        let world = World::new().await;
        let id = granted(&world).await;
        let replica = world.replica().await;
        let since = cursor(&follow(&world, "", &[]).await.expect(200).json());
        let began = Instant::now();
        let waiting = async {
            let headers = [("prefer", "respond-async, wait=30")];
            follow(&world, &format!("?since={since}"), &headers)
                .await
                .expect(200)
                .json()
        };
        let revoking = async {
            // What is no revocation wakes nobody for good.
            let body = json!({
                "resource": { "type": "http", "id": "orders" },
                "action": { "name": "read" },
                "reason": "OPS-7",
            });
            world
                .post(ALICE, "/access/v1/requests", &body)
                .await
                .expect(202);
            let writer = if by_another { &replica } else { &world };
            revoke(writer, json!({ "grant": id })).await;
        };
        let (feed, ()) = tokio::join!(waiting, revoking);
        assert_eq!(feed["revocations"][0]["grant"], id, "{feed}");
        assert!(
            began.elapsed() < Duration::from_secs(15),
            "it was not the end of the wait"
        );
    }
}

#[tokio::test]
async fn a_wait_ends_without_news_too() {
    let world = World::new().await;
    let begin = cursor(&follow(&world, "", &[]).await.expect(200).json());
    let started = Instant::now();
    let tag = format!("\"{begin}\"");
    let headers = [("prefer", "wait=1"), ("if-none-match", tag.as_str())];
    follow(&world, &format!("?since={begin}"), &headers)
        .await
        .expect(304);
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_feed_that_is_too_long_to_tell_one_by_one_leaves_nothing_out() {
    let world = World::new().await;
    let long = |number: usize| format!("{number:0>512}");
    for number in 0..2_000 {
        let what = Revoked::Resource(long(number));
        let origin = Origin::default();
        let by = Actor::Operator;
        world
            .desk
            .revoke_as(by, &what, "why", &origin)
            .await
            .unwrap();
        world.pass(Duration::from_millis(1));
    }
    let feed = follow(&world, "", &[]).await.expect(200);
    assert!(feed.body.len() < 2 << 20, "the filter reads no more");
    let feed = feed.json();
    let told = feed["revocations"].as_array().unwrap();
    assert!(told.len() < 2_000, "one by one it is too much");
    let first = told[0]["resource"].as_str().unwrap();
    let first: usize = first.parse().unwrap();
    assert_eq!(told.last().unwrap()["resource"], long(1_999));
    // What is not told by itself is taken back by the epoch.
    let left_out = NOON.saturating_add(Duration::from_millis(first as u64 - 1));
    assert_eq!(feed["epoch"], left_out.to_rfc3339());
    let since = format!("?since={}", cursor(&feed));
    let rest = follow(&world, &since, &[]).await.expect(200).json();
    assert_eq!(rest["revocations"], json!([]));
    assert!(rest.get("epoch").is_none());
}

#[tokio::test]
async fn the_feed_is_for_services_only() {
    let world = World::new().await;
    for (by, status) in [(ADA, 403), (ALICE, 403), (By::Nobody, 401)] {
        let reply = world.get(by, "/revocations").await.expect(status);
        assert!(!reply.body.contains("cursor"), "{}", reply.body);
    }
}
