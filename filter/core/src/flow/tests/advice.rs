//! Decisions that come with a word for the client: how to sign in, where to ask.

use super::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const STEP_UP: &str = r#"[{"type":"step-up","id":"1","acr_value":"phr","max_age":300}]"#;

fn allow_with(obligations: &str, until: i64) -> String {
    let mut allow: Value = serde_json::from_str(&allow_until(until)).unwrap();
    allow["context"]["obligations"] = serde_json::from_str(obligations).unwrap();
    allow.to_string()
}

fn plain() -> Request {
    Request::get("/orders/7").by(alice())
}

fn stepped_up() -> Request {
    let signed_in = alice()
        .claim("acr", json!("phr"))
        .claim("auth_time", json!(NOW));
    Request::get("/orders/7").by(signed_in)
}

fn header(step: &Step, name: &str) -> Option<String> {
    let Step::Respond(refusal) = step else {
        return None;
    };
    let headers = &refusal.answer.headers;
    let found = headers.iter().find(|(other, _)| *other == name)?;
    Some(found.1.clone().into_owned())
}

#[test]
fn a_step_up_is_asked_of_each_token_by_itself_also_when_the_decision_is_remembered() {
    let mut world = World::new();
    let allow = allow_with(STEP_UP, NOW + 3600);
    let outcome = world.outcome_when_answered(plain(), &allow, 0);
    assert_eq!(outcome, "401 step_up_required");
    let (_, step) = world.send(plain());
    assert_eq!(told(&step), "401 step_up_required");
    assert_eq!(
        header(&step, "www-authenticate").as_deref(),
        Some(r#"Bearer error="insufficient_user_authentication", acr_values="phr", max_age="300""#)
    );
    assert_eq!(world.outcome(stepped_up()), "grant_cached");
    assert_eq!(world.outcome(plain()), "401 step_up_required");
}

#[test]
fn a_sign_in_is_judged_at_the_time_of_each_request() {
    let mut world = World::with(&with_service("cache", json!({ "allow_ttl": "1h" })));
    let allow = allow_with(STEP_UP, NOW + 3600);
    let outcome = world.outcome_when_answered(stepped_up(), &allow, 0);
    assert_eq!(outcome, "grant_service");
    world.pass(299);
    assert_eq!(world.outcome(stepped_up()), "grant_cached");
    world.pass(1);
    assert_eq!(world.outcome(stepped_up()), "401 step_up_required");
}

#[test]
fn nobody_is_sent_to_sign_in_for_a_grant_that_would_not_count() {
    for (until, expected) in [
        (NOW, "403 grant_expired"),
        (NOW + 8 * 3600 + 1, "403 grant_lifetime_exceeded"),
    ] {
        let mut world = World::new();
        let outcome = world.outcome_when_answered(plain(), &allow_with(STEP_UP, until), 0);
        assert_eq!(outcome, expected);
    }
    let mut world = World::new();
    let endless = format!(r#"{{"decision":true,"context":{{"obligations":{STEP_UP}}}}}"#);
    let outcome = world.outcome_when_answered(plain(), &endless, 0);
    assert_eq!(outcome, "403 grant_without_expiry");
}

#[test]
fn an_obligation_beside_a_step_up_that_is_met_still_denies() {
    let obligations = r#"[{"type":"step-up","id":"1","acr_value":"phr"},{"type":"notification","id":"2","to":"owner"}]"#;
    let mut world = World::new();
    let allow = allow_with(obligations, NOW + 3600);
    let outcome = world.outcome_when_answered(stepped_up(), &allow, 0);
    assert_eq!(outcome, "403 grant_obligation_unsupported");
    assert_eq!(
        world.outcome(stepped_up()),
        "403 grant_obligation_unsupported"
    );
    let notices = world.gate.take_notices();
    let [notice] = &notices[..] else {
        panic!("{notices:?}");
    };
    assert!(notice.contains(r#""notification""#), "{notice}");
}

#[test]
fn a_method_that_no_challenge_can_ask_for_denies() {
    let obligations = r#"[{"type":"step-up","id":"1","acr_value":"phr","amr_values":["hwk"]}]"#;
    let mut world = World::new();
    let allow = allow_with(obligations, NOW + 3600);
    let outcome = world.outcome_when_answered(stepped_up(), &allow, 0);
    assert_eq!(outcome, "403 grant_obligation_unsupported");
    let used = alice()
        .claim("acr", json!("phr"))
        .claim("amr", json!(["hwk"]));
    let request = Request::get("/orders/7").by(used);
    assert_eq!(world.outcome(request), "grant_cached");
}

#[test]
fn a_grant_in_the_token_needs_no_step_up_of_the_service() {
    let mut world = World::new();
    let allow = allow_with(STEP_UP, NOW + 3600);
    world.outcome_when_answered(plain(), &allow, 0);
    let grant = Grant::new("orders", &["read"]).until(NOW + 60);
    let request = Request::get("/orders/7").by(alice().grant(grant));
    assert_eq!(world.outcome(request), "grant_embedded");
}

fn request_url(step: &Step) -> Value {
    let Step::Respond(refusal) = step else {
        panic!("it passes");
    };
    let body: Value = serde_json::from_slice(&refusal.answer.body).unwrap();
    body["request_url"].clone()
}

#[test]
fn a_form_without_an_own_origin_to_compare_with_is_not_shown() {
    let deny = r#"{"decision":false,"context":{"access_request":{"form_url":"https://grants.example/form"}}}"#;
    let mut world = World::new();
    world.outcome_when_answered(plain(), deny, 0);
    let (_, step) = world.send(plain());
    assert_eq!(request_url(&step), "https://grants.example/form");

    let mut config = config();
    config["grants"]
        .as_object_mut()
        .unwrap()
        .remove("request_url");
    let mut world = World::with(&config);
    world.outcome_when_answered(plain(), deny, 0);
    let (_, step) = world.send(plain());
    assert_eq!(told(&step), "403 grant_denied");
    assert_eq!(request_url(&step), Value::Null);
    assert_eq!(world.gate.take_notices().len(), 1);
}
