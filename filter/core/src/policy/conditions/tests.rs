//! Conditions combined: which verdict they come to, for which reason they refuse, and how long they hold.

use super::Verdict::{Fails, Holds, Unknown};
use super::*;
use crate::identity::sample::{identity, with_claims};
use hallpass_tokens::{NOW, TokenBuilder};
use serde_json::json;
use std::time::Duration;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// Monday, 21 September 2026, 14:13:20 UTC.
fn now() -> UnixMillis {
    UnixMillis::from_seconds(NOW).unwrap()
}

fn head() -> RequestHead {
    let mut head = RequestHead {
        source_ip: "10.1.2.3".parse().ok(),
        ..RequestHead::default()
    };
    head.headers.push(b"x-region", b"eu");
    head
}

fn facts(head: &RequestHead) -> Facts<'_> {
    Facts {
        head,
        identity: None,
        claims: None,
    }
}

fn source(networks: &[&str]) -> Condition {
    let networks = networks.iter().map(|text| network(text).unwrap());
    Condition::Source(SourceNetworks::new(networks.collect()))
}

fn header(name: &str, value: &str) -> Condition {
    Condition::Header(HeaderCondition::new(name, TextTest::Equals(value.into())))
}

fn window(from: &str, to: &str) -> Condition {
    let time = |text| time_of_day(text).unwrap();
    let zone = time_zone("UTC").unwrap();
    let window = TimeWindow::new(Days::ALL, time(from), time(to), zone).unwrap();
    Condition::Time(TimeWindows::new(vec![window]))
}

fn fingerprint() -> Condition {
    let field = CertificateField::Sha256;
    Condition::Certificate(CertificateCondition::present(field))
}

fn holds() -> Condition {
    header("x-region", "eu")
}

fn fails() -> Condition {
    header("x-region", "us")
}

fn unknown() -> Condition {
    header("x-absent", "eu")
}

fn all(conditions: Vec<Condition>) -> Condition {
    Condition::AllOf(conditions.into())
}

fn any(conditions: Vec<Condition>) -> Condition {
    Condition::AnyOf(conditions.into())
}

fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

#[test]
fn nothing_makes_what_is_unknown_hold() {
    let head = head();
    for (condition, expected) in [
        (holds(), Holds),
        (fails(), Fails),
        (unknown(), Unknown),
        (not(holds()), Fails),
        (not(fails()), Holds),
        (not(unknown()), Unknown),
        (not(not(unknown())), Unknown),
        (not(fingerprint()), Unknown),
        (all(vec![holds(), holds()]), Holds),
        (all(vec![unknown(), holds()]), Unknown),
        (all(vec![unknown(), fails()]), Fails),
        (any(vec![fails(), holds()]), Holds),
        (any(vec![unknown(), holds()]), Holds),
        (any(vec![unknown(), fails()]), Unknown),
        (not(any(vec![unknown(), fails()])), Unknown),
        (not(all(vec![unknown(), holds()])), Unknown),
        (not(all(vec![unknown(), fails()])), Holds),
        (not(any(vec![fails(), fails()])), Holds),
    ] {
        assert_eq!(
            condition.judge(&facts(&head), now()),
            expected,
            "{condition}"
        );
        let conditions = Conditions::new(vec![condition], None);
        let judged = conditions.judge(&facts(&head), now());
        assert_eq!(judged.is_ok(), expected == Holds, "{judged:?}");
    }
}

#[test]
fn a_source_that_is_not_known_is_in_no_network_and_outside_of_none() {
    let head = RequestHead::default();
    for condition in [source(&["0.0.0.0/0", "::/0"]), not(source(&["10.0.0.0/8"]))] {
        assert_eq!(
            condition.judge(&facts(&head), now()),
            Unknown,
            "{condition}"
        );
    }
}

#[test]
fn the_first_condition_that_does_not_hold_is_told_cheap_ones_first() {
    let nowhere = || source(&["192.0.2.0/24"]);
    let never = || window("00:00", "00:01");
    let claim = || {
        let path = ClaimPath::parse("/realm/roles").unwrap();
        let test = ValueTest::Contains(Scalar::Text("ops".into()));
        Condition::Claim(ClaimTests::default().add(ClaimTest { path, test }))
    };
    let demand = || StepUp::new(&["mfa"], &[], Some(3_600));
    for (conditions, reason, told) in [
        (
            vec![claim(), fails(), never(), nowhere()],
            Reason::ConditionSourceIp,
            "does not hold: the source address is in one of 192.0.2.0/24",
        ),
        (
            vec![claim(), fails(), never(), holds()],
            Reason::ConditionTime,
            "does not hold: the time is in one of mon,tue,wed,thu,fri,sat,sun 00:00-00:01 UTC",
        ),
        (
            vec![claim(), fails()],
            Reason::ConditionRequest,
            "does not hold: header x-region is \"us\"",
        ),
        (
            vec![any(vec![nowhere()]), claim()],
            Reason::ConditionClaims,
            "cannot be told: claim /realm/roles contains \"ops\"",
        ),
        (
            vec![fingerprint()],
            Reason::ConditionRequest,
            "cannot be told: certificate sha256 is present",
        ),
        (
            vec![all(vec![holds(), never(), nowhere()])],
            Reason::ConditionTime,
            "does not hold: all of (header x-region is \"eu\"; the time is in one of mon,tue,wed,thu,fri,sat,sun 00:00-00:01 UTC; the source address is in one of 192.0.2.0/24)",
        ),
        (
            vec![any(vec![nowhere(), nowhere()])],
            Reason::ConditionSourceIp,
            "does not hold: any of (the source address is in one of 192.0.2.0/24; the source address is in one of 192.0.2.0/24)",
        ),
        (
            vec![any(vec![nowhere(), never()])],
            Reason::ConditionRequest,
            "does not hold: any of (the source address is in one of 192.0.2.0/24; the time is in one of mon,tue,wed,thu,fri,sat,sun 00:00-00:01 UTC)",
        ),
        (
            vec![not(window("00:00", "24:00"))],
            Reason::ConditionTime,
            "does not hold: not (the time is in one of mon,tue,wed,thu,fri,sat,sun 00:00-24:00 UTC)",
        ),
        (
            vec![holds()],
            Reason::StepUpRequired,
            "does not hold: the sign-in is of one of the classes mfa, younger than 3600 s",
        ),
    ] {
        let head = head();
        let conditions = Conditions::new(conditions, demand());
        let unmet = conditions.judge(&facts(&head), now()).unwrap_err();
        assert_eq!((unmet.reason(), unmet.to_string().as_str()), (reason, told));
    }
}

#[test]
fn conditions_hold_until_time_changes_that_and_no_longer() {
    let today = |clock: &str| {
        let text = format!("2026-09-21T{clock}:00Z");
        Some(UnixMillis::from_rfc3339(&text).unwrap())
    };
    let (until_18, until_20) = (|| window("08:00", "18:00"), || window("14:00", "20:00"));
    let head = head();
    for (conditions, until) in [
        (vec![holds()], None),
        (vec![until_20(), until_18()], today("18:00")),
        (vec![all(vec![until_18(), until_20()])], today("18:00")),
        (vec![any(vec![until_18(), until_20()])], today("20:00")),
        (vec![any(vec![until_18(), holds()])], None),
        (
            vec![any(vec![until_18(), fails(), unknown()])],
            today("18:00"),
        ),
        (vec![not(window("22:00", "06:00"))], today("22:00")),
        // Either of the two makes the whole false.
        (
            vec![not(all(vec![
                window("22:00", "23:00"),
                window("16:00", "17:00"),
            ]))],
            today("22:00"),
        ),
        (
            vec![not(any(vec![
                window("22:00", "23:00"),
                window("16:00", "17:00"),
            ]))],
            today("16:00"),
        ),
        (
            vec![not(all(vec![window("22:00", "23:00"), fails()]))],
            None,
        ),
        (vec![window("00:00", "24:00")], None),
    ] {
        let told = format!("{conditions:?}");
        let conditions = Conditions::new(conditions, None);
        let judged = conditions.judge(&facts(&head), now());
        assert_eq!(judged.map(|held| held.until), Ok(until), "{told}");
    }
}

#[test]
fn a_sign_in_holds_until_its_age_is_reached() {
    let conditions = Conditions::new(Vec::new(), StepUp::new(&["mfa"], &[], Some(600)));
    let head = head();
    let alice = |seconds_ago: i64| {
        let alice = TokenBuilder::for_user("alice").claim("acr", json!("mfa"));
        identity(alice.claim("auth_time", json!(NOW - seconds_ago)))
    };
    let judge = |identity: &Identity, now| {
        let facts = Facts {
            identity: Some(identity),
            ..facts(&head)
        };
        conditions.judge(&facts, now).map(|held| held.until)
    };
    let fresh = alice(60);
    let end = now().saturating_add(Duration::from_mins(9));
    assert_eq!(judge(&fresh, now()), Ok(Some(end)));
    assert!(judge(&fresh, end).is_err());
    assert!(judge(&alice(600), now()).is_err());
    assert!(conditions.may_end());
}

#[test]
fn each_test_of_a_claim_is_made_once_for_all_who_need_it() {
    let mut tests = ClaimTests::default();
    let contains = |path: &str, value: &str| ClaimTest {
        path: ClaimPath::parse(path).unwrap(),
        test: ValueTest::Contains(Scalar::Text(value.into())),
    };
    let ops = tests.add(contains("/realm/roles", "ops"));
    let dev = tests.add(contains("/realm/roles", "dev"));
    let first = tests.add(contains("/list/1/https:~1~1x.example~1roles", "a"));
    let ops_again = tests.add(contains("/realm/roles", "ops"));
    assert_eq!((tests.len(), &ops), (3, &ops_again));
    let token = TokenBuilder::for_user("alice")
        .claim("realm", json!({ "roles": ["ops"] }))
        .claim("list", json!([0, { "https://x.example/roles": ["a"] }]));
    let verdicts = with_claims(token, |claims| tests.judge(claims));
    let judged = [&ops, &dev, &first, &ops_again].map(|one| one.judge(Some(&verdicts)));
    assert_eq!(judged, [Holds, Fails, Holds, Holds]);
    let other = with_claims(TokenBuilder::for_user("bob"), |claims| tests.judge(claims));
    assert_eq!(ops.judge(Some(&other)), Unknown);
    assert_eq!(ops.judge(None), Unknown);
}
