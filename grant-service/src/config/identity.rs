//! Who is let in: people by tokens of these issuers or by the word of these proxies, programs by these tokens.

use std::collections::{BTreeSet, HashSet};
use std::net::IpAddr;

use axum::http::HeaderName;
use hallpass_core::config::fault::{Faults, Place};
use hallpass_core::config::field::{Field, elements, filled};
use ipnet::IpNet;
use sha2::{Digest, Sha256};

use super::Secret;
use super::secret;
use super::shape::{List, RawIdentityHeaders, RawService};

/// Who is believed to tell who has signed in, and in which headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedProxies {
    /// Their addresses.
    pub networks: Vec<IpNet>,
    /// The headers.
    pub headers: IdentityHeaders,
    /// The issuers of the people that they may name; none stands for any.
    pub issuers: BTreeSet<String>,
}

impl TrustedProxies {
    /// Whether this is the address of one.
    pub fn include(&self, peer: IpAddr) -> bool {
        // Of those who listen on an IPv6 address, IPv4 peers have a mapped one.
        let peer = peer.to_canonical();
        self.networks.iter().any(|network| network.contains(&peer))
    }

    /// Whether they may name people of this issuer.
    pub fn may_name(&self, issuer: &str) -> bool {
        self.issuers.is_empty() || self.issuers.contains(issuer)
    }
}

/// The names of the headers that a trusted proxy sets for who has signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityHeaders {
    /// The subject's.
    pub subject: HeaderName,
    /// The issuer's.
    pub issuer: HeaderName,
    /// The e-mail address's.
    pub email: HeaderName,
    /// The groups', separated by commas.
    pub groups: HeaderName,
}

impl Default for IdentityHeaders {
    /// As the filter sets them.
    fn default() -> Self {
        Self {
            subject: HeaderName::from_static("x-hallpass-subject"),
            issuer: HeaderName::from_static("x-hallpass-issuer"),
            email: HeaderName::from_static("x-hallpass-email"),
            groups: HeaderName::from_static("x-hallpass-groups"),
        }
    }
}

/// A program that may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name in the record.
    pub name: String,
    /// Of its token only the SHA-256 is kept: comparing digests takes no time that would tell how much of a guess is right.
    pub token_sha256: [u8; 32],
}

impl Service {
    /// The program with this token.
    pub fn new(name: impl Into<String>, token: &Secret) -> Self {
        Self {
            name: name.into(),
            token_sha256: Sha256::digest(token.bytes()).into(),
        }
    }
}

pub(super) fn trusted_proxies(
    field: Field<RawIdentityHeaders>,
    place: &Place,
    faults: &mut Faults,
) -> Option<TrustedProxies> {
    let raw = field.optional(place, faults)?;
    raw.refuse_unknown(place, faults);
    let networks_place = place.member("trusted_proxies");
    let networks = networks(raw.trusted_proxies, &networks_place, faults);
    let issuers = issuers(raw.issuers, &place.member("issuers"), faults);
    let usual = IdentityHeaders::default();
    let mut taken = HashSet::new();
    let mut header = |field: Field<String>, usual: HeaderName, member: &str| {
        let place = place.member(member);
        let name = field.or(usual.to_string(), &place, faults);
        let parsed = name.parse().ok().filter(may_tell_who);
        let header: HeaderName = parsed.unwrap_or_else(|| {
            let expected = "a header name that carries nothing else of the request";
            faults.push_value(&place, &name.into(), expected);
            usual
        });
        if !taken.insert(header.clone()) {
            let expected = "a header name that is not used twice";
            faults.push_value(&place, &header.as_str().into(), expected);
        }
        header
    };
    Some(TrustedProxies {
        networks,
        headers: IdentityHeaders {
            subject: header(raw.subject, usual.subject, "subject"),
            issuer: header(raw.issuer, usual.issuer, "issuer"),
            email: header(raw.email, usual.email, "email"),
            groups: header(raw.groups, usual.groups, "groups"),
        },
        issuers,
    })
}

fn issuers(field: Field<List<String>>, place: &Place, faults: &mut Faults) -> BTreeSet<String> {
    let Some(list) = field.optional(place, faults) else {
        return BTreeSet::new();
    };
    if list.is_empty() {
        let expected = "at least one issuer, or no `issuers` to believe in all";
        faults.push(place, "an empty list", expected);
    }
    let issuers = elements(list, place, faults);
    issuers.into_iter().map(|(_, issuer)| issuer).collect()
}

fn may_tell_who(name: &HeaderName) -> bool {
    let others = [
        "authorization",
        "connection",
        "cookie",
        "host",
        "x-forwarded-for",
        "x-request-id",
    ];
    !others.contains(&name.as_str())
}

fn networks(field: Field<List<String>>, place: &Place, faults: &mut Faults) -> Vec<IpNet> {
    let Some(list) = field.required(place, faults) else {
        return Vec::new();
    };
    if list.is_empty() {
        faults.push(place, "an empty list", "at least one address");
    }
    let mut networks = Vec::new();
    for (place, text) in elements(list, place, faults) {
        let network = match text.parse::<IpAddr>() {
            Ok(address) => Some(IpNet::from(address)),
            Err(_) => text.parse::<IpNet>().ok(),
        };
        match network {
            Some(network) if network.prefix_len() == 0 => {
                let expected =
                    "the addresses of proxies: from anywhere, anyone could claim to be anyone";
                faults.push_value(&place, &text.into(), expected);
            }
            Some(network) => networks.push(network),
            None => {
                let expected = "an address such as `10.0.0.7`, or a network such as `10.0.0.0/24`";
                faults.push_value(&place, &text.into(), expected);
            }
        }
    }
    networks
}

pub(super) fn services(
    field: Field<List<RawService>>,
    place: &Place,
    faults: &mut Faults,
) -> Vec<Service> {
    let list = field.optional(place, faults).unwrap_or_default();
    let mut services: Vec<Service> = Vec::new();
    for (place, raw) in elements(list, place, faults) {
        raw.refuse_unknown(&place, faults);
        let name = filled(raw.name, &place.member("name"), faults);
        let token_place = place.member("token");
        let token = secret::validate(raw.token, &token_place, faults);
        let (Some(name), Some(token)) = (name, token) else {
            continue;
        };
        let service = Service::new(name, &token);
        if services.iter().any(|other| other.name == service.name) {
            let expected = "a name that no other service has";
            faults.push_value(&place.member("name"), &service.name.into(), expected);
        } else if services
            .iter()
            .any(|other| other.token_sha256 == service.token_sha256)
        {
            faults.push_secret(&token_place, "a token that no other service has");
        } else {
            services.push(service);
        }
    }
    services
}
