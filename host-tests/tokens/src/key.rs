//! Private test keys and the public halves that a provider publishes.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use p256::ecdsa::signature::Signer;
use rsa::pkcs8::DecodePrivateKey;
use rsa::signature::SignatureEncoding;
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};
use sha2::Sha256;

/// The published RSA test keys; see `keys/README.md`.
const RSA_1: &[u8] = include_bytes!("../keys/public-test-key-rsa-1.der");
const RSA_2: &[u8] = include_bytes!("../keys/public-test-key-rsa-2.der");
const EC_SEED: [u8; 32] = [7; 32];
const ED25519_SEED: [u8; 32] = [9; 32];

/// A signature algorithm, named as in JOSE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// `EdDSA` on Curve25519.
    EdDsa,
}

impl Algorithm {
    /// The value of the `alg` header.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}

/// A private test key and the key id that it is published under.
#[derive(Clone)]
pub struct SigningKey {
    kid: String,
    private: Private,
}

#[derive(Clone)]
enum Private {
    Rsa(Box<rsa::pkcs1v15::SigningKey<Sha256>>),
    Ec(Box<p256::ecdsa::SigningKey>),
    Ed25519(Box<ed25519_dalek::SigningKey>),
}

impl SigningKey {
    /// The first RSA-2048 test key.
    pub fn rs256(kid: &str) -> Self {
        Self::rsa(kid, RSA_1)
    }

    /// A second RSA-2048 test key: the same algorithm, another signer.
    pub fn other_rs256(kid: &str) -> Self {
        Self::rsa(kid, RSA_2)
    }

    /// The P-256 test key.
    ///
    /// # Panics
    /// Never: the fixed seed is a scalar of the curve.
    pub fn es256(kid: &str) -> Self {
        let key =
            p256::ecdsa::SigningKey::from_slice(&EC_SEED).expect("the seed is a P-256 scalar");
        Self {
            kid: kid.to_owned(),
            private: Private::Ec(Box::new(key)),
        }
    }

    /// The Ed25519 test key.
    pub fn ed25519(kid: &str) -> Self {
        let key = ed25519_dalek::SigningKey::from_bytes(&ED25519_SEED);
        Self {
            kid: kid.to_owned(),
            private: Private::Ed25519(Box::new(key)),
        }
    }

    fn rsa(kid: &str, pkcs8: &[u8]) -> Self {
        let key = rsa::PrivateKey::from_pkcs8_der(pkcs8).expect("the published test key is PKCS#8");
        Self {
            kid: kid.to_owned(),
            private: Private::Rsa(Box::new(rsa::pkcs1v15::SigningKey::new(key))),
        }
    }

    /// The key id.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The algorithm that this key signs with.
    pub fn algorithm(&self) -> Algorithm {
        match self.private {
            Private::Rsa(_) => Algorithm::Rs256,
            Private::Ec(_) => Algorithm::Es256,
            Private::Ed25519(_) => Algorithm::EdDsa,
        }
    }

    /// Signs bytes as JWS does: an ECDSA signature is `r` and `s` side by side, not DER.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.private {
            Private::Rsa(key) => key.sign(message).to_vec(),
            Private::Ec(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.to_bytes().to_vec()
            }
            Private::Ed25519(key) => key.sign(message).to_bytes().to_vec(),
        }
    }

    /// The public half as a JSON Web Key with `kid`, `alg` and `use`.
    pub fn jwk(&self) -> Value {
        let mut jwk = match &self.private {
            Private::Rsa(key) => {
                let public: &rsa::PrivateKey = key.as_ref().as_ref();
                json!({ "kty": "RSA", "n": encode(&public.n_bytes()), "e": encode(&public.e_bytes()) })
            }
            Private::Ec(key) => {
                let point = key.verifying_key().to_sec1_point(false);
                let (x, y) = point.as_bytes()[1..].split_at(32);
                json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) })
            }
            Private::Ed25519(key) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(key.verifying_key().as_bytes()) })
            }
        };
        jwk["kid"] = json!(self.kid);
        jwk["alg"] = json!(self.algorithm().name());
        jwk["use"] = json!("sig");
        jwk
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "SigningKey({} {})",
            self.algorithm().name(),
            self.kid
        )
    }
}

/// The key set that a provider serves: the public halves of `keys`.
pub fn jwks(keys: &[&SigningKey]) -> Value {
    json!({ "keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>() })
}

/// Base64 as JOSE writes it: the URL alphabet, no padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::signature::Verifier;

    use super::*;

    fn decode(jwk: &Value, member: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD
            .decode(jwk[member].as_str().expect("a string"))
            .expect("base64url")
    }

    #[test]
    fn the_published_rsa_key_verifies_what_the_private_one_signed() {
        for key in [SigningKey::rs256("k"), SigningKey::other_rs256("k")] {
            let jwk = key.jwk();
            let number = |member| rsa::BoxedUint::from_be_slice_vartime(&decode(&jwk, member));
            let public = rsa::PublicKey::new(number("n"), number("e")).expect("a public key");
            let signature = key
                .sign(b"text")
                .as_slice()
                .try_into()
                .expect("a signature");
            let verifier = rsa::pkcs1v15::VerifyingKey::<Sha256>::new(public);
            assert!(verifier.verify(b"text", &signature).is_ok());
            assert!(verifier.verify(b"other text", &signature).is_err());
        }
    }

    #[test]
    fn the_published_ec_key_verifies_what_the_private_one_signed() {
        let key = SigningKey::es256("k");
        let jwk = key.jwk();
        let point = [vec![4], decode(&jwk, "x"), decode(&jwk, "y")].concat();
        let public = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).expect("a public key");
        let signature = p256::ecdsa::Signature::from_slice(&key.sign(b"text")).expect("r and s");
        assert!(public.verify(b"text", &signature).is_ok());
        assert!(public.verify(b"other text", &signature).is_err());
    }

    #[test]
    fn the_published_ed25519_key_verifies_what_the_private_one_signed() {
        let key = SigningKey::ed25519("k");
        let x = decode(&key.jwk(), "x").try_into().expect("32 bytes");
        let public = ed25519_dalek::VerifyingKey::from_bytes(&x).expect("a public key");
        let signature = ed25519_dalek::Signature::from_slice(&key.sign(b"text")).expect("64 bytes");
        assert!(public.verify(b"text", &signature).is_ok());
        assert!(public.verify(b"other text", &signature).is_err());
    }

    #[test]
    fn a_key_set_names_each_key_its_algorithm_and_its_use() {
        let set = jwks(&[&SigningKey::rs256("a"), &SigningKey::ed25519("b")]);
        assert_eq!(set["keys"][0]["kid"], "a");
        assert_eq!(set["keys"][0]["alg"], "RS256");
        assert_eq!(set["keys"][1]["alg"], "EdDSA");
        assert_eq!(set["keys"][1]["use"], "sig");
    }
}
