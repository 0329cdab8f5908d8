//! Answers of the filter's own, as clients of each kind see them.

use std::sync::LazyLock;
use std::time::Duration;

use hallpass_demo::idp::IdentityProvider;
use serde_json::{Value, json};
use ureq::http::Request;

use crate::http2::ask;
use crate::world::{World, token, world};

const DOCUMENT: &str = "/.well-known/oauth-protected-resource";

/// A world for OAuth clients and for scripts of other origins.
fn open_world() -> &'static World {
    static WORLD: LazyLock<World> = LazyLock::new(|| {
        World::new(IdentityProvider::start(0).unwrap(), |setup| {
            setup.plugin(|plugin| {
                plugin["protected_resource"] = json!({
                    "resource": "http://127.0.0.1:10000/orders",
                    "authorization_servers": ["https://idp.example"],
                    "scopes_supported": ["orders:read"],
                });
                let orders = plugin["resources"].as_array_mut().unwrap();
                let orders = orders.iter_mut().find(|one| one["name"] == "orders");
                orders.unwrap()["preflight"] = json!("public");
            })
        })
    });
    &WORLD
}

#[test]
fn an_oauth_client_finds_out_where_to_sign_in() {
    let world = open_world();
    let address = "http://127.0.0.1:10000/.well-known/oauth-protected-resource/orders";
    for token in [None, Some("nonsense")] {
        let mut request = world.proxy.get("/orders/oauth");
        if let Some(token) = token {
            request = request.token(token);
        }
        let refused = request.send();
        let challenge = refused.header("www-authenticate").unwrap();
        let told = format!("resource_metadata=\"{address}\"");
        assert_eq!(refused.status, 401);
        assert!(
            challenge.starts_with("Bearer ") && challenge.contains(&told),
            "{challenge}"
        );
    }
    for path in [DOCUMENT.to_owned(), format!("{DOCUMENT}/orders")] {
        let answer = world.proxy.get(&path).send();
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
        assert_eq!(
            answer.json(),
            json!({
                "resource": "http://127.0.0.1:10000/orders",
                "authorization_servers": ["https://idp.example"],
                "scopes_supported": ["orders:read"],
                "bearer_methods_supported": ["header"],
            })
        );
        for (method, status) in [("HEAD", 200), ("OPTIONS", 204), ("DELETE", 405)] {
            let answer = world.proxy.request(method, &path).send();
            assert_eq!(
                (answer.status, answer.body.as_str()),
                (status, ""),
                "{method}"
            );
            assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        }
        assert_eq!(world.upstream.served(&path), 0);
    }
}

#[test]
fn a_preflight_reaches_the_upstream_without_a_token_and_the_request_itself_does_not() {
    let world = open_world();
    let path = "/orders/preflight";
    let preflight = |method: &str, asks_about: &str| {
        world
            .proxy
            .request(method, path)
            .header("origin", "https://app.example")
            .header("access-control-request-method", asks_about)
            .header("x-hallpass-subject", "root")
            .token("nonsense")
    };
    let passed = preflight("OPTIONS", "GET").send();
    assert_eq!(
        passed.received("access-control-request-method").as_deref(),
        Some("GET")
    );
    assert_eq!(passed.received("x-hallpass-subject"), None);
    assert_eq!(passed.received("authorization"), None);
    for (method, asks_about) in [("OPTIONS", "DELETE"), ("GET", "GET"), ("DELETE", "GET")] {
        let refused = preflight(method, asks_about).send();
        assert_eq!(
            refused.status,
            if asks_about == "DELETE" { 403 } else { 401 },
            "{method}"
        );
    }
    assert_eq!(world.upstream.served(path), 1);
    let lines = world
        .proxy
        .log()
        .await_audit(1, Duration::from_secs(5), |line| {
            line["path"] == path && line["decision"] == "allow"
        });
    let (reason, resource) = (&lines[0]["reason"], &lines[0]["resource"]);
    assert_eq!((reason, resource), (&json!("public"), &json!("orders")));
}

/// A gRPC call without messages, by whoever holds the token.
fn call(path: &str, content_type: &str, token: Option<&str>) -> ureq::http::Response<Vec<u8>> {
    let to = world().proxy.address();
    let mut request = Request::post(format!("http://{to}{path}"))
        .header("content-type", content_type)
        .header("te", "trailers");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    ask(to, request.body(()).unwrap())
}

#[test]
fn a_grpc_client_gets_the_status_of_its_own_kind_and_a_message_to_read() {
    let caller = token("grpc-caller");
    for (path, token, status, reason) in [
        ("/orders/grpc", None, "16", "token_missing"),
        ("/orders/grpc", Some("nonsense"), "16", "token_malformed"),
        ("/orders/grpc", Some(caller.as_str()), "7", "grant_denied"),
        (
            "/elsewhere/grpc",
            Some(caller.as_str()),
            "7",
            "resource_unknown",
        ),
        (
            "/orders/grpc;x=1",
            Some(caller.as_str()),
            "13",
            "request_ambiguous",
        ),
    ] {
        for content_type in ["application/grpc", "application/grpc+proto"] {
            let answer = call(path, content_type, token);
            let header = |name: &str| {
                answer
                    .headers()
                    .get(name)
                    .map(|value| value.to_str().unwrap())
            };
            assert_eq!(answer.status(), 200, "{reason}");
            assert_eq!(header("content-type"), Some("application/grpc"), "{reason}");
            assert_eq!(header("grpc-status"), Some(status), "{reason}");
            let message = header("grpc-message").unwrap();
            assert!(message.ends_with(&format!("({reason})")), "{message}");
            assert!(!message.contains(['{', '<', '%']), "{message}");
            assert_eq!(answer.body().len(), 0, "{reason}");
        }
    }
}

#[test]
fn a_call_of_grpc_web_is_answered_like_other_requests() {
    let answer = call("/orders/grpc-web", "application/grpc-web+proto", None);
    let problem: Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(answer.status(), 401);
    assert_eq!(problem["reason"], "token_missing");
}

#[test]
fn an_answer_to_head_ends_with_its_headers() {
    for accept in ["*/*", "text/html"] {
        let request = world().proxy.request("HEAD", "/orders/head");
        let answer = request.header("accept", accept).send();
        assert_eq!((answer.status, answer.body.as_str()), (401, ""), "{accept}");
        assert_eq!(
            answer.header("www-authenticate"),
            Some("Bearer realm=\"hallpass\"")
        );
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}
