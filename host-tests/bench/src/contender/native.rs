//! Envoy's own filters.

use hallpass_tokens::{AUDIENCE, ISSUER};
use serde_json::{Value, json};

use super::{GRANT_CLUSTER, key_set};
use crate::decider;

/// How many verified tokens `jwt_authn` remembers: all that there are in any row that wants them remembered.
const CACHED: usize = 20_000;

/// Verifies each token: the same issuer, audience and keys as Hallpass. Like Hallpass it takes the token out of the request.
pub(super) fn jwt_authn() -> Value {
    verifying(&json!({}))
}

/// The same, with a cache of verified tokens.
pub(super) fn jwt_authn_cached() -> Value {
    verifying(&cache())
}

/// Verifies each token, and then asks the service, which gets the token too.
pub(super) fn jwt_authn_and_ext_authz() -> Vec<Value> {
    vec![verifying(&json!({ "forward": true })), ext_authz()]
}

/// The same, with a cache of verified tokens.
pub(super) fn jwt_authn_cached_and_ext_authz() -> Vec<Value> {
    let mut more = cache();
    more["forward"] = json!(true);
    vec![verifying(&more), ext_authz()]
}

fn cache() -> Value {
    json!({ "jwt_cache_config": { "jwt_cache_size": CACHED } })
}

fn verifying(more: &Value) -> Value {
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

/// Asks the service about each request, by HTTP.
pub(super) fn ext_authz() -> Value {
    let uri = json!({ "uri": format!("http://{GRANT_CLUSTER}"), "cluster": GRANT_CLUSTER, "timeout": "1s" });
    json!({
        "name": "envoy.filters.http.ext_authz",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
            "http_service": { "server_uri": uri, "path_prefix": decider::EXT_AUTHZ },
        },
    })
}

/// Reads the token's header and sets four others.
pub(super) fn lua() -> Value {
    const SCRIPT: &str = r#"
function envoy_on_request(handle)
  local headers = handle:headers()
  if headers:get("authorization") == nil then
    handle:respond({ [":status"] = "401" }, "")
    return
  end
  headers:replace("x-hallpass-subject", "user-0")
  headers:replace("x-hallpass-issuer", "https://idp.example")
  headers:replace("x-hallpass-email", "user-0@example.com")
  headers:replace("x-hallpass-groups", "dev")
end
"#;
    json!({
        "name": "envoy.filters.http.lua",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
            "default_source_code": { "inline_string": SCRIPT },
        },
    })
}
