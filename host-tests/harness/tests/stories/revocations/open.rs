//! Requests that are open when what let them pass is taken back.

use super::*;
use crate::setup::unavailable;

fn revoked(harness: &Harness) -> Vec<Value> {
    let mut records = harness.audit();
    records.retain(|record| record["reason"] == "grant_revoked");
    records
}

#[test]
fn they_are_cut_and_recorded_and_others_go_on() {
    let harness = worker();
    let other_worker = harness.second_worker();
    let cut = [
        harness.request(by("alice")),
        other_worker.request(by("alice")),
        harness.request(carrying("dora", "g-7")),
    ];
    let open = [
        harness.request(carrying("emil", "g-8")),
        harness.request(profile(&alice())),
        harness.request(health()),
    ];
    harness.advance(Duration::from_secs(1));
    take_back(&harness, &[subject("alice"), grant("g-7")]);
    harness.advance(WITHIN);
    for exchange in &cut {
        assert!(exchange.is_reset(), "{exchange:?}");
    }
    for exchange in &open {
        assert!(exchange.is_forwarded(), "{exchange:?}");
    }
    let records = revoked(&harness);
    assert_eq!(records.len(), 3, "{records:?}");
    for record in &records {
        assert_eq!(
            (&record["decision"], &record["status"]),
            (&json!("deny"), &json!(403))
        );
    }
    harness.advance(3 * WITHIN);
    assert_eq!(revoked(&harness).len(), 3, "once");
    assert_eq!(harness.metric("hallpass.streams.open"), 2);
}

#[test]
fn one_that_was_opened_by_what_was_given_afterwards_goes_on() {
    let harness = worker();
    harness.set_cluster(
        GRANTS,
        service(&allow_until(NOW + 3600), &[subject("alice")]),
    );
    harness.advance(WITHIN);
    let open = harness.request(by("alice"));
    let unrelated = [subject("alice"), subject("bob")];
    harness.set_cluster(GRANTS, service(&allow_until(NOW + 3600), &unrelated));
    harness.advance(WITHIN);
    assert!(open.is_forwarded(), "{open:?}");
}

#[test]
fn one_that_is_kept_past_its_end_is_kept_here_too() {
    let mut config = following();
    for resource in config["resources"].as_array_mut().expect("a list") {
        resource["streams"] = json!("keep");
    }
    let allows = service(&allow_until(NOW + 3600), &[]);
    let harness = start(Harness::builder().cluster(GRANTS, allows), &config);
    let open = harness.request(by("alice"));
    take_back(&harness, &[subject("alice")]);
    harness.advance(WITHIN);
    assert!(open.is_forwarded(), "{open:?}");
    refused(&harness.request(by("alice")), 403, "grant_denied");
}

#[test]
fn in_monitor_mode_it_is_recorded_and_not_cut() {
    let mut config = following();
    config["mode"] = json!("monitor");
    let allows = service(&allow_until(NOW + 3600), &[]);
    let harness = start(Harness::builder().cluster(GRANTS, allows), &config);
    let open = harness.request(by("alice"));
    take_back(&harness, &[subject("alice")]);
    harness.advance(WITHIN);
    assert!(open.is_forwarded(), "{open:?}");
    assert_eq!(revoked(&harness).len(), 1);
    assert_eq!(revoked(&harness)[0]["enforced"], false);
}

#[test]
fn the_incident_switch_cuts_all_that_a_grant_let_pass() {
    let harness = worker();
    let cut = [
        harness.request(by("alice")),
        harness.request(by("bob")),
        harness.request(carrying("dora", "g-7")),
    ];
    let feed =
        json!({ "cursor": "8", "complete": false, "epoch": timestamp(NOW + 1), "revocations": [] });
    harness.set_cluster(
        GRANTS,
        Cluster::answers(move |call| {
            Reply::json(200, if is_feed(call) { &feed } else { &Value::Null })
        }),
    );
    harness.advance(WITHIN);
    for exchange in &cut {
        assert!(exchange.is_reset(), "{exchange:?}");
    }
    unavailable(&harness.request(by("bob")));
}
