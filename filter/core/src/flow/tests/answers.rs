//! What passes or is answered without a token, since everybody may know it: preflights, and the document about the resource.

use super::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const DOCUMENT: &str = "/.well-known/oauth-protected-resource";

fn with_document() -> Value {
    let mut config = config();
    config["protected_resource"] = json!({
        "resource": "https://admin.example/mcp",
        "authorization_servers": ["https://idp.example"],
    });
    config
}

/// Orders may be read by everybody's scripts, profiles may not; what is done to orders otherwise is another resource.
fn with_preflights() -> Value {
    let mut config = config();
    config["resources"] = json!([
        { "name": "orders", "match": { "paths": ["/orders/{*rest}"], "methods": ["GET"] }, "access": "grant", "action": "read",
          "preflight": "public" },
        { "name": "orders", "match": { "paths": ["/orders/{*rest}"] }, "access": "grant", "action": "write" },
        { "name": "profile", "match": { "paths": ["/me"] }, "access": "identity", "preflight": "judged" },
        { "name": "status", "match": { "paths": ["/status"], "methods": ["GET"] }, "access": "public", "preflight": "public" },
        { "name": "vault", "match": { "paths": ["/vault"] }, "access": "deny", "preflight": "public" },
    ]);
    config
}

fn preflight(path: &str, method: &str) -> Request {
    Request::new("OPTIONS", path)
        .header("origin", "https://app.example")
        .header("access-control-request-method", method)
}

#[test]
fn a_preflight_passes_if_the_resource_that_it_asks_about_lets_it() {
    let mut world = World::with(&with_preflights());
    for (path, method, expected) in [
        ("/orders/7", "GET", "public"),
        ("/orders/7", "DELETE", "401 token_missing"),
        ("/orders/7", "get", "401 token_missing"),
        ("/me", "GET", "401 token_missing"),
        ("/status", "GET", "public"),
        ("/status", "PUT", "403 resource_unknown"),
        ("/vault", "GET", "403 resource_closed"),
        ("/nowhere", "GET", "403 resource_unknown"),
        ("/orders/%2e%2e/me", "GET", "400 request_ambiguous"),
    ] {
        let outcome = world.outcome(preflight(path, method));
        assert_eq!(outcome, expected, "{path} {method}");
    }
}

#[test]
fn nothing_but_a_preflight_passes_as_one() {
    let mut world = World::with(&with_preflights());
    let asks_about_get = |method| {
        Request::new(method, "/orders/7")
            .header("origin", "https://app.example")
            .header("access-control-request-method", "GET")
    };
    for method in ["GET", "POST", "DELETE", "HEAD", "TRACE"] {
        let outcome = world.outcome(asks_about_get(method));
        assert_eq!(outcome, "401 token_missing", "{method}");
    }
    let plain = world.outcome(Request::new("OPTIONS", "/orders/7"));
    assert_eq!(plain, "401 token_missing");
    let disguised = asks_about_get("OPTIONS").header("x-http-method-override", "DELETE");
    assert_eq!(world.outcome(disguised), "401 token_missing");
}

#[test]
fn a_preflight_takes_no_identity_and_no_token_upstream() {
    let mut world = World::with(&with_preflights());
    let request = preflight("/orders/7", "GET")
        .by(alice())
        .header("x-hallpass-subject", "root");
    let (_, step) = world.send(request);
    let Step::Continue(passage) = step else {
        panic!("it does not pass: {}", told(&step));
    };
    let removed = |name: &str| {
        passage
            .edits
            .remove
            .iter()
            .any(|one| **one == *name.as_bytes())
    };
    assert!(removed("authorization") && removed("x-hallpass-subject"));
    assert_eq!(passage.edits.additions().count(), 0);
    assert_eq!(passage.until, None);
    let record: Value = serde_json::from_str(&passage.audit.unwrap().line.unwrap()).unwrap();
    assert_eq!(record["reason"], "public");
    assert_eq!(record["resource"], "orders");
    assert_eq!(
        (&record["method"], &record["action"]),
        (&"OPTIONS".into(), &"options".into())
    );
    assert_eq!(record.get("subject"), None);
}

#[test]
fn preflights_are_judged_where_nothing_is_said_about_them() {
    let mut world = World::new();
    for path in ["/orders/7", "/me"] {
        let outcome = world.outcome(preflight(path, "GET"));
        assert_eq!(outcome, "401 token_missing", "{path}");
    }
}

#[test]
fn the_document_is_answered_before_any_resource_and_recorded() {
    let mut config = with_document();
    config["resources"] = json!([{ "name": "all", "access": "deny" }]);
    let mut world = World::with(&config);
    for (method, path, expected) in [
        ("GET", DOCUMENT.to_owned(), "200 public"),
        ("GET", format!("{DOCUMENT}/mcp"), "200 public"),
        ("GET", format!("{DOCUMENT}?x=1"), "200 public"),
        (
            "GET",
            "/%2Ewell-known/oauth-protected-resource".to_owned(),
            "200 public",
        ),
        ("HEAD", DOCUMENT.to_owned(), "200 public"),
        ("OPTIONS", DOCUMENT.to_owned(), "204 public"),
        ("POST", DOCUMENT.to_owned(), "405 public"),
        ("GET", format!("{DOCUMENT}/other"), "403 resource_closed"),
        ("GET", format!("{DOCUMENT}/"), "403 resource_closed"),
        ("GET", format!("/{DOCUMENT}"), "400 request_ambiguous"),
    ] {
        let (_, step) = world.send(Request::new(method, &path));
        assert_eq!(told(&step), expected, "{method} {path}");
        let Step::Respond(refusal) = step else {
            panic!("{path} goes on");
        };
        let record: Value = serde_json::from_str(&refusal.audit.unwrap().line.unwrap()).unwrap();
        assert_eq!(record["status"], refusal.answer.status, "{method} {path}");
        assert_eq!(record["reason"], refusal.reason.as_str(), "{method} {path}");
    }
}

#[test]
fn without_the_document_its_address_is_like_any_other() {
    let outcome = World::new().outcome(Request::get(DOCUMENT));
    assert_eq!(outcome, "403 resource_unknown");
}

#[test]
fn a_challenge_tells_where_the_document_is() {
    let challenge = |config: &Value| {
        let (_, step) = World::with(config).send(Request::get("/me"));
        let Step::Respond(refusal) = step else {
            panic!("it is not refused: {}", told(&step));
        };
        let mut headers = refusal.answer.headers.into_iter();
        headers
            .find(|(name, _)| *name == "www-authenticate")
            .unwrap()
            .1
    };
    assert_eq!(
        challenge(&with_document()),
        r#"Bearer realm="hallpass", resource_metadata="https://admin.example/.well-known/oauth-protected-resource/mcp""#
    );
    assert_eq!(challenge(&config()), r#"Bearer realm="hallpass""#);
}
