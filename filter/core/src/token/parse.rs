//! Reads a token without believing it.

use std::fmt;

use jwt_compact::{Claims, UntrustedToken as Jws};
use serde_json::{Map, Value};

use super::TokenFault;
use crate::json::StrictObject;
use crate::time::UnixMillis;

/// A token longer than this is refused before it is looked into.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// What a token claims to be. Nothing in it is known to be true: only [`super::verify`] turns it into claims.
pub struct UntrustedToken<'a> {
    jws: Jws<'a, StrictObject>,
    signed: &'a str,
    pub(super) dates: Dates,
    pub(super) claims: Map<String, Value>,
}

/// The claims that are dates (RFC 7519, section 4.1), each `None` where the token has none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dates {
    pub(super) expires: Option<UnixMillis>,
    pub(super) not_before: Option<UnixMillis>,
    pub(super) issued: Option<UnixMillis>,
}

impl<'a> UntrustedToken<'a> {
    /// Splits, decodes and parses a compact JWS (RFC 7515, section 7.1).
    ///
    /// # Errors
    /// [`TokenFault::Malformed`] when it is too large, is not three canonical base64url parts of strict JSON, has a date that is no
    /// `NumericDate`, or demands an extension by `crit` (RFC 7515, section 4.1.11) or `b64` (RFC 7797).
    pub fn parse(text: &'a [u8]) -> Result<Self, TokenFault> {
        if text.len() > MAX_TOKEN_BYTES {
            return Err(TokenFault::Malformed);
        }
        let text = std::str::from_utf8(text).map_err(|_| TokenFault::Malformed)?;
        let (signed, _) = text.rsplit_once('.').ok_or(TokenFault::Malformed)?;
        let jws = Jws::<StrictObject>::try_from(text).map_err(|_| TokenFault::Malformed)?;
        let extensions = &jws.header().other_fields.0;
        if extensions.contains_key("crit") || extensions.contains_key("b64") {
            return Err(TokenFault::Malformed);
        }
        let claims: Claims<StrictObject> = jws
            .deserialize_claims_unchecked()
            .map_err(|_| TokenFault::Malformed)?;
        Ok(Self {
            dates: Dates::of(&claims)?,
            claims: claims.custom.0,
            signed,
            jws,
        })
    }

    /// The `alg` header.
    pub fn algorithm(&self) -> &str {
        self.jws.algorithm()
    }

    /// The `kid` header.
    pub fn key_id(&self) -> Option<&str> {
        self.jws.header().key_id.as_deref()
    }

    /// The `typ` header.
    pub fn token_type(&self) -> Option<&str> {
        self.jws.header().token_type.as_deref()
    }

    /// The `iss` claim.
    pub fn issuer(&self) -> Option<&str> {
        self.claims.get("iss").and_then(Value::as_str)
    }

    /// What the signature is about: header and claims as they came.
    pub(super) fn signed_bytes(&self) -> &[u8] {
        self.signed.as_bytes()
    }

    pub(super) fn signature(&self) -> &[u8] {
        self.jws.signature_bytes()
    }
}

impl fmt::Debug for UntrustedToken<'_> {
    /// Says nothing of the contents: a token must not end up in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UntrustedToken").finish_non_exhaustive()
    }
}

impl Dates {
    fn of(claims: &Claims<StrictObject>) -> Result<Self, TokenFault> {
        let moment = |date: Option<chrono::DateTime<chrono::Utc>>| {
            date.map(|date| UnixMillis::from_seconds(date.timestamp()).ok_or(TokenFault::Malformed))
                .transpose()
        };
        Ok(Self {
            expires: moment(claims.expiration)?,
            not_before: moment(claims.not_before)?,
            issued: moment(claims.issued_at)?,
        })
    }
}
