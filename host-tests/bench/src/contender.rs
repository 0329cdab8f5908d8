//! The ways to set up the proxy that are measured: each is one HTTP filter, or none, on a listener of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hallpass_demo::idp;
use hallpass_tokens::{AUDIENCE, ISSUER, jwks};
use serde_json::{Value, json};

/// The path that every request asks for.
pub(crate) const PATH: &str = "/me";
/// How long keys are not fetched again because of a token. Short, so that each measurement sees it end.
pub(crate) const COOL_DOWN: Duration = Duration::from_secs(1);
/// How many resources need a grant.
pub(crate) const RESOURCES: usize = 5;
/// How long an answer of the grant service counts that is to be over soon.
pub(crate) const ALLOW_TTL: Duration = Duration::from_secs(5);
/// The cluster of the grant service.
pub(crate) const GRANT_CLUSTER: &str = "grants";
/// The cluster of the server that publishes the keys.
pub(crate) const KEY_CLUSTER: &str = "idp";

/// A way to set up the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contender {
    /// No filter: what the proxy and the load itself cost.
    Plain,
    /// `jwt_authn`, which verifies each token.
    Native,
    /// `jwt_authn` with its cache of verified tokens.
    NativeCached,
    /// Hallpass, with the keys in its configuration.
    Hallpass,
    /// Hallpass doing no more than `jwt_authn`: the upstream is not told who it is.
    HallpassUntold,
    /// Another build of Hallpass.
    OtherBuild,
    /// Hallpass, with keys that it fetches.
    HallpassRemote,
    /// Hallpass, which asks a grant service about [`RESOURCES`] resources and remembers the answers for an hour.
    HallpassGrants,
    /// The same, and it remembers them for [`ALLOW_TTL`].
    HallpassFleetingGrants,
    /// Hallpass, which asks about each path anew.
    HallpassManyQuestions,
}

impl Contender {
    const ALL: [Self; 10] = [
        Self::Plain,
        Self::Native,
        Self::NativeCached,
        Self::Hallpass,
        Self::HallpassUntold,
        Self::OtherBuild,
        Self::HallpassRemote,
        Self::HallpassGrants,
        Self::HallpassFleetingGrants,
        Self::HallpassManyQuestions,
    ];

    /// The name of its listener, and of its part of the proxy's stats.
    pub(crate) const fn listener(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Native => "jwt_authn",
            Self::NativeCached => "jwt_authn_cached",
            Self::Hallpass => "hallpass",
            Self::HallpassUntold => "hallpass_untold",
            Self::OtherBuild => "hallpass_other_build",
            Self::HallpassRemote => "hallpass_remote",
            Self::HallpassGrants => "hallpass_grants",
            Self::HallpassFleetingGrants => "hallpass_fleeting_grants",
            Self::HallpassManyQuestions => "hallpass_many_questions",
        }
    }
}

/// What the contenders need.
#[derive(Debug)]
pub(crate) struct Setting {
    /// The filter.
    pub(crate) module: PathBuf,
    /// The other build of it, if there is one.
    pub(crate) other_module: Option<PathBuf>,
    /// Where the keys are published.
    pub(crate) idp: SocketAddr,
    /// Who decides about grants.
    pub(crate) grants: SocketAddr,
}

impl Setting {
    /// Every contender that there is, with its filter, or `None` for the proxy alone.
    pub(crate) fn contenders(&self) -> Vec<(Contender, Option<Value>)> {
        Contender::ALL
            .into_iter()
            .filter(|contender| *contender != Contender::OtherBuild || self.other_module.is_some())
            .map(|contender| (contender, self.filter(contender)))
            .collect()
    }

    fn filter(&self, contender: Contender) -> Option<Value> {
        let inline = json!({ "inline": key_set() });
        let name = contender.listener();
        match contender {
            Contender::Plain => None,
            Contender::Native => Some(jwt_authn(&json!({}))),
            Contender::NativeCached => {
                let cache = json!({ "jwt_cache_config": { "jwt_cache_size": 1000 } });
                Some(jwt_authn(&cache))
            }
            Contender::Hallpass => Some(hallpass(name, &self.module, &inline, &json!({}))),
            Contender::HallpassUntold => {
                let nothing =
                    json!({ "subject": null, "issuer": null, "email": null, "groups": null });
                Some(hallpass(name, &self.module, &inline, &nothing))
            }
            Contender::OtherBuild => {
                let module = self.other_module.as_deref()?;
                Some(hallpass(name, module, &inline, &json!({})))
            }
            Contender::HallpassGrants => {
                Some(with_grants(name, &self.module, Duration::from_hours(1)))
            }
            Contender::HallpassFleetingGrants => Some(with_grants(name, &self.module, ALLOW_TTL)),
            Contender::HallpassManyQuestions => {
                let resources = json!([{ "name": "many", "match": { "paths": ["/many/{n}"] }, "access": "grant" }]);
                let service = json!({ "cluster": GRANT_CLUSTER, "context": ["path"], "cache": { "allow_ttl": "1h" } });
                Some(deciding(name, &self.module, &resources, &service))
            }
            Contender::HallpassRemote => {
                // No refresh falls into the measurement: what is fetched then is fetched because of a token.
                let cool_down = format!("{}s", COOL_DOWN.as_secs());
                let remote = json!({ "cluster": KEY_CLUSTER, "uri": "/jwks.json", "refresh": "1h", "cool_down": cool_down });
                let remote = json!({ "remote": remote });
                Some(hallpass(name, &self.module, &remote, &json!({})))
            }
        }
    }
}

/// The algorithms that tokens are signed with, as JOSE names them.
pub(crate) const ALGORITHMS: [&str; 3] = ["RS256", "ES256", "EdDSA"];

fn key_set() -> Value {
    let keys: Vec<_> = ALGORITHMS.into_iter().filter_map(idp::key_for).collect();
    jwks(&keys)
}

/// Envoy's own filter: the same issuer, audience and keys.
fn jwt_authn(more: &Value) -> Value {
    let mut provider = json!({
        "issuer": ISSUER,
        "audiences": [AUDIENCE],
        "local_jwks": { "inline_string": key_set().to_string() },
    });
    if let (Some(provider), Some(more)) = (provider.as_object_mut(), more.as_object()) {
        provider.extend(more.clone());
    }
    json!({
        "name": "envoy.filters.http.jwt_authn",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": { "bench": provider },
            "rules": [{ "match": { "prefix": "/" }, "requires": { "provider_name": "bench" } }],
        },
    })
}

/// The path of one of the resources that need a grant.
pub(crate) fn granted_path(resource: usize) -> String {
    format!("/granted/{resource}")
}

/// Hallpass as it demands a grant of the service, and writes no audit lines.
fn with_grants(vm_id: &str, module: &Path, allow_ttl: Duration) -> Value {
    let resource = |number| {
        let path = granted_path(number);
        json!({ "name": format!("resource-{number}"), "match": { "paths": [path] }, "access": "grant", "action": "read" })
    };
    let cache = json!({ "allow_ttl": format!("{}s", allow_ttl.as_secs()) });
    let resources = (0..RESOURCES).map(resource).collect();
    let service = json!({ "cluster": GRANT_CLUSTER, "cache": cache });
    deciding(vm_id, module, &resources, &service)
}

fn deciding(vm_id: &str, module: &Path, resources: &Value, service: &Value) -> Value {
    let configuration = json!({
        "providers": [{ "name": "bench", "issuer": ISSUER, "audiences": [AUDIENCE], "jwks": { "inline": key_set() } }],
        "resources": resources,
        "grants": { "service": service },
        "audit": { "log": "none" },
    });
    wasm(vm_id, module, &configuration)
}

/// How many tokens a contender that demands an identity remembers.
pub(crate) const REMEMBERED: usize = 100;

/// Hallpass as it demands an identity, and writes no audit lines. Each contender has a VM of its own.
fn hallpass(vm_id: &str, module: &Path, keys: &Value, identity_headers: &Value) -> Value {
    let configuration = json!({
        "providers": [{ "name": "bench", "issuer": ISSUER, "audiences": [AUDIENCE], "jwks": keys }],
        "resources": [{ "name": "profile", "match": { "paths": [PATH] }, "access": "identity" }],
        "identity_headers": identity_headers,
        "token_cache": { "max_entries": REMEMBERED },
        "audit": { "log": "none" },
    });
    wasm(vm_id, module, &configuration)
}

fn wasm(vm_id: &str, module: &Path, configuration: &Value) -> Value {
    json!({
        "name": "hallpass",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": "hallpass",
                "root_id": "hallpass",
                "vm_config": {
                    "vm_id": vm_id,
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": { "local": { "filename": module } },
                },
                "failure_policy": "FAIL_RELOAD",
                "configuration": {
                    "@type": "type.googleapis.com/google.protobuf.StringValue",
                    "value": configuration.to_string(),
                },
            },
        },
    })
}
