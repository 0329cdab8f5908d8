//! Where an issuer's keys come from: the configuration itself, an address, or the issuer's discovery document.

use std::time::Duration;

use http::Uri;
use serde_json::Value;

use super::CALL_TIMEOUTS;
use super::fault::{Faults, Place};
use super::field::{Field, filled};
use super::raw::{RawDiscovery, RawJwks, RawRemoteJwks};
use super::span::Span;
use crate::ids::Issuer;
use crate::jwks::{Address, Discovery, KeyFault, KeySet, Location, MAX_KEYS, RefreshRules};

/// Where an issuer's keys come from.
#[derive(Debug, Clone)]
pub enum JwksSource {
    /// They are part of the configuration.
    Inline(KeySet),
    /// They are fetched.
    Remote(RemoteJwks),
}

impl JwksSource {
    /// How to fetch them, if they are fetched.
    pub fn remote(&self) -> Option<&RemoteJwks> {
        match self {
            Self::Remote(remote) => Some(remote),
            Self::Inline(_) => None,
        }
    }
}

/// How to fetch an issuer's keys.
#[derive(Debug, Clone)]
pub struct RemoteJwks {
    /// The host's cluster.
    pub cluster: String,
    /// Where they are there.
    pub location: Location,
    /// How long to wait for each answer.
    pub timeout: Duration,
    /// How long the keys serve.
    pub rules: RefreshRules,
}

/// Reads the member `jwks` of the provider at `provider`, whose issuer is `issuer`, if that is known.
pub(super) fn validate(
    field: Field<RawJwks>,
    issuer: Option<&str>,
    provider: &Place,
    faults: &mut Faults,
) -> Option<JwksSource> {
    const ONE: &str = "one of `inline`, `remote` or `discovery`";
    let place = provider.member("jwks");
    let raw = field.required(&place, faults)?;
    raw.refuse_unknown(&place, faults);
    let absent = [
        raw.inline.is_absent(),
        raw.remote.is_absent(),
        raw.discovery.is_absent(),
    ];
    match absent.iter().filter(|is_absent| !*is_absent).count() {
        0 => faults.push(&place, "none", ONE),
        1 => {}
        _ => faults.push(&place, "more than one", ONE),
    }
    // All that are there: what is wrong in one of two is told together with that.
    let inline_place = place.member("inline");
    let inline = raw.inline.optional(&inline_place, faults);
    let inline = inline.and_then(|set| inline_keys(&set, &inline_place, faults));
    let remote_place = place.member("remote");
    let remote = raw.remote.optional(&remote_place, faults);
    let remote = remote.and_then(|raw| remote_keys(raw, &remote_place, faults));
    let place = place.member("discovery");
    let discovery = raw.discovery.optional(&place, faults);
    let discovery = discovery
        .and_then(|raw| discovered_keys(raw, issuer, &provider.member("issuer"), &place, faults));
    inline.or(remote.or(discovery).map(JwksSource::Remote))
}

/// Keys in the configuration are the operator's own: one that cannot be used is a fault, not something to skip. One for encryption is left out,
/// so that a set can stand here as its issuer publishes it.
fn inline_keys(set: &Value, place: &Place, faults: &mut Faults) -> Option<JwksSource> {
    const EXPECTED: &str = "a public signature key";
    let Ok(parsed) = KeySet::from_value(set) else {
        let expected = format!("a JWK set: an object with an array `keys`, of {MAX_KEYS} at most");
        faults.push_value(place, set, &expected);
        return None;
    };
    let place = place.member("keys");
    let (for_encryption, unusable): (Vec<_>, Vec<_>) = parsed
        .skipped
        .iter()
        .partition(|(_, fault)| *fault == KeyFault::Encryption);
    for (index, fault) in &unusable {
        let found = format!("a key that cannot be used: {fault}");
        faults.push(&place.element(*index), &found, EXPECTED);
    }
    if parsed.keys.is_empty() && unusable.is_empty() && !for_encryption.is_empty() {
        faults.push(&place, "keys for encryption alone", EXPECTED);
    }
    Some(JwksSource::Inline(parsed.keys))
}

fn remote_keys(raw: RawRemoteJwks, place: &Place, faults: &mut Faults) -> Option<RemoteJwks> {
    raw.refuse_unknown(place, faults);
    let cluster = filled(raw.cluster, &place.member("cluster"), faults);
    let uri_place = place.member("uri");
    let uri = filled(raw.uri, &uri_place, faults);
    let timeout = timeout(raw.timeout, place, faults);
    let rules = rules(raw.refresh, raw.max_stale, raw.cool_down, place, faults);
    let address = uri.and_then(|uri| {
        let cluster = cluster.as_deref().unwrap_or_default();
        address(&uri, cluster, &uri_place, faults)
    });
    Some(RemoteJwks {
        cluster: cluster?,
        location: Location::Known(address?),
        timeout,
        rules,
    })
}

/// `https://idp.example/keys` names authority and path; `/keys` alone is asked for under the cluster's name.
fn address(uri: &str, cluster: &str, place: &Place, faults: &mut Faults) -> Option<Address> {
    let parsed = uri.parse::<Uri>().ok();
    let address = parsed.and_then(|parsed| {
        let path = parsed.path_and_query().map(ToString::to_string)?;
        let authority = match (parsed.scheme_str(), parsed.authority()) {
            (Some("http" | "https"), Some(authority)) => authority.to_string(),
            (None, None) if path.starts_with('/') => cluster.to_owned(),
            _ => return None,
        };
        Some(Address { authority, path })
    });
    if address.is_none() {
        let expected = "a URL such as `https://idp.example/jwks.json`, or a path";
        faults.push_value(place, &uri.into(), expected);
    }
    address
}

fn discovered_keys(
    raw: RawDiscovery,
    issuer: Option<&str>,
    issuer_place: &Place,
    place: &Place,
    faults: &mut Faults,
) -> Option<RemoteJwks> {
    raw.refuse_unknown(place, faults);
    let cluster = filled(raw.cluster, &place.member("cluster"), faults);
    let timeout = timeout(raw.timeout, place, faults);
    let rules = rules(raw.refresh, raw.max_stale, raw.cool_down, place, faults);
    let path_place = place.member("issuer_path");
    let path = raw.issuer_path.optional(&path_place, faults);

    let issuer = Issuer::new(issuer?);
    if Discovery::new(&issuer, None).is_none() {
        let expected = "an `http` or `https` URL without query, at which `jwks.discovery` finds the issuer's document";
        faults.push_value(issuer_place, &issuer.as_str().into(), expected);
        return None;
    }
    let discovery = Discovery::new(&issuer, path.as_deref());
    if let (None, Some(path)) = (&discovery, path) {
        faults.push_value(
            &path_place,
            &path.into(),
            "a path that begins with `/`, without query",
        );
    }
    Some(RemoteJwks {
        cluster: cluster?,
        location: Location::Discovered(discovery?),
        timeout,
        rules,
    })
}

fn timeout(field: Field<Span>, place: &Place, faults: &mut Faults) -> Duration {
    let place = place.member("timeout");
    field.within(CALL_TIMEOUTS, Duration::from_secs(2), &place, faults)
}

fn rules(
    refresh: Field<Span>,
    max_stale: Field<Span>,
    cool_down: Field<Span>,
    place: &Place,
    faults: &mut Faults,
) -> RefreshRules {
    RefreshRules {
        refresh: refresh.within(
            (Duration::from_secs(1), Duration::from_hours(24)),
            Duration::from_mins(5),
            &place.member("refresh"),
            faults,
        ),
        max_stale: max_stale.within(
            (Duration::ZERO, Duration::from_hours(7 * 24)),
            Duration::from_hours(1),
            &place.member("max_stale"),
            faults,
        ),
        cool_down: cool_down.within(
            (Duration::from_secs(1), Duration::from_mins(5)),
            Duration::from_secs(10),
            &place.member("cool_down"),
            faults,
        ),
    }
}
