//! Requests that pass although they would be refused.

use super::world::*;
use super::*;
use crate::time::UnixMillis;
use hallpass_tokens::Grant;
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn monitoring() -> World {
    let mut config = config();
    config["mode"] = json!("monitor");
    World::with(&config)
}

/// What a request comes to that passes.
fn passage(world: &mut World, request: Request) -> Passage {
    match world.send(request).1 {
        Step::Continue(passage) => *passage,
        other => panic!("it does not pass: {}", told(&other)),
    }
}

fn record(written: Option<&Written>) -> Value {
    serde_json::from_str(written.unwrap().line.as_ref().unwrap()).unwrap()
}

fn granted() -> Request {
    let grant = Grant::new("orders", &["read"]).id("g-1").until(NOW + 20);
    Request::get("/orders/7").by(alice().grant(grant))
}

#[test]
fn what_would_be_refused_passes_without_a_word_of_the_filter_s_and_without_its_token() {
    let mut world = monitoring();
    let unknown = || Request::get("/elsewhere").by(alice());
    let ambiguous = || Request::get("/me/../vault").by(alice());
    let invalid = || Request::get("/me").header("authorization", "Bearer x");
    for request in [unknown(), ambiguous(), invalid()] {
        let spoofed = request
            .header("x-hallpass-subject", "root")
            .header("x_hallpass_email", "root@example.com");
        let passage = passage(&mut world, spoofed);
        assert!(!passage.reason.allows() && !passage.enforced);
        assert_eq!(passage.edits.additions().next(), None);
        assert!(passage.edits.replace.is_empty());
        let removed: Vec<&[u8]> = passage.edits.remove.iter().map(|name| &**name).collect();
        assert_eq!(
            removed,
            [
                &b"x-hallpass-subject"[..],
                b"x_hallpass_email",
                b"authorization"
            ]
        );
        assert!(passage.stream.is_none());
    }
}

#[test]
fn what_could_be_for_an_enforced_resource_is_not_let_pass_though_all_else_is() {
    let mut config = config();
    config["mode"] = json!("monitor");
    config["resources"][1]["mode"] = json!("enforce");
    let mut world = World::with(&config);
    let disguised = [
        Request::get("/me//x"),
        Request::get("/m%65;x"),
        Request::get("/me").header("connection", "x-hallpass-subject"),
    ];
    for request in disguised {
        assert_eq!(world.outcome(request), "400 request_ambiguous");
    }
    let step = world.send(Request::get("/elsewhere")).1;
    assert_eq!(told(&step), "resource_unknown", "that has one reading");
}

#[test]
fn it_is_counted_as_what_it_would_be_and_as_what_it_is() {
    let mut world = monitoring();
    passage(&mut world, Request::get("/me"));
    let counted: Vec<_> = world.gate.take_counted().collect();
    assert_eq!(
        counted,
        [
            (Counter::Decision(Reason::TokenMissing), 1),
            (Counter::Monitored(Reason::TokenMissing), 1)
        ]
    );
    passage(&mut world, granted());
    let monitored = world
        .gate
        .take_counted()
        .any(|(counter, _)| matches!(counter, Counter::Monitored(_)));
    assert!(!monitored, "an allow is none");
}

#[test]
fn a_request_of_which_nothing_could_be_read_does_not_pass() {
    let mut world = monitoring();
    let mut exchange = Exchange::new(RequestHead::default());
    let step = exchange.start(&mut world.gate, world.now);
    assert_eq!(told(&step), "400 request_ambiguous");
    let Step::Respond(refusal) = step else {
        panic!("it passes")
    };
    assert_eq!(record(refusal.audit.as_deref())["enforced"], true);
}

#[test]
fn a_permission_that_ended_before_the_proxy_was_told_is_none() {
    let mut keeping = config();
    for resource in keeping["resources"].as_array_mut().unwrap() {
        resource["streams"] = json!("keep");
    }
    for (mut world, outcome) in [
        (World::new(), "503 grant_service_unavailable"),
        (World::with(&keeping), "503 grant_service_unavailable"),
        (monitoring(), "grant_service_unavailable"),
    ] {
        let passage = passage(&mut world, granted());
        assert!(passage.edits.additions().next().is_some());
        world.pass(20);
        let step = Box::new(passage).lapsed(&mut world.gate, world.now);
        assert_eq!(told(&step), outcome);
        let audit = match step {
            Step::Continue(passage) => {
                assert_eq!(passage.edits.additions().next(), None);
                assert!(!passage.edits.remove.is_empty(), "the token is taken out");
                passage.audit
            }
            Step::Respond(refusal) => refusal.audit,
            Step::Wait(_) => panic!("it waits"),
        };
        let record = record(audit.as_deref());
        assert_eq!(record["decision"], "deny");
        assert_eq!(record["grant_id"], "g-1");
        let end = UnixMillis::from_seconds(NOW + 20).unwrap();
        assert_eq!(record["grant_expires"], end.to_rfc3339());
    }
}

#[test]
fn what_is_left_with_a_request_is_made_only_where_it_is_wanted() {
    for (log, wanted) in [("all", true), ("none", true), ("none", false)] {
        let mut config = config();
        config["audit"] = json!({ "log": log, "filter_state": wanted });
        let mut world = World::with(&config);
        let audit = passage(&mut world, granted()).audit;
        let (line, properties) =
            audit.map_or((None, None), |written| (written.line, written.properties));
        assert_eq!(properties.is_some(), wanted);
        assert_eq!(line.is_some(), log == "all");
    }
}
