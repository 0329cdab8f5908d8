//! Filters in wasm: Hallpass, and the empty one. Each contender has a VM of its own.

use std::path::Path;
use std::time::Duration;

use hallpass_tokens::{AUDIENCE, ISSUER};
use serde_json::{Value, json};

use super::{GRANT_CLUSTER, NEW_PATHS, PATH, REMEMBERED, RESOURCES, key_set};
use crate::crowd::MULTITUDE;

/// The resource that lies at [`PATH`].
pub(crate) const RESOURCE: &str = "profile";
/// Where the last of many resources lies.
pub(crate) const LAST_PATH: &str = "/resource-0/items/42";
/// The configuration by which the empty filter refuses every request.
pub(super) const REFUSE: &str = "refuse";

/// The path of one of the resources that need a grant of the service.
pub(crate) fn granted_path(resource: usize) -> String {
    format!("/granted/{resource}")
}

/// The configuration by which the empty filter makes the calls of the host that Hallpass makes for a known token.
pub(super) const TELL: &str = "tell";

/// The configuration by which it makes those that Hallpass makes for a known token and a question to the grant service.
pub(super) const ASK: &str = "ask";

/// The filter that does nothing, refuses everything, or makes calls for nothing.
pub(super) fn empty(vm_id: &str, module: &Path, configuration: &str) -> Value {
    wasm(vm_id, module, configuration)
}

/// Hallpass as it demands an identity, and writes no audit lines. `more` adds members to its configuration, or takes the place of some.
pub(super) fn hallpass(vm_id: &str, module: &Path, more: Value) -> Value {
    let mut configuration = json!({
        "providers": [provider(&json!({ "inline": key_set() }))],
        "resources": [{ "name": RESOURCE, "match": { "paths": [PATH] }, "access": "identity" }],
        "token_cache": { "max_entries": REMEMBERED },
        "audit": { "log": "none" },
    });
    if let (Some(configuration), Value::Object(more)) = (configuration.as_object_mut(), more) {
        configuration.extend(more);
    }
    wasm(vm_id, module, &configuration.to_string())
}

/// The issuer, with these keys.
pub(super) fn provider(keys: &Value) -> Value {
    json!({ "name": "bench", "issuer": ISSUER, "audiences": [AUDIENCE], "jwks": keys })
}

/// What has Hallpass demand a grant of the service for a few resources, and remember all tokens.
pub(super) fn with_grants(allow_ttl: Duration) -> Value {
    let resource = |number| {
        let path = granted_path(number);
        json!({ "name": format!("resource-{number}"), "match": { "paths": [path] }, "access": "grant", "action": "read" })
    };
    let resources: Vec<Value> = (0..RESOURCES).map(resource).collect();
    let cache = json!({ "allow_ttl": format!("{}s", allow_ttl.as_secs()) });
    let service = json!({ "cluster": GRANT_CLUSTER, "cache": cache });
    json!({ "resources": resources, "grants": { "service": service }, "token_cache": {} })
}

/// What has Hallpass demand a grant in the token.
pub(super) fn with_embedded_grants() -> Value {
    let resource = json!({ "name": RESOURCE, "match": { "paths": [PATH] }, "access": "grant", "action": "read" });
    json!({ "resources": [resource] })
}

/// So many resources. Whatever their number, requests ask for the one that is written last.
pub(super) fn guarding(number: usize) -> Value {
    let resource = |number: usize| {
        let path = format!("/resource-{number}/items/{{id}}");
        json!({ "name": format!("resource-{number}"), "match": { "paths": [path] }, "access": "identity" })
    };
    let resources: Vec<Value> = (0..number).rev().map(resource).collect();
    json!({ "resources": resources })
}

/// Room for twice as many tokens as there ever are, and for as many bytes as there can be.
pub(super) fn remembering() -> Value {
    const MOST_BYTES: usize = 1 << 30;
    json!({ "token_cache": { "max_entries": 2 * MULTITUDE, "max_bytes": MOST_BYTES } })
}

/// What makes another path another question to the service.
pub(super) fn asking_about_each_path() -> Value {
    let resources =
        json!([{ "name": "many", "match": { "paths": [NEW_PATHS] }, "access": "grant" }]);
    let service =
        json!({ "cluster": GRANT_CLUSTER, "context": ["path"], "cache": { "allow_ttl": "1h" } });
    json!({ "resources": resources, "grants": { "service": service } })
}

/// The same, and questions that come while others are under way are asked together.
pub(super) fn asking_about_paths_together() -> Value {
    let mut more = asking_about_each_path();
    more["grants"]["service"]["batch"] = json!({});
    more
}

fn wasm(vm_id: &str, module: &Path, configuration: &str) -> Value {
    json!({
        "name": "wasm",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": "bench",
                "root_id": "bench",
                "vm_config": {
                    "vm_id": vm_id,
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": { "local": { "filename": module } },
                },
                "failure_policy": "FAIL_RELOAD",
                "configuration": {
                    "@type": "type.googleapis.com/google.protobuf.StringValue",
                    "value": configuration,
                },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_ask_for_the_last_of_many_resources_whatever_their_number() {
        for number in [1, 100] {
            let guarding = guarding(number);
            let resources = guarding["resources"].as_array().expect("a list");
            assert_eq!(resources.len(), number);
            let asked: Vec<_> = resources
                .iter()
                .filter(|resource| {
                    let pattern = resource["match"]["paths"][0].as_str();
                    let stem = pattern.and_then(|pattern| pattern.strip_suffix("{id}"));
                    stem.is_some_and(|stem| LAST_PATH.starts_with(stem))
                })
                .collect();
            assert_eq!(asked, [&resources[number - 1]]);
        }
    }
}
