use super::*;
use crate::identity::{Identity, IdentityMapping};
use crate::jwks::KeySet;
use crate::token::signature::PureRust;
use crate::token::{ClaimRules, TokenParts, UntrustedToken, verify};
use hallpass_tokens::{SigningKey, TokenBuilder};
use serde_json::json;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn identity(token: TokenBuilder) -> Identity {
    let key = SigningKey::es256("e");
    let token = token.signed_by(&key);
    let rules = ClaimRules {
        issuer: crate::ids::Issuer::new(hallpass_tokens::ISSUER),
        audiences: vec![hallpass_tokens::AUDIENCE.to_owned()],
        algorithms: vec![crate::token::Algorithm::Es256],
        token_types: vec!["jwt".into(), "at+jwt".into()],
        clock_skew: Duration::ZERO,
        max_token_age: None,
        required_claims: Vec::new(),
    };
    let keys = KeySet::from_value(&hallpass_tokens::jwks(&[&key])).unwrap();
    let parts = TokenParts::decode(token.as_bytes()).unwrap();
    let token = UntrustedToken::read(&parts).unwrap();
    let now = UnixMillis::from_seconds(hallpass_tokens::NOW).unwrap();
    let claims = verify(&token, &rules, &keys.keys, &PureRust, now).unwrap();
    let mapping = IdentityMapping {
        subject: "sub".into(),
        email: "email".into(),
        groups: "groups".into(),
        headers: Vec::new(),
    };
    Identity::from_claims(&claims, &mapping).unwrap()
}

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
    }
}

fn query(token: TokenBuilder, resource: &str, action: &str, path: &str) -> Query {
    let ip = "10.1.2.3".parse().ok();
    let resource = ResourceName::new(resource);
    Query::new(&identity(token), &resource, "http", &Action::new(action)).with_facts(
        &[Fact::SourceIp, Fact::Path],
        &request(path),
        ip,
    )
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

fn reply(body: &str) -> RawReply<'_> {
    RawReply {
        status: 200,
        content_type: Some(b"application/json; charset=utf-8"),
        cache_control: None,
        body: body.as_bytes(),
    }
}

fn ruling(body: &str) -> Result<Ruling, ServiceFault> {
    GrantReply::parse(reply(body)).map(|reply| reply.ruling)
}

#[test]
fn a_decision_is_read_with_its_grant_and_its_end() {
    let body = r#"{"decision":true,"context":{"approval":{"id":"g-42","approved_until":"2026-11-23T21:00:00Z"}}}"#;
    assert_eq!(
        ruling(body),
        Ok(Ruling::Allow {
            id: Some(GrantId::new("g-42")),
            until: UnixMillis::from_rfc3339("2026-11-23T21:00:00Z"),
        })
    );
    assert_eq!(
        ruling(r#"{"decision":true}"#),
        Ok(Ruling::Allow {
            id: None,
            until: None
        })
    );
}

#[test]
fn a_denial_is_one_whatever_else_the_service_says() {
    for context in [
        r#"{"reason":"no","obligations":[{"id":"x"}]}"#,
        r#"{"obligations":{}}"#,
        r#"{"approval":{"id":5}}"#,
        "null",
        "[]",
    ] {
        let body = format!(r#"{{"decision":false,"context":{context}}}"#);
        assert_eq!(ruling(&body), Ok(Ruling::Deny), "{body}");
    }
}

#[test]
fn an_allow_with_an_obligation_is_no_allow() {
    assert_eq!(
        ruling(r#"{"decision":true,"context":{"obligations":[{"id":"1","type":"notification"}]}}"#),
        Ok(Ruling::Obliged)
    );
    assert!(ruling(r#"{"decision":true,"context":{"obligations":[]}}"#).is_ok());
}

#[test]
fn what_is_not_a_decision_is_a_failure_of_the_service() {
    for body in [
        "",
        "<html>",
        "null",
        "[]",
        "{}",
        "[true]",
        r#"[true,{"approval":{"id":"g-1"}}]"#,
        r#"{"decision":true,"context":[{"id":"g-1"},null]}"#,
        r#"{"decision":true,"context":{"approval":["g-1","2026-11-23T21:00:00Z"]}}"#,
        r#"{"decision":"true"}"#,
        r#"{"decision":1}"#,
        r#"{"decision":null}"#,
        r#"{"decision":false,"decision":true}"#,
        r#"{"decision":true,"context":{"approval":{"approved_until":"tomorrow"}}}"#,
        r#"{"decision":true,"context":{"approval":{"approved_until":1790000000}}}"#,
        r#"{"decision":true,"context":{"approval":{"id":"a\nb"}}}"#,
        r#"{"decision":true,"context":{"obligations":{}}}"#,
    ] {
        assert!(matches!(ruling(body), Err(ServiceFault::Body(_))), "{body}");
    }
    let allow = r#"{"decision":true}"#;
    for status in [0, 201, 204, 302, 400, 403, 500, 503] {
        let other = RawReply {
            status,
            ..reply(allow)
        };
        assert_eq!(GrantReply::parse(other), Err(ServiceFault::Status(status)));
    }
    let page = RawReply {
        content_type: Some(b"text/html"),
        ..reply(allow)
    };
    assert_eq!(GrantReply::parse(page), Err(ServiceFault::ContentType));
    let huge = format!("{allow}{}", " ".repeat(MAX_REPLY_BYTES));
    assert_eq!(GrantReply::parse(reply(&huge)), Err(ServiceFault::TooLarge));
}

#[test]
fn cache_control_is_read() {
    for (header, expected) in [
        ("max-age=10", Some(10)),
        ("private, Max-Age=\"10\"", Some(10)),
        ("max-age=10, no-store", Some(0)),
        ("no-cache", Some(0)),
        ("max-age=soon", Some(0)),
        ("max-age=-1", Some(0)),
        ("must-revalidate", None),
        ("s-maxage=10", None),
    ] {
        let reply = RawReply {
            cache_control: Some(header.as_bytes()),
            ..reply(r#"{"decision":false}"#)
        };
        let max_age = GrantReply::parse(reply).unwrap().max_age;
        assert_eq!(max_age, expected.map(Duration::from_secs), "{header}");
    }
}
