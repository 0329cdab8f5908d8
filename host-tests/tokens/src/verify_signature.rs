//! The cryptography that Envoy offers to modules as the foreign function `verify_signature`, as far as tests and rehearsals need it: RSA
//! (PKCS #1 v1.5) and ECDSA on P-256, with SHA-256. Of anything else it says what Envoy says of what it does not know: not valid.

use p256::ecdsa::signature::Verifier;
use p256::pkcs8::DecodePublicKey;
use prost::{DecodeError, Message};
use rsa::PublicKey;
use sha2::Sha256;

use crate::Algorithm;

/// The foreign function's name.
pub const VERIFY_SIGNATURE: &str = "verify_signature";

/// Its argument, as Envoy declares it.
#[derive(Clone, PartialEq, Message)]
struct Question {
    #[prost(string, tag = "1")]
    hash: String,
    #[prost(bytes = "vec", tag = "2")]
    public_key: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    signature: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    text: Vec<u8>,
}

/// Its result.
#[derive(Clone, PartialEq, Message)]
struct Answer {
    #[prost(bool, tag = "1")]
    valid: bool,
    #[prost(string, tag = "2")]
    error: String,
}

/// What the function of a proxy says that knows these algorithms.
///
/// # Errors
/// When the argument is not the function's.
pub fn verify_signature(argument: &[u8], known: &[Algorithm]) -> Result<Vec<u8>, DecodeError> {
    let question = Question::decode(argument)?;
    let by_rsa = known.contains(&Algorithm::Rs256) && is_by_rsa(&question);
    let by_p256 = known.contains(&Algorithm::Es256) && is_by_p256(&question);
    let is_valid = question.hash == "sha256" && (by_rsa || by_p256);
    Ok(signature_verdict(is_valid))
}

/// The function's word for a signature that is valid, or is not.
pub fn signature_verdict(valid: bool) -> Vec<u8> {
    let error = if valid { "" } else { "Failed to verify" };
    let error = error.to_owned();
    Answer { valid, error }.encode_to_vec()
}

fn is_by_rsa(question: &Question) -> bool {
    let key = PublicKey::from_public_key_der(&question.public_key);
    let signature = rsa::pkcs1v15::Signature::try_from(&*question.signature);
    let (Ok(key), Ok(signature)) = (key, signature) else {
        return false;
    };
    let key = rsa::pkcs1v15::VerifyingKey::<Sha256>::new(key);
    key.verify(&question.text, &signature).is_ok()
}

fn is_by_p256(question: &Question) -> bool {
    let key = p256::ecdsa::VerifyingKey::from_public_key_der(&question.public_key);
    let signature = p256::ecdsa::DerSignature::try_from(&*question.signature);
    let (Ok(key), Ok(signature)) = (key, signature) else {
        return false;
    };
    key.verify(&question.text, &signature).is_ok()
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use p256::pkcs8::EncodePublicKey;
    use rsa::BoxedUint;

    use super::*;
    use crate::SigningKey;

    const TEXT: &[u8] = b"what is signed";

    fn asked(public_key: &[u8], signature: &[u8], text: &[u8], known: &[Algorithm]) -> bool {
        let question = Question {
            hash: "sha256".to_owned(),
            public_key: public_key.to_vec(),
            signature: signature.to_vec(),
            text: text.to_vec(),
        };
        let answer = verify_signature(&question.encode_to_vec(), known).unwrap();
        Answer::decode(&*answer).unwrap().valid
    }

    fn assert_verifies_its_own_alone(public_key: &[u8], signature: &[u8], algorithm: Algorithm) {
        let others = Algorithm::ALL.map(|any| (any != algorithm).then_some(any));
        let others: Vec<Algorithm> = others.into_iter().flatten().collect();
        assert!(asked(public_key, signature, TEXT, &[algorithm]));
        assert!(!asked(public_key, signature, b"another", &[algorithm]));
        assert!(!asked(public_key, signature, TEXT, &others));
    }

    fn member(key: &SigningKey, name: &str) -> Vec<u8> {
        let jwk = key.jwk();
        URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap()
    }

    #[test]
    fn what_an_rsa_key_signed_is_valid_for_whoever_knows_rsa_and_nothing_else() {
        let key = SigningKey::rs256("rsa");
        let number = |name| BoxedUint::from_be_slice_vartime(&member(&key, name));
        let public = PublicKey::new(number("n"), number("e")).unwrap();
        let public = public.to_public_key_der().unwrap().into_vec();
        assert_verifies_its_own_alone(&public, &key.sign(TEXT), Algorithm::Rs256);
    }

    #[test]
    fn what_a_key_on_p256_signed_is_valid_for_whoever_knows_p256_and_nothing_else() {
        let key = SigningKey::es256("p256");
        let point = [&[4], &*member(&key, "x"), &*member(&key, "y")].concat();
        let public = p256::PublicKey::from_sec1_bytes(&point).unwrap();
        let public = public.to_public_key_der().unwrap().into_vec();
        let signature = p256::ecdsa::Signature::from_slice(&key.sign(TEXT)).unwrap();
        let signature = signature.to_der();
        assert_verifies_its_own_alone(&public, signature.as_bytes(), Algorithm::Es256);
    }

    #[test]
    fn what_is_no_argument_of_the_function_is_a_fault() {
        assert!(verify_signature(b"\xff", &Algorithm::ALL).is_err());
    }
}
