//! Envoy with a filter that watches and holds nothing back.

use std::sync::LazyLock;
use std::time::Duration;

use hallpass_demo::idp::IdentityProvider;
use hallpass_envoy_tests::{Answer, raw};
use serde_json::{Value, json};

use crate::world::{World, token};

/// A world in monitor mode, whose Envoy leaves paths and the names of headers as they are.
fn watched() -> &'static World {
    static WORLD: LazyLock<World> = LazyLock::new(|| {
        World::new(IdentityProvider::start(0).unwrap(), |setup| {
            let as_it_comes = |http: &mut Value| {
                http["normalize_path"] = json!(false);
                http["merge_slashes"] = json!(false);
                http["path_with_escaped_slashes_action"] = json!("KEEP_UNCHANGED");
                http["common_http_protocol_options"]["headers_with_underscores_action"] =
                    json!("ALLOW");
            };
            setup
                .http(as_it_comes)
                .plugin(|plugin| plugin["mode"] = json!("monitor"))
        })
    });
    &WORLD
}

/// The one record of the request that was answered so.
fn record(answer: &Answer) -> Value {
    let id = answer.received("x-request-id").unwrap();
    let log = watched().proxy.log();
    let mut lines = log.await_audit(1, Duration::from_secs(5), |line| line["request_id"] == id);
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.remove(0)
}

#[test]
fn what_would_be_refused_passes_and_nobody_speaks_for_the_filter_in_it() {
    let world = watched();
    let alice = token("alice");
    for (path, bearer, reason) in [
        ("/me", "nonsense", "token_malformed"),
        ("/orders/7", alice.as_str(), "grant_denied"),
        ("/internal/x", alice.as_str(), "resource_closed"),
        ("/elsewhere", alice.as_str(), "resource_unknown"),
        ("/orders//7;x/%2e%2e/", alice.as_str(), "request_ambiguous"),
    ] {
        let request = world.proxy.get(path).token(bearer);
        let answer = request
            .header("x-hallpass-subject", "root")
            .header("x-hallpass-grant-id", "g-1")
            .send();
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        assert_eq!(answer.json()["path"], path);
        for name in ["x-hallpass-subject", "x-hallpass-grant-id", "authorization"] {
            assert_eq!(answer.received(name), None, "{name} of {path}");
        }
        let record = record(&answer);
        assert_eq!(
            (&record["decision"], &record["enforced"], &record["reason"]),
            (&json!("deny"), &json!(false), &json!(reason))
        );
    }
    let allowed = world.proxy.get("/me").token(&alice).send();
    assert_eq!(
        allowed.received("x-hallpass-subject").as_deref(),
        Some("alice")
    );
    assert!(
        world
            .proxy
            .stat("wasmcustom.hallpass.monitored.grant_denied")
            >= 1
    );
    let loud = |line: &str| line.contains("MONITOR MODE").then_some(());
    assert!(world.proxy.log().await_line(Duration::ZERO, loud).is_some());
}

#[test]
fn a_header_that_the_connection_header_names_is_not_told_either() {
    let request = b"GET /me HTTP/1.1\r\nhost: a\r\nconnection: close, x-hallpass-subject\r\nx-hallpass-subject: root\r\nx_hallpass_subject: root\r\n\r\n";
    let (status, answer) = raw(watched().proxy.address(), request);
    assert_eq!(status, 200, "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    let headers = body["headers"].as_object().unwrap();
    assert!(
        headers.keys().all(|name| !name.contains("hallpass")),
        "{body}"
    );
}
