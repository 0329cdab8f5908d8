//! Signatures: one trait, so that a host's own cryptography can stand in for the module's.
//!
//! [`module`] verifies inside the module, on every host; [`host`] has the proxy do it, many times faster; [`chosen`] finds out at
//! configure time, by known answers, which of the two serves each algorithm. Nothing here can sign.

pub mod chosen;
pub mod host;
mod known_answers;
pub mod module;
mod public_key;

pub use module::PureRust;
pub use public_key::PublicKey;

use super::Algorithm;

/// Why a signature was not accepted. The two are kept apart: the first is final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureFault {
    /// It is not the signature of this message by this key.
    Invalid,
    /// This verifier cannot use this key with this algorithm.
    Unsupported,
}

/// Something that verifies signatures.
pub trait SignatureVerifier {
    /// Whether `signature`, as JWS carries it (RFC 7518, section 3), is that of `message` by `key`.
    ///
    /// # Errors
    /// [`SignatureFault`]. Neither may lead anyone to ask another verifier about the same signature.
    fn verify(
        &self,
        algorithm: Algorithm,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureFault>;
}
