//! Questions that were put together and have no answer, or none that can be believed.

use std::time::Duration;

use hallpass_harness::{Cluster, Harness, Reply};
use hallpass_tokens::NOW;
use serde_json::json;

use super::{asks, gathering, granted, passes_as, reply_each, subjects, under_way, waiting};
use crate::setup::{GRANTS, allow_until, config_with, deny, refused};

const UNAVAILABLE: &str = "grant_service_unavailable";
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
        Reply::json(500, &all_allowed),
        Reply::json(429, &all_allowed),
        Reply::json(401, &all_allowed),
        Reply::json(302, &all_allowed),
    ] {
        let harness = gathering();
        let (call, waiting) = under_way(&harness, &NAMES);
        call.reply(failure.clone());
        for (_, exchange) in &waiting {
            let answer = refused(exchange, 503, UNAVAILABLE);
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
        refused(&waiting[0].1, 503, UNAVAILABLE);
        refused(&waiting[1].1, 403, "grant_denied");
        passes_as(&waiting[2].1, "carol");
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
        refused(&waiting[1].1, 503, UNAVAILABLE);
        passes_as(&waiting[2].1, "carol");
        assert!(
            asks(&harness, "bob").is_waiting(),
            "{no_decision} was remembered"
        );
    }
}

#[test]
fn an_answer_that_repeats_a_member_fails_its_own_question_alone() {
    let harness = gathering();
    let (call, waiting) = under_way(&harness, &["alice", "bob"]);
    let alice = granted("alice");
    call.reply(json_text(&format!(
        r#"{{"evaluations":[{alice},{{"decision":false,"decision":true}}]}}"#
    )));
    passes_as(&waiting[0].1, "alice");
    refused(&waiting[1].1, 503, UNAVAILABLE);
}

#[test]
fn a_service_that_fails_opens_to_each_only_where_an_operator_says_so() {
    let harness = Harness::start(config_with(|config| {
        let service = &mut config["grants"]["service"];
        service["batch"] = json!({ "calls": 1 });
        service["failure_mode"] = json!("allow");
    }))
    .unwrap();
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
fn a_call_that_the_proxy_refuses_leaves_nobody_hanging() {
    for cluster in [Cluster::Unknown, Cluster::Refuses] {
        let harness = gathering();
        let (_slow, waiting) = waiting(&harness, &NAMES);
        harness.set_cluster(GRANTS, cluster);
        harness.advance(Duration::from_millis(10));
        for (_, exchange) in &waiting[1..] {
            refused(exchange, 503, UNAVAILABLE);
        }
        assert!(waiting[0].1.is_waiting());
        assert_eq!(harness.metric("hallpass.callouts.refused"), 1);
    }
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
        refused(exchange, 503, UNAVAILABLE);
    }
    assert_eq!(harness.metric("hallpass.callouts.timeout"), 1);
    reply_each(&call, granted);
    assert!(
        asks(&harness, "alice").is_waiting(),
        "an answer that comes too late counts for nobody"
    );
}
