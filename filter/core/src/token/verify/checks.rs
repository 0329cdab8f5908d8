//! Every check of a token by itself, for a person who wants to know which of them it fails.
//!
//! [`verify`](super::verify) stops at the first fault; here each check speaks, by the same functions. Nothing here makes claims verified.

use super::{ClaimRules, TokenFault, UntrustedToken};
use super::{allowed_algorithm, check_audience, check_binding, check_dates, check_required_claims};
use super::{check_signature, check_type};
use crate::jwks::KeySet;
use crate::time::UnixMillis;
use crate::token::signature::SignatureVerifier;

/// One thing that is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// `typ` is accepted.
    Type,
    /// `alg` is allowed.
    Algorithm,
    /// The issuer has a key for it.
    Key,
    /// The signature is the key's.
    Signature,
    /// `exp`, `nbf`, `iat`.
    Dates,
    /// `aud` names one of the audiences.
    Audience,
    /// The required claims are there.
    Claims,
    /// It is not bound to a key that cannot be checked.
    Binding,
}

/// All checks in the order of [`verify`](super::verify): the first fault is the one that it tells. Checks that need a key which is not there
/// are left out.
pub fn checks(
    token: &UntrustedToken<'_>,
    rules: &ClaimRules,
    keys: Option<&KeySet>,
    verifier: &dyn SignatureVerifier,
    now: UnixMillis,
) -> Vec<(Check, Result<(), TokenFault>)> {
    let mut checks = vec![(Check::Type, check_type(token, rules))];
    let algorithm = allowed_algorithm(token, rules);
    checks.push((Check::Algorithm, algorithm.map(|_| ())));
    if let (Ok(algorithm), Some(keys)) = (algorithm, keys) {
        let key = keys.select(token.key_id(), algorithm).map(|_| ());
        checks.push((Check::Key, key));
        if key.is_ok() {
            let signature = check_signature(token, rules, keys, verifier);
            checks.push((Check::Signature, signature));
        }
    }
    let dates = check_dates(token, rules, now).map(|_| ());
    checks.extend([
        (Check::Dates, dates),
        (Check::Audience, check_audience(token, rules)),
        (Check::Claims, check_required_claims(token, rules)),
        (Check::Binding, check_binding(token)),
    ]);
    checks
}
