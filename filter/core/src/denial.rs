//! Why a request passed or did not: a closed list, and one exhaustive map from each reason to what the client gets.
//!
//! A client learns what it can do about it, and nothing of what is inside: no upstream, key id, group or address.

mod answer;
mod fault;
mod form;
mod page;

pub use answer::{Answer, AnswerContext};
pub use form::Form;

/// What kind of answer a refusal gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 400: the request has no certain meaning.
    BadRequest,
    /// 401 without an error code: sign in (RFC 6750, section 3.1).
    SignIn,
    /// 401 with `invalid_token`.
    InvalidToken,
    /// 401 with `insufficient_user_authentication`: sign in once more, stronger or just now (RFC 9470, section 3).
    StepUp,
    /// 403: known, and not allowed.
    Forbidden,
    /// 503: ask again later.
    Unavailable,
    /// Not a refusal: the request passes.
    Passes,
}

impl Kind {
    /// The HTTP status. For a request that passes it is 200: the upstream's own status is its own affair.
    pub const fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::SignIn | Self::InvalidToken | Self::StepUp => 401,
            Self::Forbidden => 403,
            Self::Unavailable => 503,
            Self::Passes => 200,
        }
    }

    /// RFC 9457, section 3.1.3: what kind of problem this is, for a person.
    pub const fn title(self) -> &'static str {
        match self {
            Self::BadRequest => "The request has no certain meaning",
            Self::SignIn => "Sign-in required",
            Self::InvalidToken => "The identity token is not accepted",
            Self::StepUp => "A stronger or fresher sign-in is required",
            Self::Forbidden => "Access denied",
            Self::Unavailable => "Access cannot be checked right now",
            Self::Passes => "Allowed",
        }
    }
}

/// Declares every reason once: its name, its word, the kind of answer it leads to, and the sentence that the client is told.
macro_rules! reasons {
    ($($name:ident = $word:literal, $kind:ident, $detail:literal;)*) => {
        /// Every reason, for refusals and for allows. The same word stands in the body, the audit line and the metrics.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Reason {
            $(#[doc = $detail] $name,)*
        }

        impl Reason {
            /// Every reason, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The word for it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The type of the problem (RFC 9457, section 3.1.1).
            pub const fn urn(self) -> &'static str {
                match self { $(Self::$name => concat!("urn:hallpass:reason:", $word),)* }
            }

            /// What kind of answer it leads to.
            pub const fn kind(self) -> Kind {
                match self { $(Self::$name => Kind::$kind,)* }
            }

            /// One sentence for the client.
            pub const fn detail(self) -> &'static str {
                match self { $(Self::$name => $detail,)* }
            }
        }
    };
}

reasons! {
    TokenMissing = "token_missing", SignIn, "This needs an identity token, and the request carries none.";
    TokenAmbiguous = "token_ambiguous", BadRequest, "The request carries more than one token. Send exactly one.";
    TokenMalformed = "token_malformed", InvalidToken, "The token is not a well-formed signed JWT.";
    TokenAlgorithmNotAllowed = "token_algorithm_not_allowed", InvalidToken, "The token's signature algorithm is not accepted.";
    TokenTypeNotAllowed = "token_type_not_allowed", InvalidToken, "A token of this type is not accepted here.";
    TokenIssuerUnknown = "token_issuer_unknown", InvalidToken, "The token's issuer is not trusted here.";
    TokenKeyUnknown = "token_key_unknown", InvalidToken, "The token is not signed by a current key of its issuer. Sign in again.";
    TokenSignatureInvalid = "token_signature_invalid", InvalidToken, "The token's signature is not valid.";
    TokenExpired = "token_expired", InvalidToken, "The token has expired. Sign in again.";
    TokenNotYetValid = "token_not_yet_valid", InvalidToken, "The token is not valid yet.";
    TokenTooOld = "token_too_old", InvalidToken, "The token was issued too long ago. Sign in again.";
    TokenAudienceMismatch = "token_audience_mismatch", InvalidToken, "The token was issued for another service.";
    TokenClaimMismatch = "token_claim_mismatch", InvalidToken, "The token lacks a claim that is required here, or has another value.";
    TokenBindingUnsupported = "token_binding_unsupported", InvalidToken, "The token is bound to a key, and that cannot be checked here.";
    KeysUnavailable = "keys_unavailable", Unavailable, "The issuer's keys cannot be reached. Try again shortly.";
    RequestAmbiguous = "request_ambiguous", BadRequest, "The request's method, host or path could be read in two ways.";
    ResourceUnknown = "resource_unknown", Forbidden, "No rule opens this address.";
    ResourceClosed = "resource_closed", Forbidden, "This address is closed.";
    ConditionSourceIp = "condition_source_ip", Forbidden, "This address is not open to the network that the request comes from.";
    ConditionTime = "condition_time", Forbidden, "This address is not open at this time.";
    ConditionClaims = "condition_claims", Forbidden, "This address is not open to an identity with these claims.";
    ConditionRequest = "condition_request", Forbidden, "This address is not open to a request with these headers, from this client or of this kind.";
    StepUpRequired = "step_up_required", StepUp, "This needs a stronger or more recent sign-in than the token tells of. Sign in again.";
    GrantMissing = "grant_missing", Forbidden, "You have no grant for this. Request access.";
    GrantDenied = "grant_denied", Forbidden, "You have no grant for this. Request access.";
    GrantRevoked = "grant_revoked", Forbidden, "Your grant for this has been taken back. Request access again.";
    GrantExpired = "grant_expired", Forbidden, "Your grant for this has ended. Request access again.";
    GrantWithoutExpiry = "grant_without_expiry", Forbidden, "Your grant for this has no end, and such grants are not accepted.";
    GrantLifetimeExceeded = "grant_lifetime_exceeded", Forbidden, "Your grant for this lasts longer than is accepted. Request a shorter one.";
    GrantObligationUnsupported = "grant_obligation_unsupported", Forbidden, "Your grant for this has a condition that cannot be met here.";
    StreamExpired = "stream_expired", Forbidden, "Your permission for this has ended while the request was open.";
    GrantServiceUnavailable = "grant_service_unavailable", Unavailable, "The grant service cannot be reached. Try again shortly.";
    Public = "public", Passes, "Open to all.";
    Identity = "identity", Passes, "Open to every valid identity.";
    GrantEmbedded = "grant_embedded", Passes, "The token carries a grant.";
    GrantCached = "grant_cached", Passes, "A grant, asked for before.";
    GrantService = "grant_service", Passes, "A grant, asked for just now.";
    GrantStale = "grant_stale", Passes, "A grant, asked for before; the grant service cannot be reached.";
    GrantServiceFailedOpen = "grant_service_failed_open", Passes, "The grant service cannot be reached, and the configuration lets requests pass.";
}

impl Reason {
    /// Whether the request passes.
    pub const fn allows(self) -> bool {
        matches!(self.kind(), Kind::Passes)
    }

    /// Whether the request would pass if only a person asked for access and got it.
    pub const fn may_be_requested(self) -> bool {
        matches!(
            self,
            Self::GrantMissing
                | Self::GrantDenied
                | Self::GrantRevoked
                | Self::GrantExpired
                | Self::GrantWithoutExpiry
                | Self::GrantLifetimeExceeded
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn every_reason_has_a_word_of_its_own() {
        let words: std::collections::HashSet<&str> =
            Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        assert_eq!(words.len(), Reason::ALL.len());
    }
}
