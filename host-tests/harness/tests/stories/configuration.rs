//! Configurations that are refused, and how the operator learns why.

use hallpass_harness::{Harness, LogLevel, Refused};
use serde_json::{Value, json};

use crate::setup::{config, config_with};

#[track_caller]
fn refusal(config: impl std::fmt::Display) -> Refused {
    match Harness::start(&config) {
        Err(refused) => refused,
        Ok(_) => panic!("the module accepted {config}"),
    }
}

/// The lines that name a fault.
fn faults(refused: &Refused) -> Vec<&str> {
    let serious = refused
        .log
        .iter()
        .filter(|line| line.level as i32 >= LogLevel::Error as i32);
    serious.map(|line| line.text.as_str()).collect()
}

#[track_caller]
fn assert_names(refused: &Refused, path: &str, value: &str) {
    let named = faults(refused)
        .iter()
        .any(|line| line.contains(path) && line.contains(value) && line.contains("expected"));
    assert!(named, "no line names {path} with {value}: {refused}");
}

/// Puts a value at a path such as `providers[0].clock_skew` or, in a new list, `providers[0].algorithms[0]`.
fn put(config: &mut Value, path: &str, value: Value) {
    let mut place = config;
    for step in path.split(['.', '[']) {
        place = match step.strip_suffix(']') {
            None => &mut place[step],
            Some("0") if !place[0].is_object() => {
                *place = json!([null]);
                &mut place[0]
            }
            Some(index) => &mut place[index.parse::<usize>().expect("a number")],
        };
    }
    *place = value;
}

#[test]
fn every_fault_is_named_with_its_path_its_value_and_what_was_expected() {
    let faults = [
        ("mode", json!("off")),
        ("modes", json!([])),
        ("providers", json!({})),
        ("providers[0].issuer", json!("")),
        ("providers[0].audiences", json!([])),
        ("providers[0].algorithms[0]", json!("HS256")),
        ("providers[0].algorithms[0]", json!("none")),
        ("providers[0].clock_skew", json!("6m")),
        ("providers[0].clock_skew", json!(30)),
        ("providers[0].clock_skew", json!("-1s")),
        ("providers[0].max_token_age", json!("1 moon")),
        ("providers[0].jwks", json!({})),
        ("providers[0].token_sources", json!([])),
        ("providers[0].surprise", json!({})),
        ("resources", json!([])),
        ("resources[1].access", json!("open")),
        ("resources[1].match.paths[0]", json!("me")),
        ("resources[1].match.paths[0]", json!("/a/{*rest}/b")),
        ("resources[1].match.hosts[0]", json!("a.*.example")),
        ("resources[1].match.methods[0]", json!("G T")),
        ("resources[1].name", json!("")),
        ("resources[3].max_grant_lifetime", json!("8 hrs!")),
        ("grants.service.timeout", json!("500")),
        ("grants.service.failure_mode", json!("maybe")),
        ("grants.service.context[0]", json!("cookies")),
        ("grants.service.cache.max_entries", json!(-1)),
        ("identity_headers.subject", json!("x user")),
        ("claim_headers.tenant", json!("authorization:")),
        ("trusted_hops", json!("one")),
        ("audit.log", json!("some")),
    ];
    for (path, value) in faults {
        // A list, an object or a field that nobody knows may be told in words.
        let shown = match &value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        let refused = refusal(config_with(|config| put(config, path, value)));
        assert_names(&refused, path, &shown);
    }
}

#[test]
fn all_faults_are_named_at_once_one_line_each() {
    let refused = refusal(config_with(|config| {
        config["mode"] = json!("off");
        config["providers"][0]["clock_skew"] = json!("1h");
        config["providers"][0]["algorithms"] = json!(["none"]);
        config["resources"][1]["access"] = json!("open");
        config["resources"][3]["match"]["paths"] = json!(["orders"]);
        config["grants"]["service"]["timeout"] = json!("soon");
    }));
    let expected = [
        ("mode", "off"),
        ("providers[0].clock_skew", "1h"),
        ("providers[0].algorithms[0]", "none"),
        ("resources[1].access", "open"),
        ("resources[3].match.paths[0]", "orders"),
        ("grants.service.timeout", "soon"),
    ];
    for (path, value) in expected {
        assert_names(&refused, path, value);
        assert_eq!(
            faults(&refused)
                .iter()
                .filter(|line| line.contains(path))
                .count(),
            1,
            "{path}: {refused}"
        );
    }
}

#[test]
fn faults_of_kind_and_of_meaning_are_named_together() {
    let refused = refusal(config_with(|config| {
        config["trusted_hops"] = json!("one");
        config["surprise"] = json!(true);
        config["resources"][1]["access"] = json!("open");
        config["providers"][0]
            .as_object_mut()
            .expect("an object")
            .remove("audiences");
    }));
    for path in [
        "trusted_hops",
        "surprise",
        "resources[1].access",
        "providers[0].audiences",
    ] {
        assert!(
            faults(&refused).iter().any(|line| line.contains(path)),
            "{path} is missing from {refused}"
        );
    }
}

#[test]
fn what_is_no_configuration_at_all_is_refused_with_a_line() {
    for text in [
        "",
        "{",
        "[]",
        "null",
        "7",
        "\"text\"",
        "{}",
        r#"{"resources": 1}"#,
    ] {
        assert!(!faults(&refusal(text)).is_empty(), "no line for {text}");
    }
}

#[test]
fn a_member_given_twice_is_refused() {
    refusal(r#"{"resources": [{"name": "a", "match": {}, "access": "deny", "access": "public"}]}"#);
}

#[test]
fn two_providers_of_one_issuer_are_refused() {
    let refused = refusal(config_with(|config| {
        let mut twin = config["providers"][0].clone();
        twin["name"] = json!("twin");
        config["providers"]
            .as_array_mut()
            .expect("a list")
            .push(twin);
    }));
    assert_names(&refused, "providers[1].issuer", "https://idp.example");
}

#[test]
fn a_resource_that_needs_an_identity_needs_a_provider() {
    let refused =
        refusal(json!({ "resources": [{ "name": "me", "match": {}, "access": "identity" }] }));
    assert!(
        faults(&refused)
            .iter()
            .any(|line| line.contains("providers")),
        "{refused}"
    );
}

#[test]
fn a_secret_in_the_configuration_does_not_reach_the_log() {
    let refused = refusal(config_with(|config| {
        config["grants"]["service"]["headers"] =
            json!({ "authorization": "Bearer service-secret" });
        config["mode"] = json!("off");
    }));
    assert!(!refused.to_string().contains("service-secret"), "{refused}");
}

#[test]
fn a_sound_configuration_is_accepted_without_a_complaint() {
    let harness = Harness::start(config()).expect("it is sound");
    assert!(
        harness
            .log()
            .iter()
            .all(|line| (line.level as i32) < LogLevel::Warn as i32),
        "{harness:?}"
    );
}
