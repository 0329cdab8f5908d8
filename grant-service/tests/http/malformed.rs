//! What is not as it must be is refused with a message that says what and where, and changes nothing.

mod wishes;

use axum::body::Body;
use serde_json::{Value, json};

use crate::world::{ADA, ALICE, By, LENA, OSCAR, World, request};

/// A sound question.
fn question() -> Value {
    json!({
        "subject": { "type": "user", "id": "alice" },
        "action": { "name": "read" },
        "resource": { "type": "http", "id": "orders" },
    })
}

/// A sound wish.
fn wish() -> Value {
    json!({
        "resource": { "type": "http", "id": "orders" },
        "action": { "name": "read" },
        "reason": "OPS-7",
    })
}

/// A document with something else in one place; `null` takes it out.
fn but(document: &Value, pointer: &str, value: Value) -> String {
    let mut document = document.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = document
        .pointer_mut(parent)
        .unwrap()
        .as_object_mut()
        .unwrap();
    if value.is_null() {
        parent.remove(name);
    } else {
        parent.insert(name.to_owned(), value);
    }
    document.to_string()
}

#[tokio::test]
async fn a_malformed_question_gets_400_and_a_message_that_says_what_and_where() {
    let world = World::new().await;
    let sound = question();
    let long = "x".repeat(513);
    let deep = "[".repeat(1_000);
    let cases = [
        (String::new(), "the body is not JSON as it must be: "),
        ("{".to_owned(), "the body is not JSON as it must be: "),
        (
            format!("{sound} {sound}"),
            "the body is not JSON as it must be: ",
        ),
        (deep, "the body is not JSON as it must be: "),
        ("[]".to_owned(), "the body: expected an object"),
        ("null".to_owned(), "the body: expected an object"),
        (
            sound
                .to_string()
                .replacen('{', r#"{"action":{"name":"write"},"#, 1),
            "the body is not JSON as it must be: member `action` stands twice",
        ),
        (
            sound
                .to_string()
                .replace(r#""id":"alice""#, r#""id":"bob","id":"alice""#),
            "the body is not JSON as it must be: member `id` stands twice",
        ),
        (
            but(&sound, "/subject", json!(null)),
            "`subject`: expected an object",
        ),
        (
            but(&sound, "/subject", json!("alice")),
            "`subject`: expected an object",
        ),
        (
            but(&sound, "/subject", json!([])),
            "`subject`: expected an object",
        ),
        (
            but(&sound, "/action", json!(null)),
            "`action`: expected an object",
        ),
        (
            but(&sound, "/resource", json!(null)),
            "`resource`: expected an object",
        ),
        (
            but(&sound, "/subject/type", json!(null)),
            "`subject.type`: expected a string",
        ),
        (
            but(&sound, "/subject/id", json!(null)),
            "`subject.id`: expected a string",
        ),
        (
            but(&sound, "/subject/id", json!("")),
            "`subject.id`: expected a string",
        ),
        (
            but(&sound, "/subject/id", json!(long)),
            "`subject.id`: expected a string of 1 to 512",
        ),
        (
            but(&sound, "/subject/id", json!("al\u{0}ice")),
            "`subject.id`: expected a string",
        ),
        (
            but(&sound, "/subject/properties", json!("x")),
            "`subject.properties`: expected an",
        ),
        (
            but(&sound, "/subject/properties", json!({ "iss": 7 })),
            "`subject.properties.iss`: expected a string",
        ),
        (
            but(&sound, "/action/name", json!(123)),
            "`action.name`: expected a string",
        ),
        (
            but(&sound, "/action/name", json!(null)),
            "`action.name`: expected a string",
        ),
        (
            but(&sound, "/resource/type", json!(null)),
            "`resource.type`: expected a string",
        ),
        (
            but(&sound, "/resource/id", json!(["x"])),
            "`resource.id`: expected a string",
        ),
    ];
    refused(&world, &cases).await;
}

#[tokio::test]
async fn a_member_that_no_rule_looks_at_has_its_shape_all_the_same() {
    let sound = question();
    let cases = [
        (
            but(&sound, "/action/properties", json!([])),
            "`action.properties`: expected an object",
        ),
        (
            but(&sound, "/resource/properties", json!("x")),
            "`resource.properties`: expected an object",
        ),
        (
            but(&sound, "/context", json!("x")),
            "`context`: expected an object",
        ),
    ];
    refused(&World::new().await, &cases).await;
}

/// Both ends refuse each of these questions.
async fn refused(world: &World, cases: &[(String, &str)]) {
    for path in ["/access/v1/evaluation", "/access/v1/evaluations"] {
        for (body, message) in cases {
            let reply = world.post_text(By::Proxy, path, body).await.expect(400);
            let told: String = serde_json::from_str(&reply.body).unwrap();
            assert!(told.starts_with(message), "{body}: {told}");
        }
    }
}

#[tokio::test]
async fn several_questions_are_refused_together_if_they_are_not_asked_as_they_must_be() {
    let world = World::new().await;
    let many: Vec<_> = (0..101).map(|_| question()).collect();
    for (body, message) in [
        (
            json!({ "evaluations": {} }),
            "`evaluations`: expected an array",
        ),
        (
            json!({ "evaluations": many }),
            "`evaluations`: expected at most 100 elements",
        ),
        (
            json!({ "evaluations": [question()], "options": [] }),
            "`options`: expected an object",
        ),
        (
            json!({ "evaluations": [question()], "options": { "evaluations_semantic": "any" } }),
            "`options.evaluations_semantic`: expected `execute_all`, ",
        ),
    ] {
        let reply = world
            .post(By::Proxy, "/access/v1/evaluations", &body)
            .await
            .expect(400);
        let told: String = serde_json::from_str(&reply.body).unwrap();
        assert!(told.starts_with(message), "{told}");
    }
}

#[tokio::test]
async fn a_default_that_is_not_as_it_must_be_denies_each_question() {
    let world = World::new().await;
    for (pointer, value, message) in [
        ("/context", json!(7), "`context`: expected an object"),
        (
            "/action",
            json!({ "name": "read", "properties": 7 }),
            "`action.properties`: expected an object",
        ),
    ] {
        let body = but(
            &json!({ "evaluations": [question(), question()] }),
            pointer,
            value,
        );
        let reply = world
            .post_text(By::Proxy, "/access/v1/evaluations", &body)
            .await
            .expect(200)
            .json();
        for answer in reply["evaluations"].as_array().unwrap() {
            assert_eq!(answer["decision"], false);
            let error = &answer["context"]["error"];
            assert_eq!(error["status"], 400);
            assert!(error["message"].as_str().unwrap().starts_with(message));
        }
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_or_no_json_is_not_read() {
    let world = World::new().await;
    let large = format!(r#"{{"reason":"{}"}}"#, "x".repeat(70_000));
    for (path, by, status) in [
        ("/access/v1/evaluation", By::Proxy, 400),
        ("/access/v1/requests", ALICE, 413),
        ("/access/v1/revocations", ADA, 413),
    ] {
        world.post_text(by, path, &large).await.expect(status);
    }
    for content_type in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
    ] {
        for (path, by, status) in [
            ("/access/v1/evaluation", By::Proxy, 400),
            ("/access/v1/requests", ALICE, 415),
        ] {
            let mut request = request(by, "POST", path);
            if let Some(content_type) = content_type {
                request = request.header("content-type", content_type);
            }
            let body = if by_is_person(by) { wish() } else { question() };
            world
                .send(request, Body::from(body.to_string()))
                .await
                .expect(status);
        }
    }
    let request = request(By::Proxy, "POST", "/access/v1/evaluation")
        .header("content-type", "Application/JSON; charset=utf-8");
    world
        .send(request, Body::from(question().to_string()))
        .await
        .expect(200);
    assert_eq!(world.recorded().await, 0);
}

fn by_is_person(by: By) -> bool {
    matches!(by, By::Person(..))
}

#[tokio::test]
async fn a_parameter_that_is_not_known_lists_nothing() {
    let world = World::new().await;
    for path in [
        "/access/v1/grants?suject=alice",
        "/access/v1/grants?live=perhaps",
        "/access/v1/requests?for=others",
        "/audit?form=2026-11-23T21:00:00Z",
        "/audit?since=yesterday",
        "/audit?after=-1",
    ] {
        let reply = world.get(ADA, path).await.expect(400);
        assert_eq!(
            reply.json()["type"],
            "urn:hallpass:grants:malformed",
            "{path}"
        );
    }
    world
        .get(By::Proxy, "/revocations?sinse=1")
        .await
        .expect(400);
}

#[tokio::test]
async fn a_parameter_is_refused_where_there_is_none_and_nothing_is_done() {
    let world = World::new().await;
    let asked = world
        .post(ALICE, "/access/v1/requests?", &wish())
        .await
        .expect(202)
        .json();
    let id = asked["task"]["id"].as_str().unwrap();
    let before = world.recorded().await;
    for path in [
        "/.well-known/authzen-configuration".to_owned(),
        "/access/v1/requests".to_owned(),
        format!("/access/v1/requests/{id}"),
    ] {
        let reply = world.get(ALICE, &format!("{path}?x=1")).await.expect(400);
        assert!(reply.body.contains("unknown field `x`"), "{}", reply.body);
        world.get(ALICE, &path).await.expect(200);
    }
    let why = json!({ "why": "no" });
    let all = json!({ "everything": true, "why": "no" });
    for (by, path, body) in [
        (By::Proxy, "/access/v1/evaluation".to_owned(), &question()),
        (By::Proxy, "/access/v1/evaluations".to_owned(), &question()),
        (OSCAR, "/access/v1/requests".to_owned(), &wish()),
        (LENA, format!("/access/v1/requests/{id}/approve"), &why),
        (LENA, format!("/access/v1/requests/{id}/deny"), &why),
        (ALICE, format!("/access/v1/requests/{id}/withdraw"), &why),
        (ADA, "/access/v1/revocations".to_owned(), &all),
    ] {
        let reply = world.post(by, &format!("{path}?x=1"), body).await;
        let reply = reply.expect(400);
        assert!(reply.body.contains("unknown field `x`"), "{}", reply.body);
    }
    assert_eq!(world.recorded().await, before);
}
