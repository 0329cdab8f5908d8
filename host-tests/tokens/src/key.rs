//! Private test keys and the public halves that a provider publishes.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::Algorithm;
use crate::private::Private;

/// A private test key, the key id that it is published under, and the one algorithm that it signs with.
#[derive(Clone)]
pub struct SigningKey {
    kid: String,
    algorithm: Algorithm,
    private: Private,
}

impl SigningKey {
    /// The test key for `algorithm`. Those of the RSA algorithms are one key of 2048 bits under different `alg`.
    pub fn of(algorithm: Algorithm, kid: &str) -> Self {
        Self {
            kid: kid.to_owned(),
            algorithm,
            private: Private::of(algorithm),
        }
    }

    /// The first RSA-2048 test key, for RS256.
    pub fn rs256(kid: &str) -> Self {
        Self::of(Algorithm::Rs256, kid)
    }

    /// A second RSA-2048 test key: the same algorithm, another signer.
    pub fn other_rs256(kid: &str) -> Self {
        Self {
            kid: kid.to_owned(),
            algorithm: Algorithm::Rs256,
            private: Private::other_rs256(),
        }
    }

    /// The P-256 test key.
    pub fn es256(kid: &str) -> Self {
        Self::of(Algorithm::Es256, kid)
    }

    /// The Ed25519 test key.
    pub fn ed25519(kid: &str) -> Self {
        Self::of(Algorithm::EdDsa, kid)
    }

    /// The key id.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The algorithm that this key signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Signs bytes as JWS does: an ECDSA signature is `r` and `s` side by side, not DER.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.private.sign(message)
    }

    /// The public half as a JSON Web Key with `kid`, `alg` and `use`.
    pub fn jwk(&self) -> Value {
        let mut jwk = self.private.public();
        jwk["kid"] = json!(self.kid);
        jwk["alg"] = json!(self.algorithm.name());
        jwk["use"] = json!("sig");
        jwk
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "SigningKey({} {})",
            self.algorithm.name(),
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
    use p256::ecdsa::signature::{SignatureEncoding, Verifier};
    use sha2::{Sha256, Sha384, Sha512};

    use super::*;

    fn decode(jwk: &Value, member: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD
            .decode(jwk[member].as_str().expect("a string"))
            .expect("base64url")
    }

    /// Whether the published key says that `signature` is that of `message`.
    fn verifies(jwk: &Value, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let rsa = || {
            let number = |member| rsa::BoxedUint::from_be_slice_vartime(&decode(jwk, member));
            rsa::PublicKey::new(number("n"), number("e")).expect("a public key")
        };
        let point = || [vec![4], decode(jwk, "x"), decode(jwk, "y")].concat();
        match algorithm {
            Algorithm::Rs256 => rsa().pkcs1v15_verify::<Sha256>(message, signature).is_ok(),
            Algorithm::Rs384 => rsa().pkcs1v15_verify::<Sha384>(message, signature).is_ok(),
            Algorithm::Rs512 => rsa().pkcs1v15_verify::<Sha512>(message, signature).is_ok(),
            Algorithm::Ps256 => rsa().pss_verify::<Sha256>(message, signature).is_ok(),
            Algorithm::Ps384 => rsa().pss_verify::<Sha384>(message, signature).is_ok(),
            Algorithm::Ps512 => rsa().pss_verify::<Sha512>(message, signature).is_ok(),
            Algorithm::Es256 => {
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point()).expect("a key");
                accepts::<p256::ecdsa::Signature>(&key, message, signature)
            }
            Algorithm::Es384 => {
                let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(&point()).expect("a key");
                accepts::<p384::ecdsa::Signature>(&key, message, signature)
            }
            Algorithm::Es512 => {
                let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(&point()).expect("a key");
                accepts::<p521::ecdsa::Signature>(&key, message, signature)
            }
            Algorithm::EdDsa => {
                let x = decode(jwk, "x").try_into().expect("32 bytes");
                let key = ed25519_dalek::VerifyingKey::from_bytes(&x).expect("a key");
                accepts::<ed25519_dalek::Signature>(&key, message, signature)
            }
        }
    }

    fn accepts<S: SignatureEncoding>(
        key: &impl Verifier<S>,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        S::try_from(signature).is_ok_and(|signature| key.verify(message, &signature).is_ok())
    }

    #[test]
    fn each_published_key_verifies_what_its_private_half_signed() {
        let mut keys = Algorithm::ALL
            .map(|algorithm| SigningKey::of(algorithm, "k"))
            .to_vec();
        keys.push(SigningKey::other_rs256("k"));
        for key in keys {
            let (jwk, signature) = (key.jwk(), key.sign(b"text"));
            let verifies = |message| verifies(&jwk, key.algorithm(), message, &signature);
            assert!(verifies(b"text"), "{key:?}");
            assert!(!verifies(b"other text"), "{key:?}");
        }
    }

    #[test]
    fn a_key_signs_the_same_text_the_same_way_each_time() {
        for algorithm in Algorithm::ALL {
            let signature = || SigningKey::of(algorithm, "k").sign(b"text");
            assert_eq!(signature(), signature(), "{}", algorithm.name());
        }
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
