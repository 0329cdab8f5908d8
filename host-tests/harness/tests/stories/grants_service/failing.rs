//! A service that does not decide lets nothing pass, unless an operator says so loudly.

use hallpass_harness::{Cluster, Harness, Reply, Status};
use hallpass_tokens::NOW;
use serde_json::json;

use super::{answers, asked, service};
use crate::setup::{
    GRANTS, alice, allow_until, config_with, deny, order, refused, seconds, start, timestamp,
    unavailable,
};

fn json_text(body: impl Into<Vec<u8>>) -> Reply {
    Reply::status(200)
        .header("content-type", "application/json")
        .body(body)
}

#[test]
fn a_service_that_fails_is_neither_an_allow_nor_a_deny_and_is_not_remembered() {
    let failures = [
        ("connection refused", Reply::failed_like_envoy(503)),
        ("timeout", Reply::failed_like_envoy(504)),
        ("no headers", Reply::failed_without_headers()),
        ("server error", Reply::json(500, &allow_until(NOW + 3600))),
        ("bad request", Reply::json(400, &json!("no subject"))),
        ("unauthorised", Reply::json(401, &allow_until(NOW + 3600))),
        ("unauthorised, and a denial", Reply::json(401, &deny())),
        ("forbidden", Reply::json(403, &deny())),
        ("created", Reply::json(201, &allow_until(NOW + 3600))),
        ("no content", Reply::status(204)),
        (
            "redirect",
            Reply::status(302).header("location", "https://evil.example"),
        ),
        (
            "a page",
            Reply::status(200)
                .header("content-type", "text/html")
                .body("<html>ok</html>"),
        ),
        (
            "another content type",
            Reply::status(200)
                .header("content-type", "text/plain")
                .body(allow_until(NOW + 3600).to_string()),
        ),
        (
            "no content type",
            Reply::status(200).body(allow_until(NOW + 3600).to_string()),
        ),
        (
            "two content types",
            Reply::json(200, &allow_until(NOW + 3600)).header("content-type", "text/html"),
        ),
        (
            "too much",
            json_text(format!(
                "{}{}",
                allow_until(NOW + 3600),
                " ".repeat(64 * 1024)
            )),
        ),
        ("an empty body", json_text("")),
        ("half an answer", json_text(r#"{"decision": tr"#)),
        ("no decision", Reply::json(200, &json!({}))),
        (
            "a decision in text",
            Reply::json(200, &json!({ "decision": "true" })),
        ),
        (
            "a decision in numbers",
            Reply::json(200, &json!({ "decision": 1 })),
        ),
        (
            "a decision of nothing",
            Reply::json(200, &json!({ "decision": null })),
        ),
        ("a list", Reply::json(200, &json!([true]))),
        (
            "an allow in a list",
            Reply::json(200, &json!([true, [["g-42", timestamp(NOW + 3600)]]])),
        ),
        (
            "two decisions",
            json_text(r#"{"decision": false, "decision": true}"#),
        ),
        (
            "two contexts",
            json_text(r#"{"decision": true, "context": {"obligations": [1]}, "context": {}}"#),
        ),
        (
            "a decision and more",
            json_text(r#"{"decision": true} {"decision": true}"#),
        ),
        ("garbage", json_text("It depends.")),
        ("bytes", json_text(b"\xff\xfe{}".to_vec())),
    ];
    for (name, failure) in failures {
        let harness = start();
        let exchange = harness.request(order(&alice()));
        harness.callout().reply(failure);
        let answer = exchange.answer();
        assert_eq!(
            (answer.status, answer.reason().as_str()),
            (503, "grant_service_unavailable"),
            "{name}"
        );
        assert_eq!(answer.headers.all("retry-after"), ["1"], "{name}");

        let next = harness.request(order(&alice()));
        assert!(next.is_waiting(), "{name} was remembered");
        harness.callout().reply_json(200, &allow_until(NOW + 3600));
        next.forwarded();
    }
}

#[test]
fn a_service_that_refuses_the_filter_itself_is_told_with_the_place_to_look() {
    for (status, is_credentials) in [(401, true), (403, true), (400, false), (500, false)] {
        let harness = start();
        let exchange = harness.request(order(&alice()));
        harness.callout().reply_json(status, &deny());
        let answer = unavailable(&exchange);
        assert!(!answer.headers.has("www-authenticate"), "{status}");
        let lines: Vec<String> = harness.log().into_iter().map(|line| line.text).collect();
        let told = lines
            .iter()
            .any(|line| line.contains("credentials") && line.contains("`grants.service.headers`"));
        assert_eq!(told, is_credentials, "{status}: {lines:?}");
        let status_told = lines.iter().any(|line| line.contains(&status.to_string()));
        assert!(status_told, "{status}: {lines:?}");
    }
}

#[test]
fn a_call_that_cannot_be_dispatched_is_a_failure_of_the_service() {
    for cluster in [Cluster::Unknown, Cluster::Refuses] {
        let harness = start();
        harness.set_cluster(GRANTS, cluster);
        let answer = unavailable(&harness.request(order(&alice())));
        assert_eq!(answer.headers.all("retry-after"), ["1"]);
        answers(&harness, &allow_until(NOW + 3600));
        harness.request(order(&alice())).forwarded();
    }
}

#[test]
fn a_service_that_does_not_answer_in_time_has_failed() {
    let harness = start();
    let exchange = harness.request(order(&alice()));
    harness.advance(seconds(1));
    unavailable(&exchange);
}

#[test]
fn waiting_ends_even_when_the_proxy_forgets_the_timeout() {
    let harness = Harness::builder()
        .without_callout_timeouts()
        .start(crate::setup::config())
        .expect("it starts");
    let exchange = harness.request(order(&alice()));
    harness.advance(seconds(3));
    unavailable(&exchange);

    let next = harness.request(order(&alice()));
    assert_eq!(
        asked(&harness),
        2,
        "the lost call does not block the next one"
    );
    harness
        .callouts()
        .pop()
        .expect("the second call")
        .reply_json(200, &allow_until(NOW + 3600));
    next.forwarded();
}

#[test]
fn a_clock_that_is_set_forward_is_no_service_that_does_not_answer() {
    let config = config_with(|config| {
        config["grants"]["service"]["failure_mode"] = json!("allow");
    });
    let harness = Harness::builder()
        .without_callout_timeouts()
        .start(config)
        .expect("it starts");
    let asked = harness.request(order(&alice()));
    harness.at(harness.now() + 60_000);
    harness.tick();
    assert!(asked.is_waiting(), "the service may still answer");
    harness
        .callout()
        .reply_json(200, &json!({ "decision": false }));
    refused(&asked, 403, "grant_denied");

    // One that never answers is still given up, as much later as the clock was set forward.
    harness.advance(seconds(3));
    let unanswered = harness.request(order(&alice()));
    harness.at(harness.now() + 60_000);
    harness.advance(seconds(3));
    unanswered.forwarded();
}

#[test]
fn a_late_answer_after_the_filter_gave_up_harms_nobody() {
    let harness = Harness::builder()
        .without_callout_timeouts()
        .start(crate::setup::config())
        .expect("it starts");
    let exchange = harness.request(order(&alice()));
    harness.advance(seconds(3));
    unavailable(&exchange);
    harness.callout().reply_json(200, &allow_until(NOW + 3600));
    unavailable(&exchange);
    assert!(harness.is_alive());
}

#[test]
fn an_operator_may_choose_to_fail_open_and_it_is_loud() {
    let harness = service(|service| service["failure_mode"] = json!("allow"));
    let exchange = harness.request(order(&alice()));
    harness.callout().fail_like_envoy(503);
    let forwarded = exchange.forwarded();
    assert_eq!(
        forwarded.get("x-hallpass-subject").as_deref(),
        Some("alice")
    );
    assert!(!forwarded.has("x-hallpass-grant-id"));
    exchange.upstream_answers(200);
    assert_eq!(harness.audit()[0]["reason"], "grant_service_failed_open");
    assert_eq!(
        harness.metric("hallpass.decisions.allow.grant_service_failed_open"),
        1
    );
    assert!(
        harness
            .log()
            .iter()
            .any(|line| line.level as i32 >= hallpass_harness::LogLevel::Warn as i32),
        "{harness:?}"
    );
}

/// Whoever asks can see to it that a question is none that the service answers, and would so let themselves in.
#[test]
fn a_question_that_the_service_refuses_opens_nothing_even_where_a_failure_does() {
    const REFUSALS: [u16; 6] = [400, 404, 413, 414, 422, 431];
    const FAILURES: [u16; 8] = [401, 403, 408, 429, 500, 502, 503, 504];
    for (statuses, opens) in [(&REFUSALS[..], false), (&FAILURES[..], true)] {
        for status in statuses.iter().copied() {
            let harness = service(|service| service["failure_mode"] = json!("allow"));
            harness.set_cluster(
                GRANTS,
                Cluster::answers(move |_| Reply::json(status, &json!("no such action"))),
            );
            let exchange = harness.request(order(&alice()));
            if opens {
                exchange.forwarded();
            } else {
                unavailable(&exchange);
                let opened = "hallpass.decisions.allow.grant_service_failed_open";
                assert_eq!(harness.metric(opened), 0, "{status}");
            }
        }
    }
}

#[test]
fn a_stale_allow_stands_in_for_a_service_that_refuses_its_question() {
    let harness = service(|service| service["cache"] = json!({ "stale_if_error": "60s" }));
    answers(&harness, &allow_until(NOW + 3600));
    harness.request(order(&alice())).forwarded();
    harness.set_cluster(
        GRANTS,
        Cluster::answers(|_| Reply::json(404, &json!("gone"))),
    );
    harness.advance(seconds(40));
    harness.request(order(&alice())).forwarded();
}

#[test]
fn failing_open_does_not_open_the_door_to_bad_tokens_or_denies() {
    let harness = service(|service| service["failure_mode"] = json!("allow"));
    refused(&harness.request(order("nonsense")), 401, "token_malformed");
    answers(&harness, &deny());
    refused(&harness.request(order(&alice())), 403, "grant_denied");
}

#[test]
fn the_proxys_own_cryptography_is_not_required() {
    let lying =
        Harness::builder().foreign_function("verify_signature", |_| Err(Status::InternalFailure));
    let harness = lying.start(crate::setup::config()).expect("it starts");
    answers(&harness, &allow_until(NOW + 3600));
    harness.request(order(&alice())).forwarded();
}
