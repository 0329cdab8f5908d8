//! Public keys, ready to verify with: their numbers have been checked, and each backend finds the form that it needs.

use p256::pkcs8::EncodePublicKey;
use p256::pkcs8::spki::Result as SpkiResult;

use crate::token::Algorithm;

/// A public key of a kind that some [`Algorithm`] uses. Two keys are equal if their DER encodings are.
#[derive(Debug, Clone)]
pub struct PublicKey {
    pub(super) numbers: Numbers,
    spki: Vec<u8>,
}

/// A key in the form in which its own library verifies.
#[derive(Debug, Clone)]
pub(super) enum Numbers {
    Rsa(rsa::PublicKey),
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    P521(p521::ecdsa::VerifyingKey),
    Ed25519(ed25519_dalek::VerifyingKey),
}

impl PublicKey {
    /// The largest RSA modulus that is taken, in bits: cost grows with its cube.
    pub const MAX_RSA_BITS: usize = rsa::PublicKey::MAX_SIZE;

    /// An RSA key of these big-endian numbers, whose size the caller has checked. `None` if they are not a key.
    pub fn rsa(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        let number = |bytes| rsa::BoxedUint::from_be_slice_vartime(significant(bytes));
        let key = rsa::PublicKey::new(number(modulus), number(exponent)).ok()?;
        Self::new(key.to_public_key_der(), Numbers::Rsa(key))
    }

    /// A point on P-256. `None` if the coordinates are no such point, or do not have its full size (RFC 7518, section 6.2.1.2).
    pub fn p256(x: &[u8], y: &[u8]) -> Option<Self> {
        let point = uncompressed::<32>(x, y)?;
        let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).ok()?;
        Self::new(key.to_public_key_der(), Numbers::P256(key))
    }

    /// A point on P-384; as [`Self::p256`].
    pub fn p384(x: &[u8], y: &[u8]) -> Option<Self> {
        let point = uncompressed::<48>(x, y)?;
        let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(&point).ok()?;
        Self::new(key.to_public_key_der(), Numbers::P384(key))
    }

    /// A point on P-521; as [`Self::p256`].
    pub fn p521(x: &[u8], y: &[u8]) -> Option<Self> {
        let point = uncompressed::<66>(x, y)?;
        let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(&point).ok()?;
        Self::new(key.to_public_key_der(), Numbers::P521(key))
    }

    /// A point on edwards25519 (RFC 8037, section 2). `None` if it is none, or of small order: with such a key, signatures say nothing.
    pub fn ed25519(x: &[u8]) -> Option<Self> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(x.try_into().ok()?).ok()?;
        if key.is_weak() {
            return None;
        }
        Self::new(key.to_public_key_der(), Numbers::Ed25519(key))
    }

    fn new(der: SpkiResult<p256::pkcs8::Document>, numbers: Numbers) -> Option<Self> {
        let spki = der.ok()?.into_vec();
        Some(Self { numbers, spki })
    }

    /// The key as a DER `SubjectPublicKeyInfo` (RFC 5280, section 4.1.2.7).
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// Whether this kind of key can be used with `algorithm` at all.
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        match algorithm {
            Algorithm::Rs256
            | Algorithm::Rs384
            | Algorithm::Rs512
            | Algorithm::Ps256
            | Algorithm::Ps384
            | Algorithm::Ps512 => matches!(self.numbers, Numbers::Rsa(_)),
            Algorithm::Es256 => matches!(self.numbers, Numbers::P256(_)),
            Algorithm::Es384 => matches!(self.numbers, Numbers::P384(_)),
            Algorithm::Es512 => matches!(self.numbers, Numbers::P521(_)),
            Algorithm::EdDsa => matches!(self.numbers, Numbers::Ed25519(_)),
        }
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.spki == other.spki
    }
}

impl Eq for PublicKey {}

/// A number without the zeros before it: the library computes with as many digits as it was given, and thousands of them take seconds.
fn significant(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

/// A point in SEC 1's uncompressed form, of two coordinates of exactly `SIZE` bytes.
fn uncompressed<const SIZE: usize>(x: &[u8], y: &[u8]) -> Option<Vec<u8>> {
    (x.len() == SIZE && y.len() == SIZE).then(|| [&[4], x, y].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rsa::traits::PublicKeyParts;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn zeros_before_the_numbers_of_an_rsa_key_change_neither_it_nor_what_it_costs() {
        let digits = |key: &PublicKey| match &key.numbers {
            Numbers::Rsa(key) => (key.n_bits_precision(), key.e().bits_precision()),
            other => panic!("{other:?}"),
        };
        let padded = |number: &[u8]| [vec![0; 100_000], number.to_vec()].concat();
        let (modulus, exponent) = ([0xff; 256], [1, 0, 1]);
        let key = PublicKey::rsa(&modulus, &exponent).unwrap();
        let same = PublicKey::rsa(&padded(&modulus), &padded(&exponent)).unwrap();
        assert_eq!(same, key);
        assert_eq!(digits(&same), digits(&key));
        assert_eq!(PublicKey::rsa(&[0; 256], &exponent), None);
    }
}
