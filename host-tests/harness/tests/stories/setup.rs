//! The world that most stories start in: one provider, a handful of resources, one grant service, and Alice.

use std::time::Duration;

use hallpass_harness::{Answer, Cluster, Exchange, Harness, Reply, Request};
use hallpass_tokens::{SigningKey, TokenBuilder, jwks};
use serde_json::{Value, json};

/// The clusters that the configuration names.
pub(crate) const GRANTS: &str = "grants";
pub(crate) const IDP: &str = "idp";

/// The key that the provider of the default configuration publishes.
pub(crate) fn key() -> SigningKey {
    SigningKey::es256("kid-1")
}

/// A configuration with every kind of access, inline keys and a grant service.
pub(crate) fn config() -> Value {
    json!({
        "providers": [{
            "name": "corp",
            "issuer": "https://idp.example",
            "audiences": ["orders-api"],
            "jwks": { "inline": jwks(&[&key()]) },
        }],
        "resources": [
            { "name": "health", "match": { "paths": ["/healthz"] }, "access": "public" },
            { "name": "profile", "match": { "paths": ["/me", "/me/{*rest}"] }, "access": "identity" },
            { "name": "internal", "match": { "paths": ["/internal/{*rest}"] }, "access": "deny" },
            {
                "name": "orders",
                "match": { "hosts": ["admin.example"], "paths": ["/orders/{*rest}"], "methods": ["GET", "HEAD"] },
                "access": "grant", "action": "read",
            },
            { "name": "orders", "match": { "hosts": ["admin.example"], "paths": ["/orders/{*rest}"] }, "access": "grant" },
        ],
        "grants": {
            "service": { "cluster": GRANTS, "authority": "grants.internal", "path": "/access/v1/evaluation" },
            "request_url": "https://grants.example/request?resource={resource}&action={action}",
        },
    })
}

/// The default configuration, changed.
pub(crate) fn config_with(change: impl FnOnce(&mut Value)) -> Value {
    let mut config = config();
    change(&mut config);
    config
}

/// The default configuration without a grant service: only embedded grants count.
pub(crate) fn config_without_service() -> Value {
    config_with(|config| {
        config["grants"]
            .as_object_mut()
            .expect("an object")
            .remove("service");
    })
}

/// A module with the default configuration.
pub(crate) fn start() -> Harness {
    start_with(&config())
}

/// A module with this configuration.
pub(crate) fn start_with(config: &Value) -> Harness {
    Harness::start(config).unwrap_or_else(|refused| panic!("{refused}"))
}

/// A sound token of Alice's, with no grant in it.
pub(crate) fn alice() -> String {
    TokenBuilder::for_user("alice").signed_by(&key())
}

/// A request that needs an identity only.
pub(crate) fn profile(token: &str) -> Request {
    Request::get("https://admin.example/me").bearer(token)
}

/// A request that needs a grant for the action `read`.
pub(crate) fn order(token: &str) -> Request {
    Request::get("https://admin.example/orders/7").bearer(token)
}

/// A request that everybody may make.
pub(crate) fn health() -> Request {
    Request::get("https://admin.example/healthz")
}

/// The decision point's allow, ending at this Unix second.
pub(crate) fn allow_until(end: i64) -> Value {
    json!({ "decision": true, "context": { "approval": { "id": "g-42", "approved_until": timestamp(end) } } })
}

/// The decision point's deny.
pub(crate) fn deny() -> Value {
    json!({ "decision": false })
}

/// Has every question to the grant service fail from now on, as Envoy tells of a connection that was refused.
pub(crate) fn fails(harness: &Harness) {
    harness.set_cluster(GRANTS, Cluster::answers(|_| Reply::failed_like_envoy(503)));
}

/// A Unix second as RFC 3339 writes it, for the one day on which the stories play (2026-09-21).
pub(crate) fn timestamp(unix_second: i64) -> String {
    const MIDNIGHT: i64 = 1_789_948_800;
    let second = unix_second - MIDNIGHT;
    assert!((0..86_400).contains(&second), "the stories play on one day");
    format!(
        "2026-09-21T{:02}:{:02}:{:02}Z",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// Milliseconds since the Unix epoch for a Unix second, for the harness's clock.
pub(crate) fn ms(unix_second: i64) -> u64 {
    u64::try_from(unix_second * 1000).expect("after 1970")
}

/// A duration in seconds.
pub(crate) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Has the worker tell all of these, who are ready: it tells some in each callback.
///
/// # Panics
/// When some still wait after as many ticks as should do.
pub(crate) fn tell_all(harness: &Harness, exchanges: &[Exchange]) {
    for _ in 0..exchanges.len().div_ceil(48) {
        harness.tick();
    }
    assert!(!exchanges.iter().any(Exchange::is_waiting));
}

/// Requires an answer with this status and this reason.
#[track_caller]
pub(crate) fn refused(exchange: &Exchange, status: u32, reason: &str) -> Answer {
    let answer = exchange.answer();
    assert_eq!(
        (answer.status, answer.reason().as_str()),
        (status, reason),
        "{exchange:?}"
    );
    answer
}

/// Requires the answer to someone who could not be judged for want of the grant service.
#[track_caller]
pub(crate) fn unavailable(exchange: &Exchange) -> Answer {
    refused(exchange, 503, "grant_service_unavailable")
}
