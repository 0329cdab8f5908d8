//! Envoy's own access log, printing the decision.

use std::fs;
use std::net::TcpListener;
use std::time::Duration;

use hallpass_demo::idp::{IdentityProvider, now, signing_key, token_for};
use hallpass_envoy_tests::{Setup, raw};
use hallpass_tokens::Grant;
use serde_json::json;
use tempfile::TempDir;

use crate::world::{World, token, wait_until};

/// The facts in the order in which the log prints them.
const FACTS: [&str; 9] = [
    "decision",
    "enforced",
    "reason",
    "subject",
    "issuer",
    "resource",
    "action",
    "grant_id",
    "grant_expires",
];

/// A world whose Envoy writes an access log to a file: the status, then each fact in quotes.
struct Logged {
    world: World,
    directory: TempDir,
}

impl Logged {
    fn new(change: impl FnOnce(Setup) -> Setup) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let facts = FACTS.map(|fact| format!("\"%FILTER_STATE(wasm.hallpass_{fact}:PLAIN)%\""));
        let access_log = json!([{
            "name": "envoy.access_loggers.file",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
                "path": directory.path().join("access.log"),
                "log_format": { "text_format_source": {
                    "inline_string": format!("%RESPONSE_CODE% {}\n", facts.join(" ")),
                } },
            },
        }]);
        let world = World::new(IdentityProvider::start(0).unwrap(), |setup| {
            let setup = change(setup).http(|http| http["access_log"] = access_log);
            setup.plugin(|plugin| {
                plugin["audit"] = json!({ "filter_state": true });
                plugin["identity_headers"] =
                    json!({ "subject": null, "email": null, "groups": null });
            })
        });
        Self { world, directory }
    }

    /// The log, as soon as it has so many lines.
    #[track_caller]
    fn lines(&self, count: usize) -> Vec<String> {
        let file = self.directory.path().join("access.log");
        let lines = || -> Vec<String> {
            let text = fs::read_to_string(&file).unwrap_or_default();
            text.lines().map(str::to_owned).collect()
        };
        wait_until("logged", Duration::from_secs(10), || lines().len() >= count);
        let lines = lines();
        assert_eq!(lines.len(), count, "{lines:#?}");
        lines
    }
}

#[test]
fn an_allow_and_a_refusal_are_printed_with_who_what_and_why() {
    let logged = Logged::new(|setup| setup);
    let grant = logged.world.grants.give("alice", "orders", "read", 600);
    let proxy = &logged.world.proxy;
    let answer = proxy.get("/orders/7").token(&token("alice")).send();
    assert_eq!(answer.status, 200, "{answer:?}");
    let end = grant.until_text().replace('Z', ".000Z");
    assert_eq!(
        logged.lines(1)[0],
        format!(
            r#"200 "allow" "true" "grant_service" "alice" "https://idp.example" "orders" "read" "{}" "{end}""#,
            grant.id
        )
    );
    proxy.get("/orders/7").send();
    assert_eq!(
        logged.lines(2)[1],
        r#"401 "deny" "true" "token_missing" "-" "-" "orders" "read" "-" "-""#
    );
}

#[test]
fn nobody_s_name_begins_a_line_or_leaves_its_quotes() {
    let logged = Logged::new(|setup| setup);
    let forged = "mallory\" \"x\n200 \"allow\" \"true\" \"identity\" \"alice\u{2028}\r\0";
    let token = token_for(forged).signed_by(signing_key());
    let proxy = &logged.world.proxy;
    assert_eq!(proxy.get("/me").token(&token).send().status, 200);
    assert_eq!(proxy.get("/orders/7").token(&token).send().status, 403);
    let quoted = r#""mallory\" \"x\n200 \"allow\" \"true\" \"identity\" \"alice\u2028\r\u0000""#;
    let mut reasons = Vec::new();
    for line in logged.lines(2) {
        assert!(line.contains(quoted), "{line}");
        reasons.push(line.split('"').nth(5).unwrap().to_owned());
    }
    assert_eq!(reasons, ["identity", "grant_denied"]);
}

#[test]
fn what_monitor_mode_lets_pass_is_printed_as_what_it_would_have_been() {
    let logged = Logged::new(|setup| setup.plugin(|plugin| plugin["mode"] = json!("monitor")));
    let answer = logged.world.proxy.get("/orders/7").send();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(
        logged.lines(1)[0],
        r#"200 "deny" "false" "token_missing" "-" "-" "orders" "read" "-" "-""#
    );
}

#[test]
fn a_request_that_is_cut_is_printed_as_one_that_was() {
    // It takes connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let logged = Logged::new(|setup| setup.cluster("upstream", silent.local_addr().unwrap()));
    let grant = Grant::new("orders", &["read"]).id("g-1").until(now() + 2);
    let token = token_for("alice").grant(grant).signed_by(signing_key());
    let request =
        format!("GET /orders/7 HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\r\n");
    let (_, answer) = raw(logged.world.proxy.address(), request.as_bytes());
    assert_eq!(answer, "");
    let line = &logged.lines(1)[0];
    let expected =
        r#"0 "deny" "true" "stream_expired" "alice" "https://idp.example" "orders" "read" "g-1" "#;
    assert!(line.starts_with(expected), "{line}");
}
