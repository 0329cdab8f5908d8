use super::*;
use crate::identity::sample::identity;
use hallpass_tokens::TokenBuilder;
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn alice() -> TokenBuilder {
    TokenBuilder::for_user("alice")
        .claim("email", json!("alice@example.com"))
        .claim("groups", json!(["dev"]))
}

fn request(path: &str) -> CanonicalRequest {
    CanonicalRequest {
        method: "GET".into(),
        host: "admin.example".into(),
        path: path.into(),
        rewritten_target: None,
        rewritten_authority: None,
    }
}

fn query(token: TokenBuilder, resource: &str, action: &str, path: &str) -> Query {
    let ip = "10.1.2.3".parse().ok();
    let (resource, action) = (ResourceName::new(resource), Action::new(action));
    let (identity, request) = (identity(token), request(path));
    let context = Context::of(&[Fact::SourceIp, Fact::Path], &request, ip);
    let question = Question::new(&identity, &resource, "http", &action, context);
    let query = question.to_query();
    assert_eq!(query.key(), question.key());
    query
}

#[test]
fn what_one_identity_asks_differs_in_all_but_who_asks() {
    let identity = identity(alice());
    let (orders, invoices) = (ResourceName::new("orders"), ResourceName::new("invoices"));
    let (read, write) = (Action::new("read"), Action::new("write"));
    let ask = |resource, action| {
        Question::new(&identity, resource, "http", action, Context::default()).key()
    };
    let keys = [
        ask(&orders, &read),
        ask(&orders, &write),
        ask(&invoices, &read),
    ];
    assert!(keys[0] != keys[1] && keys[0] != keys[2] && keys[1] != keys[2]);
    assert_eq!(ask(&orders, &read), keys[0]);
}

#[test]
fn a_query_is_an_evaluation_request_of_the_specification() {
    let query = query(alice(), "orders", "read", "/orders/7");
    let body: Value = serde_json::from_slice(&query.to_body()).unwrap();
    assert_eq!(
        body,
        json!({
            "subject": { "type": "user", "id": "alice", "properties": {
                "iss": "https://idp.example", "email": "alice@example.com", "groups": ["dev"] } },
            "action": { "name": "read" },
            "resource": { "type": "http", "id": "orders" },
            "context": { "source_ip": "10.1.2.3", "path": "/orders/7" },
        })
    );
}

#[test]
fn who_asks_is_a_subject_of_an_issuer_whatever_else_is_told_of_it() {
    let asker = |token, path| query(token, "orders", "read", path).asker();
    let base = asker(alice(), "/a");
    for same in [
        asker(alice(), "/b"),
        asker(alice().claim("email", json!("a@b")), "/a"),
        asker(alice().claim("groups", json!(["dev", "ops"])), "/a"),
    ] {
        assert_eq!(same, base);
    }
    assert_ne!(asker(alice().claim("sub", json!("bob")), "/a"), base);
}

#[test]
fn an_answer_is_kept_for_exactly_one_question() {
    let ask = |token, resource, action, path| query(token, resource, action, path).key();
    let base = ask(alice(), "orders", "read", "/a");
    assert_eq!(base, ask(alice(), "orders", "read", "/a"));
    let others = [
        ask(alice(), "orders", "write", "/a"),
        ask(alice(), "billing", "read", "/a"),
        ask(alice(), "orders", "read", "/b"),
        ask(alice().claim("sub", json!("bob")), "orders", "read", "/a"),
        ask(alice().claim("email", json!("a@b")), "orders", "read", "/a"),
        ask(alice().without_claim("email"), "orders", "read", "/a"),
        ask(alice().claim("groups", json!([])), "orders", "read", "/a"),
        ask(
            alice().claim("groups", json!(["d", "ev"])),
            "orders",
            "read",
            "/a",
        ),
    ];
    for (index, other) in others.iter().enumerate() {
        assert_ne!(base, *other, "case {index}");
    }
}

#[test]
fn the_same_text_cut_at_another_place_is_another_question() {
    let ask = |groups: Value, resource, action| {
        query(alice().claim("groups", groups), resource, action, "/a").key()
    };
    for (one, other) in [
        (
            ask(json!([]), "xhttpy", "read"),
            ask(json!([]), "y", "readhttpx"),
        ),
        (
            ask(json!(["a", "bc"]), "orders", "read"),
            ask(json!(["ab", "c"]), "orders", "read"),
        ),
    ] {
        assert_ne!(one, other);
    }
}
