//! Verification by the proxy: Envoy offers its own cryptography to modules as the foreign function `verify_signature`.
//!
//! The function takes and returns protobuf messages; the plugin lends the call itself. It is asked for what those messages can express:
//! RSASSA-PKCS1-v1_5 and ECDSA. They have no place for PSS's parameters, and Envoy's function fails for Ed25519.

use std::borrow::Cow;
use std::cell::RefCell;

use p256::pkcs8::der;
use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};

use super::{PublicKey, SignatureFault, SignatureVerifier};
use crate::token::Algorithm;

/// The foreign function's name.
pub const FUNCTION: &str = "verify_signature";

/// The proxy's cryptography, behind a function that calls [`FUNCTION`] with an encoded argument: `None` where the call failed.
#[derive(Debug)]
pub struct HostVerifier<F> {
    call: F,
    /// Where questions are written, one after the other.
    wire: RefCell<Vec<u8>>,
}

impl<F: Fn(&[u8]) -> Option<Vec<u8>>> HostVerifier<F> {
    /// A verifier that asks by this call.
    pub fn new(call: F) -> Self {
        Self {
            call,
            wire: RefCell::default(),
        }
    }
}

/// What the function is asked (Envoy, `api/envoy/extensions/../verify_signature.proto`: field numbers as there).
struct Question<'a> {
    hash: &'a str,
    spki: &'a [u8],
    signature: &'a [u8],
    message: &'a [u8],
}

impl Question<'_> {
    /// Writes the message, and nothing else, to `wire`: field by field, since a `prost` message would own a copy of each.
    fn encode(&self, wire: &mut Vec<u8>) {
        let fields = [
            (1, self.hash.as_bytes()),
            (2, self.spki),
            (3, self.signature),
            (4, self.message),
        ];
        wire.clear();
        for (tag, text) in fields {
            encode_key(tag, WireType::LengthDelimited, wire);
            encode_varint(text.len() as u64, wire);
            wire.extend_from_slice(text);
        }
    }
}

/// What it says. The error's text in field 2 has no use here: a signature that is not valid is not valid.
#[derive(Clone, PartialEq, Message)]
struct Answer {
    #[prost(bool, tag = "1")]
    valid: bool,
}

impl<F: Fn(&[u8]) -> Option<Vec<u8>>> SignatureVerifier for HostVerifier<F> {
    fn verify(
        &self,
        algorithm: Algorithm,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureFault> {
        let question = Question {
            hash: hash(algorithm)?,
            spki: key.spki(),
            signature: &for_host(algorithm, signature)?,
            message,
        };
        let mut wire = self.wire.take();
        question.encode(&mut wire);
        let answer = (self.call)(&wire);
        self.wire.replace(wire);
        let answer = answer.ok_or(SignatureFault::Unsupported)?;
        let answer = Answer::decode(&*answer).map_err(|_| SignatureFault::Unsupported)?;
        answer.valid.then_some(()).ok_or(SignatureFault::Invalid)
    }
}

fn hash(algorithm: Algorithm) -> Result<&'static str, SignatureFault> {
    match algorithm {
        Algorithm::Rs256 | Algorithm::Es256 => Ok("sha256"),
        Algorithm::Rs384 | Algorithm::Es384 => Ok("sha384"),
        Algorithm::Rs512 | Algorithm::Es512 => Ok("sha512"),
        Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512 | Algorithm::EdDsa => {
            Err(SignatureFault::Unsupported)
        }
    }
}

/// The signature as the host reads it: an ECDSA one as a DER sequence of two integers instead of JWS's two halves.
fn for_host(algorithm: Algorithm, signature: &[u8]) -> Result<Cow<'_, [u8]>, SignatureFault> {
    let size = match algorithm {
        Algorithm::Es256 => 32,
        Algorithm::Es384 => 48,
        Algorithm::Es512 => 66,
        _ => return Ok(signature.into()),
    };
    let (r, s) = signature
        .split_at_checked(size)
        .filter(|(_, s)| s.len() == size)
        .ok_or(SignatureFault::Invalid)?;
    let integer = |bytes| der::asn1::UintRef::new(bytes).map_err(|_| SignatureFault::Invalid);
    let sequence = der::Encode::to_der(&[integer(r)?, integer(s)?]);
    sequence
        .map(Cow::Owned)
        .map_err(|_| SignatureFault::Invalid)
}

#[cfg(test)]
mod tests {
    use super::super::PureRust;
    use super::super::known_answers::{KNOWN_ANSWERS, KnownAnswer};
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// The message as its schema says, for a reader that is not our own.
    #[derive(Clone, PartialEq, Message)]
    struct Asked {
        #[prost(string, tag = "1")]
        hash: String,
        #[prost(bytes = "vec", tag = "2")]
        spki: Vec<u8>,
        #[prost(bytes = "vec", tag = "3")]
        signature: Vec<u8>,
        #[prost(bytes = "vec", tag = "4")]
        message: Vec<u8>,
    }

    const VALID: &[u8] = &[0x08, 0x01];
    const INVALID: &[u8] = b"\x12\x10Failed to verify";

    fn known(algorithm: Algorithm) -> (PublicKey, Vec<u8>) {
        let answer = KNOWN_ANSWERS.iter().find(|a| a.algorithm == algorithm);
        answer.unwrap().read().unwrap()
    }

    /// What a host that answers with `reply` makes of the known answer, and what it was asked.
    fn ask(algorithm: Algorithm, reply: Option<&[u8]>) -> (Result<(), SignatureFault>, Vec<Asked>) {
        let asked = RefCell::new(Vec::new());
        let host = HostVerifier::new(|argument: &[u8]| {
            asked.borrow_mut().push(Asked::decode(argument).unwrap());
            reply.map(<[u8]>::to_vec)
        });
        let (key, signature) = known(algorithm);
        let verdict = host.verify(algorithm, &key, KnownAnswer::MESSAGE, &signature);
        (verdict, asked.into_inner())
    }

    #[test]
    fn the_hosts_word_is_taken_as_it_is_and_no_word_is_no_support() {
        for (reply, verdict) in [
            (Some(VALID), Ok(())),
            (Some(INVALID), Err(SignatureFault::Invalid)),
            (Some(&b""[..]), Err(SignatureFault::Invalid)),
            (Some(&b"\xff\xff"[..]), Err(SignatureFault::Unsupported)),
            (None, Err(SignatureFault::Unsupported)),
        ] {
            assert_eq!(ask(Algorithm::Rs256, reply).0, verdict, "{reply:?}");
        }
    }

    #[test]
    fn the_host_gets_hash_key_signature_and_text_in_its_own_forms() {
        for (algorithm, hash) in [
            (Algorithm::Rs256, "sha256"),
            (Algorithm::Rs384, "sha384"),
            (Algorithm::Rs512, "sha512"),
        ] {
            let (key, signature) = known(algorithm);
            let question = Asked {
                hash: hash.to_owned(),
                spki: key.spki().to_vec(),
                signature,
                message: KnownAnswer::MESSAGE.to_vec(),
            };
            assert_eq!(ask(algorithm, Some(VALID)).1, [question]);
        }
        let (_, asked) = ask(Algorithm::Es256, Some(VALID));
        let (key, signature) = known(Algorithm::Es256);
        let signature = p256::ecdsa::Signature::from_slice(&signature).unwrap();
        assert_eq!(asked[0].signature, signature.to_der().as_bytes());
        assert_eq!(asked[0].spki, key.spki());
    }

    #[test]
    fn a_host_is_not_asked_for_what_its_messages_cannot_say() {
        for algorithm in [
            Algorithm::Ps256,
            Algorithm::Ps384,
            Algorithm::Ps512,
            Algorithm::EdDsa,
        ] {
            let (verdict, asked) = ask(algorithm, Some(VALID));
            assert_eq!(verdict, Err(SignatureFault::Unsupported), "{algorithm}");
            assert_eq!(asked, [], "{algorithm}");
        }
    }

    #[test]
    fn an_ecdsa_signature_of_another_length_is_invalid_without_asking() {
        let host = HostVerifier::new(|_: &[u8]| panic!("the host was asked"));
        let (key, signature) = known(Algorithm::Es256);
        for odd in [&signature[1..], &[&signature[..], &[0]].concat(), &[]] {
            let verdict = host.verify(Algorithm::Es256, &key, b"", odd);
            assert_eq!(verdict, Err(SignatureFault::Invalid));
            let verdict = PureRust.verify(Algorithm::Es256, &key, b"", odd);
            assert_eq!(verdict, Err(SignatureFault::Invalid));
        }
    }
}
