//! Who is let in at all, and what every answer has.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use axum::body::Body;
use futures_util::stream;
use serde_json::{Value, json};

use crate::world::{ADA, ALICE, By, ISSUER, LENA, World, request};

fn question(subject: &str) -> Value {
    json!({
        "subject": { "type": "user", "id": subject },
        "action": { "name": "read" },
        "resource": { "type": "http", "id": "orders" },
    })
}

#[tokio::test]
async fn strangers_are_challenged_and_a_token_that_does_not_hold_is_told_so() {
    let world = World::new().await;
    for (method, path) in [
        ("POST", "/access/v1/evaluation"),
        ("POST", "/access/v1/evaluations"),
        ("GET", "/access/v1/requests"),
        ("GET", "/access/v1/grants"),
        ("GET", "/revocations"),
        ("GET", "/audit"),
    ] {
        let body = || Body::from(question("alice").to_string());
        let stranger = request(By::Nobody, method, path).header("content-type", "application/json");
        let reply = world.send(stranger, body()).await.expect(401);
        assert_eq!(
            reply.header("www-authenticate"),
            r#"Bearer realm="hallpass-grants""#
        );
        let forger = request(By::Nobody, method, path)
            .header("content-type", "application/json")
            .header("authorization", "Bearer forged");
        let reply = world.send(forger, body()).await.expect(401);
        assert!(
            reply
                .header("www-authenticate")
                .contains(r#"error="invalid_token""#)
        );
        assert!(!reply.body.contains("forged"));
    }
}

#[tokio::test]
async fn people_ask_about_themselves_only() {
    let world = World::new().await;
    let path = "/access/v1/evaluation";
    let own = world
        .post(ALICE, path, &question("alice"))
        .await
        .expect(200)
        .json();
    assert_eq!(own["context"]["reason"], "approval_required");
    let other = world.post(LENA, path, &question("alice")).await.expect(403);
    assert!(!other.body.contains("decision"), "{}", other.body);
    let mut elsewhere = question("alice");
    elsewhere["subject"]["properties"] = json!({ "iss": "https://other.example" });
    world.post(ALICE, path, &elsewhere).await.expect(403);
    let several = json!({ "evaluations": [question("alice"), question("lena")] });
    let several = world
        .post(LENA, "/access/v1/evaluations", &several)
        .await
        .expect(200)
        .json();
    assert_eq!(several["evaluations"][0]["context"]["error"]["status"], 403);
    assert_eq!(
        several["evaluations"][1]["context"]["reason"],
        "policy_denied"
    );
}

#[tokio::test]
async fn a_denial_offers_a_request_to_who_could_make_one() {
    let world = World::new().await;
    let cases = [
        (
            json!({ "iss": ISSUER, "groups": ["dev"] }),
            "approval_required",
            true,
        ),
        (
            json!({ "iss": ISSUER, "groups": ["guest"] }),
            "policy_denied",
            false,
        ),
        (
            json!({ "iss": ISSUER, "groups": [] }),
            "policy_denied",
            false,
        ),
        // What the caller does not tell may be what it takes.
        (json!({ "iss": ISSUER }), "approval_required", true),
        (
            json!({ "iss": ISSUER, "groups": "dev" }),
            "approval_required",
            true,
        ),
    ];
    for (properties, reason, is_offered) in cases {
        let mut question = question("alice");
        question["subject"]["properties"] = properties.clone();
        let answer = world
            .post(By::Proxy, "/access/v1/evaluation", &question)
            .await
            .expect(200);
        let context = answer.json()["context"].clone();
        assert_eq!(context["reason"], reason, "{properties}");
        assert_eq!(
            context.get("access_request").is_some(),
            is_offered,
            "{properties}"
        );
    }
    for (pointer, value, reason) in [
        ("/subject/type", "service", "subject_unsupported"),
        ("/resource/id", "vault", "policy_denied"),
        ("/resource/type", "vm", "policy_denied"),
        ("/action/name", "delete", "policy_denied"),
    ] {
        let mut question = question("alice");
        *question.pointer_mut(pointer).unwrap() = json!(value);
        let answer = world
            .post(By::Proxy, "/access/v1/evaluation", &question)
            .await
            .expect(200);
        let answer = answer.json();
        assert_eq!(answer["decision"], false);
        assert_eq!(answer["context"]["reason"], reason, "{pointer}");
        assert!(answer["context"].get("access_request").is_none());
    }
}

#[tokio::test]
async fn where_everything_is_can_be_found_by_anyone() {
    let world = World::new().await;
    let path = "/.well-known/authzen-configuration";
    let document = world.get(By::Nobody, path).await.expect(200).json();
    assert_eq!(
        document,
        json!({
            "policy_decision_point": "https://grants.example",
            "access_evaluation_endpoint": "https://grants.example/access/v1/evaluation",
            "access_evaluations_endpoint": "https://grants.example/access/v1/evaluations",
            "access_request_endpoint": "https://grants.example/access/v1/requests",
            "capabilities": ["urn:openid:authzen:capability:access-request"],
        })
    );
}

#[tokio::test]
async fn what_another_sites_page_sends_changes_nothing() {
    let world = World::new().await;
    let wish = json!({
        "resource": { "type": "http", "id": "orders" },
        "action": { "name": "read" },
        "reason": "OPS-7",
    });
    for headers in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "")],
        &[
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "cross-site"),
        ],
        &[
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://grants.example"),
        ],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", "http://grants.example")],
        &[("origin", "https://grants.example:8443")],
        &[("origin", "https://grants.example.evil.example")],
    ] {
        let mut request = request(ALICE, "POST", "/access/v1/requests")
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let reply = world
            .send(request, Body::from(wish.to_string()))
            .await
            .expect(403);
        assert_eq!(
            reply.json()["type"],
            "urn:hallpass:grants:cross_site",
            "{headers:?}"
        );
    }
    assert_eq!(world.recorded().await, 0);
    for headers in [
        &[("sec-fetch-site", "same-origin")][..],
        &[("sec-fetch-site", "none")],
        &[("origin", "https://grants.example")],
        &[],
    ] {
        let world = World::new().await;
        let mut request = request(ALICE, "POST", "/access/v1/requests")
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        world
            .send(request, Body::from(wish.to_string()))
            .await
            .expect(202);
    }
    let looked =
        request(ALICE, "GET", "/access/v1/requests").header("sec-fetch-site", "cross-site");
    world.send(looked, Body::empty()).await.expect(200);
}

#[tokio::test]
async fn every_answer_is_kept_by_nobody_and_says_which_request_it_is_to() {
    let world = World::new().await;
    for path in [
        "/access/v1/grants",
        "/healthz",
        "/readyz",
        "/nothing",
        "/access/v1/requests/x",
    ] {
        let asked = request(ALICE, "GET", path).header("x-request-id", "req-7");
        let reply = world.send(asked, Body::empty()).await;
        assert_eq!(reply.header("cache-control"), "no-store", "{path}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(reply.header("x-request-id"), "req-7", "{path}");
    }
    let nothing = world.get(By::Nobody, "/nothing").await.expect(404);
    assert_eq!(nothing.header("content-type"), "application/problem+json");
}

#[tokio::test]
async fn the_service_is_ready_as_long_as_its_database_answers() {
    let world = World::new().await;
    world.get(By::Nobody, "/healthz").await.expect(200);
    world.get(By::Nobody, "/readyz").await.expect(200);
    world.desk.store().close().await;
    world.get(By::Nobody, "/healthz").await.expect(200);
    let reply = world.get(By::Nobody, "/readyz").await.expect(503);
    assert_eq!(reply.header("retry-after"), "1");
    let question = question("alice");
    for path in ["/access/v1/evaluation", "/access/v1/evaluations"] {
        let reply = world.post(By::Proxy, path, &question).await.expect(503);
        assert!(
            !reply.body.contains("decision"),
            "no answer is no denial: {}",
            reply.body
        );
    }
    let several = json!({ "evaluations": [question] });
    world
        .post(By::Proxy, "/access/v1/evaluations", &several)
        .await
        .expect(503);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for_and_a_strangers_not_at_all() {
    let world = World::new().await;
    let never = || Body::from_stream(stream::pending::<Result<Vec<u8>, Infallible>>());
    for path in ["/access/v1/evaluation", "/access/v1/evaluations"] {
        let asked = |by| request(by, "POST", path).header("content-type", "application/json");
        let began = Instant::now();
        world.send(asked(By::Nobody), never()).await.expect(401);
        assert!(began.elapsed() < Duration::from_secs(1), "it was read");
        let reply = world.send(asked(By::Proxy), never()).await.expect(400);
        assert!(reply.body.contains("took too long"), "{}", reply.body);
    }
}

#[tokio::test]
async fn a_form_that_does_not_come_is_not_waited_for() {
    let world = World::new().await;
    let never = || Body::from_stream(stream::pending::<Result<Vec<u8>, Infallible>>());
    for (by, path) in [
        (ALICE, "/request"),
        (LENA, "/requests/r-1/deny"),
        (ALICE, "/grants/g-1/revoke"),
        (ADA, "/grants/all/revoke"),
    ] {
        let asked = |by| {
            request(by, "POST", path)
                .header("content-type", "application/x-www-form-urlencoded")
                .header("sec-fetch-site", "same-origin")
        };
        let began = Instant::now();
        world.send(asked(By::Nobody), never()).await.expect(401);
        assert!(began.elapsed() < Duration::from_secs(1), "it was read");
        let reply = world.send(asked(by), never()).await.expect(400);
        assert!(reply.body.contains("cannot be read"), "{}", reply.body);
    }
    assert_eq!(world.recorded().await, 0);
}

#[tokio::test]
async fn an_address_that_is_no_text_names_nothing() {
    let world = World::new().await;
    for (method, path) in [
        ("GET", "/%ff"),
        ("GET", "/access/v1/requests/%ff"),
        ("POST", "/access/v1/requests/r-%c3%28/approve"),
        ("GET", "/requests/%ff"),
        ("POST", "/grants/%ff/revoke"),
        ("GET", "/assets/%ff"),
    ] {
        for by in [By::Nobody, By::Proxy, ADA] {
            let reply = world.send(request(by, method, path), Body::empty());
            let reply = reply.await.expect(404);
            assert_eq!(reply.header("content-type"), "application/problem+json");
            assert_eq!(reply.json()["type"], "urn:hallpass:grants:nothing_here");
        }
    }
}

#[tokio::test]
async fn a_method_that_an_address_does_not_take_is_told_with_those_that_it_takes() {
    let world = World::new().await;
    for (method, path, allowed) in [
        ("GET", "/access/v1/evaluation", "POST"),
        ("GET", "/access/v1/evaluations", "POST"),
        ("DELETE", "/access/v1/requests", "GET,HEAD,POST"),
        ("GET", "/access/v1/requests/r-1/approve", "POST"),
        ("POST", "/access/v1/grants", "GET,HEAD"),
        ("GET", "/access/v1/revocations", "POST"),
        ("POST", "/revocations", "GET,HEAD"),
        ("PUT", "/audit", "GET,HEAD"),
        ("POST", "/.well-known/authzen-configuration", "GET,HEAD"),
        ("POST", "/healthz", "GET,HEAD"),
    ] {
        let reply = world.send(request(ALICE, method, path), Body::empty());
        let reply = reply.await.expect(405);
        let mut told: Vec<_> = reply.header("allow").split(',').map(str::trim).collect();
        told.sort_unstable();
        assert_eq!(told.join(","), allowed, "{path}");
        assert_eq!(reply.header("content-type"), "application/problem+json");
        let problem = reply.json();
        assert_eq!(problem["type"], "urn:hallpass:grants:method_not_allowed");
        assert_eq!(problem["status"], 405);
    }
    let page = world.send(request(ALICE, "GET", "/grants/g-1/revoke"), Body::empty());
    let page = page.await.expect(405);
    assert_eq!(page.header("allow"), "POST");
    assert!(page.body.contains("not opened or sent"), "{}", page.body);
}
