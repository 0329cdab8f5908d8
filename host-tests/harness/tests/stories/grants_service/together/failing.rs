//! Questions that were put together and have no answer, or none that can be believed.

use std::time::Duration;

use hallpass_harness::{Cluster, Harness, Reply};
use hallpass_tokens::NOW;
use serde_json::json;

use super::super::asked;
use super::{
    asks, gathering, gathering_with, granted, passes_as, reply_each, subjects, under_way, waiting,
};
use crate::setup::{GRANTS, allow_until, config, config_with, deny, ms, refused, unavailable};

const NAMES: [&str; 3] = ["alice", "bob", "carol"];

fn json_text(body: &str) -> Reply {
    Reply::status(200)
        .header("content-type", "application/json")
        .body(body)
}

#[test]
fn a_service_that_fails_fails_each_and_nothing_is_remembered() {
    let allow = allow_until(NOW + 3600);
    let all_allowed = json!({ "evaluations": [allow, allow, allow] });
    for failure in [
        Reply::failed_like_envoy(503),
        Reply::failed_like_envoy(504),
        Reply::failed_without_headers(),
        Reply::json(502, &all_allowed),
        Reply::json(429, &all_allowed),
        Reply::json(401, &all_allowed),
        Reply::json(302, &all_allowed),
    ] {
        let harness = gathering();
        let (call, waiting) = under_way(&harness, &NAMES);
        call.reply(failure.clone());
        for (_, exchange) in &waiting {
            let answer = unavailable(exchange);
            assert_eq!(answer.headers.all("retry-after"), ["1"], "{failure:?}");
        }
        assert!(
            harness.callouts().is_empty(),
            "none is put again: {failure:?}"
        );
        assert!(
            asks(&harness, "bob").is_waiting(),
            "remembered: {failure:?}"
        );
    }
}

/// What answers no question: none of it may be believed.
fn no_answers() -> Vec<(&'static str, Reply)> {
    let allow = allow_until(NOW + 3600);
    vec![
        (
            "one too few",
            Reply::json(200, &json!({ "evaluations": [allow, allow] })),
        ),
        (
            "one too many",
            Reply::json(200, &json!({ "evaluations": [allow, allow, allow, allow] })),
        ),
        ("none", Reply::json(200, &json!({ "evaluations": [] }))),
        ("an answer to one question", Reply::json(200, &allow)),
        ("a list", Reply::json(200, &json!([[allow, allow, allow]]))),
        (
            "no list",
            Reply::json(200, &json!({ "evaluations": { "0": allow } })),
        ),
        (
            "two lists",
            json_text(
                r#"{"evaluations":[{"decision":true},{"decision":true},{"decision":true}],"evaluations":[]}"#,
            ),
        ),
        (
            "half a list",
            json_text(r#"{"evaluations":[{"decision":true},"#),
        ),
        ("garbage", json_text("It depends.")),
        (
            "another content type",
            Reply::status(200).body(json!({ "evaluations": [allow, allow, allow] }).to_string()),
        ),
        (
            "too much",
            json_text(&format!(
                r#"{{"evaluations":[{{"decision":true}},{{"decision":true}},{{"decision":true}}]{}}}"#,
                " ".repeat(1 << 20)
            )),
        ),
        (
            "a question that is not understood",
            Reply::json(400, &json!({ "evaluations": [allow, allow, allow] })),
        ),
        (
            "a question at which the service fails",
            Reply::json(500, &json!({ "evaluations": [allow, allow, allow] })),
        ),
        (
            "a member that stands twice",
            json_text(
                r#"{"evaluations":[{"decision":true},{"decision":true},{"decision":false,"decision":true}]}"#,
            ),
        ),
        ("no such path", Reply::status(404)),
        ("too large a body", Reply::status(413)),
    ]
}

#[test]
fn questions_without_an_answer_are_put_by_themselves_so_that_none_spoils_the_others() {
    for (name, no_answer) in no_answers() {
        let harness = gathering();
        let (call, waiting) = under_way(&harness, &NAMES);
        call.reply(no_answer);
        assert!(waiting.iter().all(|(_, one)| one.is_waiting()), "{name}");
        assert!(
            harness.logged("did not decide 3 questions together, and is asked each by itself"),
            "{name}"
        );
        let calls = harness.callouts();
        assert_eq!(calls.len(), NAMES.len(), "{name}");
        for (call, who) in calls.iter().zip(NAMES) {
            assert_eq!(call.path, "/access/v1/evaluation", "{name}");
            assert_eq!(subjects(call), [who], "{name}");
            match who {
                "alice" => call.reply_json(400, &json!({})),
                "bob" => call.reply_json(200, &deny()),
                _ => call.reply_json(200, &granted(who)),
            }
        }
        unavailable(&waiting[0].1);
        refused(&waiting[1].1, 403, "grant_denied");
        passes_as(&waiting[2].1, "carol");
        assert_eq!(harness.metric("hallpass.grants.apart"), 3, "{name}");
    }
}

#[test]
fn a_question_that_nobody_waits_for_any_longer_is_not_put_again() {
    let harness = gathering();
    let (call, clients) = under_way(&harness, &NAMES);
    clients[1].1.hang_up();
    call.reply(Reply::status(404));
    let put: Vec<_> = harness.callouts().iter().flat_map(subjects).collect();
    assert_eq!(put, ["alice", "carol"]);
    assert!(asks(&harness, "bob").is_waiting());
    let calls = harness.callouts();
    calls[0].reply_json(200, &granted("alice"));
    calls[1].reply_json(200, &granted("carol"));
    let call = harness.callout();
    assert_eq!(subjects(&call), ["bob"], "it is put for who comes later");
}

#[test]
fn an_answer_that_is_no_decision_fails_its_own_question_alone() {
    for no_decision in [
        json!({}),
        json!({ "decision": "true" }),
        json!({ "decision": 1 }),
        json!({ "decision": false, "context": { "error": { "status": 400, "message": "no subject" } } }),
        json!(true),
        json!(null),
        json!([{ "decision": true }]),
        json!({ "decision": true, "context": { "approval": { "approved_until": "soon" } } }),
        json!({ "evaluations": [{ "decision": true }] }),
    ] {
        let harness = gathering();
        let (call, waiting) = under_way(&harness, &NAMES);
        reply_each(&call, |name| match name {
            "bob" => no_decision.clone(),
            name => granted(name),
        });
        passes_as(&waiting[0].1, "alice");
        unavailable(&waiting[1].1);
        passes_as(&waiting[2].1, "carol");
        assert!(
            asks(&harness, "bob").is_waiting(),
            "{no_decision} was remembered"
        );
    }
}

/// A proxy whose operator has chosen that a failure of the service lets pass.
fn open_when_it_fails() -> Harness {
    Harness::start(config_with(|config| {
        let service = &mut config["grants"]["service"];
        service["batch"] = json!({ "calls": 1 });
        service["failure_mode"] = json!("allow");
    }))
    .expect("it starts")
}

#[test]
fn a_service_that_fails_opens_to_each_only_where_an_operator_says_so() {
    let harness = open_when_it_fails();
    let (call, waiting) = under_way(&harness, &NAMES);
    call.reply(Reply::failed_like_envoy(503));
    for (name, exchange) in &waiting {
        let headers = exchange.forwarded();
        assert_eq!(headers.get("x-hallpass-subject").as_deref(), Some(*name));
    }
    let failed_open = harness.metric("hallpass.decisions.allow.grant_service_failed_open");
    assert_eq!(failed_open, 3);
}

#[test]
fn an_error_that_is_told_of_one_question_opens_nothing_unless_it_is_the_services() {
    for (error, opens) in [
        (json!({ "status": 400, "message": "no such action" }), false),
        (json!("none"), false),
        (json!({ "status": 500, "message": "no database" }), true),
    ] {
        let harness = open_when_it_fails();
        let (call, waiting) = under_way(&harness, &NAMES);
        reply_each(&call, |name| match name {
            "bob" => json!({ "decision": false, "context": { "error": error } }),
            name => granted(name),
        });
        passes_as(&waiting[0].1, "alice");
        if opens {
            waiting[1].1.forwarded();
        } else {
            unavailable(&waiting[1].1);
        }
        passes_as(&waiting[2].1, "carol");
    }
}

#[test]
fn a_call_that_the_proxy_refuses_leaves_nobody_hanging() {
    let harness = gathering();
    let (_slow, waiting) = waiting(&harness, &NAMES);
    harness.set_cluster(GRANTS, Cluster::Unknown);
    harness.advance(Duration::from_millis(10));
    for (_, exchange) in &waiting[1..] {
        unavailable(exchange);
    }
    assert!(waiting[0].1.is_waiting());
    assert_eq!(harness.metric("hallpass.callouts.refused"), 1);
}

#[test]
fn a_call_that_the_proxy_never_answers_is_given_up_for_each() {
    let harness = Harness::builder()
        .without_callout_timeouts()
        .start(config_with(|config| {
            config["grants"]["service"]["batch"] = json!({ "calls": 1 });
        }))
        .unwrap();
    let (call, waiting) = under_way(&harness, &NAMES);
    harness.advance(Duration::from_secs(2));
    for (_, exchange) in &waiting {
        unavailable(exchange);
    }
    assert_eq!(harness.metric("hallpass.callouts.timeout"), 1);
    let anew = asks(&harness, "alice");
    reply_each(&call, granted);
    assert!(
        anew.is_waiting(),
        "an answer that comes too late counts for nobody"
    );
    harness.callout().reply_json(200, &deny());
    refused(&anew, 403, "grant_denied");
}

#[test]
fn a_call_that_the_proxy_refuses_within_a_requests_callback_is_refused_to_each_at_once() {
    let harness = gathering_with(json!({ "calls": 1, "max_questions": 2 }));
    let (_slow, mut waiting) = waiting(&harness, &["alice", "bob"]);
    harness.set_cluster(GRANTS, Cluster::Unknown);
    let carol = asks(&harness, "carol");
    unavailable(&carol);
    harness.tick();
    let (_, bob) = waiting.remove(1);
    unavailable(&bob);
}

#[test]
fn a_call_that_fails_counts_once_whatever_it_asks() {
    let harness = gathering();
    let (call, waiting) = under_way(&harness, &NAMES);
    call.reply(Reply::failed_like_envoy(503));
    for (_, exchange) in &waiting {
        unavailable(exchange);
    }
    for name in ["dave", "erin"] {
        let exchange = asks(&harness, name);
        assert!(exchange.is_waiting(), "{name}: the service rests already");
        harness.callout().reply(Reply::failed_like_envoy(503));
        unavailable(&exchange);
    }
    let calls = asked(&harness);
    unavailable(&asks(&harness, "frank"));
    assert_eq!(asked(&harness), calls, "it has failed three times in a row");
}

#[test]
fn an_allow_of_before_stands_in_for_each_where_it_may() {
    let harness = Harness::start(config_with(|config| {
        let service = &mut config["grants"]["service"];
        service["batch"] = json!({ "calls": 1 });
        service["cache"] = json!({ "stale_if_error": "5m" });
    }))
    .unwrap();
    let (call, _) = under_way(&harness, &["alice", "bob"]);
    reply_each(&call, |name| match name {
        "bob" => deny(),
        name => granted(name),
    });
    harness.at(ms(NOW + 60));
    let (call, waiting) = under_way(&harness, &["alice", "bob"]);
    call.reply(Reply::failed_like_envoy(503));
    passes_as(&waiting[0].1, "alice");
    unavailable(&waiting[1].1);
    assert_eq!(harness.metric("hallpass.grants.stale"), 1);
}

#[test]
fn a_question_for_nobody_in_particular_is_put_again_for_who_has_come_meanwhile() {
    let harness = gathering();
    let names = ["alice", "bob"];
    for name in names {
        let exchange = asks(&harness, name);
        harness.callout().reply_json(200, &granted(name));
        passes_as(&exchange, name);
    }
    harness.at(ms(NOW + 25));
    for name in names {
        passes_as(&asks(&harness, name), name);
    }
    harness.tick();
    let call = harness.callout();
    assert_eq!(subjects(&call), names);
    harness.at(ms(NOW + 30));
    let alice = asks(&harness, "alice");
    assert!(alice.is_waiting(), "her answer of before is over");
    call.reply(Reply::status(404));
    let call = harness.callout();
    assert_eq!(subjects(&call), ["alice"]);
    call.reply_json(200, &granted("alice"));
    passes_as(&alice, "alice");
    assert!(asks(&harness, "bob").is_waiting());
}

#[test]
fn a_configuration_that_comes_while_questions_are_put_by_themselves_leaves_nobody_hanging() {
    let harness = gathering();
    let (call, waiting) = under_way(&harness, &NAMES);
    call.reply(Reply::status(404));
    let calls = harness.callouts();
    harness.reconfigure(config());
    for (_, exchange) in &waiting {
        unavailable(exchange);
    }
    for (call, name) in calls.iter().zip(NAMES) {
        call.reply_json(200, &granted(name));
    }
    assert!(
        asks(&harness, "alice").is_waiting(),
        "late answers count for nobody"
    );
}
