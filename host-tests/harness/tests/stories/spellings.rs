//! Every spelling of a request is refused, or goes upstream in exactly the form that was matched and recorded.

use hallpass_harness::{Exchange, Harness, Outcome as Became, Request};
use hallpass_requests::{Outcome, Proxy, Row, is_guarded, policy, rows};
use serde_json::{Value, json};

use crate::setup::{GRANTS, alice, allow_until, config_with, start, start_with};

fn guarded_world() -> Harness {
    start_with(&config_with(|config| config["resources"] = policy()))
}

/// The row as a host hands it on that reads nothing into it.
fn request(row: &Row) -> Request {
    let base = Request::empty()
        .header(":method", row.method)
        .header(":scheme", "https")
        .header_bytes(":path", &row.target);
    let at_hosts = row.hosts.iter().fold(base, |request, host| {
        request.header_bytes(":authority", host)
    });
    row.headers.iter().fold(at_hosts, |request, (name, value)| {
        request.header(name, value)
    })
}

fn became(exchange: &Exchange) -> Outcome {
    match exchange.outcome() {
        Became::Forwarded(headers) => Outcome::Upstream {
            host: headers.all(":authority").concat(),
            target: headers.all(":path").concat(),
        },
        Became::Answered(answer) => match (answer.status, answer.reason().as_str()) {
            (400, "request_ambiguous") => Outcome::Ambiguous,
            (403, "resource_unknown") => Outcome::Unknown,
            (401, "token_missing") => Outcome::Guarded,
            other => panic!("refused with {other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// The record of what passed is about what went upstream.
#[track_caller]
fn assert_recorded(record: &Value, host: &str, target: &str, name: &str) {
    let path = target.split('?').next();
    let name_of_host = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => name,
        _ => host,
    };
    assert_eq!(record["path"].as_str(), path, "{name}");
    assert_eq!(record["host"].as_str(), Some(name_of_host), "{name}");
}

#[test]
fn every_spelling_is_refused_or_goes_upstream_in_the_form_that_was_matched_and_recorded() {
    let harness = guarded_world();
    let mut wrong = Vec::new();
    for row in rows() {
        let outcome = became(&harness.request(request(&row)));
        let records = harness.audit();
        let record = records.last().expect("every decision is recorded");
        if let Outcome::Upstream { host, target } = &outcome {
            assert!(!is_guarded(host, target.as_bytes()), "{}", row.name);
            if target.len() < 4_000 {
                assert_recorded(record, host, target, &row.name);
            }
        }
        if outcome != *row.expected(Proxy::Absent) {
            wrong.push(format!("{}: {outcome:.80?}", row.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(harness.callouts().is_empty());
}

#[test]
fn two_spellings_of_one_request_share_one_decision() {
    let harness = start_with(&config_with(|config| {
        config["resources"] = policy();
        config["grants"]["service"]["context"] = json!(["method", "host", "path"]);
    }));
    let first =
        harness.request(Request::get("https://Open.example:08443/%61dmin/%78").bearer(&alice()));
    let callout = harness.callout();
    assert_eq!(callout.json()["context"]["path"], "/admin/x");
    assert_eq!(callout.json()["context"]["host"], "open.example");
    callout.reply_json(200, &allow_until(hallpass_tokens::NOW + 60));
    let upstream = first.forwarded();
    assert_eq!(upstream.get(":path").as_deref(), Some("/admin/x"));
    assert_eq!(
        upstream.get(":authority").as_deref(),
        Some("open.example:8443")
    );
    harness
        .request(Request::get("https://open.example/admin/x").bearer(&alice()))
        .forwarded();
    assert_eq!(harness.calls_to(GRANTS).len(), 1);
}

#[test]
fn a_host_header_beside_the_authority_says_the_same_upstream() {
    let harness = start();
    let upstream = harness
        .request(Request::get("https://Admin.Example/healthz").header("host", "ADMIN.example:443"))
        .forwarded();
    assert_eq!(upstream.all(":authority"), ["admin.example"]);
    assert_eq!(upstream.all("host"), ["admin.example"]);
}
