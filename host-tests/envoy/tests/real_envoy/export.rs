//! What a collector gets of the decisions of a real proxy under load, and what becomes of requests while it is dead.

mod collector;

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use hallpass_demo::idp::IdentityProvider;
use hallpass_envoy_tests::Request;
use serde_json::{Value, json};

use crate::world::{World, ask_until, token, wait_until};
use collector::{Collector, attribute, log_records};

const PATIENCE: Duration = Duration::from_mins(1);

/// A world whose proxy exports to this collector, as changed.
fn world_around(collector: &Collector, change: impl FnOnce(&mut Value)) -> World {
    let address = collector.address();
    World::new(IdentityProvider::start(0).unwrap(), |setup| {
        setup.new_cluster("collector", address).plugin(|plugin| {
            plugin["audit"] =
                json!({ "log": "none", "otlp": { "cluster": "collector", "interval": "250ms" } });
            change(&mut plugin["audit"]["otlp"]);
        })
    })
}

/// Sends `count` requests on each of `connections`, each for a path of its own below `/me/`, and returns the paths. All must pass.
fn load(world: &World, round: &str, connections: usize, count: usize) -> BTreeSet<String> {
    let user = token("busy");
    let ask = |path: &str, agent: &_| world.proxy.get(path).token(&user).sent_by(agent);
    let paths = thread::scope(|scope| {
        let clients: Vec<_> = (0..connections)
            .map(|connection| {
                scope.spawn(move || {
                    let agent = Request::agent();
                    let path = |number| format!("/me/{round}-{connection}-{number}");
                    let paths: Vec<String> = (0..count).map(path).collect();
                    for path in &paths {
                        let answer = ask(path, &agent);
                        assert_eq!(answer.status, 200, "{answer:?}");
                    }
                    paths
                })
            })
            .collect();
        clients
            .into_iter()
            .flat_map(|client| client.join().unwrap())
            .collect::<BTreeSet<_>>()
    });
    assert_eq!(paths.len(), connections * count);
    paths
}

fn exported(world: &World, what: &str) -> u64 {
    world
        .proxy
        .stat(&format!("wasmcustom.hallpass.audit.{what}"))
}

#[test]
fn every_decision_of_a_busy_proxy_arrives_once() {
    let collector = Collector::start(0);
    let world = world_around(&collector, |_| {});
    // The keys are there.
    let warm = || world.proxy.get("/me/warm").token(&token("busy")).send();
    for _ in 0..8 {
        ask_until("warm", PATIENCE, warm, |answer| answer.status == 200);
    }
    let asked = load(&world, "load", 8, 250);
    let arrived = || -> Vec<String> {
        let mut paths = collector.paths();
        paths.retain(|path| path != "/me/warm");
        paths
    };
    wait_until("every record has arrived", PATIENCE, || {
        arrived().len() >= asked.len() && exported(&world, "queued") == 0
    });
    let arrived = arrived();
    assert_eq!(arrived.len(), asked.len(), "none twice");
    assert_eq!(arrived.into_iter().collect::<BTreeSet<_>>(), asked);
    assert_eq!(
        exported(&world, "exported"),
        u64::try_from(collector.paths().len()).unwrap()
    );
    assert_eq!(
        (exported(&world, "dropped"), exported(&world, "retried")),
        (0, 0)
    );
    let batches = collector.batches();
    assert!(batches.len() < asked.len() / 4, "{} batches", batches.len());
    for batch in &batches {
        assert!(log_records(batch).len() <= 100);
        for record in log_records(batch) {
            let line: Value =
                serde_json::from_str(record["body"]["stringValue"].as_str().unwrap()).unwrap();
            assert_eq!(line["path"], attribute(record, "url.path"));
            assert_eq!(line["subject"], "busy");
            assert_eq!(attribute(record, "client.address"), "127.0.0.1");
            assert!(!attribute(record, "hallpass.request_id").is_empty());
        }
    }
}

#[test]
fn with_the_collector_killed_every_request_passes_and_each_record_is_kept_or_counted() {
    let collector = Collector::start(0);
    let port = collector.address().port();
    let world = world_around(&collector, |otlp| {
        otlp["batch"] = json!(20);
        otlp["max_queued"] = json!(100);
    });
    let before = load(&world, "before", 2, 30).len();
    wait_until("the first records have arrived", PATIENCE, || {
        collector.paths().len() == before && exported(&world, "queued") == 0
    });
    drop(collector);

    let during = u64::try_from(load(&world, "during", 4, 200).len()).unwrap();
    // What is lost and what waits is told with each tick of the workers.
    wait_until("each record is lost or waits", PATIENCE, || {
        exported(&world, "dropped") + exported(&world, "queued") == during
    });
    let (lost, queued) = (exported(&world, "dropped"), exported(&world, "queued"));
    assert!(
        lost > 0 && queued <= 200,
        "{queued} records of two workers wait"
    );

    let collector = Collector::start(port);
    wait_until("what was queued has arrived", PATIENCE, || {
        exported(&world, "queued") == 0
    });
    let arrived = collector.paths();
    let once: BTreeSet<&String> = arrived.iter().collect();
    assert_eq!(once.len(), arrived.len(), "none twice");
    assert_eq!(u64::try_from(arrived.len()).unwrap(), queued);
    assert_eq!(exported(&world, "dropped"), lost);
    assert_eq!(
        exported(&world, "exported"),
        u64::try_from(before + arrived.len()).unwrap()
    );
}
