//! Until when a request that has passed may stay open.

use super::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

impl World {
    /// What is kept of a request that passes.
    fn stream(&mut self, request: Request) -> Option<Box<Stream>> {
        match self.send(request).1 {
            Step::Continue(passage) => passage.stream,
            other => panic!("it does not pass: {}", told(&other)),
        }
    }

    /// For how many seconds from now on a request that passes may be open.
    fn open_for(&mut self, request: Request) -> Option<u64> {
        let until = self.stream(request)?.until();
        Some(until.since(self.now).as_secs())
    }
}

fn order(token: TokenBuilder) -> Request {
    Request::get("/orders/7").by(token)
}

fn keeping() -> Value {
    let mut config = config();
    for resource in config["resources"].as_array_mut().unwrap() {
        resource["streams"] = json!("keep");
    }
    config
}

#[test]
fn it_may_be_open_until_its_token_or_its_grant_ends_whichever_is_first() {
    let mut world = World::new();
    for (token_ends, grant_ends, expected) in [(60, 20, 20), (20, 60, 20), (30, 30, 30)] {
        let token = alice()
            .expires_at(NOW + token_ends)
            .grant(Grant::new("orders", &["read"]).until(NOW + grant_ends));
        assert_eq!(world.open_for(order(token)), Some(expected));
    }
    let token = alice().expires_at(NOW + 60);
    assert_eq!(world.open_for(Request::get("/me").by(token)), Some(60));
    assert_eq!(world.open_for(Request::get("/healthz")), None);
}

#[test]
fn a_token_s_end_is_the_one_up_to_which_it_would_pass() {
    let mut config = config();
    config["providers"][0]["clock_skew"] = json!("10s");
    config["providers"][0]["max_token_age"] = json!("50s");
    let mut world = World::with(&config);
    for (ends, expected) in [(20, 30), (600, 60)] {
        let token = alice().issued_at(NOW).expires_at(NOW + ends);
        let open = world.open_for(Request::get("/me").by(token));
        assert_eq!(open, Some(expected));
    }
}

/// For how long a request may be open that the service's `answer` lets pass, just asked and remembered.
fn open_by_service(world: &mut World, answer: &str) -> [u64; 2] {
    let token = || alice().expires_at(NOW + 60);
    let (mut exchange, step) = world.send(order(token()));
    let Step::Wait(Need::Grant(query)) = step else {
        panic!("no question was asked: {}", told(&step));
    };
    let outcome = world.learn(query.key(), answer);
    let Step::Continue(passage) = exchange.on_grant(&mut world.gate, &outcome, world.now) else {
        panic!("it does not pass");
    };
    let asked = passage.stream.unwrap().until().since(world.now).as_secs();
    [asked, world.open_for(order(token())).unwrap()]
}

#[test]
fn a_grant_of_the_service_ends_it_and_the_cache_s_time_does_not() {
    let mut world = World::new();
    assert_eq!(open_by_service(&mut world, &allow_until(NOW + 40)), [40; 2]);
    let mut world = World::new();
    assert_eq!(
        open_by_service(&mut world, &allow_until(NOW + 600)),
        [60; 2]
    );
}

#[test]
fn an_allow_without_an_end_ends_with_the_token() {
    let mut config = with_service("require_expiry", json!(false));
    let orders = config["resources"].as_array_mut().unwrap();
    orders[3]
        .as_object_mut()
        .unwrap()
        .remove("max_grant_lifetime");
    let open = open_by_service(&mut World::with(&config), "{\"decision\": true}");
    assert_eq!(open, [60; 2]);
}

#[test]
fn a_request_that_may_go_on_is_not_cut() {
    let mut world = World::with(&keeping());
    let token = || alice().grant(Grant::new("orders", &["read"]).until(NOW + 20));
    for request in [order(token()), Request::get("/me").by(token())] {
        assert!(!world.stream(request).unwrap().is_cut());
    }
}

#[test]
fn a_cut_is_counted_and_recorded_with_all_that_had_led_to_the_allow() {
    let mut world = World::new();
    let token = alice()
        .id("t-9")
        .grant(Grant::new("orders", &["read"]).id("g-42").until(NOW + 20));
    let request = order(token).header("x-request-id", "r-1");
    let (_, step) = world.send(request);
    let Step::Continue(passage) = step else {
        panic!("it does not pass: {}", told(&step));
    };
    let Passage { audit, stream, .. } = *passage;
    world.pass(20);
    drop(world.gate.take_counted());
    let line = stream
        .unwrap()
        .ended(&mut world.gate, world.now)
        .unwrap()
        .line
        .unwrap();
    let mut expected: Value = serde_json::from_str(&audit.unwrap().line.unwrap()).unwrap();
    for (name, value) in [
        ("time", json!(world.now.to_rfc3339())),
        ("decision", json!("deny")),
        ("reason", json!("stream_expired")),
        ("status", json!(403)),
    ] {
        expected[name] = value;
    }
    let cut: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(cut, expected);
    let counted: Vec<_> = world.gate.take_counted().collect();
    assert_eq!(counted, [(Counter::Decision(Reason::StreamExpired), 1)]);
}

#[test]
fn a_cut_is_recorded_wherever_refusals_are() {
    for (log, recorded) in [("all", true), ("denied", true), ("none", false)] {
        let mut config = config();
        config["audit"] = json!({ "log": log });
        let mut world = World::with(&config);
        let stream = world.stream(Request::get("/me").by(alice())).unwrap();
        let written = stream.ended(&mut world.gate, world.now);
        let line = written.and_then(|written| written.line);
        assert_eq!(line.is_some(), recorded, "{log}");
    }
}

#[test]
fn a_cut_is_told_with_its_request_s_name_to_whoever_takes_it() {
    for audit in [
        json!({ "log": "all" }),
        json!({ "log": "none", "otlp": { "cluster": "collector" } }),
        json!({ "log": "none", "otlp": { "cluster": "collector", "decisions": "denied" } }),
    ] {
        let mut config = config();
        config["audit"] = audit.clone();
        let mut world = World::with(&config);
        let request = Request::get("/me").by(alice());
        let request = request.header("x-request-id", "r-1");
        let stream = world.stream(request).unwrap();
        let written = stream.ended(&mut world.gate, world.now);
        let told = format!("{:?}", written.unwrap());
        assert!(told.contains("r-1"), "{audit}: {told}");
    }
}
