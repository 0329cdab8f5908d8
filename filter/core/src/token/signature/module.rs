//! Verification inside the module, in pure Rust: it works on every host.

use p256::ecdsa::signature::Verifier;
use rsa::Pkcs1v15Sign;
use rsa::pkcs8::AssociatedOid;
use sha2::digest::{Digest, FixedOutputReset};
use sha2::{Sha256, Sha384, Sha512};

use super::public_key::Numbers;
use super::{PublicKey, SignatureFault, SignatureVerifier};
use crate::token::Algorithm;

/// The `RustCrypto` and dalek crates.
#[derive(Debug, Clone, Copy, Default)]
pub struct PureRust;

impl SignatureVerifier for PureRust {
    fn verify(
        &self,
        algorithm: Algorithm,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureFault> {
        let valid = match (algorithm, &key.numbers) {
            (Algorithm::Rs256, Numbers::Rsa(key)) => pkcs1::<Sha256>(key, message, signature),
            (Algorithm::Rs384, Numbers::Rsa(key)) => pkcs1::<Sha384>(key, message, signature),
            (Algorithm::Rs512, Numbers::Rsa(key)) => pkcs1::<Sha512>(key, message, signature),
            (Algorithm::Ps256, Numbers::Rsa(key)) => pss::<Sha256>(key, message, signature),
            (Algorithm::Ps384, Numbers::Rsa(key)) => pss::<Sha384>(key, message, signature),
            (Algorithm::Ps512, Numbers::Rsa(key)) => pss::<Sha512>(key, message, signature),
            (Algorithm::Es256, Numbers::P256(key)) => {
                ecdsa::<_, p256::ecdsa::Signature>(key, message, signature)
            }
            (Algorithm::Es384, Numbers::P384(key)) => {
                ecdsa::<_, p384::ecdsa::Signature>(key, message, signature)
            }
            (Algorithm::Es512, Numbers::P521(key)) => {
                ecdsa::<_, p521::ecdsa::Signature>(key, message, signature)
            }
            (Algorithm::EdDsa, Numbers::Ed25519(key)) => ed25519(key, message, signature),
            (_, _) => return Err(SignatureFault::Unsupported),
        };
        valid.then_some(()).ok_or(SignatureFault::Invalid)
    }
}

/// RSASSA-PKCS1-v1_5 (RFC 7518, section 3.3).
fn pkcs1<D: Digest + AssociatedOid>(
    key: &rsa::PublicKey,
    message: &[u8],
    signature: &[u8],
) -> bool {
    key.verify(Pkcs1v15Sign::new::<D>(), &D::digest(message), signature)
        .is_ok()
}

/// RSASSA-PSS with a salt as long as the hash, and no other (RFC 7518, section 3.5).
fn pss<D: Digest + FixedOutputReset>(
    key: &rsa::PublicKey,
    message: &[u8],
    signature: &[u8],
) -> bool {
    key.pss_verify::<D>(message, signature).is_ok()
}

/// ECDSA (RFC 7518, section 3.4): `r` and `s` side by side, each of the curve's full size.
fn ecdsa<K: Verifier<S>, S: for<'a> TryFrom<&'a [u8]>>(
    key: &K,
    message: &[u8],
    signature: &[u8],
) -> bool {
    S::try_from(signature).is_ok_and(|signature| key.verify(message, &signature).is_ok())
}

/// Ed25519 (RFC 8037, section 3.1), strict: no point of small order, and one encoding of each signature.
fn ed25519(key: &ed25519_dalek::VerifyingKey, message: &[u8], signature: &[u8]) -> bool {
    ed25519_dalek::Signature::from_slice(signature)
        .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok())
}
