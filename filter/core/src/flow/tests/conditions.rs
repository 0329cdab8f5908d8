//! Under which conditions requests pass, and what they cost and lead to where they do not.

use super::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// The usual configuration with these conditions on every resource.
fn configured(conditions: &Value) -> Value {
    let mut config = config();
    for resource in config["resources"].as_array_mut().unwrap() {
        resource["conditions"] = conditions.clone();
    }
    config
}

/// Only for who has to prove an identity.
fn under_for_known(conditions: &Value) -> World {
    let mut config = configured(conditions);
    config["resources"].as_array_mut().unwrap().remove(0);
    World::with(&config)
}

fn strong(age: i64) -> TokenBuilder {
    alice()
        .claim("acr", json!("mfa"))
        .claim("auth_time", json!(NOW - age))
}

fn until(step: &Step) -> Option<i64> {
    let Step::Continue(passage) = step else {
        panic!("{}", told(step));
    };
    Some(i64::try_from(passage.until?.as_seconds()).unwrap())
}

fn challenge(step: &Step) -> String {
    let Step::Respond(refusal) = step else {
        panic!("{}", told(step));
    };
    let mut headers = refusal.answer.headers.iter();
    let found = headers.find(|(name, _)| *name == "www-authenticate");
    found
        .map(|(_, value)| value.clone().into_owned())
        .unwrap_or_default()
}

#[test]
fn each_condition_refuses_for_its_own_reason_and_asks_nobody() {
    let evening = json!([{ "from": "18:00", "to": "20:00", "time_zone": "UTC" }]);
    for (conditions, reason) in [
        (
            json!({ "source_cidrs": ["192.0.2.0/24"] }),
            "403 condition_source_ip",
        ),
        (json!({ "time_windows": evening }), "403 condition_time"),
        (
            json!({ "claims": { "groups": ["oncall"] } }),
            "403 condition_claims",
        ),
        (
            json!({ "all_of": [{ "header": "x-a", "equals": "b" }] }),
            "403 condition_request",
        ),
        (
            json!({ "not": { "certificate": "sha256", "present": true } }),
            "403 condition_request",
        ),
        (json!({ "acr_values": ["mfa"] }), "401 step_up_required"),
        (json!({ "max_auth_age": "1h" }), "401 step_up_required"),
    ] {
        let mut world = under_for_known(&conditions);
        for path in ["/me", "/orders/7"] {
            let request = Request::get(path).from("10.1.2.3").by(alice());
            assert_eq!(world.outcome(request), reason, "{conditions}");
        }
        // Whether someone may know of a condition is for those who are known.
        assert_eq!(world.outcome(Request::get("/me")), "401 token_missing");
    }
}

#[test]
fn a_public_resource_is_open_where_its_conditions_hold() {
    let mut world = under_public(&json!({ "source_cidrs": ["10.0.0.0/8"] }));
    let from = |address| Request::get("/healthz").from(address);
    assert_eq!(world.outcome(from("10.1.2.3")), "public");
    assert_eq!(world.outcome(from("11.1.2.3")), "403 condition_source_ip");
    assert_eq!(
        world.outcome(Request::get("/healthz")),
        "403 condition_source_ip"
    );
    let digest = "ab".repeat(32);
    let mut world =
        under_public(&json!({ "any_of": [{ "certificate": "sha256", "equals": digest }] }));
    let request = Request::get("/healthz");
    assert_eq!(world.outcome(request.with_fingerprint(&digest)), "public");
    let other = Request::get("/healthz").with_fingerprint("cd");
    assert_eq!(world.outcome(other), "403 condition_request");
}

fn under_public(conditions: &Value) -> World {
    let mut config = config();
    config["resources"][0]["conditions"] = conditions.clone();
    World::with(&config)
}

#[test]
fn the_source_is_told_by_as_many_proxies_as_are_trusted() {
    let mut config = configured(&json!({ "source_cidrs": ["203.0.113.0/24"] }));
    config["trusted_hops"] = json!(1);
    let mut world = World::with(&config);
    for (forwarded, expected) in [
        ("203.0.113.9, 10.0.0.2", "public"),
        ("198.51.100.1, 203.0.113.9, 10.0.0.2", "public"),
        (
            "203.0.113.9, 198.51.100.1, 10.0.0.2",
            "403 condition_source_ip",
        ),
        // The last entry is not our peer: nobody here wrote it.
        ("203.0.113.9, 203.0.113.9", "403 condition_source_ip"),
        ("203.0.113.9", "403 condition_source_ip"),
    ] {
        let request = Request::get("/healthz").from("10.0.0.2");
        let request = request.header("x-forwarded-for", forwarded);
        assert_eq!(world.outcome(request), expected, "{forwarded}");
    }
}

#[test]
fn conditions_are_judged_by_each_token_and_time_where_the_decision_is_a_remembered_one() {
    let window = json!([{ "from": "14:00", "to": "14:20", "time_zone": "UTC" }]);
    let mut config =
        configured(&json!({ "claims": { "groups": ["oncall"] }, "time_windows": window }));
    config["resources"].as_array_mut().unwrap().remove(0);
    config["grants"]["service"]["cache"] = json!({ "allow_ttl": "1h" });
    let mut world = World::with(&config);
    let order = |token| Request::get("/orders/7").by(token);
    let oncall = || alice().claim("groups", json!(["oncall"]));
    let allowed = allow_until(NOW + 3_600);
    assert_eq!(
        world.outcome_when_answered(order(oncall()), &allowed, 0),
        "grant_service"
    );
    // One subject, two tokens.
    assert_eq!(world.outcome(order(alice())), "403 condition_claims");
    assert_eq!(world.outcome(order(oncall())), "grant_cached");
    let other_groups = alice().claim("groups", json!(["dev"]));
    assert_eq!(world.outcome(order(other_groups)), "403 condition_claims");
    world.pass(400);
    assert_eq!(world.outcome(order(oncall())), "403 condition_time");
}

#[test]
fn a_request_that_waited_is_judged_by_the_time_at_which_its_answer_came() {
    let window = json!([{ "from": "14:00", "to": "14:14", "time_zone": "UTC" }]);
    let mut world = under_for_known(&json!({ "time_windows": window }));
    let request = || Request::get("/orders/7").by(alice());
    let allowed = allow_until(NOW + 3_600);
    // It is 14:13:20.
    assert_eq!(
        world.outcome_when_answered(request(), &allowed, 40),
        "403 condition_time"
    );
}

#[test]
fn a_service_that_fails_open_opens_nothing_that_a_condition_closes() {
    let mut config = configured(&json!({ "claims": { "groups": ["oncall"] } }));
    config["resources"].as_array_mut().unwrap().remove(0);
    config["grants"]["service"]["failure_mode"] = json!("allow");
    let mut world = World::with(&config);
    let order = |token| Request::get("/orders/7").by(token);
    let (mut exchange, step) = world.send(order(alice().claim("groups", json!(["oncall"]))));
    assert_eq!(told(&step), "asks");
    let step = exchange.on_grant(
        &mut world.gate,
        &GrantOutcome::Failed(Failure::Service),
        world.now,
    );
    assert_eq!(told(&step), "grant_service_failed_open");
    assert_eq!(world.outcome(order(alice())), "403 condition_claims");
}

#[test]
fn nobody_is_sent_to_sign_in_for_what_would_be_refused_then_too() {
    let mut world =
        under_for_known(&json!({ "acr_values": ["mfa"], "source_cidrs": ["10.0.0.0/8"] }));
    let me = |address| Request::get("/me").from(address).by(alice());
    assert_eq!(world.outcome(me("192.0.2.1")), "403 condition_source_ip");
    assert_eq!(world.outcome(me("10.0.0.1")), "401 step_up_required");
    let mut config = without_service();
    config["resources"][3]["conditions"] = json!({ "acr_values": ["mfa"] });
    let mut world = World::with(&config);
    let order = |token| Request::get("/orders/7").by(token);
    assert_eq!(world.outcome(order(alice())), "403 grant_missing");
    let granted = Grant::new("orders", &["read"]).until(NOW + 60);
    assert_eq!(
        world.outcome(order(alice().grant(granted))),
        "401 step_up_required"
    );
}

#[test]
fn a_sign_in_that_falls_short_is_answered_by_what_suffices() {
    let conditions = json!({ "acr_values": ["mfa", "phr"], "max_auth_age": "1h" });
    let mut world = under_for_known(&conditions);
    let expected =
        r#"Bearer error="insufficient_user_authentication", acr_values="mfa phr", max_age="3600""#;
    for (token, passes) in [
        (strong(3_599), true),
        (strong(3_600), false),
        (strong(-300), true),
        (strong(-301), false),
        (alice().claim("acr", json!("mfa")), false),
        (alice().claim("auth_time", json!(NOW)), false),
        (strong(0).claim("acr", json!("pwd")), false),
    ] {
        let shown = format!("{token:?}");
        let (_, step) = world.send(Request::get("/me").by(token));
        if passes {
            assert_eq!(told(&step), "identity", "{shown}");
        } else {
            assert_eq!(told(&step), "401 step_up_required", "{shown}");
            assert_eq!(challenge(&step), expected);
        }
    }
    let mut world = under_for_known(&json!({ "max_auth_age": "1h" }));
    let (_, step) = world.send(Request::get("/me").by(alice()));
    let expected = r#"Bearer error="insufficient_user_authentication", max_age="3600""#;
    assert_eq!(challenge(&step), expected);
}

#[test]
fn permission_ends_with_the_conditions_under_which_it_was_given() {
    let window = json!([{ "from": "14:00", "to": "14:20", "time_zone": "UTC" }]);
    let mut world = under_for_known(&json!({ "time_windows": window, "max_auth_age": "5m" }));
    let (_, step) = world.send(Request::get("/me").by(strong(0)));
    assert_eq!(until(&step), Some(NOW + 300));
    let mut world = under_for_known(&json!({ "time_windows": window, "max_auth_age": "1h" }));
    let (_, step) = world.send(Request::get("/me").by(strong(0)));
    assert_eq!(until(&step), Some(NOW + 400));
    let Step::Continue(passage) = step else {
        panic!("{}", told(&step));
    };
    let stream = passage.stream.expect("it is cut");
    assert_eq!(stream.until(), UnixMillis::from_seconds(NOW + 400).unwrap());
    let brief = strong(0).expires_at(NOW + 30);
    let (_, step) = world.send(Request::get("/me").by(brief));
    assert_eq!(until(&step), Some(NOW + 30));
    let mut world = under_public(&json!({ "time_windows": window }));
    let (_, step) = world.send(Request::get("/healthz"));
    assert_eq!(until(&step), Some(NOW + 400));
    assert!(matches!(step, Step::Continue(passage) if passage.stream.is_some()));
}

#[test]
fn permission_ends_with_the_sign_in_that_the_service_demanded() {
    let mut world = World::new();
    let answer = json!({ "decision": true, "context": {
        "approval": { "approved_until": UnixMillis::from_seconds(NOW + 3_600).unwrap().to_rfc3339() },
        "obligations": [{ "type": "step-up", "id": "1", "acr_value": "mfa", "max_age": 60 }],
    } });
    let (mut exchange, step) = world.send(Request::get("/orders/7").by(strong(10)));
    let Step::Wait(Need::Grant(query)) = step else {
        panic!("{}", told(&step));
    };
    let outcome = world.learn(query.key(), &answer.to_string());
    let step = exchange.on_grant(&mut world.gate, &outcome, world.now);
    assert_eq!(until(&step), Some(NOW + 50));
}

#[test]
fn a_record_tells_the_source_that_was_judged() {
    let mut config = configured(&json!({ "source_cidrs": ["203.0.113.0/24"] }));
    config["trusted_hops"] = json!(2);
    let mut world = World::with(&config);
    let request = Request::get("/healthz").from("10.0.0.2");
    let (_, step) = world.send(request.header("x-forwarded-for", "203.0.113.9,10.0.0.7,10.0.0.2"));
    let Step::Continue(passage) = step else {
        panic!("{}", told(&step));
    };
    let line = passage.audit.unwrap().line.unwrap();
    assert!(line.contains(r#""source_ip":"203.0.113.9""#), "{line}");
}
