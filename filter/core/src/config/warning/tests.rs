//! What is told, and what is not.

use serde_json::{Value, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

/// A configuration of which nothing is to be said.
fn sound() -> Value {
    let mut config = crate::config::tests::sound();
    config["grants"]["request_url"] = json!("https://grants.example/request?resource={resource}");
    config
}

fn warnings(config: &Value) -> Vec<String> {
    let config = Config::parse(config.to_string().as_bytes()).unwrap();
    config.warnings().iter().map(ToString::to_string).collect()
}

/// The places of the warnings about these resources.
fn places(resources: Value) -> Vec<String> {
    let mut config = sound();
    config["resources"] = resources;
    config["resources"].as_array_mut().unwrap().push(
        json!({ "name": "last", "match": { "paths": ["/last"], "hosts": ["last.example"] }, "access": "grant" }),
    );
    let config = Config::parse(config.to_string().as_bytes()).unwrap();
    let warnings = config.warnings();
    warnings.into_iter().map(|warning| warning.path).collect()
}

#[test]
fn a_usual_configuration_gives_none() {
    assert_eq!(warnings(&sound()), [""; 0]);
}

#[test]
fn a_resource_that_an_earlier_one_takes_everything_from_is_told() {
    let wide =
        json!({ "name": "a", "match": { "paths": ["/orders/{*rest}"] }, "access": "identity" });
    let all = json!({ "name": "a", "match": { "hosts": ["*.example"] }, "access": "identity" });
    let reads = json!({ "name": "a", "match": { "paths": ["/a"], "methods": ["GET", "HEAD"] }, "access": "identity" });
    for (first, second, expected) in [
        (&wide, json!({ "paths": ["/orders/7"] }), "resources[1]"),
        (
            &wide,
            json!({ "paths": ["/orders/{id}"], "methods": ["PUT"] }),
            "resources[1]",
        ),
        (
            &wide,
            json!({ "paths": ["/orders", "/orders/7"] }),
            "resources[1].match.paths[1]",
        ),
        (&all, json!({ "hosts": ["a.example"] }), "resources[1]"),
        (
            &reads,
            json!({ "paths": ["/a"], "methods": ["HEAD"] }),
            "resources[1]",
        ),
    ] {
        let second = json!({ "name": "b", "match": second, "access": "identity" });
        let told = places(json!([first, second]));
        assert_eq!(
            told.first().map(String::as_str),
            Some(expected),
            "{first}, {second}"
        );
    }
    for (first, second) in [
        (&wide, json!({ "paths": ["/orders"] })),
        (&wide, json!({})),
        (&all, json!({ "hosts": ["example"] })),
        (&reads, json!({ "paths": ["/a"] })),
        (&reads, json!({ "paths": ["/b"], "methods": ["GET"] })),
    ] {
        let second = json!({ "name": "b", "match": second, "access": "identity" });
        let told = places(json!([first, second]));
        assert!(
            !told.iter().any(|place| place.starts_with("resources[1]")),
            "{first}, {second}: {told:?}"
        );
    }
}

#[test]
fn a_shadow_names_the_resource_that_casts_it() {
    let mut config = sound();
    config["resources"] = json!([
        { "name": "orders", "match": { "paths": ["/orders/{*rest}"] }, "access": "grant" },
        { "name": "mine", "match": { "paths": ["/orders/mine"] }, "access": "identity" },
    ]);
    assert_eq!(
        warnings(&config),
        [
            "`resources[1]`: it is never reached, since `resources[0]` (\"orders\") takes all its requests; put it before that, or remove it"
        ]
    );
}

#[test]
fn what_is_open_to_all_is_told() {
    for open in [
        json!({}),
        json!({ "paths": ["/{*rest}"] }),
        json!({ "methods": ["GET"] }),
    ] {
        let open = json!({ "name": "a", "match": open, "access": "public" });
        assert_eq!(places(json!([open]))[0], "resources[0].access", "{open}");
    }
    for narrow in [
        json!({ "paths": ["/a/{*rest}"] }),
        json!({ "hosts": ["static.example"] }),
        json!({ "methods": ["OPTIONS"] }),
    ] {
        let narrow = json!({ "name": "a", "match": narrow, "access": "public" });
        assert_eq!(places(json!([narrow])), [""; 0], "{narrow}");
    }
}

#[test]
fn what_has_no_use_or_opens_more_than_it_seems_to_is_told() {
    let public = json!([{ "name": "a", "match": { "paths": ["/a"] }, "access": "public" }]);
    for (pointer, value, expected) in [
        ("/resources", public, &["providers", "grants.service"][..]),
        (
            "/providers/0/clock_skew",
            json!("2m"),
            &["providers[0].clock_skew"],
        ),
        ("/mode", json!("monitor"), &["mode"]),
        ("/resources/0/mode", json!("monitor"), &["resources"]),
        ("/grants/request_url", Value::Null, &["grants.request_url"]),
        (
            "/grants/service/failure_mode",
            json!("allow"),
            &["grants.service.failure_mode"],
        ),
        (
            "/grants/service/require_expiry",
            json!(false),
            &["grants.service.require_expiry"],
        ),
        (
            "/audit",
            json!({ "log": "none", "flush_interval": "20ms" }),
            &["audit.flush_interval"],
        ),
    ] {
        let mut config = sound();
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        let parent = config.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        parent.remove(member);
        if !value.is_null() {
            parent.insert(member.to_owned(), value);
        }
        let config = Config::parse(config.to_string().as_bytes()).unwrap();
        let warnings = config.warnings();
        let told: Vec<&str> = warnings.iter().map(|w| w.path.as_str()).collect();
        assert_eq!(told, expected, "{pointer}");
    }
}
