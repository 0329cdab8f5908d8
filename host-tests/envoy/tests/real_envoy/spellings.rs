//! Every spelling of a request, as bytes to the proxy, and what an upstream behind it saw: nothing, or exactly what was matched.

mod recorder;

use std::time::Duration;

use hallpass_envoy_tests::{Proxy, Setup, raw};
use hallpass_requests::{Outcome, Proxy as Reader, Row, is_guarded, policy, rows};
use hallpass_tokens::{SigningKey, jwks};
use serde_json::{Value, json};

use recorder::Recorder;

const PATIENCE: Duration = Duration::from_secs(10);

/// An Envoy with the rules of the table before a recorder. Nobody has a token, so keys and the grant service are never asked for.
fn start(recorder: &Recorder, change: impl FnOnce(Setup) -> Setup) -> Proxy {
    let setup = Setup::shipped()
        .cluster("upstream", recorder.address())
        .plugin(|plugin| {
            plugin["resources"] = policy();
            plugin["providers"][0]["jwks"] =
                json!({ "inline": jwks(&[&SigningKey::es256("kid-1")]) });
        })
        .http(|http| http["http_protocol_options"] = json!({ "accept_http_10": true }));
    change(setup).start()
}

/// A connection manager that hands on paths as they come.
fn bare(setup: Setup) -> Setup {
    setup.http(|http| {
        http["normalize_path"] = json!(false);
        http["merge_slashes"] = json!(false);
        http["path_with_escaped_slashes_action"] = json!("KEEP_UNCHANGED");
    })
}

/// What became of a row, seen from both sides of the proxy.
fn outcome(row: &Row, proxy: &Proxy, recorder: &Recorder) -> Outcome {
    let (status, answer) = raw(proxy.address(), &row.to_bytes());
    let arrivals = recorder.take();
    let [arrival] = arrivals.as_slice() else {
        assert!(arrivals.is_empty(), "{}: {arrivals:?}", row.name);
        assert_ne!(status, 200, "{}", row.name);
        let (_, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        return match (status, body["reason"].as_str()) {
            (400, Some("request_ambiguous")) => Outcome::Ambiguous,
            (403, Some("resource_unknown")) => Outcome::Unknown,
            (401, Some("token_missing")) => Outcome::Guarded,
            (0 | 400..=499, None) => Outcome::Unread,
            other => panic!("{}: {other:?}", row.name),
        };
    };
    let (host, target) = (arrival.header("host"), arrival.target());
    assert!(
        !is_guarded(&host, target.as_bytes()),
        "{} reached {target} at {host}",
        row.name
    );
    assert_recorded(proxy, &answer, &host, &target);
    Outcome::Upstream { host, target }
}

/// The record of the decision is about what the upstream saw.
fn assert_recorded(proxy: &Proxy, answer: &str, host: &str, target: &str) {
    let id = answer
        .lines()
        .find_map(|line| line.strip_prefix("x-request-id: "))
        .expect("an answer names its request");
    let records = proxy
        .log()
        .await_audit(1, PATIENCE, |record| record["request_id"] == id);
    let [record] = records.as_slice() else {
        panic!("{} records of {target}", records.len());
    };
    let matched = record["path"].as_str().expect("a path");
    let path = target.split('?').next().unwrap_or_default();
    // Records have room for so much of a path.
    assert!(path == matched || path.len() > 1_000, "{path}: {record}");
    let name = record["host"].as_str().expect("a host");
    let port = host
        .strip_prefix(name)
        .expect("the host that was matched, and its port");
    assert!(port.is_empty() || port.starts_with(':'), "{host}: {record}");
}

fn run_the_table(reader: Reader, change: impl FnOnce(Setup) -> Setup) {
    let recorder = Recorder::start();
    let proxy = start(&recorder, change);
    let wrong: Vec<String> = rows()
        .iter()
        .map(|row| (row, outcome(row, &proxy, &recorder)))
        .filter(|(row, outcome)| outcome != row.expected(reader))
        .map(|(row, outcome)| format!("{}: {outcome:.80?}", row.name))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_spelling_is_refused_or_reaches_the_upstream_as_it_was_matched_where_the_proxy_changes_no_path()
 {
    run_the_table(Reader::Bare, bare);
}

#[test]
fn every_spelling_is_refused_or_reaches_the_upstream_as_it_was_matched_where_the_proxy_normalises_paths()
 {
    run_the_table(Reader::Normalising, |setup| setup);
}

#[test]
fn the_route_is_the_one_of_the_path_and_host_that_were_matched() {
    let recorder = Recorder::start();
    let proxy = start(&recorder, |setup| {
        bare(setup).http(|http| {
            let by = |name: &str, domain: &str| {
                let route = |prefix: &str| {
                    json!({
                        "match": { "prefix": prefix },
                        "route": { "cluster": "upstream" },
                        "request_headers_to_add": [{ "header": { "key": "x-route", "value": format!("{name} {prefix}") } }],
                    })
                };
                json!({ "name": name, "domains": [domain], "routes": [route("/public"), route("/")] })
            };
            http["route_config"]["virtual_hosts"] =
                json!([by("named", "open.example:443"), by("other", "*")]);
        })
    });
    for (target, host, route) in [
        ("/public/x", "open.example:443", "named /public"),
        ("/%70ublic/x", "OPEN.example:0443", "named /public"),
        ("/%70ublic/x", "open.example", "other /public"),
    ] {
        let request = format!("GET {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        let (status, answer) = raw(proxy.address(), request.as_bytes());
        assert_eq!(status, 200, "{answer}");
        let arrivals = recorder.take();
        let routes: Vec<String> = arrivals
            .iter()
            .map(|arrival| arrival.header("x-route"))
            .collect();
        assert_eq!(routes, [route], "{target} at {host}");
    }
}
