//! The manifest for Envoy Gateway, by the documented fields of `EnvoyExtensionPolicy`, `ClientTrafficPolicy` and `EnvoyPatchPolicy`
//! (gateway.envoyproxy.io/v1alpha1). The clusters in it are loaded by real Envoy.

use hallpass_envoy_tests::Setup;
use serde::Deserialize;
use serde_json::Value;

use super::kubernetes::{Objects, Target, assert_digest, assert_gateway};
use super::{
    assert_accepted, assert_is_known_and_follows, assert_lets_idle_connections_go, assert_valid,
    give_client_certificate,
};

const FILE: &str = "envoy-config/envoy-gateway-extension-policy.yaml";
const VERSION: &str = "gateway.envoyproxy.io/v1alpha1";

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ExtensionPolicy {
    target_refs: Vec<Target>,
    wasm: Vec<Wasm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wasm {
    name: String,
    #[serde(rename = "rootID")]
    root_id: String,
    code: Code,
    config: Value,
    fail_open: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Code {
    r#type: String,
    pull_policy: String,
    image: Image,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Image {
    url: String,
    sha256: String,
    #[serde(rename = "pullSecretRef")]
    _pull_secret_ref: Option<Secret>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Secret {
    #[serde(rename = "name")]
    _name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct TrafficPolicy {
    target_refs: Vec<Target>,
    path: Path,
    headers: Headers,
    #[serde(rename = "timeout")]
    _timeout: Timeout,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Path {
    escaped_slashes_action: String,
    disable_merge_slashes: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Headers {
    with_underscores_action: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Timeout {
    #[serde(rename = "http")]
    _http: HttpTimeout,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpTimeout {
    #[serde(rename = "requestReceivedTimeout")]
    _request_received_timeout: String,
    #[serde(rename = "idleTimeout")]
    _idle_timeout: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct PatchPolicy {
    target_ref: Target,
    r#type: String,
    json_patches: Vec<Patch>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Patch {
    r#type: String,
    name: String,
    operation: Operation,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Operation {
    op: String,
    path: String,
    value: Value,
}

fn only<T>(mut all: Vec<T>) -> T {
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn wasm(objects: &Objects) -> Wasm {
    let policy: ExtensionPolicy = only(objects.of(VERSION, "EnvoyExtensionPolicy"));
    assert_gateway(&only(policy.target_refs));
    only(policy.wasm)
}

#[test]
fn the_policy_for_envoy_gateway_has_documented_fields_only_and_fails_closed() {
    let objects = Objects::read(FILE);
    assert_eq!(objects.len(), 3);
    let wasm = wasm(&objects);
    assert!(!wasm.fail_open);
    assert_eq!(
        (wasm.name.as_str(), wasm.root_id.as_str()),
        ("hallpass", "hallpass")
    );
    assert_eq!(wasm.code.r#type, "Image");
    assert!(["IfNotPresent", "Always"].contains(&wasm.code.pull_policy.as_str()));
    assert!(!wasm.code.image.url.contains("://"));
    assert_digest(&wasm.code.image.sha256);
    assert_accepted(&wasm.config);
    assert_is_known_and_follows(&wasm.config["grants"]["service"]);

    let traffic: TrafficPolicy = only(objects.of(VERSION, "ClientTrafficPolicy"));
    assert_gateway(&only(traffic.target_refs));
    assert_eq!(traffic.path.escaped_slashes_action, "RejectRequest");
    assert!(!traffic.path.disable_merge_slashes);
    assert_eq!(traffic.headers.with_underscores_action, "RejectRequest");
}

#[test]
fn each_cluster_that_the_policy_for_envoy_gateway_asks_is_added_and_envoy_takes_it() {
    let objects = Objects::read(FILE);
    let config = wasm(&objects).config;
    let patches: PatchPolicy = only(objects.of(VERSION, "EnvoyPatchPolicy"));
    assert_gateway(&patches.target_ref);
    assert_eq!(patches.r#type, "JSONPatch");
    for patch in &patches.json_patches {
        assert_eq!(
            patch.r#type,
            "type.googleapis.com/envoy.config.cluster.v3.Cluster"
        );
        assert_eq!(
            (patch.operation.op.as_str(), patch.operation.path.as_str()),
            ("add", "")
        );
        assert_eq!(patch.operation.value["name"], *patch.name);
    }
    for cluster in [
        &config["providers"][0]["jwks"]["remote"]["cluster"],
        &config["grants"]["service"]["cluster"],
    ] {
        let added = patches
            .json_patches
            .iter()
            .any(|patch| patch.name == *cluster);
        assert!(added, "{cluster}");
    }

    // In the place of the clusters of the same use, as Envoy Gateway would hand them to Envoy.
    let mut setup = Setup::shipped();
    for (place, mut patch) in ["idp", "grants"].into_iter().zip(patches.json_patches) {
        if place == "grants" {
            assert_lets_idle_connections_go(&patch.operation.value);
            give_client_certificate(&mut patch.operation.value);
        }
        setup = setup.treating(place, |cluster| *cluster = patch.operation.value);
    }
    let setup = setup.plugin(|plugin| {
        plugin["providers"] = config["providers"].clone();
        plugin["grants"] = config["grants"].clone();
    });
    assert_valid(&setup.validate());
}
