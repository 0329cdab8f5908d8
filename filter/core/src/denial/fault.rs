//! For which reason a request is refused whose token has a fault.

use super::Reason;
use crate::token::TokenFault;

impl From<TokenFault> for Reason {
    fn from(fault: TokenFault) -> Self {
        match fault {
            TokenFault::Missing => Self::TokenMissing,
            TokenFault::Ambiguous => Self::TokenAmbiguous,
            TokenFault::Malformed => Self::TokenMalformed,
            TokenFault::AlgorithmNotAllowed => Self::TokenAlgorithmNotAllowed,
            TokenFault::TypeNotAllowed => Self::TokenTypeNotAllowed,
            TokenFault::IssuerUnknown => Self::TokenIssuerUnknown,
            TokenFault::KeyUnknown => Self::TokenKeyUnknown,
            TokenFault::SignatureInvalid => Self::TokenSignatureInvalid,
            TokenFault::Expired => Self::TokenExpired,
            TokenFault::NotYetValid => Self::TokenNotYetValid,
            TokenFault::TooOld => Self::TokenTooOld,
            TokenFault::AudienceMismatch => Self::TokenAudienceMismatch,
            TokenFault::ClaimMismatch => Self::TokenClaimMismatch,
            TokenFault::BindingUnsupported => Self::TokenBindingUnsupported,
        }
    }
}
