//! Whole decisions, told as stories: in a [`world`] that holds a gate and a clock, users send requests.

mod advice;
mod answers;
mod conditions;
mod keys;
mod monitor;
mod revocations;
mod streams;
mod world;

use super::*;
use crate::grant::service::RawReply;
use crate::grant::{Failure, Ruling};
use crate::metrics::Counter;
use hallpass_tokens::{Grant, NOW, TokenBuilder};
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;
use world::*;

#[test]
fn each_kind_of_access_demands_what_it_says() {
    let mut world = World::new();
    for (path, token, expected) in [
        ("/healthz", false, "public"),
        ("/vault", true, "403 resource_closed"),
        ("/nowhere", true, "403 resource_unknown"),
        ("/me", false, "401 token_missing"),
        ("/me", true, "identity"),
        ("/orders/7", false, "401 token_missing"),
        ("/orders/7", true, "asks"),
        ("/orders/%2e%2e/me", true, "400 request_ambiguous"),
    ] {
        let mut request = Request::get(path);
        if token {
            request = request.by(alice());
        }
        assert_eq!(world.outcome(request), expected, "{path}, token: {token}");
    }
}

#[test]
fn a_grant_in_the_token_lets_pass_until_it_ends() {
    let mut world = World::with(&without_service());
    let grant = || Grant::new("orders", &["read"]).until(NOW + 60);
    let request = || Request::get("/orders/7").by(alice().grant(grant()));
    assert_eq!(world.outcome(request()), "grant_embedded");
    world.pass(59);
    assert_eq!(world.outcome(request()), "grant_embedded");
    world.pass(1);
    assert_eq!(world.outcome(request()), "403 grant_expired");
}

#[test]
fn a_grant_for_something_else_lets_nothing_pass() {
    let mut world = World::with(&without_service());
    for grant in [
        Grant::new("billing", &["read"]).until(NOW + 60),
        Grant::new("orders", &["write"]).until(NOW + 60),
        Grant::new("orders", &["read"])
            .from(NOW + 1)
            .until(NOW + 60),
    ] {
        let request = Request::get("/orders/7").by(alice().grant(grant));
        assert_eq!(world.outcome(request), "403 grant_missing");
    }
}

#[test]
fn a_grant_that_lasts_too_long_is_refused() {
    let mut world = World::with(&without_service());
    let long = Grant::new("orders", &["read"]).until(NOW + 8 * 3600 + 1);
    let request = Request::get("/orders/7").by(alice().grant(long));
    assert_eq!(world.outcome(request), "403 grant_lifetime_exceeded");

    let mut world = World::new();
    let request = Request::get("/orders/7").by(alice());
    let answer = allow_until(NOW + 8 * 3600 + 1);
    let outcome = world.outcome_when_answered(request, &answer, 0);
    assert_eq!(outcome, "403 grant_lifetime_exceeded");
}

#[test]
fn an_allow_is_remembered_for_its_time_and_no_longer() {
    let mut world = World::new();
    let request = || Request::get("/orders/7").by(alice());
    let outcome = world.outcome_when_answered(request(), &allow_until(NOW + 3600), 0);
    assert_eq!(outcome, "grant_service");
    world.pass(29);
    assert_eq!(world.outcome(request()), "grant_cached");
    world.pass(1);
    assert_eq!(world.outcome(request()), "asks");
}

#[test]
fn an_allow_is_never_used_past_the_grants_end() {
    let mut world = World::new();
    let request = || Request::get("/orders/7").by(alice());
    let outcome = world.outcome_when_answered(request(), &allow_until(NOW + 10), 0);
    assert_eq!(outcome, "grant_service");
    world.pass(9);
    assert_eq!(world.outcome(request()), "grant_cached");
    world.pass(1);
    assert_eq!(world.outcome(request()), "asks");
}

#[test]
fn a_denial_is_remembered_briefly() {
    let mut world = World::new();
    let request = || Request::get("/orders/7").by(alice());
    assert_eq!(
        world.outcome_when_answered(request(), DENY, 0),
        "403 grant_denied"
    );
    world.pass(1);
    assert_eq!(world.outcome(request()), "403 grant_denied");
    world.pass(1);
    assert_eq!(world.outcome(request()), "asks");
}

#[test]
fn one_persons_answer_is_not_anothers() {
    let mut world = World::new();
    let by = |user: &str| Request::get("/orders/7").by(TokenBuilder::for_user(user));
    world.outcome_when_answered(by("alice"), &allow_until(NOW + 3600), 0);
    assert_eq!(world.outcome(by("alice")), "grant_cached");
    assert_eq!(world.outcome(by("bob")), "asks");
}

#[test]
fn what_ended_during_the_wait_does_not_pass() {
    let mut world = World::new();
    let short = || alice().expires_in(5);
    let request = Request::get("/orders/7").by(short());
    let outcome = world.outcome_when_answered(request, &allow_until(NOW + 3600), 5);
    assert_eq!(outcome, "401 token_expired");

    let mut world = World::new();
    let request = Request::get("/orders/7").by(alice());
    let outcome = world.outcome_when_answered(request, &allow_until(NOW + 5), 5);
    assert_eq!(outcome, "403 grant_expired");
}

#[test]
fn a_service_that_does_not_decide_lets_nothing_pass_and_is_asked_again() {
    let mut world = World::new();
    let request = || Request::get("/orders/7").by(alice());
    let outcome = world.outcome_when_answered(request(), r#"{"decision":"true"}"#, 0);
    assert_eq!(outcome, "503 grant_service_unavailable");
    assert_eq!(world.outcome(request()), "asks");
}

#[test]
fn want_of_room_is_no_failure_of_the_service_and_opens_nothing() {
    let mut world = World::with(&with_service("failure_mode", json!("allow")));
    let (mut exchange, _) = world.send(Request::get("/orders/7").by(alice()));
    let step = exchange.on_grant(&mut world.gate, &GrantOutcome::GivenUp, world.now);
    assert_eq!(told(&step), "503 grant_service_unavailable");
}

#[test]
fn failing_open_must_be_written_down_and_has_a_reason_of_its_own() {
    let mut world = World::with(&with_service("failure_mode", json!("allow")));
    let request = Request::get("/orders/7").by(alice());
    let outcome = world.outcome_when_answered(request, "", 0);
    assert_eq!(outcome, "grant_service_failed_open");
}

#[test]
fn an_allow_without_an_end_passes_only_where_that_is_written_down() {
    let endless = r#"{"decision":true}"#;
    let request = || Request::get("/orders/7").by(alice());
    let mut strict = World::new();
    let outcome = strict.outcome_when_answered(request(), endless, 0);
    assert_eq!(outcome, "403 grant_without_expiry");

    let mut config = with_service("require_expiry", json!(false));
    let mut limited = World::with(&config);
    let outcome = limited.outcome_when_answered(request(), endless, 0);
    assert_eq!(outcome, "403 grant_lifetime_exceeded");

    config["resources"][3]
        .as_object_mut()
        .unwrap()
        .remove("max_grant_lifetime");
    let mut trusting = World::with(&config);
    let outcome = trusting.outcome_when_answered(request(), endless, 0);
    assert_eq!(outcome, "grant_service");
    trusting.pass(29);
    assert_eq!(trusting.outcome(request()), "grant_cached");
    trusting.pass(1);
    assert_eq!(trusting.outcome(request()), "asks");
}

#[test]
fn an_obligation_that_cannot_be_met_denies() {
    let mut world = World::new();
    let obliged = r#"{"decision":true,"context":{"obligations":[{"id":"1"}]}}"#;
    let request = Request::get("/orders/7").by(alice());
    let outcome = world.outcome_when_answered(request, obliged, 0);
    assert_eq!(outcome, "403 grant_obligation_unsupported");
}

#[test]
fn the_service_shortens_what_is_remembered_but_never_lengthens_it() {
    let request = || Request::get("/orders/7").by(alice());
    for (cache_control, remembered) in [("no-store", 0), ("max-age=5", 5), ("max-age=500", 30)] {
        let mut world = World::new();
        let (_, step) = world.send(request());
        let Step::Wait(Need::Grant(query)) = step else {
            panic!("{}", told(&step));
        };
        let allow = allow_until(NOW + 3600).into_bytes();
        let reply = RawReply {
            cache_control: Some(cache_control.as_bytes()),
            ..RawReply::json(&allow)
        };
        let said = world
            .gate
            .on_grant_reply(query.key(), reply, world.now, world.now);
        assert!(matches!(said.unwrap().ruling, Ruling::Allow { .. }));
        if remembered > 0 {
            world.pass(remembered - 1);
            assert_eq!(world.outcome(request()), "grant_cached", "{cache_control}");
            world.pass(1);
        }
        assert_eq!(world.outcome(request()), "asks", "{cache_control}");
    }
}

fn edits(step: Step) -> Edits {
    match step {
        Step::Continue(passage) => passage.edits,
        other => panic!("it does not pass: {}", told(&other)),
    }
}

fn is_removed(edits: &Edits, name: &str) -> bool {
    let mut removed = edits.remove.iter();
    removed.any(|other| **other == *name.as_bytes())
}

fn value<'a>(edits: &'a Edits, name: &str) -> Option<&'a str> {
    let mut additions = edits.additions();
    let found = additions.find(|(other, _)| *other == name);
    found.map(|(_, value)| value)
}

#[test]
fn the_upstream_learns_who_it_is_and_by_what_grant() {
    let mut world = World::new();
    let token = alice()
        .claim("email", json!("alice@example.com"))
        .claim("groups", json!(["dev", "oncall"]))
        .grant(Grant::new("orders", &["read"]).id("g-42").until(NOW + 60));
    let edits = edits(world.send(Request::get("/orders/7").by(token)).1);
    for (name, expected) in [
        ("x-hallpass-subject", "alice"),
        ("x-hallpass-issuer", "https://idp.example"),
        ("x-hallpass-email", "alice@example.com"),
        ("x-hallpass-groups", "dev,oncall"),
        ("x-hallpass-grant-id", "g-42"),
        ("x-hallpass-grant-expires", &(NOW + 60).to_string()),
    ] {
        assert_eq!(value(&edits, name), Some(expected), "{name}");
    }
    assert!(is_removed(&edits, "authorization"));
}

#[test]
fn nobody_speaks_for_the_filter_also_where_everybody_may_pass() {
    let mut world = World::new();
    for path in ["/healthz", "/me"] {
        let request = Request::get(path)
            .by(alice())
            .header("X-Hallpass-Subject", "root")
            .header("x_hallpass_groups", "admin")
            .header("x-hallpass_grant-id", "g-1");
        let edits = edits(world.send(request).1);
        for name in [
            "x-hallpass-subject",
            "x_hallpass_groups",
            "x-hallpass_grant-id",
        ] {
            assert!(is_removed(&edits, name), "{path}: {name}");
        }
        assert_eq!(value(&edits, "x-hallpass-groups"), None);
    }
}

#[test]
fn a_client_cannot_have_our_headers_removed_on_the_way() {
    let mut world = World::new();
    let request = Request::get("/me")
        .by(alice())
        .header("connection", "close, X-Hallpass-Subject");
    assert_eq!(world.outcome(request), "400 request_ambiguous");
}

#[test]
fn a_claim_that_could_end_its_header_is_refused() {
    let mut world = World::new();
    for claim in ["sub", "email"] {
        let token = alice().claim(claim, json!("alice\r\nx-admin: 1"));
        assert_eq!(
            world.outcome(Request::get("/me").by(token)),
            "401 token_claim_mismatch"
        );
    }
}

#[test]
fn the_token_stays_only_where_that_is_written_down() {
    let mut config = config();
    config["forward_token"] = json!(true);
    let mut world = World::with(&config);
    let edits = edits(world.send(Request::get("/me").by(alice())).1);
    assert!(!is_removed(&edits, "authorization"));
}

#[test]
fn a_refusal_says_where_to_ask_and_every_decision_leaves_a_record() {
    let mut world = World::with(&without_service());
    let request = Request::get("/orders/7?secret=1")
        .by(alice())
        .header("x-request-id", "r-1");
    let Step::Respond(refusal) = world.send(request).1 else {
        panic!("it passes");
    };
    let body: Value = serde_json::from_slice(&refusal.answer.body).unwrap();
    assert_eq!(
        body["request_url"],
        "https://grants.example/r?r=orders&a=read"
    );
    let record: Value = serde_json::from_str(&refusal.audit.unwrap().line.unwrap()).unwrap();
    for (member, expected) in [
        ("decision", "deny"),
        ("reason", "grant_missing"),
        ("subject", "alice"),
        ("issuer", "https://idp.example"),
        ("resource", "orders"),
        ("action", "read"),
        ("method", "GET"),
        ("host", "admin.example"),
        ("path", "/orders/7"),
        ("request_id", "r-1"),
    ] {
        assert_eq!(record[member], expected, "{member}");
    }
    assert_eq!(world.counted(Counter::Decision(Reason::GrantMissing)), 1);
}

#[test]
fn records_are_written_as_far_as_is_configured() {
    for (log, of_allow, of_deny) in [
        ("all", true, true),
        ("denied", false, true),
        ("none", false, false),
    ] {
        let mut config = config();
        config["audit"] = json!({ "log": log });
        let mut world = World::with(&config);
        let Step::Continue(passage) = world.send(Request::get("/healthz")).1 else {
            panic!("it does not pass");
        };
        let Step::Respond(refusal) = world.send(Request::get("/me")).1 else {
            panic!("it passes");
        };
        let has_line =
            |audit: Option<Box<Written>>| audit.is_some_and(|audit| audit.line.is_some());
        assert_eq!(has_line(passage.audit), of_allow, "{log}");
        assert_eq!(has_line(refusal.audit), of_deny, "{log}");
    }
}
