//! Demands on a sign-in, met and not met, and the challenge for each.

use super::*;
use crate::identity::sample::identity;
use hallpass_tokens::{NOW, TokenBuilder};
use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const SUFFICES: SignIn = SignIn::Suffices { until: None };

/// It suffices until so many seconds from now on.
fn for_seconds(seconds: i64) -> SignIn {
    let until = UnixMillis::from_seconds(NOW + seconds);
    SignIn::Suffices { until }
}

fn signed_in(claims: &[(&str, Value)]) -> Identity {
    let alice = TokenBuilder::for_user("alice");
    identity(claims.iter().fold(alice, |alice, (name, value)| {
        alice.claim(name, value.clone())
    }))
}

fn judged(step_up: &StepUp, claims: &[(&str, Value)]) -> SignIn {
    let now = UnixMillis::from_seconds(NOW).unwrap();
    step_up.judge(&signed_in(claims), now)
}

#[test]
fn a_sign_in_is_as_strong_as_its_acr_says_and_no_stronger() {
    let step_up = StepUp::new(&["phr", "phrh"], &[], None).unwrap();
    for (acr, expected) in [
        (json!("phr"), SUFFICES),
        (json!("phrh"), SUFFICES),
        (json!("PHR"), SignIn::FallsShort),
        (json!("ph"), SignIn::FallsShort),
        (json!("phr phrh"), SignIn::FallsShort),
        (json!(["phr"]), SignIn::FallsShort),
        (json!(""), SignIn::FallsShort),
        (json!(null), SignIn::FallsShort),
    ] {
        let claims = [("acr", acr.clone())];
        assert_eq!(judged(&step_up, &claims), expected, "{acr}");
    }
    assert_eq!(judged(&step_up, &[]), SignIn::FallsShort);
}

#[test]
fn a_sign_in_is_fresh_until_its_age_is_reached() {
    let step_up = StepUp::new(&["phr"], &[], Some(300)).unwrap();
    for (auth_time, expected) in [
        (json!(NOW), for_seconds(300)),
        (json!(NOW - 299), for_seconds(1)),
        (json!(NOW - 300), SignIn::FallsShort),
        (json!(NOW + 300), for_seconds(600)),
        (json!(NOW + 301), SignIn::FallsShort),
        (json!(NOW * 1_000), SignIn::FallsShort),
        (json!(-1), SignIn::FallsShort),
        (json!(NOW.to_string()), SignIn::FallsShort),
        (json!(null), SignIn::FallsShort),
    ] {
        let claims = [("acr", json!("phr")), ("auth_time", auth_time.clone())];
        assert_eq!(judged(&step_up, &claims), expected, "{auth_time}");
    }
    assert_eq!(
        judged(&step_up, &[("acr", json!("phr"))]),
        SignIn::FallsShort
    );
    let endless = StepUp::new(&["phr"], &[], Some(u64::MAX)).unwrap();
    let claims = [("acr", json!("phr")), ("auth_time", json!(0))];
    let until = Some(UnixMillis::new(u64::MAX));
    assert_eq!(judged(&endless, &claims), SignIn::Suffices { until });
}

#[test]
fn where_no_class_is_demanded_only_the_age_counts() {
    let step_up = StepUp::new(&[], &[], Some(300)).unwrap();
    for (claims, expected) in [
        (&[("auth_time", json!(NOW))][..], for_seconds(300)),
        (
            &[("auth_time", json!(NOW)), ("acr", json!("low"))],
            for_seconds(300),
        ),
        (&[("auth_time", json!(NOW - 300))], SignIn::FallsShort),
        (&[("acr", json!("phr"))], SignIn::FallsShort),
    ] {
        assert_eq!(judged(&step_up, claims), expected, "{claims:?}");
    }
    assert_eq!(
        step_up.challenge(),
        r#"Bearer error="insufficient_user_authentication", max_age="300""#
    );
}

#[test]
fn two_demands_together_are_met_where_both_are() {
    let demand = |classes: &[&str], max_age| StepUp::new(classes, &[], max_age).unwrap();
    let (any, some, others) = (
        demand(&[], Some(9)),
        demand(&["a", "b"], None),
        demand(&["c"], None),
    );
    assert_eq!(any.and(&some), StepUp::new(&["a", "b"], &[], Some(9)));
    assert_eq!(some.and(&any), StepUp::new(&["a", "b"], &[], Some(9)));
    assert_eq!(
        some.and(&demand(&["b", "c"], None)),
        Some(demand(&["b"], None))
    );
    assert_eq!(some.and(&others), None);
}

#[test]
fn every_method_that_is_demanded_must_have_been_used() {
    let step_up = StepUp::new(&["phr"], &["mfa", "hwk"], None).unwrap();
    for (acr, amr, expected) in [
        ("phr", json!(["hwk", "pwd", "mfa"]), SUFFICES),
        ("phr", json!(["mfa"]), SignIn::FallsShortUntellably),
        ("phr", json!("mfa hwk"), SignIn::FallsShortUntellably),
        ("phr", json!(null), SignIn::FallsShortUntellably),
        ("low", json!(["mfa"]), SignIn::FallsShort),
    ] {
        let claims = [("acr", json!(acr)), ("amr", amr.clone())];
        assert_eq!(judged(&step_up, &claims), expected, "{acr} {amr}");
    }
}

#[test]
fn the_challenge_tells_what_is_demanded_in_quotable_words() {
    let challenge = |acr: &[&str], max_age| {
        let step_up = StepUp::new(acr, &["hwk"], max_age);
        step_up.map(|step_up| step_up.challenge())
    };
    assert_eq!(
        challenge(&["urn:x:loa:3", "phr"], Some(300)).as_deref(),
        Some(
            r#"Bearer error="insufficient_user_authentication", acr_values="urn:x:loa:3 phr", max_age="300""#
        )
    );
    assert_eq!(
        challenge(&["phr"], None).as_deref(),
        Some(r#"Bearer error="insufficient_user_authentication", acr_values="phr""#)
    );
    for text in ["", " ", "a b", "a\"", "a\\", "a\n", "\u{e4}", "a\u{7f}"] {
        assert_eq!(challenge(&[text], None), None, "{text:?}");
    }
    assert_eq!(challenge(&[], None), None);
    assert_eq!(challenge(&[&"a".repeat(MAX_LIST_BYTES + 1)], None), None);
}
