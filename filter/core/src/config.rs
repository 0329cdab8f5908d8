//! The plugin's configuration, checked once and in a form that needs no further reading.
//!
//! [`Config::parse`] goes from text over [`raw`] (the shape) to [`Config`] (the meaning). It finds all faults, not only the first, and
//! says of each where it is, what stands there and what was expected.

mod audit;
mod batch;
mod conditions;
pub mod fault;
pub mod field;
mod grants;
mod headers;
mod keys;
mod mode;
mod otlp;
mod protected_resource;
mod provider;
mod raw;
mod resource;
mod revocations;
#[cfg(feature = "schema")]
mod schema;
pub mod span;
mod tokens;
mod warning;
mod words;

use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};

pub use audit::{AuditLog, AuditSettings};
pub use batch::BatchSettings;
pub use fault::{Fault, Faults};
pub use grants::{GrantSettings, RequestUrl, ServiceSettings};
pub use headers::TrustedHeaders;
pub use keys::{JwksSource, RemoteJwks};
pub use otlp::OtlpSettings;
pub use provider::Provider;
pub use revocations::RevocationSettings;
#[cfg(feature = "schema")]
pub use schema::schema;
pub use warning::Warning;

use crate::cache::Bounds;
use crate::digest::first_half;
use crate::forwarded::{MAX_TRUSTED_HOPS, TrustedHops};
use crate::json::{self, StrictValue};
use crate::policy::{Mode, Policy};
use crate::resource_metadata::ResourceMetadata;
use crate::token::TokenSource;
use fault::Place;
use field::Field;
use raw::RawConfig;

/// Everything the filter knows before the first request.
#[derive(Debug)]
pub struct Config {
    /// The first half of the SHA-256 of the configuration's text, in hexadecimal: which rules a record was made under.
    pub hash: String,
    /// One per trusted issuer.
    pub providers: Vec<Provider>,
    /// Every place where some provider's tokens may sit, each once.
    pub token_sources: Vec<TokenSource>,
    /// A larger token is not looked into, in bytes.
    pub max_token_bytes: usize,
    /// How many verified tokens each worker remembers.
    pub token_cache: Bounds,
    /// The resources.
    pub policy: Policy,
    /// Where grants come from.
    pub grants: GrantSettings,
    /// Headers that the upstream believes.
    pub headers: TrustedHeaders,
    /// Whether the token goes upstream.
    pub forward_token: bool,
    /// How many proxies before this one tell the truth about where requests come from.
    pub trusted_hops: TrustedHops,
    /// Whether decisions are held to that are about no resource.
    pub mode: Mode,
    /// Whether requests are held back that could be read in two ways. One of the readings may be for any resource, so no mode of the whole
    /// lets them pass where a resource is enforced.
    pub mode_of_ambiguous: Mode,
    /// What becomes of the record of a decision.
    pub audit: AuditSettings,
    /// The document that tells OAuth clients where to sign in, if there is to be one.
    pub resource_metadata: Option<ResourceMetadata>,
}

impl Config {
    /// Reads and checks a configuration.
    ///
    /// # Errors
    /// Every fault in it.
    pub fn parse(text: &[u8]) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let root = Place::root();
        let value = match serde_json::from_slice::<StrictValue>(text) {
            Ok(StrictValue(value)) => without_schema(value),
            Err(error) => {
                faults.push(&root, &json::told(&error), "one JSON object");
                return Err(faults);
            }
        };
        let raw: Field<RawConfig> = Field::read(value);
        let config = raw
            .required(&root, &mut faults)
            .and_then(|raw| Self::validate(raw, text, &mut faults));
        match config {
            Some(config) if faults.is_empty() => Ok(config),
            _ => Err(faults),
        }
    }

    fn validate(raw: RawConfig, text: &[u8], faults: &mut Faults) -> Option<Self> {
        let root = Place::root();
        raw.refuse_unknown(&root, faults);
        let mode = mode::validate(raw.mode, Mode::Enforce, &root.member("mode"), faults);
        let headers = headers::validate(raw.identity_headers, raw.claim_headers, faults);
        let mut token_sources = Vec::new();
        let has_providers = !raw.providers.is_absent_or_empty();
        let providers = provider::validate_all(raw.providers, &headers, &mut token_sources, faults);
        let policy = resource::validate_all(raw.resources, mode, &headers, faults);
        let grants = grants::validate(raw.grants, faults);
        let audit = audit::validate(raw.audit, &root.member("audit"), faults);
        let resource_metadata =
            protected_resource::validate(raw.protected_resource, &token_sources, faults);
        let mode_of_ambiguous = mode::of_ambiguous(policy.as_ref(), mode);
        let forward_token = raw
            .forward_token
            .or(false, &root.member("forward_token"), faults);
        let trusted_hops = TrustedHops::new(raw.trusted_hops.within(
            0..=MAX_TRUSTED_HOPS,
            0,
            &root.member("trusted_hops"),
            faults,
        ));
        let max_token_bytes = tokens::max_bytes(raw.max_token_bytes, faults);
        let token_cache = tokens::cache(raw.token_cache, faults);
        let policy = policy?;
        if !has_providers && policy.iter().any(|r| r.access.needs_identity()) {
            let expected = "at least one provider, since a resource demands an identity";
            faults.push(&root.member("providers"), "nothing", expected);
        }
        Some(Self {
            hash: hash(text),
            providers,
            token_sources,
            max_token_bytes,
            token_cache,
            policy,
            grants,
            headers,
            forward_token,
            trusted_hops,
            mode,
            mode_of_ambiguous,
            audit,
            resource_metadata,
        })
    }
}

/// Editors find the JSON Schema by this member. It says nothing to the filter.
fn without_schema(mut value: Value) -> Value {
    if let Value::Object(members) = &mut value
        && members.get("$schema").is_some_and(Value::is_string)
    {
        members.remove("$schema");
    }
    value
}

fn hash(text: &[u8]) -> String {
    first_half(Sha256::digest(text).into())
}

/// The host answers a call at the latest after its timeout; a longer or a zero timeout has no use.
const CALL_TIMEOUTS: (Duration, Duration) = (Duration::from_millis(1), LONGEST_CALL);
/// The longest timeout that a call to another service can have.
pub const LONGEST_CALL: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests;
