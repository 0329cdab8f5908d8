//! A JWK set (RFC 7517) as public keys that are ready to verify with.
//!
//! The set comes from outside: its size and number of keys are bounded, a key that cannot be used is reported and skipped, and never
//! hides a sound one.

use std::fmt;

use jwt_compact::jwk::JsonWebKey;
use serde::Deserialize;
use serde_json::Value;

use crate::ids::KeyId;
use crate::json::{self, Object};
use crate::token::signature::PublicKey;
use crate::token::{Algorithm, TokenFault};

/// A larger document is not read.
pub const MAX_SET_BYTES: usize = 256 * 1024;
/// Keys beyond this many are not read.
pub const MAX_KEYS: usize = 100;
/// RFC 7518, section 3.3: a key of 2048 bits or larger must be used.
const MIN_RSA_BITS: usize = 2048;

/// One public key and what it may be used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    id: Option<KeyId>,
    /// The `alg` member: if present, the only algorithm that this key is for (RFC 7517, section 4.4).
    algorithm: Option<Algorithm>,
    public: PublicKey,
}

impl Key {
    /// Whether tokens that say `algorithm` may be verified with this key.
    pub fn allows(&self, algorithm: Algorithm) -> bool {
        self.public.fits(algorithm) && self.algorithm.is_none_or(|only| only == algorithm)
    }

    /// The key itself.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn has_id(&self, id: &str) -> bool {
        self.id.as_ref().is_some_and(|own| own.as_str() == id)
    }
}

/// The keys of one issuer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeySet {
    keys: Vec<Key>,
}

/// A set as it was read: the keys that can be used, and what is wrong with each of the others.
#[derive(Debug, Default)]
pub struct ParsedSet {
    /// The sound keys.
    pub keys: KeySet,
    /// Index in the document and fault of every other key.
    pub skipped: Vec<(usize, KeyFault)>,
}

impl KeySet {
    /// Reads a JWK set document.
    ///
    /// # Errors
    /// When it is too large, is not a JSON object with an array `keys`, or holds no key that can be used.
    pub fn parse(document: &[u8]) -> Result<ParsedSet, String> {
        if document.len() > MAX_SET_BYTES {
            return Err(format!("larger than {MAX_SET_BYTES} bytes"));
        }
        let document: Value = json::from_slice(document).map_err(|error| json::told(&error))?;
        let parsed = Self::from_value(&document)?;
        if parsed.keys.is_empty() {
            return Err("it holds no key that can be used".to_owned());
        }
        Ok(parsed)
    }

    /// Reads a JWK set that is already parsed; it may hold no usable key.
    ///
    /// # Errors
    /// When it is not an object with an array `keys`, or the array is too long.
    pub fn from_value(document: &Value) -> Result<ParsedSet, String> {
        let keys = document
            .get("keys")
            .and_then(Value::as_array)
            .ok_or("expected a JWK set: an object with an array `keys`")?;
        if keys.len() > MAX_KEYS {
            return Err(format!("more than {MAX_KEYS} keys"));
        }
        let mut parsed = ParsedSet::default();
        for (index, key) in keys.iter().enumerate() {
            match Key::from_value(key) {
                Ok(key) => parsed.keys.keys.push(key),
                Err(fault) => parsed.skipped.push((index, fault)),
            }
        }
        Ok(parsed)
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// The one key that a token with this `kid` and `alg` must have been signed by.
    ///
    /// Without a `kid` that is the only key that fits, if there is only one: with two, which was meant would be a guess.
    ///
    /// # Errors
    /// [`TokenFault::KeyUnknown`] or, where the `kid` is known but its key is for something else,
    /// [`TokenFault::AlgorithmNotAllowed`].
    pub fn select(&self, id: Option<&str>, algorithm: Algorithm) -> Result<&Key, TokenFault> {
        let named = |key: &&Key| id.is_none_or(|id| key.has_id(id));
        let mut fitting = self
            .keys
            .iter()
            .filter(named)
            .filter(|key| key.allows(algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            (None, _) if id.is_some() && self.keys.iter().any(|key| named(&key)) => {
                Err(TokenFault::AlgorithmNotAllowed)
            }
            _ => Err(TokenFault::KeyUnknown),
        }
    }
}

/// Why a key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyFault {
    /// It is not a JWK that can be read.
    Malformed(String),
    /// `use` says that it is for encryption (RFC 7517, section 4.2). Issuers publish such keys beside the others.
    Encryption,
    /// A member says that the key is for something else.
    WrongUse(&'static str),
    /// `alg` is none of the algorithms that can be configured, or does not fit the key.
    Algorithm(String),
    /// `kty` or `crv` is of a kind that no configured algorithm uses.
    Kind(String),
    /// It holds private members: a key that strangers may know proves nothing.
    Private,
    /// An RSA key too small to be safe or too large to be serious.
    RsaSize,
    /// The numbers are not a key: not on the curve, even modulus, wrong length.
    NotAKey,
}

impl fmt::Display for KeyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(why) => write!(f, "not a JWK: {why}"),
            Self::Encryption => f.write_str("`use` says it is for encryption"),
            Self::WrongUse(member) => write!(f, "`{member}` says it is not for signatures"),
            Self::Algorithm(name) => write!(f, "`alg` {name:?} does not fit"),
            Self::Kind(kind) => write!(f, "keys of kind {kind:?} are not supported"),
            Self::Private => f.write_str("it is a private or symmetric key"),
            Self::RsaSize => write!(
                f,
                "an RSA key must have {MIN_RSA_BITS} to {} bits",
                PublicKey::MAX_RSA_BITS
            ),
            Self::NotAKey => f.write_str("its numbers are not a public key"),
        }
    }
}

/// The members of a JWK that say what it is for (RFC 7517, sections 4.2 to 4.5).
#[derive(Deserialize)]
struct KeyUse {
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
}

/// Members of RFC 7518, section 6 that only a private or symmetric key has.
const PRIVATE_MEMBERS: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "k"];

impl Key {
    fn from_value(value: &Value) -> Result<Self, KeyFault> {
        if PRIVATE_MEMBERS
            .iter()
            .any(|member| value.get(member).is_some())
        {
            return Err(KeyFault::Private);
        }
        let malformed = |error| KeyFault::Malformed(json::told(&error));
        let Object(key_use) = Object::<KeyUse>::deserialize(value).map_err(malformed)?;
        key_use.check()?;
        let jwk = JsonWebKey::deserialize(value).map_err(malformed)?;
        let key = Self {
            algorithm: key_use.algorithm()?,
            id: key_use.kid.as_deref().map(KeyId::new),
            public: public_key(&jwk)?,
        };
        match key.algorithm {
            Some(algorithm) if !key.public.fits(algorithm) => {
                Err(KeyFault::Algorithm(algorithm.to_string()))
            }
            _ => Ok(key),
        }
    }
}

impl KeyUse {
    fn check(&self) -> Result<(), KeyFault> {
        match self.purpose.as_deref() {
            None | Some("sig") => {}
            Some("enc") => return Err(KeyFault::Encryption),
            Some(_) => return Err(KeyFault::WrongUse("use")),
        }
        let verifies = |operations: &Vec<String>| operations.iter().any(|op| op == "verify");
        if !self.key_ops.as_ref().is_none_or(verifies) {
            return Err(KeyFault::WrongUse("key_ops"));
        }
        Ok(())
    }

    fn algorithm(&self) -> Result<Option<Algorithm>, KeyFault> {
        self.alg
            .as_deref()
            .map(|name| {
                Algorithm::from_name(name).ok_or_else(|| KeyFault::Algorithm(name.to_owned()))
            })
            .transpose()
    }
}

fn public_key(jwk: &JsonWebKey<'_>) -> Result<PublicKey, KeyFault> {
    let key = match jwk {
        JsonWebKey::Rsa {
            modulus,
            public_exponent,
            ..
        } => {
            check_rsa_size(modulus)?;
            PublicKey::rsa(modulus, public_exponent)
        }
        JsonWebKey::EllipticCurve { curve, x, y, .. } => match curve.as_ref() {
            "P-256" => PublicKey::p256(x, y),
            "P-384" => PublicKey::p384(x, y),
            "P-521" => PublicKey::p521(x, y),
            other => return Err(KeyFault::Kind(other.to_owned())),
        },
        JsonWebKey::KeyPair { curve, x, .. } if curve == "Ed25519" => PublicKey::ed25519(x),
        JsonWebKey::KeyPair { curve, .. } => return Err(KeyFault::Kind(curve.to_string())),
        other => return Err(KeyFault::Kind(format!("{:?}", other.key_type()))),
    };
    key.ok_or(KeyFault::NotAKey)
}

/// Bounds the modulus before any arithmetic is done with it.
fn check_rsa_size(modulus: &[u8]) -> Result<(), KeyFault> {
    let significant = modulus.iter().skip_while(|byte| **byte == 0);
    let leading_zeros = significant
        .clone()
        .next()
        .map_or(0, |byte| byte.leading_zeros());
    let bits = significant
        .count()
        .saturating_mul(8)
        .saturating_sub(leading_zeros as usize);
    if (MIN_RSA_BITS..=PublicKey::MAX_RSA_BITS).contains(&bits) {
        Ok(())
    } else {
        Err(KeyFault::RsaSize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hallpass_tokens::SigningKey;
    use serde_json::json;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn fault_of(jwk: &Value) -> KeyFault {
        let mut parsed = KeySet::from_value(&json!({ "keys": [jwk] })).unwrap();
        parsed.skipped.remove(0).1
    }

    fn changed(mut jwk: Value, member: &str, value: Value) -> Value {
        jwk[member] = value;
        jwk
    }

    #[test]
    fn a_key_is_chosen_by_its_id() {
        let set = hallpass_tokens::jwks(&[
            &SigningKey::rs256("r"),
            &SigningKey::es256("e"),
            &SigningKey::ed25519("d"),
        ]);
        let keys = KeySet::from_value(&set).unwrap().keys;
        assert_eq!(keys.len(), 3);
        assert!(keys.select(Some("e"), Algorithm::Es256).is_ok());
        let wrong_kind = keys.select(Some("e"), Algorithm::Rs256);
        assert_eq!(wrong_kind.err(), Some(TokenFault::AlgorithmNotAllowed));
        let unknown = keys.select(Some("x"), Algorithm::Es256);
        assert_eq!(unknown.err(), Some(TokenFault::KeyUnknown));
    }

    #[test]
    fn without_an_id_the_only_key_that_fits_is_chosen_and_none_of_two() {
        let one = hallpass_tokens::jwks(&[&SigningKey::rs256("r"), &SigningKey::es256("e")]);
        let one = KeySet::from_value(&one).unwrap().keys;
        assert!(one.select(None, Algorithm::Es256).is_ok());
        let two = hallpass_tokens::jwks(&[&SigningKey::rs256("a"), &SigningKey::other_rs256("b")]);
        let two = KeySet::from_value(&two).unwrap().keys;
        assert_eq!(
            two.select(None, Algorithm::Rs256).err(),
            Some(TokenFault::KeyUnknown)
        );
    }

    #[test]
    fn a_key_that_does_not_fit_is_skipped_with_its_reason_and_hides_no_other() {
        let rsa = SigningKey::rs256("r").jwk();
        let ec = SigningKey::es256("e").jwk();
        let ed = SigningKey::ed25519("d").jwk();
        let bad = |fault: KeyFault, jwk: Value| assert_eq!(fault_of(&jwk), fault, "{jwk}");
        bad(
            KeyFault::Encryption,
            changed(rsa.clone(), "use", json!("enc")),
        );
        bad(
            KeyFault::WrongUse("use"),
            changed(rsa.clone(), "use", json!("sign")),
        );
        bad(
            KeyFault::WrongUse("key_ops"),
            changed(rsa.clone(), "key_ops", json!(["encrypt"])),
        );
        bad(
            KeyFault::Algorithm("HS256".into()),
            changed(rsa.clone(), "alg", json!("HS256")),
        );
        bad(
            KeyFault::Algorithm("ES256".into()),
            changed(rsa.clone(), "alg", json!("ES256")),
        );
        bad(KeyFault::RsaSize, changed(rsa.clone(), "n", json!("AQAB")));
        bad(KeyFault::Private, changed(rsa.clone(), "d", json!("AQAB")));
        bad(KeyFault::Private, json!({ "kty": "oct", "k": "c2VjcmV0" }));
        bad(
            KeyFault::Kind("secp256k1".into()),
            changed(ec.clone(), "crv", json!("secp256k1")),
        );
        bad(KeyFault::NotAKey, changed(ec.clone(), "x", ec["y"].clone()));
        bad(KeyFault::NotAKey, changed(ec, "x", json!("AQAB")));
        let small_order = json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        bad(KeyFault::NotAKey, changed(ed, "x", small_order));

        let set = json!({ "keys": [{ "kty": "oct", "k": "c2VjcmV0" }, 7, rsa] });
        let parsed = KeySet::parse(set.to_string().as_bytes()).unwrap();
        assert_eq!((parsed.keys.len(), parsed.skipped.len()), (1, 2));
    }

    #[test]
    fn a_document_that_is_no_key_set_is_refused() {
        let too_long = json!({ "keys": vec![json!({}); MAX_KEYS + 1] }).to_string();
        let too_large = format!("{{\"keys\":[]{}}}", " ".repeat(MAX_SET_BYTES));
        for document in [
            "",
            "<html>",
            "[]",
            "{}",
            r#"{"keys":{}}"#,
            r#"{"keys":[]}"#,
            r#"{"keys":[],"keys":[]}"#,
            &too_long,
            &too_large,
        ] {
            assert!(KeySet::parse(document.as_bytes()).is_err());
        }
    }
}
