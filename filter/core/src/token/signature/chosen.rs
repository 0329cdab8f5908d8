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

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    type Verdict = Result<(), SignatureFault>;

    /// A host that verifies like the module, and then bends the verdict.
    struct Bent(fn(Algorithm, Verdict) -> Verdict);

    impl SignatureVerifier for Bent {
        fn verify(
            &self,
            algorithm: Algorithm,
            key: &PublicKey,
            message: &[u8],
            signature: &[u8],
        ) -> Verdict {
            let verdict = PureRust.verify(algorithm, key, message, signature);
            self.0(algorithm, verdict)
        }
    }

    fn by_host(bend: fn(Algorithm, Verdict) -> Verdict) -> Vec<Algorithm> {
        ChosenVerifier::choose(Box::new(Bent(bend))).by_host
    }

    #[test]
    fn a_backend_that_tells_good_from_bad_passes_for_every_algorithm() {
        assert_eq!(by_host(|_, verdict| verdict), Algorithm::ALL);
    }

    #[test]
    fn a_host_is_chosen_for_just_the_algorithms_that_it_knows() {
        let chosen = by_host(|algorithm, verdict| match algorithm {
            Algorithm::Rs256 | Algorithm::EdDsa => verdict,
            _ => Err(SignatureFault::Unsupported),
        });
        assert_eq!(chosen, [Algorithm::Rs256, Algorithm::EdDsa]);
    }

    #[test]
    fn a_host_that_takes_a_bad_signature_or_refuses_a_good_one_is_not_chosen() {
        let nothing: [Algorithm; 0] = [];
        assert_eq!(by_host(|_, _| Ok(())), nothing);
        assert_eq!(by_host(|_, _| Err(SignatureFault::Invalid)), nothing);
        assert_eq!(by_host(|_, _| Err(SignatureFault::Unsupported)), nothing);
        let cannot_tell = |_, verdict: Verdict| verdict.map_err(|_| SignatureFault::Unsupported);
        assert_eq!(by_host(cannot_tell), nothing);
    }
}
