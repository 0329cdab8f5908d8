//! One trusted issuer: its keys, where its tokens sit, what they must be like, and what their claims mean.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use serde_json::Value;

use super::fault::{Faults, Place};
use super::field::{Field, elements, filled};
use super::headers::{TrustedHeaders, header_name};
use super::keys::{self, JwksSource};
use super::raw::{RawClaims, RawProvider, RawTokenSource};
use super::words::Word;
use crate::identity::IdentityMapping;
use crate::ids::Issuer;
use crate::token::verify::{RequiredClaim, short_type};
use crate::token::{Algorithm, ClaimRules, TokenSource};

/// A trusted issuer.
#[derive(Debug)]
pub struct Provider {
    /// Its name in records and metrics.
    pub name: String,
    /// What its tokens must be like.
    pub rules: ClaimRules,
    /// What their claims mean.
    pub mapping: IdentityMapping,
    /// Where its keys come from.
    pub jwks: JwksSource,
    /// Where its tokens may sit: places in [`super::Config::token_sources`].
    pub token_sources: Vec<usize>,
}

pub(super) fn validate_all(
    raw: Field<Vec<Field<RawProvider>>>,
    headers: &TrustedHeaders,
    token_sources: &mut Vec<TokenSource>,
    faults: &mut Faults,
) -> Vec<Provider> {
    let place = Place::root().member("providers");
    let mut names = HashSet::new();
    let mut issuers = HashSet::new();
    let elements = raw.optional(&place, faults).unwrap_or_default();
    elements
        .into_iter()
        .enumerate()
        .filter_map(|(index, element)| {
            let place = place.element(index);
            let raw = element.required(&place, faults)?;
            let name = own(raw.name.clone(), "name", &mut names, &place, faults);
            let issuer = own(raw.issuer.clone(), "issuer", &mut issuers, &place, faults);
            validate(raw, (name, issuer), headers, token_sources, &place, faults)
        })
        .collect()
}

/// A text that no provider before has as this member.
fn own(
    field: Field<String>,
    member: &str,
    others: &mut HashSet<String>,
    provider: &Place,
    faults: &mut Faults,
) -> Option<String> {
    let place = provider.member(member);
    let text = filled(field, &place, faults)?;
    if !others.insert(text.clone()) {
        let expected = format!("another `{member}` than those of the providers before");
        faults.push_value(&place, &text.as_str().into(), &expected);
    }
    Some(text)
}

fn validate(
    raw: RawProvider,
    (name, issuer): (Option<String>, Option<String>),
    headers: &TrustedHeaders,
    token_sources: &mut Vec<TokenSource>,
    place: &Place,
    faults: &mut Faults,
) -> Option<Provider> {
    raw.refuse_unknown(place, faults);
    let audiences = audiences(raw.audiences, &place.member("audiences"), faults);
    let algorithms = algorithms(raw.algorithms, &place.member("algorithms"), faults);
    let jwks = keys::validate(raw.jwks, issuer.as_deref(), place, faults);
    let sources = sources(
        raw.token_sources,
        token_sources,
        &place.member("token_sources"),
        faults,
    );
    let clock_skew = raw.clock_skew.within(
        (Duration::ZERO, Duration::from_mins(5)),
        Duration::from_secs(30),
        &place.member("clock_skew"),
        faults,
    );
    let max_token_age = raw
        .max_token_age
        .optional(&place.member("max_token_age"), faults)
        .map(|span| span.duration);
    let token_types = token_types(raw.token_types, &place.member("token_types"), faults);
    let required_claims = required_claims(
        raw.required_claims,
        &place.member("required_claims"),
        faults,
    );
    let mapping = mapping(raw.claims, headers, &place.member("claims"), faults);
    Some(Provider {
        name: name?,
        rules: ClaimRules {
            issuer: Issuer::new(&issuer?),
            audiences,
            algorithms,
            token_types,
            clock_skew,
            max_token_age,
            required_claims,
        },
        mapping,
        jwks: jwks?,
        token_sources: sources,
    })
}

fn audiences(field: Field<Vec<Field<String>>>, place: &Place, faults: &mut Faults) -> Vec<String> {
    let Some(list) = field.required(place, faults) else {
        return Vec::new();
    };
    if list.is_empty() {
        let expected = "at least one audience: without, tokens meant for others would be accepted";
        faults.push(place, "an empty list", expected);
    }
    let audiences = elements(list, place, faults);
    audiences.into_iter().map(|(_, text)| text).collect()
}

fn algorithms(
    field: Field<Vec<Field<Word<Algorithm>>>>,
    place: &Place,
    faults: &mut Faults,
) -> Vec<Algorithm> {
    let Some(list) = field.optional(place, faults) else {
        return Algorithm::DEFAULT.to_vec();
    };
    if list.is_empty() {
        faults.push(place, "an empty list", "at least one algorithm");
    }
    let algorithms = elements(list, place, faults);
    let algorithms = algorithms.into_iter();
    algorithms.map(|(_, Word(algorithm))| algorithm).collect()
}

fn token_types(
    field: Field<Vec<Field<String>>>,
    place: &Place,
    faults: &mut Faults,
) -> Vec<String> {
    let Some(list) = field.optional(place, faults) else {
        return vec!["jwt".to_owned(), "at+jwt".to_owned()];
    };
    if list.is_empty() {
        faults.push(place, "an empty list", "at least one token type");
    }
    let types = elements(list, place, faults);
    types
        .iter()
        .map(|(_, text)| short_type(text).to_ascii_lowercase())
        .collect()
}

fn required_claims(
    field: Field<BTreeMap<String, Value>>,
    place: &Place,
    faults: &mut Faults,
) -> Vec<RequiredClaim> {
    let claims = field.optional(place, faults).unwrap_or_default();
    let required = claims.into_iter().map(|(name, value)| {
        let one_of = match value {
            Value::Array(values) => values,
            single => vec![single],
        };
        if one_of.is_empty() {
            let expected = "at least one value: without, no token is accepted";
            faults.push(&place.member(&name), "an empty list", expected);
        }
        RequiredClaim { name, one_of }
    });
    required.collect()
}

fn mapping(
    field: Field<RawClaims>,
    headers: &TrustedHeaders,
    place: &Place,
    faults: &mut Faults,
) -> IdentityMapping {
    let raw = field.optional(place, faults).unwrap_or_default();
    raw.refuse_unknown(place, faults);
    let mut claim = |field: Field<String>, member: &str, default: &str| {
        field.or(default.to_owned(), &place.member(member), faults)
    };
    IdentityMapping {
        subject: claim(raw.subject, "subject", "sub"),
        email: claim(raw.email, "email", "email"),
        groups: claim(raw.groups, "groups", "groups"),
        headers: headers.identity.clone(),
    }
}

/// Enters the provider's sources into the list that all share, and returns their places in it.
fn sources(
    field: Field<Vec<Field<RawTokenSource>>>,
    shared: &mut Vec<TokenSource>,
    place: &Place,
    faults: &mut Faults,
) -> Vec<usize> {
    let sources = match field.optional(place, faults) {
        None => vec![TokenSource::Header {
            name: "authorization".into(),
            scheme: "Bearer".to_owned(),
        }],
        Some(list) if list.is_empty() => {
            faults.push(place, "an empty list", "at least one source");
            Vec::new()
        }
        Some(list) => list
            .into_iter()
            .enumerate()
            .filter_map(|(index, element)| {
                let place = place.element(index);
                let raw = element.required(&place, faults)?;
                source(raw, &place, faults)
            })
            .collect(),
    };
    sources
        .into_iter()
        .map(|source| {
            if let Some(index) = shared.iter().position(|other| *other == source) {
                return index;
            }
            shared.push(source);
            shared.len().saturating_sub(1)
        })
        .collect()
}

fn source(raw: RawTokenSource, place: &Place, faults: &mut Faults) -> Option<TokenSource> {
    raw.refuse_unknown(place, faults);
    let header = raw.header.optional(&place.member("header"), faults);
    let scheme = raw.scheme.optional(&place.member("scheme"), faults);
    let cookie = raw.cookie.optional(&place.member("cookie"), faults);
    match (header, cookie) {
        (Some(header), None) => {
            let name = header_name(&header);
            if name.is_none() {
                faults.push_value(&place.member("header"), &header.into(), "a header name");
            }
            Some(TokenSource::Header {
                name: name?.into(),
                scheme: scheme.unwrap_or_else(|| "Bearer".to_owned()),
            })
        }
        (None, Some(cookie)) if header_name(&cookie).is_some() => {
            Some(TokenSource::Cookie { name: cookie })
        }
        (None, Some(cookie)) => {
            faults.push_value(&place.member("cookie"), &cookie.into(), "a cookie name");
            None
        }
        (Some(_), Some(_)) => {
            faults.push(place, "both", "either `header` or `cookie`");
            None
        }
        (None, None) => {
            faults.push(place, "neither", "either `header` or `cookie`");
            None
        }
    }
}
