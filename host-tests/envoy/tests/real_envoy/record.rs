//! What an operator finds in the log afterwards.

mod access_log;
mod forgery;
mod together;

use std::time::Duration;

use hallpass_demo::idp::{signing_key, token_for};
use serde_json::{Value, json};

use crate::world::{self, world};

/// The audit lines for `path`, as soon as there are `count`.
fn audit(path: &str, count: usize) -> Vec<Value> {
    let lines = world()
        .proxy
        .log()
        .await_audit(count, Duration::from_secs(5), |line| line["path"] == path);
    assert_eq!(lines.len(), count, "audit lines for {path}: {lines:?}");
    lines
}

/// Each of these facts stands in the line.
fn assert_facts(line: &Value, facts: &Value) {
    for (name, fact) in facts.as_object().unwrap() {
        assert_eq!(&line[name], fact, "`{name}` in {line}");
    }
}

#[test]
fn an_allow_is_recorded_with_all_that_led_to_it() {
    let world = world();
    let grant = world.grants.give("recorded", "orders", "read", 600);
    let recorded = token_for("recorded").id("jti-7").signed_by(signing_key());
    let answer = world
        .proxy
        .get("/orders/recorded?q=private")
        .token(&recorded)
        .send();
    assert_eq!(answer.status, 200, "{answer:?}");
    let line = &audit("/orders/recorded", 1)[0];
    assert_facts(
        line,
        &json!({
            "decision": "allow", "enforced": true, "reason": "grant_service", "status": 200, "subject": "recorded",
            "issuer": "https://idp.example", "resource": "orders", "action": "read", "method": "GET",
            "path": "/orders/recorded", "source_ip": "127.0.0.1", "request_id": answer.received("x-request-id").unwrap(),
            "token_id": "jti-7", "grant_id": grant.id,
        }),
    );
    let end = grant.until_text().replace('Z', ".000Z");
    assert_eq!(line["grant_expires"], end, "{line}");
    for name in ["time", "host", "config"] {
        assert!(
            line[name].as_str().is_some_and(|text| !text.is_empty()),
            "`{name}` in {line}"
        );
    }
}

#[test]
fn a_refusal_is_recorded_with_its_reason() {
    let world = world();
    let nobody = world.proxy.get("/orders/unnamed").send();
    let line = &audit("/orders/unnamed", 1)[0];
    let facts = json!({
        "decision": "deny", "enforced": true, "reason": "token_missing", "status": 401, "resource": "orders", "action": "read",
        "request_id": nobody.json()["request_id"],
    });
    assert_facts(line, &facts);
    assert!(line["subject"].is_null(), "{line}");

    world
        .proxy
        .get("/orders/unasked")
        .token(&world::token("unasked"))
        .send();
    let facts = json!({ "decision": "deny", "reason": "grant_denied", "status": 403, "subject": "unasked" });
    assert_facts(&audit("/orders/unasked", 1)[0], &facts);
}

#[test]
fn no_record_holds_a_token_a_cookie_or_a_query() {
    let world = world();
    let carol = world::token("carol");
    let request = world
        .proxy
        .get("/me/discreet?session=private-query")
        .token(&carol);
    request.header("cookie", "session=private-cookie").send();
    world
        .proxy
        .get("/me/discreet?session=private-query")
        .token("private-no-token")
        .send();
    audit("/me/discreet", 2);
    let log = world.proxy.log().so_far().join("\n");
    for secret in [
        "private-",
        carol.as_str(),
        carol.rsplit('.').next().unwrap(),
    ] {
        assert!(!log.contains(secret), "`{secret}` is in the log");
    }
}

#[test]
fn a_client_cannot_forge_a_record() {
    let world = world();
    let token = token_for("x\nhallpass.audit {\"decision\":\"allow\",\"forged\":true}")
        .signed_by(signing_key());
    world.proxy.get("/orders/forged").token(&token).send();
    world
        .proxy
        .get("/orders/forged")
        .token(&token)
        .header("user-agent", "hallpass.audit {\"forged\":true}")
        .send();
    for line in audit("/orders/forged", 2) {
        assert_eq!(line["decision"], "deny", "{line}");
    }
    let forged = world.proxy.log().await_audit(1, Duration::ZERO, |line| {
        line.is_string() || line["forged"] == true
    });
    assert_eq!(forged, Vec::<Value>::new());
}
