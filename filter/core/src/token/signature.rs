//! Signatures: one trait, so that a host's own cryptography can stand in for the pure Rust of [`PureRust`].
//!
//! The algorithms are [`jwt_compact::Algorithm`]s over the newest `RustCrypto` and dalek crates; nothing here can sign.

use std::borrow::Cow;
use std::num::NonZeroUsize;

use jwt_compact::{Algorithm as JwsAlgorithm, AlgorithmSignature};
use p256::ecdsa::signature::Verifier;
use sha2::{Digest, Sha256};

use super::Algorithm;

/// A public key, ready to verify with.
#[derive(Debug, Clone)]
pub enum PublicKey {
    /// An RSA key of at least 2048 bits.
    Rsa(rsa::PublicKey),
    /// A point on P-256.
    P256(p256::ecdsa::VerifyingKey),
    /// A point on Curve25519, not of small order.
    Ed25519(ed25519_dalek::VerifyingKey),
}

impl PublicKey {
    /// Whether this kind of key can be used with `algorithm` at all.
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        match (self, algorithm) {
            (Self::Rsa(_), Algorithm::Rs256)
            | (Self::P256(_), Algorithm::Es256)
            | (Self::Ed25519(_), Algorithm::EdDsa) => true,
            (Self::Rsa(_) | Self::P256(_) | Self::Ed25519(_), _) => false,
        }
    }
}

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
    /// Whether `signature` is that of `message` by `key`.
    ///
    /// # Errors
    /// [`SignatureFault`], of which only `Unsupported` may lead anyone to ask another verifier.
    fn verify(
        &self,
        algorithm: Algorithm,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureFault>;
}

/// Verification in pure Rust, inside the module, on every host.
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
        match (algorithm, key) {
            (Algorithm::Rs256, PublicKey::Rsa(key)) => check(&Rs256, key, message, signature),
            (Algorithm::Es256, PublicKey::P256(key)) => check(&Es256, key, message, signature),
            (Algorithm::EdDsa, PublicKey::Ed25519(key)) => check(&EdDsa, key, message, signature),
            (Algorithm::Rs256 | Algorithm::Es256 | Algorithm::EdDsa, _) => {
                Err(SignatureFault::Unsupported)
            }
        }
    }
}

fn check<A: JwsAlgorithm>(
    algorithm: &A,
    key: &A::VerifyingKey,
    message: &[u8],
    signature: &[u8],
) -> Result<(), SignatureFault> {
    if A::Signature::LENGTH.is_some_and(|length| length.get() != signature.len()) {
        return Err(SignatureFault::Invalid);
    }
    let signature = A::Signature::try_from_slice(signature).map_err(|_| SignatureFault::Invalid)?;
    if algorithm.verify_signature(&signature, key, message) {
        Ok(())
    } else {
        Err(SignatureFault::Invalid)
    }
}

/// The key that signs, of which there is none: a value of this type cannot exist.
enum NoSigningKey {}

/// A signature as JWS carries it. `LENGTH` is its one possible length in bytes, or 0 where that depends on the key.
struct RawSignature<const LENGTH: usize>(Vec<u8>);

impl<const LENGTH: usize> AlgorithmSignature for RawSignature<LENGTH> {
    const LENGTH: Option<NonZeroUsize> = NonZeroUsize::new(LENGTH);

    fn try_from_slice(bytes: &[u8]) -> anyhow::Result<Self> {
        Ok(Self(bytes.to_vec()))
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.0)
    }
}

/// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518, section 3.3).
struct Rs256;

impl JwsAlgorithm for Rs256 {
    type SigningKey = NoSigningKey;
    type VerifyingKey = rsa::PublicKey;
    type Signature = RawSignature<0>;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(Algorithm::Rs256.name())
    }

    fn sign(&self, key: &NoSigningKey, _message: &[u8]) -> Self::Signature {
        match *key {}
    }

    fn verify_signature(
        &self,
        signature: &Self::Signature,
        key: &Self::VerifyingKey,
        message: &[u8],
    ) -> bool {
        let padding = rsa::Pkcs1v15Sign::new::<Sha256>();
        key.verify(padding, &Sha256::digest(message), &signature.0)
            .is_ok()
    }
}

/// ECDSA on P-256 with SHA-256 (RFC 7518, section 3.4): `r` and `s`, 32 bytes each.
struct Es256;

impl JwsAlgorithm for Es256 {
    type SigningKey = NoSigningKey;
    type VerifyingKey = p256::ecdsa::VerifyingKey;
    type Signature = RawSignature<64>;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(Algorithm::Es256.name())
    }

    fn sign(&self, key: &NoSigningKey, _message: &[u8]) -> Self::Signature {
        match *key {}
    }

    fn verify_signature(
        &self,
        signature: &Self::Signature,
        key: &Self::VerifyingKey,
        message: &[u8],
    ) -> bool {
        p256::ecdsa::Signature::from_slice(&signature.0)
            .is_ok_and(|signature| key.verify(message, &signature).is_ok())
    }
}

/// Ed25519 (RFC 8037, section 3.1), strict: no key or point of small order, one encoding of each signature.
struct EdDsa;

impl JwsAlgorithm for EdDsa {
    type SigningKey = NoSigningKey;
    type VerifyingKey = ed25519_dalek::VerifyingKey;
    type Signature = RawSignature<64>;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(Algorithm::EdDsa.name())
    }

    fn sign(&self, key: &NoSigningKey, _message: &[u8]) -> Self::Signature {
        match *key {}
    }

    fn verify_signature(
        &self,
        signature: &Self::Signature,
        key: &Self::VerifyingKey,
        message: &[u8],
    ) -> bool {
        ed25519_dalek::Signature::from_slice(&signature.0)
            .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok())
    }
}
