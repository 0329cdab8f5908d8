//! Lines that wait for others are all in the proxy's log, once and each on its own line, also when the proxy ends.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use hallpass_demo::idp::IdentityProvider;
use hallpass_envoy_tests::Request;
use serde_json::{Value, json};

use crate::world::{World, ask_until, token};

const PATIENCE: Duration = Duration::from_mins(1);

/// What stands before the JSON of an audit line.
const MARK: &str = "hallpass.audit ";

/// A world whose proxy has lines wait for so long, once it knows the keys.
fn world_flushing_every(interval: &str) -> World {
    let world = World::new(IdentityProvider::start(0).unwrap(), |setup| {
        setup.plugin(|plugin| plugin["audit"] = json!({ "flush_interval": interval }))
    });
    for _ in 0..8 {
        let ask = || world.proxy.get("/me/warm").token(&token("busy")).send();
        ask_until("warm", PATIENCE, ask, |answer| answer.status == 200);
    }
    world
}

/// Asks for `count` paths on each of so many connections, all of which must pass; the paths.
fn load(world: &World, connections: usize, count: usize) -> BTreeSet<String> {
    let user = token("busy");
    let walk = |connection: usize| -> Vec<String> {
        let agent = Request::agent();
        let paths: Vec<String> = (0..count)
            .map(|number| format!("/me/{connection}-{number}"))
            .collect();
        for path in &paths {
            let answer = world.proxy.get(path).token(&user).sent_by(&agent);
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        paths
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..connections)
            .map(|connection| scope.spawn(move || walk(connection)))
            .collect();
        let paths = clients.into_iter().flat_map(|c| c.join().unwrap());
        paths.collect()
    })
}

fn is_of_load(line: &Value) -> bool {
    line["path"] != "/me/warm"
}

#[test]
fn each_of_a_busy_proxys_requests_has_its_line_and_many_are_written_at_once() {
    let world = world_flushing_every("50ms");
    let asked = load(&world, 8, 100);
    let log = world.proxy.log();
    let lines = log.await_audit(asked.len(), PATIENCE, is_of_load);
    assert_eq!(lines.len(), asked.len());
    let recorded: BTreeSet<String> = lines
        .iter()
        .map(|line| {
            line["path"]
                .as_str()
                .expect("JSON of a decision")
                .to_owned()
        })
        .collect();
    assert_eq!(recorded, asked);

    let lines = log.so_far();
    let marked: Vec<&String> = lines.iter().filter(|line| line.contains(MARK)).collect();
    assert!(marked.iter().all(|line| line.matches(MARK).count() == 1));
    // Envoy begins what it writes with the time and the filter's name; what follows in the same piece stands by itself.
    let followers = marked.iter().filter(|line| line.starts_with(MARK)).count();
    assert!(
        followers > asked.len() / 2,
        "{followers} of {} lines were written with one before",
        marked.len()
    );
}

#[test]
fn a_line_is_written_though_nothing_follows_it() {
    let world = world_flushing_every("50ms");
    world.proxy.get("/me/alone").token(&token("busy")).send();
    let is_alone = |line: &Value| line["path"] == "/me/alone";
    let lines = world.proxy.log().await_audit(1, PATIENCE, is_alone);
    assert_eq!(lines.len(), 1);
}

#[test]
fn what_waits_is_written_when_the_proxy_ends() {
    let world = world_flushing_every("1s");
    let asked = load(&world, 2, 3);
    let log = world.proxy.end();
    for path in asked {
        let named = format!("\"path\":\"{path}\"");
        let lines = log.iter().filter(|line| line.contains(MARK));
        let count = lines.filter(|line| line.contains(&named)).count();
        assert_eq!(count, 1, "{path}");
    }
}
