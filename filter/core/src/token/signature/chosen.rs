//! The choice between the host's cryptography and the module's: made once for each algorithm, when the plugin is configured, and by
//! what the host can be seen to do.
//!
//! A host is trusted with an algorithm if it accepts a good signature and refuses bad ones. Afterwards its word is final: a signature
//! that it refuses is never shown to the module's code as well.

use super::known_answers::{KNOWN_ANSWERS, KnownAnswer};
use super::{PublicKey, PureRust, SignatureFault, SignatureVerifier};
use crate::token::Algorithm;

/// Where the signatures of an algorithm are verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// By the proxy.
    Host,
    /// In the module.
    Module,
}

/// The host where it passed the self-test, the module elsewhere.
pub struct ChosenVerifier {
    host: Box<dyn SignatureVerifier>,
    by_host: Vec<Algorithm>,
}

impl ChosenVerifier {
    /// Tests `host` with every algorithm.
    pub fn choose(host: Box<dyn SignatureVerifier>) -> Self {
        let passed = KNOWN_ANSWERS
            .iter()
            .filter(|known| knows(host.as_ref(), known))
            .map(|known| known.algorithm);
        Self {
            by_host: passed.collect(),
            host,
        }
    }

    /// Who verifies `algorithm`.
    pub fn backend(&self, algorithm: Algorithm) -> Backend {
        if self.by_host.contains(&algorithm) {
            Backend::Host
        } else {
            Backend::Module
        }
    }
}

impl SignatureVerifier for ChosenVerifier {
    fn verify(
        &self,
        algorithm: Algorithm,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureFault> {
        match self.backend(algorithm) {
            Backend::Host => self.host.verify(algorithm, key, message, signature),
            Backend::Module => PureRust.verify(algorithm, key, message, signature),
        }
    }
}

/// Whether `verifier` accepts the good signature, and says of each bad one that it is invalid.
fn knows(verifier: &dyn SignatureVerifier, known: &KnownAnswer) -> bool {
    known.read().is_some_and(|(key, good)| {
        let says = |message: &[u8], signature: &[u8]| {
            verifier.verify(known.algorithm, &key, message, signature)
        };
        let mut flipped = good.clone();
        if let Some(last) = flipped.last_mut() {
            *last ^= 1;
        }
        says(KnownAnswer::MESSAGE, &good) == Ok(())
            && says(KnownAnswer::MESSAGE, &flipped) == Err(SignatureFault::Invalid)
            && says(b"another message", &good) == Err(SignatureFault::Invalid)
    })
}
