//! Identity tokens: where one sits in a request, what it says, and whether that is true.
//!
//! [`extract`] finds the token's text, [`parse`] reads it without believing it, [`verify`] is the only maker of [`VerifiedClaims`].

pub mod algorithm;
pub mod extract;
pub mod header;
pub mod parse;
pub mod signature;
pub mod verify;

pub use algorithm::Algorithm;
pub use extract::{Extracted, FoundToken, TokenSource, extract};
pub use header::{LastHeader, TokenHeader};
pub(crate) use parse::moment;
pub use parse::{TokenParts, UntrustedToken};
pub use verify::{ClaimRules, VerifiedClaims, verify};

/// Why a token is not accepted: the reason that everyone may know.
///
/// It stays this coarse on purpose: a stranger who learns which check failed first learns how to get past it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenFault {
    /// There is none.
    Missing,
    /// There is more than one, or one that could be read in two ways.
    Ambiguous,
    /// It is not a compact JWS of JSON, is too large, or uses an extension that the filter does not know.
    Malformed,
    /// `alg` is not allowed for this issuer, or is not the key's.
    AlgorithmNotAllowed,
    /// `typ` is not allowed for this issuer.
    TypeNotAllowed,
    /// No provider has this `iss`.
    IssuerUnknown,
    /// The issuer has no key of this `kid`.
    KeyUnknown,
    /// The signature is not that of the key.
    SignatureInvalid,
    /// `exp`, with the allowed skew, has passed.
    Expired,
    /// `nbf` or `iat`, with the allowed skew, lies ahead.
    NotYetValid,
    /// `iat` lies further back than the provider's `max_token_age`, or is absent although that is set.
    TooOld,
    /// `aud` names none of the provider's audiences.
    AudienceMismatch,
    /// A claim that is required is absent or has another value.
    ClaimMismatch,
    /// The token is bound to a key that the filter cannot check (`cnf`, RFC 7800).
    BindingUnsupported,
}

impl TokenFault {
    /// Whether the token may be sound and only the keys at hand not its issuer's present ones: its key is new, or was exchanged for another
    /// of the same name or of none.
    pub fn may_be_for_want_of_a_key(self) -> bool {
        matches!(
            self,
            Self::KeyUnknown | Self::SignatureInvalid | Self::AlgorithmNotAllowed
        )
    }
}
