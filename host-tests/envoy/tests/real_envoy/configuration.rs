//! Which configurations the proxy starts with, and what an operator is told about the others.

use hallpass_envoy_tests::Setup;
use serde_json::json;

#[test]
fn the_shipped_configuration_is_valid_as_it_is() {
    let verdict = Setup::validate_shipped();
    assert!(
        verdict.status.success(),
        "{}",
        String::from_utf8_lossy(&verdict.stderr)
    );
}

#[test]
fn a_faulty_configuration_stops_the_proxy_and_every_fault_is_named() {
    let refused = Setup::shipped()
        .plugin(|plugin| {
            plugin["providers"][0]["audiences"] = json!([]);
            plugin["providers"][0]["algorithms"] = json!(["HS256"]);
            plugin["providers"][0]["colour"] = json!("red");
            plugin["resources"][1]["match"]["paths"][0] = json!("me");
            plugin["resources"][2]["access"] = json!("grnat");
            plugin["grants"]["service"]["timeout"] = json!("half a second");
        })
        .start_in_vain();
    assert!(!refused.status.success(), "{:?}", refused.status);
    let faults = [
        ("providers[0].audiences", "an empty list"),
        ("providers[0].algorithms[0]", "HS256"),
        ("providers[0].colour", "an unknown field"),
        ("resources[1].match.paths[0]", "\"me\""),
        ("resources[2].access", "grnat"),
        ("grants.service.timeout", "half a second"),
    ];
    for (path, found) in faults {
        let named = refused
            .log
            .iter()
            .any(|line| line.contains(path) && line.contains(found) && line.contains("expected"));
        assert!(
            named,
            "no line names `{path}` and `{found}`:\n{}",
            refused.log.join("\n")
        );
    }
}

#[test]
fn a_configuration_that_is_not_json_stops_the_proxy() {
    let refused = Setup::shipped()
        .plugin(|plugin| *plugin = json!("{"))
        .start_in_vain();
    assert!(!refused.status.success(), "{:?}", refused.status);
}
