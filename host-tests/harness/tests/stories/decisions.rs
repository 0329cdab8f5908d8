//! The decision table, run through the module: what the program `hallpass` explains is what the filter does.

use std::collections::BTreeSet;

use hallpass_decisions::{Case, Keys, Service, cases, published};
use hallpass_harness::{Cluster, Exchange, Harness, Headers, Outcome, Reply, Request};
use serde_json::Value;

use crate::setup::{GRANTS, IDP, ms};

fn run(case: &Case) -> (Harness, Headers, Exchange) {
    let keys = match case.keys {
        Keys::Published => Reply::json(200, &published()),
        Keys::Unreachable => Reply::failed_like_envoy(503),
    };
    let grants = match case.service.clone() {
        Service::Unasked => Cluster::Waits,
        Service::Replies(reply) => Cluster::answers(move |_| Reply::json(200, &reply)),
        Service::Unreachable => Cluster::answers(|_| Reply::failed_like_envoy(503)),
    };
    let harness = Harness::builder()
        .at(ms(case.at))
        .cluster(IDP, Cluster::answers(move |_| keys.clone()))
        .cluster(GRANTS, grants)
        .start(&case.config)
        .unwrap_or_else(|refused| panic!("{}: {refused}", case.name));
    let mut request = Request::new(case.method, &case.url);
    for (name, value) in &case.headers {
        request = request.header(name, value);
    }
    if let Some(token) = &case.token {
        request = request.bearer(token);
    }
    if let Some(address) = case.source_ip {
        request = request.from_peer(&format!("{address}:40000"));
    }
    let sent = request.headers().clone();
    let exchange = harness.request(request);
    (harness, sent, exchange)
}

/// What must reach the upstream of what was sent.
fn forwarded(case: &Case, sent: &Headers) -> BTreeSet<(String, String)> {
    let expected = &case.expected;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let kept = sent.iter().map(|(name, value)| (text(name), text(value)));
    let mut headers: BTreeSet<(String, String)> = kept
        .filter(|(name, _)| !expected.removed.contains(&name.as_str()))
        .map(|(name, value)| match (name.as_str(), expected) {
            (":path", expected) if expected.path.is_some() => {
                (name, expected.path.unwrap_or_default().to_owned())
            }
            (":authority" | "host", expected) if expected.authority.is_some() => {
                (name, expected.authority.unwrap_or_default().to_owned())
            }
            ("cookie", expected) if expected.cookies.is_some() => {
                (name, expected.cookies.unwrap_or_default().to_owned())
            }
            _ => (name, value),
        })
        .collect();
    let added = expected.set.iter();
    headers.extend(added.map(|(name, value)| ((*name).to_owned(), value.clone())));
    headers
}

#[test]
fn the_filter_decides_as_the_table_says() {
    for case in cases() {
        let (harness, sent, exchange) = run(&case);
        let name = case.name;
        let expected = &case.expected;
        match exchange.outcome() {
            Outcome::Answered(answer) if expected.is_answered => {
                assert_eq!(answer.status, u32::from(expected.status), "{name}");
            }
            Outcome::Forwarded(headers)
                if !expected.is_answered && (expected.allows || expected.is_monitored) =>
            {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                let got: BTreeSet<_> = headers
                    .iter()
                    .map(|(name, value)| (text(name), text(value)))
                    .collect();
                assert_eq!(got, forwarded(&case, &sent), "{name}");
            }
            Outcome::Answered(answer) if !expected.allows && !expected.is_monitored => {
                assert_eq!(answer.status, u32::from(expected.status), "{name}");
                let body: Value = answer.json();
                assert_eq!(body["reason"], expected.reason, "{name}");
                assert_eq!(
                    body["request_url"].as_str(),
                    expected.request_url.as_deref(),
                    "{name}"
                );
            }
            other => panic!("{name}: {other:?}"),
        }
        let line = harness
            .audit()
            .pop()
            .unwrap_or_else(|| panic!("{name}: no record"));
        assert_eq!(line["reason"], expected.reason, "{name}");
        assert_eq!(line["status"], expected.status, "{name}");
        assert_eq!(line["enforced"], !expected.is_monitored, "{name}");
        let asked = !harness.calls_to(GRANTS).is_empty();
        assert_eq!(asked, !matches!(case.service, Service::Unasked), "{name}");
    }
}
