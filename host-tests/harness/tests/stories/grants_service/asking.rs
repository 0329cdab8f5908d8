//! What the decision point is asked, and which question an answer is for.

use hallpass_harness::{Caller, Reply, Request};
use hallpass_tokens::{NOW, TokenBuilder};
use serde_json::json;

use super::{answers, asked, service};
use crate::setup::{
    GRANTS, alice, allow_until, config_with, key, order, seconds, start, start_with,
};

#[test]
fn the_question_is_an_authzen_evaluation() {
    let harness = start();
    let token = TokenBuilder::for_user("alice")
        .claim("email", json!("alice@example.com"))
        .claim("groups", json!(["dev"]))
        .signed_by(&key());
    assert!(harness.request(order(&token)).is_waiting());

    let call = harness.callout();
    assert_eq!(
        (
            call.cluster.as_str(),
            call.method.as_str(),
            call.path.as_str()
        ),
        (GRANTS, "POST", "/access/v1/evaluation")
    );
    assert_eq!(
        (call.authority.as_str(), call.timeout.as_millis()),
        ("grants.internal", 500)
    );
    assert_eq!(
        call.headers.get("content-type").as_deref(),
        Some("application/json")
    );
    assert!(
        call.headers
            .get("x-request-id")
            .is_some_and(|id| !id.is_empty())
    );
    assert_eq!(
        call.caller,
        Caller::Root,
        "the call outlives the client that caused it"
    );
    let properties =
        json!({ "iss": "https://idp.example", "email": "alice@example.com", "groups": ["dev"] });
    assert_eq!(
        call.json()["subject"],
        json!({ "type": "user", "id": "alice", "properties": properties })
    );
    assert_eq!(call.json()["action"], json!({ "name": "read" }));
    assert_eq!(
        call.json()["resource"],
        json!({ "type": "http", "id": "orders" })
    );
}

#[test]
fn the_question_carries_what_the_operator_chose() {
    let harness = service(|service| {
        service["headers"] = json!({ "authorization": "Bearer service-secret" });
        service["context"] = json!(["source_ip", "method", "path"]);
        service["resource_type"] = json!("api");
        service["timeout"] = json!("2s");
    });
    harness.request(order(&alice()).from_peer("10.1.2.3:41234"));
    let call = harness.callout();
    assert_eq!(call.headers.all("authorization"), ["Bearer service-secret"]);
    assert_eq!(call.json()["resource"]["type"], "api");
    assert_eq!(
        call.json()["context"],
        json!({ "source_ip": "10.1.2.3", "method": "GET", "path": "/orders/7" })
    );
    assert_eq!(call.timeout, seconds(2));
}

#[test]
fn the_token_is_not_shown_to_the_service() {
    let harness = start();
    harness.request(order(&alice()));
    let call = harness.callout();
    assert!(!call.headers.has("authorization"));
    assert!(!String::from_utf8_lossy(&call.body).contains(&alice()));
}

#[test]
fn an_answer_under_another_request_id_is_told_and_still_a_decision() {
    let told = |echo: fn(&str) -> Option<String>| {
        let harness = start();
        let exchange = harness.request(order(&alice()));
        let call = harness.callout();
        let sent = call.headers.get("x-request-id").expect("an id");
        let mut reply = Reply::json(200, &allow_until(NOW + 3600));
        if let Some(id) = echo(&sent) {
            reply = reply.header("x-request-id", &id);
        }
        call.reply(reply);
        exchange.forwarded();
        harness.request(order(&alice())).forwarded();
        assert_eq!(asked(&harness), 1, "it is remembered");
        let lines = harness.log().into_iter().map(|line| line.text);
        lines
            .filter(|line| line.contains("X-Request-ID"))
            .collect::<Vec<_>>()
    };
    assert_eq!(told(|sent| Some(sent.to_owned())), [""; 0]);
    assert_eq!(told(|_| None), [""; 0]);
    for lines in [
        told(|_| Some("other".to_owned())),
        told(|sent| Some(format!("{sent}\t{}", "x".repeat(5_000)))),
    ] {
        let [line] = &lines[..] else {
            panic!("{lines:?}");
        };
        assert!(!line.contains(char::is_control), "{line}");
        assert!(line.len() < 500, "{line}");
    }
}

#[test]
fn the_request_id_of_the_client_is_the_one_that_the_service_must_repeat() {
    let harness = start();
    let exchange = harness.request(order(&alice()).header("x-request-id", "r-7"));
    let call = harness.callout();
    assert_eq!(call.headers.all("x-request-id"), ["r-7"]);
    call.reply(Reply::json(200, &allow_until(NOW + 3600)).header("x-request-id", "r-7"));
    exchange.forwarded();
    let lines = harness.log();
    assert!(
        !lines.iter().any(|line| line.text.contains("X-Request-ID")),
        "{harness:?}"
    );
}

#[test]
fn a_decision_answers_for_its_own_question_only() {
    let harness = start();
    answers(&harness, &allow_until(NOW + 3600));
    harness.request(order(&alice())).forwarded();
    let bob = TokenBuilder::for_user("bob").signed_by(&key());
    let with_groups = TokenBuilder::for_user("alice")
        .claim("groups", json!(["dev"]))
        .signed_by(&key());
    let with_email = TokenBuilder::for_user("alice")
        .claim("email", json!("a@example.com"))
        .signed_by(&key());
    let others = [
        ("another subject", order(&bob)),
        (
            "another action",
            Request::new("POST", "https://admin.example/orders/7").bearer(&alice()),
        ),
        ("other groups", order(&with_groups)),
        ("another e-mail address", order(&with_email)),
    ];
    for (count, (name, request)) in others.into_iter().enumerate() {
        harness.request(request).forwarded();
        assert_eq!(
            asked(&harness),
            count + 2,
            "{name} was answered from memory"
        );
    }
}

#[test]
fn parts_of_the_question_cannot_be_shifted_into_each_other() {
    let resource = |name: &str, path: &str| json!({ "name": name, "match": { "paths": [path] }, "access": "grant", "action": "read" });
    let harness = start_with(&config_with(|config| {
        config["resources"] = json!([resource("a|b", "/1"), resource("b", "/2")]);
    }));
    answers(&harness, &allow_until(NOW + 3600));
    let request = |subject: &str, path: &str| {
        let token = TokenBuilder::for_user(subject).signed_by(&key());
        Request::get(&format!("https://admin.example{path}")).bearer(&token)
    };
    harness.request(request("x", "/1")).forwarded();
    harness.request(request("x|a", "/2")).forwarded();
    assert_eq!(asked(&harness), 2);
}

#[test]
fn every_fact_that_is_sent_is_part_of_the_question() {
    let harness = service(|service| service["context"] = json!(["source_ip", "path"]));
    answers(&harness, &allow_until(NOW + 3600));
    let from = |peer: &str, path: &str| {
        Request::get(&format!("https://admin.example{path}"))
            .bearer(&alice())
            .from_peer(peer)
    };
    harness
        .request(from("10.0.0.1:1000", "/orders/7"))
        .forwarded();
    harness
        .request(from("10.0.0.1:2000", "/orders/7"))
        .forwarded();
    assert_eq!(asked(&harness), 1, "the port is no part of the address");
    harness
        .request(from("10.0.0.2:1000", "/orders/7"))
        .forwarded();
    assert_eq!(asked(&harness), 2);
    harness
        .request(from("10.0.0.2:1000", "/orders/8"))
        .forwarded();
    assert_eq!(asked(&harness), 3);
}

#[test]
fn a_fact_that_is_not_sent_is_no_part_of_the_question() {
    let harness = start();
    answers(&harness, &allow_until(NOW + 3600));
    harness
        .request(order(&alice()).from_peer("10.0.0.1:1"))
        .forwarded();
    harness
        .request(
            Request::get("https://admin.example/orders/8?x=1")
                .bearer(&alice())
                .from_peer("10.0.0.2:1"),
        )
        .forwarded();
    assert_eq!(asked(&harness), 1);
}
