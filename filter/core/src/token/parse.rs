//! Reads a token without believing it: a compact JWS (RFC 7515, section 7.1) of two JSON objects, and nothing that only resembles one.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::header::{LastHeader, TokenHeader};
use super::{Algorithm, TokenFault};
use crate::json::borrowed::{self, Members, Value};
use crate::time::UnixMillis;

/// The largest token that is looked into, in bytes, unless configured otherwise.
pub const DEFAULT_MAX_TOKEN_BYTES: usize = 8 * 1024;

/// The three parts of a compact JWS, of which only the header has been looked into.
pub struct TokenParts<'a> {
    signed: &'a [u8],
    header: Arc<TokenHeader>,
    claims: Vec<u8>,
    signature: Vec<u8>,
}

/// What a token claims to be. Nothing in it is known to be true: only [`super::verify`] turns it into claims.
pub struct UntrustedToken<'a> {
    parts: &'a TokenParts<'a>,
    pub(super) dates: Dates,
    pub(super) claims: Members<'a>,
}

/// The claims that are dates (RFC 7519, section 4.1), each `None` where the token has none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dates {
    pub(super) expires: Option<UnixMillis>,
    pub(super) not_before: Option<UnixMillis>,
    pub(super) issued: Option<UnixMillis>,
}

impl<'a> TokenParts<'a> {
    /// Splits and decodes.
    ///
    /// # Errors
    /// [`TokenFault::Malformed`] when it is not three parts in canonical base64url without padding, and as [`TokenHeader::read`].
    pub fn decode(text: &'a [u8]) -> Result<Self, TokenFault> {
        Self::decode_with(text, &mut LastHeader::default())
    }

    /// The same, where the header may be that of the token before.
    ///
    /// # Errors
    /// As [`TokenParts::decode`].
    pub fn decode_with(text: &'a [u8], last: &mut LastHeader) -> Result<Self, TokenFault> {
        let (signed, signature) = split_last(text)?;
        let (header, claims) = split_last(signed)?;
        Ok(Self {
            signed,
            header: last.read(header)?,
            claims: decode(claims)?,
            signature: decode(signature)?,
        })
    }
}

impl<'a> UntrustedToken<'a> {
    /// Reads the claims.
    ///
    /// # Errors
    /// [`TokenFault::Malformed`] when they are not a strict JSON object, or a date in them is none.
    pub fn read(parts: &'a TokenParts<'a>) -> Result<Self, TokenFault> {
        let claims = borrowed::object(&parts.claims).ok_or(TokenFault::Malformed)?;
        Ok(Self {
            dates: Dates::of(&claims)?,
            parts,
            claims,
        })
    }

    /// The `alg` header.
    pub fn algorithm_name(&self) -> &str {
        &self.parts.header.algorithm_name
    }

    /// What the `alg` header says, if the filter knows it.
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.parts.header.algorithm
    }

    /// The `kid` header.
    pub fn key_id(&self) -> Option<&str> {
        self.parts.header.key_id.as_deref()
    }

    /// The `typ` header.
    pub fn token_type(&self) -> Option<&str> {
        self.parts.header.token_type.as_deref()
    }

    /// The `iss` claim.
    pub fn issuer(&self) -> Option<&str> {
        self.claims.get("iss").and_then(Value::as_str)
    }

    /// The claims, as far as anyone may say what they like.
    pub fn claims(&self) -> &Members<'a> {
        &self.claims
    }

    /// What the signature is about: header and claims as they came.
    pub(super) fn signed_bytes(&self) -> &[u8] {
        self.parts.signed
    }

    pub(super) fn signature(&self) -> &[u8] {
        &self.parts.signature
    }
}

impl fmt::Debug for UntrustedToken<'_> {
    /// Says nothing of the contents: a token must not end up in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UntrustedToken").finish_non_exhaustive()
    }
}

/// What stands before and after the last dot.
fn split_last(text: &[u8]) -> Result<(&[u8], &[u8]), TokenFault> {
    let dot = memchr::memrchr(b'.', text);
    let (before, after) = dot
        .and_then(|dot| text.split_at_checked(dot))
        .ok_or(TokenFault::Malformed)?;
    Ok((before, after.get(1..).unwrap_or_default()))
}

/// One part's bytes. A dot is not of the alphabet, so a token of more than three parts (a JWE has five) ends here.
pub(super) fn decode(part: &[u8]) -> Result<Vec<u8>, TokenFault> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| TokenFault::Malformed)
}

impl Dates {
    fn of(claims: &Members<'_>) -> Result<Self, TokenFault> {
        let date = |name| match claims.get(name) {
            Some(date) => moment(date).map(Some).ok_or(TokenFault::Malformed),
            None => Ok(None),
        };
        Ok(Self {
            expires: date("exp")?,
            not_before: date("nbf")?,
            issued: date("iat")?,
        })
    }
}

/// A `NumericDate` (RFC 7519, section 2): whole seconds, or with a fraction. `None` if no moment can be told for it.
pub(crate) fn moment(date: &Value<'_>) -> Option<UnixMillis> {
    match date.as_i64() {
        Some(seconds) => UnixMillis::from_seconds(seconds),
        None => UnixMillis::from_fractional_seconds(date.as_f64()?),
    }
}
