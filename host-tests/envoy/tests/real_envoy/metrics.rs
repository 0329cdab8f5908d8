//! What Prometheus reads of the filter, and that the shipped dashboard and alerts ask for nothing else.

mod alerts;
mod dashboard;
mod queries;

use std::collections::{BTreeMap, BTreeSet};

use hallpass_core::denial::Reason;
use hallpass_core::metrics::Counter;
use hallpass_demo::idp::IdentityProvider;
use hallpass_envoy_tests::{Proxy, Sample};

use crate::world::{World, token, wait_until, world};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);

/// The filter's samples.
fn samples(proxy: &Proxy) -> Vec<Sample> {
    let mut samples = proxy.prometheus();
    samples.retain(|sample| sample.name.starts_with("hallpass_"));
    samples
}

fn labels(labels: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    labels.iter().map(owned).collect()
}

fn value(samples: &[Sample], name: &str, wanted: &[(&str, &str)]) -> Option<f64> {
    let wanted = labels(wanted);
    let found = samples
        .iter()
        .find(|sample| sample.name == name && sample.labels == wanted);
    found.map(|sample| sample.value)
}

fn decided(samples: &[Sample], decision: &str, reason: &str) -> f64 {
    let wanted = [("decision", decision), ("reason", reason)];
    value(samples, "hallpass_decisions", &wanted).unwrap_or_else(|| panic!("{reason} is missing"))
}

#[test]
fn decisions_are_counted_by_decision_and_reason() {
    let world = World::new(IdentityProvider::start(0).unwrap(), |setup| setup);
    world.grants.give("metered", "orders", "read", 600);
    let metered = token("metered");
    let proxy = &world.proxy;
    assert_eq!(proxy.get("/healthz").send().status, 200);
    assert_eq!(proxy.get("/orders/1").token(&metered).send().status, 200);
    for _ in 0..3 {
        assert_eq!(proxy.get("/me").send().status, 401);
    }
    assert_eq!(
        proxy
            .request("POST", "/orders/1")
            .token(&metered)
            .send()
            .status,
        403
    );
    let samples = samples(proxy);
    assert_eq!(decided(&samples, "allow", "public").to_string(), "1");
    assert_eq!(decided(&samples, "allow", "grant_service").to_string(), "1");
    assert_eq!(decided(&samples, "deny", "token_missing").to_string(), "3");
    assert_eq!(decided(&samples, "deny", "grant_denied").to_string(), "1");
    let all: f64 = samples
        .iter()
        .filter(|sample| sample.name == "hallpass_decisions")
        .map(|sample| sample.value)
        .sum();
    assert_eq!(all.to_string(), "6", "nothing is counted twice");
}

#[test]
fn every_counter_has_its_labels_from_the_start_and_no_label_is_left_in_a_name() {
    let samples = samples(&world().proxy);
    for counter in Counter::all() {
        let name = counter.name();
        let parts: Vec<&str> = name.split('.').collect();
        let (metric, wanted) = match parts[..] {
            ["hallpass", "decisions", decision, reason] => (
                "hallpass_decisions".to_owned(),
                vec![("decision", decision), ("reason", reason)],
            ),
            ["hallpass", "monitored", reason] => {
                ("hallpass_monitored".to_owned(), vec![("reason", reason)])
            }
            ["hallpass", "audit", what] => (format!("hallpass_audit_{what}"), vec![]),
            ["hallpass", what, result] => (format!("hallpass_{what}"), vec![("result", result)]),
            _ => panic!("{name} is of no known form"),
        };
        assert!(
            value(&samples, &metric, &wanted).is_some(),
            "{name}: no {metric} {wanted:?}"
        );
    }
    for gauge in [
        "tokens_entries",
        "grants_entries",
        "streams_open",
        "audit_queued",
    ] {
        let name = format!("hallpass_{gauge}");
        assert!(value(&samples, &name, &[]).is_some(), "{name}");
    }
    assert!(
        value(
            &samples,
            "hallpass_signatures_host",
            &[("algorithm", "RS256")]
        )
        .is_some()
    );
    let names: BTreeSet<&str> = samples.iter().map(|sample| sample.name.as_str()).collect();
    let reasons = Reason::ALL.iter().map(|reason| reason.as_str());
    for reason in reasons {
        assert!(
            !names
                .iter()
                .any(|name| name.ends_with(&format!("_{reason}"))),
            "{reason}"
        );
    }
    assert!(names.len() < 30, "{names:?}");
}

#[test]
fn the_time_of_calls_is_a_histogram_of_milliseconds() {
    let world = world();
    let user = token("timed");
    assert_eq!(world.proxy.get("/orders/1").token(&user).send().status, 403);
    // Envoy brings histograms together now and then.
    wait_until("the call is in the histogram", PATIENCE, || {
        value(&samples(&world.proxy), "hallpass_callout_ms_count", &[])
            .is_some_and(|count| count >= 3.0)
    });
    let samples = samples(&world.proxy);
    let bounds: Vec<f64> = samples
        .iter()
        .filter(|sample| sample.name == "hallpass_callout_ms_bucket")
        .filter_map(|sample| sample.labels["le"].parse().ok())
        .filter(|bound: &f64| bound.is_finite())
        .collect();
    assert_eq!(bounds.len(), 18, "{bounds:?}");
    for bound in [1.0, 10.0, 100.0, 1_000.0, 60_000.0] {
        assert!(bounds.contains(&bound), "{bounds:?}");
    }
    assert!(value(&samples, "hallpass_callout_ms_sum", &[]).is_some());
}
