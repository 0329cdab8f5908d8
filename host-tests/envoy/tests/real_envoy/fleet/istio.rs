//! The manifest for Istio, by the documented fields of `WasmPlugin` (extensions.istio.io/v1alpha1), `ServiceEntry` and `DestinationRule`
//! (networking.istio.io/v1).

use serde::Deserialize;
use serde_json::Value;

use super::kubernetes::{Objects, Target, assert_digest, assert_gateway};
use super::{assert_accepted, assert_is_known_and_follows};

const FILE: &str = "envoy-config/istio-wasmplugin.yaml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WasmPlugin {
    target_refs: Vec<Target>,
    url: String,
    sha256: String,
    image_pull_policy: PullPolicy,
    #[serde(rename = "imagePullSecret")]
    _image_pull_secret: Option<String>,
    plugin_config: Value,
    plugin_name: String,
    phase: Phase,
    #[serde(rename = "priority")]
    _priority: Option<i32>,
    fail_strategy: FailStrategy,
}

#[derive(Deserialize)]
enum PullPolicy {
    IfNotPresent,
    Always,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "UPPERCASE")]
enum Phase {
    Authn,
    Authz,
    Stats,
}

#[derive(Debug, Deserialize, PartialEq)]
enum FailStrategy {
    #[serde(rename = "FAIL_CLOSE")]
    Close,
    #[serde(rename = "FAIL_OPEN")]
    Open,
    #[serde(rename = "FAIL_RELOAD")]
    Reload,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceEntry {
    hosts: Vec<String>,
    location: String,
    resolution: String,
    ports: Vec<Port>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Port {
    number: u16,
    #[serde(rename = "name")]
    _name: String,
    protocol: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct DestinationRule {
    host: String,
    traffic_policy: TrafficPolicy,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct TrafficPolicy {
    tls: Tls,
    connection_pool: Option<ConnectionPool>,
    #[serde(rename = "outlierDetection")]
    _outlier_detection: Option<OutlierDetection>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Tls {
    mode: String,
    credential_name: Option<String>,
    sni: String,
    subject_alt_names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConnectionPool {
    #[serde(rename = "tcp")]
    _tcp: Option<Tcp>,
    http: Option<Http>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Tcp {
    #[serde(rename = "maxConnections")]
    _max_connections: Option<i32>,
    #[serde(rename = "connectTimeout")]
    _connect_timeout: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Http {
    #[serde(rename = "http1MaxPendingRequests")]
    _http1_max_pending_requests: Option<i32>,
    #[serde(rename = "idleTimeout")]
    idle_timeout: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OutlierDetection {
    #[serde(rename = "consecutive5xxErrors")]
    _consecutive_5xx_errors: Option<u32>,
    #[serde(rename = "baseEjectionTime")]
    _base_ejection_time: Option<String>,
    #[serde(rename = "maxEjectionPercent")]
    _max_ejection_percent: Option<i32>,
}

fn plugin(objects: &Objects) -> WasmPlugin {
    let mut plugins: Vec<WasmPlugin> = objects.of("extensions.istio.io/v1alpha1", "WasmPlugin");
    assert_eq!(plugins.len(), 1);
    plugins.remove(0)
}

#[test]
fn the_plugin_for_istio_has_documented_fields_only_and_fails_closed() {
    let plugin = plugin(&Objects::read(FILE));
    assert_eq!(plugin.target_refs.len(), 1);
    assert_gateway(&plugin.target_refs[0]);
    assert_digest(&plugin.sha256);
    let pinned = format!("@sha256:{}", plugin.sha256);
    assert!(plugin.url.starts_with("oci://") && plugin.url.ends_with(&pinned));
    assert!(matches!(
        plugin.image_pull_policy,
        PullPolicy::IfNotPresent | PullPolicy::Always
    ));
    assert_eq!(plugin.phase, Phase::Authn);
    assert_eq!(plugin.fail_strategy, FailStrategy::Reload);
    assert_eq!(plugin.plugin_name, "hallpass");
    assert_accepted(&plugin.plugin_config);
    assert_is_known_and_follows(&plugin.plugin_config["grants"]["service"]);
}

#[test]
fn each_cluster_that_the_plugin_for_istio_asks_is_a_service_to_which_the_gateway_speaks_tls() {
    let objects = Objects::read(FILE);
    let config = plugin(&objects).plugin_config;
    let entries: Vec<ServiceEntry> = objects.of("networking.istio.io/v1", "ServiceEntry");
    let rules: Vec<DestinationRule> = objects.of("networking.istio.io/v1", "DestinationRule");
    assert_eq!(objects.len(), 1 + entries.len() + rules.len());

    // The grant service believes what the gateway says of people, so the gateway proves who it is.
    for (cluster, mode, proof) in [
        (
            &config["providers"][0]["jwks"]["remote"]["cluster"],
            "SIMPLE",
            None,
        ),
        (
            &config["grants"]["service"]["cluster"],
            "MUTUAL",
            Some("grants-client"),
        ),
    ] {
        // As Istio names them: direction, port, subset, host.
        let parts: Vec<&str> = cluster.as_str().expect("a name").split('|').collect();
        let ["outbound", port, "", host] = parts.as_slice() else {
            panic!("{cluster}");
        };
        let entry = entries.iter().find(|entry| entry.hosts == [*host]);
        let entry = entry.unwrap_or_else(|| panic!("{host} has no entry"));
        assert_eq!(
            (entry.location.as_str(), entry.resolution.as_str()),
            ("MESH_EXTERNAL", "DNS")
        );
        // The module asks in plain HTTP; a port of the protocol HTTPS would be passed through as bytes.
        assert_eq!(entry.ports[0].number.to_string(), *port);
        assert_eq!(entry.ports[0].protocol, "HTTP");
        let rule = rules.iter().find(|rule| rule.host == *host);
        let tls = &rule
            .unwrap_or_else(|| panic!("{host} has no rule"))
            .traffic_policy
            .tls;
        assert_eq!((tls.mode.as_str(), tls.sni.as_str()), (mode, *host));
        assert_eq!(tls.credential_name.as_deref(), proof);
        assert_eq!(tls.subject_alt_names, [*host]);
    }
}

#[test]
fn the_gateway_lets_idle_connections_to_the_grant_service_go_before_that_closes_them() {
    let objects = Objects::read(FILE);
    let rules: Vec<DestinationRule> = objects.of("networking.istio.io/v1", "DestinationRule");
    let grants = rules
        .into_iter()
        .find(|rule| rule.host.starts_with("grants"));
    let pool = grants.and_then(|rule| rule.traffic_policy.connection_pool);
    let timeout = pool
        .and_then(|pool| pool.http)
        .and_then(|http| http.idle_timeout);
    assert_eq!(timeout.as_deref(), Some("30s"));
}
