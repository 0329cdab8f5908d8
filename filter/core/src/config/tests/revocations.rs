use super::*;
use crate::revocation::FollowRules;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn following(revocations: Value) -> Value {
    with("/grants/service/revocations", revocations)
}

fn rules(revocations: Value) -> FollowRules {
    let config = parse(&following(revocations)).unwrap();
    let service = config.grants.service.unwrap();
    service.revocations.unwrap().rules
}

#[test]
fn nothing_is_followed_unless_that_is_written_down() {
    let config = parse(&sound()).unwrap();
    assert_eq!(config.grants.service.unwrap().revocations, None);
}

#[test]
fn a_feed_needs_no_more_than_to_be_named() {
    let config = parse(&following(json!({}))).unwrap();
    let settings = config.grants.service.unwrap().revocations.unwrap();
    assert_eq!(settings.path, "/revocations");
    assert_eq!(settings.rules.interval, Duration::from_secs(5));
    assert_eq!(settings.rules.max_stale, Duration::from_mins(1));
    let slow = rules(json!({ "interval": "2m" }));
    assert_eq!(slow.max_stale, Duration::from_mins(4), "twice the interval");
}

#[test]
fn every_fault_of_a_feed_is_told() {
    let told = faults(&following(
        json!({ "path": "revocations", "interval": "499ms", "max_stale": "2h", "cluster": "x" }),
    ));
    for expected in [
        r#"`grants.service.revocations.path`: found `"revocations"`, expected a path"#,
        r#"`grants.service.revocations.interval`: found `"499ms"`"#,
        r#"`grants.service.revocations.max_stale`: found `"2h"`"#,
        "`grants.service.revocations.cluster`: found an unknown field",
    ] {
        assert!(
            told.iter().any(|fault| fault.starts_with(expected)),
            "not told: {expected}\ntold: {told:#?}"
        );
    }
    assert_eq!(told.len(), 4, "{told:#?}");
    let told = faults(&following(json!({ "interval": "30s", "max_stale": "59s" })));
    assert_eq!(
        told,
        [
            r#"`grants.service.revocations.max_stale`: found `"59s"`, expected at least twice `interval`"#
        ]
    );
    let told = faults(&following(json!("/revocations")));
    assert_eq!(told.len(), 1, "{told:#?}");
}
