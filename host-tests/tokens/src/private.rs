//! The private halves of the test keys, one kind for each kind of public key that a JWK can hold.

use chacha20::ChaCha8Rng;
use p256::ecdsa::signature::{SignatureEncoding, Signer};
use rsa::pkcs8::DecodePrivateKey;
use rsa::rand_core::SeedableRng;
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};
use sha2::digest::FixedOutputReset;
use sha2::digest::const_oid::AssociatedOid;
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::Algorithm;
use crate::key::encode;

/// The published RSA test keys; see `keys/README.md`.
const RSA_1: &[u8] = include_bytes!("../keys/public-test-key-rsa-1.der");
const RSA_2: &[u8] = include_bytes!("../keys/public-test-key-rsa-2.der");
const P256_SEED: [u8; 32] = [7; 32];
const P384_SEED: [u8; 48] = [7; 48];
/// A scalar of P-521 has 521 bits: the first byte is 0 or 1.
const P521_SEED: [u8; 66] = [1; 66];
const ED25519_SEED: [u8; 32] = [9; 32];
const SALT_SEED: [u8; 32] = [11; 32];

#[derive(Clone)]
pub(crate) enum Private {
    Rsa(Box<rsa::PrivateKey>, RsaScheme),
    P256(Box<p256::ecdsa::SigningKey>),
    P384(Box<p384::ecdsa::SigningKey>),
    P521(Box<p521::ecdsa::SigningKey>),
    Ed25519(Box<ed25519_dalek::SigningKey>),
}

/// Padding and hash, of which an RSA key serves any.
type RsaScheme = fn(&rsa::PrivateKey, &[u8]) -> rsa::Result<Vec<u8>>;

impl Private {
    /// The test key for `algorithm`. All RSA algorithms share one.
    pub(crate) fn of(algorithm: Algorithm) -> Self {
        const IN_RANGE: &str = "the seed is a scalar of the curve";
        match algorithm {
            Algorithm::Rs256 => Self::rsa(RSA_1, pkcs1v15::<Sha256>),
            Algorithm::Rs384 => Self::rsa(RSA_1, pkcs1v15::<Sha384>),
            Algorithm::Rs512 => Self::rsa(RSA_1, pkcs1v15::<Sha512>),
            Algorithm::Ps256 => Self::rsa(RSA_1, pss::<Sha256>),
            Algorithm::Ps384 => Self::rsa(RSA_1, pss::<Sha384>),
            Algorithm::Ps512 => Self::rsa(RSA_1, pss::<Sha512>),
            Algorithm::Es256 => {
                let key = p256::ecdsa::SigningKey::from_slice(&P256_SEED).expect(IN_RANGE);
                Self::P256(Box::new(key))
            }
            Algorithm::Es384 => {
                let key = p384::ecdsa::SigningKey::from_slice(&P384_SEED).expect(IN_RANGE);
                Self::P384(Box::new(key))
            }
            Algorithm::Es512 => {
                let key = p521::ecdsa::SigningKey::from_slice(&P521_SEED).expect(IN_RANGE);
                Self::P521(Box::new(key))
            }
            Algorithm::EdDsa => {
                let key = ed25519_dalek::SigningKey::from_bytes(&ED25519_SEED);
                Self::Ed25519(Box::new(key))
            }
        }
    }

    /// The second RSA test key, for RS256.
    pub(crate) fn other_rs256() -> Self {
        Self::rsa(RSA_2, pkcs1v15::<Sha256>)
    }

    fn rsa(pkcs8: &[u8], scheme: RsaScheme) -> Self {
        let key = rsa::PrivateKey::from_pkcs8_der(pkcs8).expect("the published test key is PKCS#8");
        Self::Rsa(Box::new(key), scheme)
    }

    /// The signature as JWS carries it: of ECDSA `r` and `s` side by side, not DER.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Rsa(key, scheme) => scheme(key, message).expect("the key has room for the hash"),
            Self::P256(key) => signature::<p256::ecdsa::Signature>(&**key, message),
            Self::P384(key) => signature::<p384::ecdsa::Signature>(&**key, message),
            Self::P521(key) => signature::<p521::ecdsa::Signature>(&**key, message),
            Self::Ed25519(key) => signature::<ed25519_dalek::Signature>(&**key, message),
        }
    }

    /// The members of a JSON Web Key that make up the public half.
    pub(crate) fn public(&self) -> Value {
        match self {
            Self::Rsa(key, _) => {
                json!({ "kty": "RSA", "n": encode(&key.n_bytes()), "e": encode(&key.e_bytes()) })
            }
            Self::P256(key) => {
                elliptic("P-256", key.verifying_key().to_sec1_point(false).as_bytes())
            }
            Self::P384(key) => {
                elliptic("P-384", key.verifying_key().to_sec1_point(false).as_bytes())
            }
            Self::P521(key) => {
                elliptic("P-521", key.verifying_key().to_sec1_point(false).as_bytes())
            }
            Self::Ed25519(key) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(key.verifying_key().as_bytes()) })
            }
        }
    }
}

fn pkcs1v15<D: Digest + AssociatedOid>(
    key: &rsa::PrivateKey,
    message: &[u8],
) -> rsa::Result<Vec<u8>> {
    key.pkcs1v15_sign_with_rng::<D, _>(&mut fixed_randomness(), message)
}

/// The salt is as long as the hash (RFC 7518, section 3.5).
fn pss<D: Digest + FixedOutputReset>(
    key: &rsa::PrivateKey,
    message: &[u8],
) -> rsa::Result<Vec<u8>> {
    key.pss_sign_with_rng::<D, _>(&mut fixed_randomness(), message)
}

/// The same on every run, so that the same token has the same signature.
fn fixed_randomness() -> ChaCha8Rng {
    ChaCha8Rng::from_seed(SALT_SEED)
}

fn signature<S: SignatureEncoding>(key: &impl Signer<S>, message: &[u8]) -> Vec<u8> {
    key.sign(message).to_vec()
}

/// A point in the uncompressed form of SEC 1: a byte that says so, then `x` and `y` of equal length.
fn elliptic(curve: &str, point: &[u8]) -> Value {
    let coordinates = &point[1..];
    let (x, y) = coordinates.split_at(coordinates.len() / 2);
    json!({ "kty": "EC", "crv": curve, "x": encode(x), "y": encode(y) })
}
