//! What the service obliges the filter to: a sign-in that can be asked for is asked for, all else denies.

use hallpass_harness::{Answer, Request};
use hallpass_tokens::{NOW, TokenBuilder};
use serde_json::{Value, json};

use super::{answers, asked};
use crate::setup::{alice, allow_until, deny, key, ms, order, refused, start};

/// An allow with these obligations.
fn obliging(obligations: Value) -> Value {
    let mut allow = allow_until(NOW + 3600);
    allow["context"]["obligations"] = obligations;
    allow
}

fn step_up() -> Value {
    obliging(json!([{ "id": "o-1", "type": "step-up", "acr_value": "phr", "max_age": 300 }]))
}

/// Alice, signed in with this `acr` at this second.
fn signed_in(acr: &str, second: i64) -> String {
    TokenBuilder::for_user("alice")
        .claim("acr", json!(acr))
        .claim("auth_time", json!(second))
        .signed_by(&key())
}

#[track_caller]
fn assert_challenged(answer: &Answer) {
    assert_eq!(
        answer.headers.all("www-authenticate"),
        [r#"Bearer error="insufficient_user_authentication", acr_values="phr", max_age="300""#]
    );
}

#[test]
fn a_step_up_is_a_challenge_each_time_until_the_token_meets_it() {
    let harness = start();
    answers(&harness, &step_up());
    let ask = || harness.request(order(&alice()).header("x-request-id", "r-1"));
    let first = refused(&ask(), 401, "step_up_required");
    let second = refused(&ask(), 401, "step_up_required");
    assert_challenged(&first);
    assert_challenged(&second);
    assert_eq!(second.json(), first.json());
    assert_eq!(first.headers.all("cache-control"), ["no-store"]);
    for short in [signed_in("pwd", NOW), signed_in("phr", NOW - 300)] {
        let answer = refused(&harness.request(order(&short)), 401, "step_up_required");
        assert_challenged(&answer);
    }

    let forwarded = harness.request(order(&signed_in("phr", NOW))).forwarded();
    assert_eq!(
        forwarded.get("x-hallpass-grant-id").as_deref(),
        Some("g-42")
    );
    assert_eq!(asked(&harness), 1, "the decision is one, whoever signed in");
    assert_eq!(harness.audit()[0]["reason"], "step_up_required");
    assert_eq!(
        harness.metric("hallpass.decisions.deny.step_up_required"),
        4
    );
}

#[test]
fn those_who_wait_for_one_answer_are_judged_by_their_own_tokens() {
    let harness = start();
    let weak = harness.request(order(&alice()));
    let strong = harness.request(order(&signed_in("phr", NOW)));
    let ends = harness.request(order(&signed_in("phr", NOW - 290)));
    assert_eq!(asked(&harness), 1);
    harness.at(ms(NOW + 10));
    harness.callout().reply_json(200, &step_up());
    assert_challenged(&refused(&weak, 401, "step_up_required"));
    assert_challenged(&refused(&ends, 401, "step_up_required"));
    strong.forwarded();
}

#[test]
fn what_another_worker_was_told_is_demanded_as_well() {
    let harness = start();
    answers(&harness, &step_up());
    let second = harness.second_worker();
    refused(&harness.request(order(&alice())), 401, "step_up_required");
    let answer = refused(&second.request(order(&alice())), 401, "step_up_required");
    assert_challenged(&answer);
    second.request(order(&signed_in("phr", NOW))).forwarded();
    assert_eq!(asked(&harness), 1);
}

#[test]
fn a_browser_is_told_to_sign_in_and_not_to_request_access() {
    let harness = start();
    answers(&harness, &step_up());
    let page = harness.request(order(&alice()).header("accept", "text/html"));
    let answer = page.answer();
    assert_eq!(answer.status, 401);
    assert_challenged(&answer);
    assert!(answer.text().contains("Sign in again"), "{}", answer.text());
    assert!(
        !answer.text().contains("Request access"),
        "{}",
        answer.text()
    );
}

#[test]
fn an_obligation_that_cannot_be_met_turns_an_allow_into_a_deny() {
    let harness = start();
    let notification =
        json!({ "id": "o-1", "type": "notification", "properties": { "to": "owner" } });
    answers(&harness, &obliging(json!([notification])));
    let exchange = harness.request(order(&alice()));
    let answer = refused(&exchange, 403, "grant_obligation_unsupported");
    assert!(!answer.headers.has("www-authenticate"));
}

#[test]
fn every_obligation_must_be_met() {
    let met = json!({ "id": "o-1", "type": "step-up", "acr_value": "phr" });
    for other in [
        json!({ "id": "o-2", "type": "notification", "to": "owner" }),
        json!({ "id": "o-2", "type": "custom" }),
        json!({ "id": "o-2" }),
        json!("step-up"),
        json!({ "id": "o-2", "type": "step-up" }),
        json!({ "id": "o-2", "type": "step-up", "acr_value": "other" }),
        json!({ "id": "o-2", "type": "step-up", "acr_value": "phr", "unheard_of": 1 }),
        json!({ "id": "o-2", "type": "step-up", "acr_value": "phr", "amr_values": ["hwk"] }),
    ] {
        let harness = start();
        answers(&harness, &obliging(json!([met, other])));
        for _ in 0..2 {
            let exchange = harness.request(order(&signed_in("phr", NOW)));
            refused(&exchange, 403, "grant_obligation_unsupported");
        }
        assert_eq!(asked(&harness), 1, "{other}");
    }
}

#[test]
fn what_the_service_writes_cannot_leave_its_place_in_the_challenge() {
    for acr in [
        "phr\", realm=\"evil",
        "phr\\",
        "phr\r\nset-cookie: a=b",
        "phr\u{e9}",
        "phr ",
        "",
        &"phr".repeat(200),
    ] {
        let harness = start();
        let obligation = json!({ "id": "o-1", "type": "step-up", "acr_value": acr });
        answers(&harness, &obliging(json!([obligation])));
        let exchange = harness.request(order(&alice()));
        let answer = refused(&exchange, 403, "grant_obligation_unsupported");
        assert!(!answer.headers.has("www-authenticate"), "{acr:?}");
        assert!(!answer.headers.has("set-cookie"), "{acr:?}");
    }
}

#[test]
fn an_obligation_that_is_not_known_is_told_in_one_line_of_the_log() {
    let harness = start();
    let obligation = json!({ "id": "o\nhallpass.audit {}", "type": "notification" });
    answers(&harness, &obliging(json!([obligation])));
    for _ in 0..3 {
        let exchange = harness.request(order(&alice()));
        refused(&exchange, 403, "grant_obligation_unsupported");
    }
    let lines: Vec<String> = harness.log().into_iter().map(|line| line.text).collect();
    let told: Vec<_> = lines
        .iter()
        .filter(|l| l.contains("obligation \""))
        .collect();
    assert_eq!(told.len(), 1, "{lines:?}");
    assert!(told[0].contains("notification"), "{told:?}");
    assert!(!told[0].contains('\n'), "{told:?}");
}

#[test]
fn a_denial_that_hints_at_a_sign_in_is_a_plain_denial() {
    for context in [
        json!({ "acr_values": "phr", "amr_values": "mfa hwk" }),
        json!({ "obligations": [{ "id": "o-1", "type": "step-up", "acr_value": "phr" }] }),
    ] {
        let harness = start();
        let mut denial = deny();
        denial["context"] = context;
        answers(&harness, &denial);
        let answer = refused(&harness.request(order(&alice())), 403, "grant_denied");
        assert!(!answer.headers.has("www-authenticate"));
    }
}

#[test]
fn a_head_request_is_challenged_too() {
    let harness = start();
    answers(&harness, &step_up());
    let head = Request::new("HEAD", "https://admin.example/orders/7").bearer(&alice());
    let answer = harness.request(head).answer();
    assert_eq!((answer.status, answer.body.len()), (401, 0));
    assert_challenged(&answer);
}
