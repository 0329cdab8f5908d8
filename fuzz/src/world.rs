//! What the targets hold still while they vary one thing: the moment, the keys, and a configuration with most of what there is in it.

use std::sync::{Arc, LazyLock};

use hallpass_core::config::{Config, JwksSource, Provider};
use hallpass_core::flow::Gate;
use hallpass_core::jwks::KeySet;
use hallpass_core::time::UnixMillis;
use hallpass_core::token::Algorithm;
use hallpass_core::token::signature::{PublicKey, SignatureFault, SignatureVerifier};
use hallpass_tokens::{ISSUER, NOW, SigningKey, TokenBuilder};
use serde_json::json;

/// Headers that the configuration makes trusted, as [`protected`] spells them.
const TRUSTED: [&str; 8] = [
    "x-hallpass-subject",
    "x-hallpass-issuer",
    "x-hallpass-email",
    "x-hallpass-groups",
    "x-hallpass-grant-id",
    "x-hallpass-grant-expires",
    "x-tenant",
    "x-any",
];

/// The issuer with lax rules.
pub(crate) const LAX: &str = ISSUER;
/// The issuer that demands everything that can be demanded.
pub(crate) const STRICT: &str = "https://strict.example";
/// How long a grant may last here, in seconds.
pub(crate) const LONGEST_GRANT: f64 = 8.0 * 3600.0;

/// The origin of the forms for requesting access.
pub(crate) const FORMS: &str = "https://grants.example";

/// The configuration as an operator would write it.
pub(crate) fn configuration() -> serde_json::Value {
    let keys = hallpass_tokens::jwks(&[&rsa(), &ec(), &ed()]);
    json!({
        "providers": [
            {
                "name": "lax", "issuer": LAX, "audiences": ["orders-api", "billing-api"],
                "token_sources": [{ "header": "authorization", "scheme": "Bearer" }, { "cookie": "hallpass" }, { "header": "x-token", "scheme": "" }],
                "jwks": { "inline": keys },
            },
            {
                "name": "strict", "issuer": STRICT, "audiences": ["orders-api"], "algorithms": ["EdDSA"],
                "token_sources": [{ "header": "authorization", "scheme": "Bearer" }, { "cookie": "strict" }],
                "clock_skew": "0s", "max_token_age": "1h", "token_types": ["at+jwt"],
                "required_claims": { "tenant": ["acme", "acme-eu"], "admin": true },
                "claims": { "subject": "uid", "email": "mail", "groups": "roles" },
                "jwks": { "inline": keys },
            },
        ],
        "resources": [
            { "name": "health", "match": { "paths": ["/healthz", "/public/{*rest}"] }, "access": "public" },
            { "name": "profile", "match": { "paths": ["/me", "/me/{*rest}"] }, "access": "identity" },
            { "name": "closed", "match": { "paths": ["/closed/{*rest}"] }, "access": "deny" },
            { "name": "orders", "match": { "hosts": ["admin.example", "*.admin.example"], "paths": ["/orders/{id}", "/orders/{id}/{*rest}"], "methods": ["GET", "HEAD", "POST"] },
              "access": "grant", "action": "read", "max_grant_lifetime": "8h" },
        ],
        "grants": {
            "service": { "cluster": "grants", "context": ["source_ip", "method", "host", "path"], "require_expiry": false,
                         "cache": { "allow_ttl": "30s", "deny_ttl": "2s" } },
            "request_url": "https://grants.example/request?resource={resource}&action={action}",
        },
        "claim_headers": { "tenant": "x-tenant", "any": "x-any" },
    })
}

/// [`configuration`], read once.
pub(crate) fn config() -> Arc<Config> {
    static CONFIG: LazyLock<Arc<Config>> = LazyLock::new(|| {
        let text = configuration().to_string();
        Arc::new(Config::parse(text.as_bytes()).expect("the configuration is sound"))
    });
    CONFIG.clone()
}

/// The provider that an issuer's tokens belong to.
pub(crate) fn provider_of<'a>(config: &'a Config, issuer: Option<&str>) -> Option<&'a Provider> {
    let mut providers = config.providers.iter();
    providers.find(|provider| issuer == Some(provider.rules.issuer.as_str()))
}

/// The keys of a provider of [`configuration`].
pub(crate) fn keys(provider: &Provider) -> &KeySet {
    match &provider.jwks {
        JwksSource::Inline(keys) => keys,
        JwksSource::Remote(_) => panic!("the configuration has its keys inline"),
    }
}

/// A worker that believes every signature.
pub(crate) fn trusting_gate(config: Arc<Config>) -> Gate {
    Gate::new(config, Box::new(Trusting))
}

/// Takes every signature for a good one, so that what stands behind the signature can be reached.
pub(crate) struct Trusting;

impl SignatureVerifier for Trusting {
    fn verify(
        &self,
        _algorithm: Algorithm,
        _key: &PublicKey,
        _message: &[u8],
        _signature: &[u8],
    ) -> Result<(), SignatureFault> {
        Ok(())
    }
}

/// The moment at which everything happens.
pub(crate) fn now() -> UnixMillis {
    UnixMillis::from_seconds(NOW).expect("the tests' present is a date")
}

/// [`now`] as dates in JSON count it.
#[expect(
    clippy::cast_precision_loss,
    reason = "a date of this century fits into a float"
)]
pub(crate) const fn now_in_seconds() -> f64 {
    NOW as f64
}

/// The key with the id `rsa`.
pub(crate) fn rsa() -> SigningKey {
    SigningKey::rs256("rsa")
}

/// The key with the id `ec`.
pub(crate) fn ec() -> SigningKey {
    SigningKey::es256("ec")
}

/// The key with the id `ed`.
pub(crate) fn ed() -> SigningKey {
    SigningKey::ed25519("ed")
}

/// Tokens that are as they should be, the only ones that anyone may be let in with.
pub(crate) fn genuine_tokens() -> &'static [(&'static str, String)] {
    static TOKENS: LazyLock<Vec<(&'static str, String)>> = LazyLock::new(|| {
        let alice = || TokenBuilder::for_user("alice");
        let strict = alice()
            .issuer(STRICT)
            .header("typ", json!("at+jwt"))
            .claim("uid", json!("alice"))
            .claim("tenant", json!("acme"))
            .claim("admin", json!(true));
        vec![
            ("rsa", alice().signed_by(&rsa())),
            ("ec", alice().without_header("kid").signed_by(&ec())),
            ("ed", alice().signed_by(&ed())),
            ("strict", strict.signed_by(&ed())),
        ]
    });
    &TOKENS
}

/// Whether an upstream of [`configuration`] would believe a header of this name, however it is spelt.
pub(crate) fn protected(name: &[u8]) -> bool {
    let name = String::from_utf8_lossy(name)
        .to_ascii_lowercase()
        .replace('_', "-");
    TRUSTED.contains(&name.as_str())
}
