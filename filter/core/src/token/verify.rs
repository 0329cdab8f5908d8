//! The only maker of [`VerifiedClaims`]: algorithm against key, signature, issuer, audience, dates and type, all in one function, so
//! that none can be forgotten (RFC 8725, section 3).

mod checks;

use std::time::Duration;

use serde_json::Value;

use super::signature::SignatureVerifier;
use super::{Algorithm, TokenFault, UntrustedToken};
use crate::ids::Issuer;
use crate::json::borrowed::{self, Members};
use crate::jwks::KeySet;
use crate::time::{UnixMillis, Window};

pub use checks::{Check, checks};

/// What one provider's tokens must be like.
#[derive(Debug, Clone)]
pub struct ClaimRules {
    /// `iss`, compared exactly.
    pub issuer: Issuer,
    /// One of these must be in `aud`.
    pub audiences: Vec<String>,
    /// `alg` must be one of these, and the key's.
    pub algorithms: Vec<Algorithm>,
    /// `typ`, compared without case and without `application/`.
    pub token_types: Vec<String>,
    /// Added to `exp`, taken from `nbf` and `iat`.
    pub clock_skew: Duration,
    /// `iat` may not lie further back.
    pub max_token_age: Option<Duration>,
    /// Claims that must have one of the listed values, or, being arrays, hold one of them.
    pub required_claims: Vec<RequiredClaim>,
}

/// A claim that must have one of some values.
#[derive(Debug, Clone)]
pub struct RequiredClaim {
    /// The claim's name.
    pub name: String,
    /// The accepted values.
    pub one_of: Vec<Value>,
}

/// Claims that are true as far as the issuer's word goes: signed by its key, meant for this audience, in time.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifiedClaims<'a> {
    issuer: Issuer,
    window: Window,
    claims: &'a Members<'a>,
}

impl<'a> VerifiedClaims<'a> {
    /// Who signed them.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// When they hold, the provider's clock skew included.
    pub fn window(&self) -> Window {
        self.window
    }

    /// The claim `name`.
    pub fn get(&self, name: &str) -> Option<&borrowed::Value<'a>> {
        self.claims.get(name)
    }
}

/// Verifies a token against the rules and keys of the provider that its `iss` names.
///
/// # Errors
/// The first [`TokenFault`] found.
pub fn verify<'a>(
    token: &'a UntrustedToken<'a>,
    rules: &ClaimRules,
    keys: &KeySet,
    verifier: &dyn SignatureVerifier,
    now: UnixMillis,
) -> Result<VerifiedClaims<'a>, TokenFault> {
    if token.issuer() != Some(rules.issuer.as_str()) {
        return Err(TokenFault::IssuerUnknown);
    }
    check_type(token, rules)?;
    check_signature(token, rules, keys, verifier)?;
    let window = check_claims(token, rules, now)?;
    Ok(VerifiedClaims {
        issuer: rules.issuer.clone(),
        window,
        claims: &token.claims,
    })
}

/// Checks all that can be told of a token without its key: whoever wants keys fetched, or waits for them, must at least write such a token.
///
/// # Errors
/// The first [`TokenFault`] found.
pub fn check_without_key(
    token: &UntrustedToken<'_>,
    rules: &ClaimRules,
    now: UnixMillis,
) -> Result<(), TokenFault> {
    check_type(token, rules)?;
    allowed_algorithm(token, rules)?;
    check_claims(token, rules, now).map(|_| ())
}

/// RFC 8725, section 3.11: a token of another kind is not an access token. An absent `typ` counts as `JWT`.
fn check_type(token: &UntrustedToken<'_>, rules: &ClaimRules) -> Result<(), TokenFault> {
    let token_type = short_type(token.token_type().unwrap_or("JWT"));
    let is_allowed = |allowed: &String| allowed.eq_ignore_ascii_case(token_type);
    if rules.token_types.iter().any(is_allowed) {
        Ok(())
    } else {
        Err(TokenFault::TypeNotAllowed)
    }
}

/// `typ` as it is compared, but for its case: without `application/` (RFC 7515, section 4.1.9).
pub fn short_type(token_type: &str) -> &str {
    const PREFIX: &str = "application/";
    match token_type.split_at_checked(PREFIX.len()) {
        Some((prefix, subtype)) if prefix.eq_ignore_ascii_case(PREFIX) => subtype,
        _ => token_type,
    }
}

/// The key chooses the algorithm; the header's `alg` is compared with it, never obeyed (RFC 8725, section 3.1).
fn check_signature(
    token: &UntrustedToken<'_>,
    rules: &ClaimRules,
    keys: &KeySet,
    verifier: &dyn SignatureVerifier,
) -> Result<(), TokenFault> {
    let algorithm = allowed_algorithm(token, rules)?;
    let key = keys.select(token.key_id(), algorithm)?;
    verifier
        .verify(
            algorithm,
            key.public_key(),
            token.signed_bytes(),
            token.signature(),
        )
        .map_err(|_| TokenFault::SignatureInvalid)
}

fn allowed_algorithm(
    token: &UntrustedToken<'_>,
    rules: &ClaimRules,
) -> Result<Algorithm, TokenFault> {
    token
        .algorithm()
        .filter(|algorithm| rules.algorithms.contains(algorithm))
        .ok_or(TokenFault::AlgorithmNotAllowed)
}

fn check_claims(
    token: &UntrustedToken<'_>,
    rules: &ClaimRules,
    now: UnixMillis,
) -> Result<Window, TokenFault> {
    let window = check_dates(token, rules, now)?;
    check_audience(token, rules)?;
    check_required_claims(token, rules)?;
    check_binding(token)?;
    Ok(window)
}

/// RFC 7800: a token that is bound to a key is worth nothing without a proof of that key, which cannot be checked here.
fn check_binding(token: &UntrustedToken<'_>) -> Result<(), TokenFault> {
    if token.claims.contains_key("cnf") {
        return Err(TokenFault::BindingUnsupported);
    }
    Ok(())
}

fn check_dates(
    token: &UntrustedToken<'_>,
    rules: &ClaimRules,
    now: UnixMillis,
) -> Result<Window, TokenFault> {
    let skew = rules.clock_skew;
    let dates = token.dates;
    let expires = dates.expires.ok_or(TokenFault::ClaimMismatch)?;
    let not_before = dates.not_before.map(|date| date.saturating_sub(skew));
    let issued = dates.issued.map(|date| date.saturating_sub(skew));
    let mut until = expires.saturating_add(skew);
    if now >= until {
        return Err(TokenFault::Expired);
    }
    if not_before.is_some_and(|date| now < date) || issued.is_some_and(|date| now < date) {
        return Err(TokenFault::NotYetValid);
    }
    if let Some(age) = rules.max_token_age {
        let issued = dates.issued.ok_or(TokenFault::TooOld)?;
        let too_old = issued.saturating_add(age).saturating_add(skew);
        if now >= too_old {
            return Err(TokenFault::TooOld);
        }
        until = until.min(too_old);
    }
    Ok(Window {
        from: not_before.max(issued).unwrap_or(UnixMillis::new(0)),
        until,
    })
}

/// `aud` is a string or an array of strings (RFC 7519, section 4.1.3).
fn check_audience(token: &UntrustedToken<'_>, rules: &ClaimRules) -> Result<(), TokenFault> {
    let is_ours = |value: &borrowed::Value<'_>| {
        value
            .as_str()
            .is_some_and(|audience| rules.audiences.iter().any(|ours| ours == audience))
    };
    let for_us = match token.claims.get("aud") {
        Some(borrowed::Value::Array(audiences)) => audiences.iter().any(is_ours),
        Some(audience) => is_ours(audience),
        None => false,
    };
    for_us.then_some(()).ok_or(TokenFault::AudienceMismatch)
}

fn check_required_claims(token: &UntrustedToken<'_>, rules: &ClaimRules) -> Result<(), TokenFault> {
    let holds = |required: &RequiredClaim| {
        let accepts = |value: &borrowed::Value<'_>| {
            let mut accepted = required.one_of.iter().map(borrowed::Value::from);
            accepted.any(|one| one == *value)
        };
        match token.claims.get(&required.name) {
            Some(borrowed::Value::Array(values)) => values.iter().any(accepts),
            Some(value) => accepts(value),
            None => false,
        }
    };
    if rules.required_claims.iter().all(holds) {
        Ok(())
    } else {
        Err(TokenFault::ClaimMismatch)
    }
}

#[cfg(test)]
mod tests;
