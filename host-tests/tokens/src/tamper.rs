//! What an attacker makes of a token.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::key::encode;

/// The token with one bit of its signature changed.
///
/// # Panics
/// When `token` has no signature in base64url.
#[must_use]
pub fn with_flipped_signature(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').expect("a token has three parts");
    let mut signature = URL_SAFE_NO_PAD
        .decode(signature)
        .expect("the signature is base64url");
    signature[0] ^= 1;
    format!("{signed}.{}", encode(&signature))
}

/// The token with other claims under the same header and signature.
///
/// # Panics
/// When `token` does not have three parts.
#[must_use]
pub fn with_claims_swapped(token: &str, claims: &Value) -> String {
    let (header, rest) = token.split_once('.').expect("a token has three parts");
    let (_, signature) = rest.split_once('.').expect("a token has three parts");
    format!(
        "{header}.{}.{signature}",
        encode(claims.to_string().as_bytes())
    )
}

/// The token's claims under the header `alg: none`, with an empty signature.
///
/// # Panics
/// When `token` does not have three parts.
#[must_use]
pub fn unsigned(token: &str) -> String {
    let claims = token.split('.').nth(1).expect("a token has three parts");
    let header = json!({ "alg": "none", "typ": "JWT" }).to_string();
    format!("{}.{claims}.", encode(header.as_bytes()))
}
