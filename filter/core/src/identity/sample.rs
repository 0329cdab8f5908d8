//! Identities for tests, each read out of a token that was verified.

use super::{Identity, IdentityMapping};
use crate::ids::Issuer;
use crate::jwks::KeySet;
use crate::time::UnixMillis;
use crate::token::signature::PureRust;
use crate::token::{Algorithm, ClaimRules, TokenParts, UntrustedToken, VerifiedClaims, verify};
use hallpass_tokens::{SigningKey, TokenBuilder};
use std::time::Duration;

/// Has `read` see the claims of a token, verified at [`hallpass_tokens::NOW`].
pub(crate) fn with_claims<T>(
    token: TokenBuilder,
    read: impl FnOnce(&VerifiedClaims<'_>) -> T,
) -> T {
    let key = SigningKey::es256("e");
    let token = token.signed_by(&key);
    let rules = ClaimRules {
        issuer: Issuer::new(hallpass_tokens::ISSUER),
        audiences: vec![hallpass_tokens::AUDIENCE.to_owned()],
        algorithms: vec![Algorithm::Es256],
        token_types: vec!["jwt".into(), "at+jwt".into()],
        clock_skew: Duration::ZERO,
        max_token_age: None,
        required_claims: Vec::new(),
    };
    let keys = KeySet::from_value(&hallpass_tokens::jwks(&[&key])).unwrap();
    let parts = TokenParts::decode(token.as_bytes()).unwrap();
    let token = UntrustedToken::read(&parts).unwrap();
    let now = UnixMillis::from_seconds(hallpass_tokens::NOW).unwrap();
    let claims = verify(&token, &rules, &keys.keys, &PureRust, now).unwrap();
    read(&claims)
}

/// Who a token is of.
pub(crate) fn identity(token: TokenBuilder) -> Identity {
    let mapping = IdentityMapping {
        subject: "sub".into(),
        email: "email".into(),
        groups: "groups".into(),
        headers: Vec::new(),
    };
    with_claims(token, |claims| {
        Identity::from_claims(claims, &mapping).unwrap()
    })
}
