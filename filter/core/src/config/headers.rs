//! Headers that upstreams may believe: their names are taken out of every incoming request.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fault::{Faults, Place};
use super::field::Field;
use super::raw::RawIdentityHeaders;
use crate::headers::{are_one_variable, is_sign};
use crate::identity::HeaderSource;

/// The headers that the filter sets, and by which no client may speak for it.
#[derive(Debug, Default)]
pub struct TrustedHeaders {
    /// What each identity header holds.
    pub identity: Vec<(Arc<str>, HeaderSource)>,
    /// The header for the grant's name.
    pub grant_id: Option<Arc<str>>,
    /// The header for the grant's end, in seconds since the epoch.
    pub grant_expires: Option<Arc<str>>,
    /// In lower case.
    protected: Vec<String>,
    /// A bit for each of their lengths, by which most other names are ruled out.
    lengths: u64,
}

impl TrustedHeaders {
    /// Whether an incoming header of this name (in lower case) must not reach the upstream.
    ///
    /// `x_user` and `x.user` are protected with `x-user`: servers that hand headers to programs as variables cannot tell them apart.
    #[inline]
    pub fn protects(&self, name: &[u8]) -> bool {
        self.lengths & bit_for(name.len()) != 0 && self.names(name)
    }

    #[inline(never)]
    fn names(&self, name: &[u8]) -> bool {
        let mut protected = self.protected.iter();
        protected.any(|protected| are_one_variable(protected.as_bytes(), name))
    }
}

/// Long ones share the last bit.
fn bit_for(length: usize) -> u64 {
    1 << length.min(63)
}

/// Names that carry the request itself; setting them from a claim would change what was decided about.
const NOT_FOR_IDENTITY: [&str; 8] = [
    "host",
    "authorization",
    "cookie",
    "connection",
    "content-length",
    "transfer-encoding",
    "te",
    "upgrade",
];

/// A header's name: a token of RFC 9110, section 5.6.2, in lower case.
pub(super) fn header_name(name: &str) -> Option<String> {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || is_sign(byte);
    (!name.is_empty() && name.bytes().all(token)).then(|| name.to_ascii_lowercase())
}

pub(super) fn validate(
    identity: Field<RawIdentityHeaders>,
    claims: Field<BTreeMap<String, Field<String>>>,
    faults: &mut Faults,
) -> TrustedHeaders {
    let place = Place::root().member("identity_headers");
    let raw = identity.optional(&place, faults).unwrap_or_default();
    raw.refuse_unknown(&place, faults);
    let mut headers = TrustedHeaders::default();

    let mut named = |field: Field<Option<String>>, member: &str, default: &str| {
        let place = place.member(member);
        let name = field.or(Some(default.to_owned()), &place, faults)?;
        headers.protect(&name, &place, faults)
    };
    let subject = named(raw.subject, "subject", "x-hallpass-subject");
    let issuer = named(raw.issuer, "issuer", "x-hallpass-issuer");
    let email = named(raw.email, "email", "x-hallpass-email");
    let groups = named(raw.groups, "groups", "x-hallpass-groups");
    let grant_id = named(raw.grant_id, "grant_id", "x-hallpass-grant-id");
    let grant_expires = named(
        raw.grant_expires,
        "grant_expires",
        "x-hallpass-grant-expires",
    );

    let place = Place::root().member("claim_headers");
    for (claim, field) in claims.optional(&place, faults).unwrap_or_default() {
        let place = place.member(&claim);
        if let Some(name) = field
            .required(&place, faults)
            .and_then(|name| headers.protect(&name, &place, faults))
        {
            headers.identity.push((name, HeaderSource::Claim(claim)));
        }
    }
    let fixed = [
        (subject, HeaderSource::Subject),
        (issuer, HeaderSource::Issuer),
        (email, HeaderSource::Email),
        (groups, HeaderSource::Groups),
    ];
    headers.identity.extend(
        fixed
            .into_iter()
            .filter_map(|(name, source)| Some((name?, source))),
    );
    headers.grant_id = grant_id;
    headers.grant_expires = grant_expires;
    headers
}

impl TrustedHeaders {
    fn protect(&mut self, name: &str, place: &Place, faults: &mut Faults) -> Option<Arc<str>> {
        let normal = header_name(name).filter(|name| !NOT_FOR_IDENTITY.contains(&name.as_str()));
        let Some(name) = normal else {
            let expected = "a header name that carries nothing else of the request";
            faults.push_value(place, &name.into(), expected);
            return None;
        };
        if self.protects(name.as_bytes()) {
            faults.push_value(place, &name.into(), "a header name that is not used twice");
            return None;
        }
        self.lengths |= bit_for(name.len());
        self.protected.push(name.clone());
        Some(name.into())
    }
}
