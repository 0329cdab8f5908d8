//! The decision point as the `AuthZEN` Authorization API 1.0 has it: its examples, and what must be refused.

use serde_json::{Value, json};

use crate::world::{By, ISSUER, World, group, rule};
use hallpass_grants::life::{Policy, Rule, Who};

/// A world in which these people have been granted what the examples say they may.
async fn world_with(granted: &[(&'static str, &str, &str, &str)]) -> World {
    let everyone = || Who {
        everyone: true,
        ..Who::default()
    };
    let rules = granted.iter().map(|&(_, resource_type, resource, _)| Rule {
        requesters: everyone(),
        automatic: Some(hallpass_grants::life::Shortcut {
            who: everyone(),
            max_duration: std::time::Duration::from_hours(1),
        }),
        ..rule(resource_type, resource, &[])
    });
    let policy = Policy {
        rules: rules.collect(),
        administrators: group("security"),
        auditors: group("audit"),
    };
    let world = World::with(policy).await;
    for &(subject, resource_type, resource, action) in granted {
        let body = json!({
            "resource": { "type": resource_type, "id": resource },
            "action": { "name": action },
            "reason": "the example says so",
        });
        let by = By::Person(subject, "");
        world
            .post(by, "/access/v1/requests", &body)
            .await
            .expect(201);
    }
    world
}

fn decisions(answer: &Value) -> Vec<bool> {
    let evaluations = answer["evaluations"].as_array().expect("evaluations");
    let decision = |evaluation: &Value| evaluation["decision"].as_bool().expect("a decision");
    evaluations.iter().map(decision).collect()
}

#[tokio::test]
async fn the_example_of_an_evaluation_is_answered_as_written() {
    let world = world_with(&[("alice@acmecorp.com", "account", "123", "can_read")]).await;
    let body = json!({
        "subject": { "type": "user", "id": "alice@acmecorp.com" },
        "resource": { "type": "account", "id": "123" },
        "action": { "name": "can_read", "properties": { "method": "GET" } },
        "context": { "time": "1985-10-26T01:22-07:00" },
    });
    let request = crate::world::request(By::Proxy, "POST", "/access/v1/evaluation")
        .header("content-type", "application/json")
        .header("x-request-id", "bfe9eb29-ab87-4ca3-be83-a1d5d8305716");
    let answer = world
        .send(request, body.to_string().into())
        .await
        .expect(200);
    assert_eq!(answer.json()["decision"], true);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(
        answer.header("x-request-id"),
        "bfe9eb29-ab87-4ca3-be83-a1d5d8305716"
    );
}

#[tokio::test]
async fn the_example_of_evaluations_with_defaults_is_answered_as_written() {
    let world = world_with(&[
        (
            "alice@acmecorp.com",
            "document",
            "boxcarring.md",
            "can_read",
        ),
        (
            "alice@acmecorp.com",
            "document",
            "resource-search.md",
            "can_read",
        ),
    ])
    .await;
    let body = json!({
        "subject": { "type": "user", "id": "alice@acmecorp.com" },
        "context": { "time": "2024-05-31T15:22-07:00" },
        "action": { "name": "can_read" },
        "evaluations": [
            { "resource": { "type": "document", "id": "boxcarring.md" } },
            { "resource": { "type": "document", "id": "subject-search.md" } },
            { "action": { "name": "can_edit" }, "resource": { "type": "document", "id": "resource-search.md" } },
        ],
    });
    let answer = world
        .post(By::Proxy, "/access/v1/evaluations", &body)
        .await
        .expect(200)
        .json();
    assert_eq!(decisions(&answer), [true, false, false]);
    assert!(answer.get("decision").is_none(), "{answer}");
    let in_full = json!({ "evaluations": [
        { "subject": body["subject"], "action": { "name": "can_read" }, "resource": { "type": "document", "id": "boxcarring.md" }, "context": body["context"] },
        { "subject": body["subject"], "action": { "name": "can_read" }, "resource": { "type": "document", "id": "subject-search.md" }, "context": body["context"] },
        { "subject": body["subject"], "action": { "name": "can_read" }, "resource": { "type": "document", "id": "resource-search.md" }, "context": body["context"] },
    ] });
    let answer = world
        .post(By::Proxy, "/access/v1/evaluations", &in_full)
        .await
        .expect(200)
        .json();
    assert_eq!(decisions(&answer), [true, false, true]);
}

#[tokio::test]
async fn the_examples_of_the_three_semantics_are_answered_as_written() {
    let world = world_with(&[
        ("alice@example.com", "document", "1", "read"),
        ("alice@example.com", "document", "3", "read"),
    ])
    .await;
    for (semantic, expected) in [
        (None, &[true, false, true][..]),
        (Some("execute_all"), &[true, false, true]),
        (Some("deny_on_first_deny"), &[true, false]),
        (Some("permit_on_first_permit"), &[true]),
    ] {
        let body = json!({
            "subject": { "type": "user", "id": "alice@example.com" },
            "action": { "name": "read" },
            "options": semantic.map(|semantic| json!({ "evaluations_semantic": semantic, "another_option": "value" })),
            "evaluations": [
                { "resource": { "type": "document", "id": "1" } },
                { "resource": { "type": "document", "id": "2" } },
                { "resource": { "type": "document", "id": "3" } },
            ],
        });
        let answer = world
            .post(By::Proxy, "/access/v1/evaluations", &body)
            .await
            .expect(200)
            .json();
        assert_eq!(decisions(&answer), expected, "{semantic:?}");
    }
}

#[tokio::test]
async fn several_decisions_count_no_longer_than_the_grant_that_ends_first() {
    let world = world_with(&[
        ("alice", "document", "1", "read"),
        ("bob", "document", "1", "read"),
    ])
    .await;
    for (subjects, expected) in [
        (&["alice", "bob"][..], "max-age=60"),
        (&["alice", "carol", "bob", ""], "max-age=60"),
        (&["carol"], "max-age=1"),
        (&["", "carol"], "max-age=1"),
    ] {
        let evaluation = |id: &&str| json!({ "subject": { "type": "user", "id": id } });
        let body = json!({
            "action": { "name": "read" },
            "resource": { "type": "document", "id": "1" },
            "evaluations": subjects.iter().map(evaluation).collect::<Vec<_>>(),
        });
        let answer = world
            .post(By::Proxy, "/access/v1/evaluations", &body)
            .await
            .expect(200);
        assert_eq!(answer.header("cache-control"), expected, "{subjects:?}");
    }
    world.pass(std::time::Duration::from_secs(1_790));
    let renewed = json!({ "resource": { "type": "document", "id": "1" }, "action": { "name": "read" }, "reason": "it goes on" });
    let by = By::Person("bob", "");
    world
        .post(by, "/access/v1/requests", &renewed)
        .await
        .expect(201);
    let body = json!({
        "action": { "name": "read" },
        "resource": { "type": "document", "id": "1" },
        "evaluations": [{ "subject": { "type": "user", "id": "bob" } }, { "subject": { "type": "user", "id": "alice" } }],
    });
    let answer = world
        .post(By::Proxy, "/access/v1/evaluations", &body)
        .await
        .expect(200);
    assert_eq!(answer.header("cache-control"), "max-age=10");
}

#[tokio::test]
async fn without_evaluations_it_is_a_single_question() {
    let world = world_with(&[("alice", "record", "record-1", "read")]).await;
    for evaluations in [json!(null), json!([])] {
        let body = json!({
            "subject": { "type": "user", "id": "alice", "properties": { "iss": ISSUER } },
            "action": { "name": "read" },
            "resource": { "type": "record", "id": "record-1", "properties": { "status": "active" } },
            "evaluations": evaluations,
            "foo": "bar",
            "futureField": { "nested": true },
        });
        let answer = world
            .post(By::Proxy, "/access/v1/evaluations", &body)
            .await
            .expect(200)
            .json();
        assert_eq!(answer["decision"], true, "{answer}");
    }
}

#[tokio::test]
async fn an_error_in_one_of_several_questions_denies_that_one() {
    let world = world_with(&[("alice", "record", "record-1", "write")]).await;
    let body = json!({
        "subject": { "type": "user", "id": "alice" },
        "action": { "name": "write" },
        "resource": { "type": "record" },
        "evaluations": [
            { "resource": { "id": "record-1", "properties": { "status": "active" } } },
            {},
            "record-1",
            { "resource": { "type": 7, "id": "record-1" } },
        ],
    });
    let answer = world
        .post(By::Proxy, "/access/v1/evaluations", &body)
        .await
        .expect(200)
        .json();
    assert_eq!(decisions(&answer), [true, false, false, false]);
    let error = &answer["evaluations"][3]["context"]["error"];
    assert_eq!(error["status"], 400);
    let message = error["message"].as_str().unwrap();
    assert!(
        message.starts_with("`evaluations[3].resource.type`: expected"),
        "{message}"
    );
}
