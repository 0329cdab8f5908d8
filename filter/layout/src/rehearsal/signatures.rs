//! The proxy's own cryptography, which Envoy offers to modules as the foreign function `verify_signature`: RSA (PKCS #1 v1.5) and ECDSA on
//! P-256, with SHA-256, which is what most tokens are signed with. Of anything else it says that it is not valid, as Envoy does of what it
//! does not know.

use p256::ecdsa::signature::Verifier;
use p256::pkcs8::DecodePublicKey;
use prost::Message;
use rsa::PublicKey;
use sha2::Sha256;

/// The foreign function's name.
pub(super) const FUNCTION: &[u8] = b"verify_signature";

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
}

/// What the function says.
///
/// # Errors
/// When the argument is not the function's.
pub(super) fn verify(argument: &[u8]) -> Result<Vec<u8>, prost::DecodeError> {
    let question = Question::decode(argument)?;
    let valid = question.hash == "sha256" && (is_by_rsa(&question) || is_by_p256(&question));
    Ok(Answer { valid }.encode_to_vec())
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
    use hallpass_tokens::SigningKey;
    use p256::pkcs8::EncodePublicKey;
    use rsa::BoxedUint;

    use super::*;

    const TEXT: &[u8] = b"what is signed";

    fn is_valid(public_key: &[u8], signature: &[u8], text: &[u8]) -> bool {
        let question = Question {
            hash: "sha256".to_owned(),
            public_key: public_key.to_vec(),
            signature: signature.to_vec(),
            text: text.to_vec(),
        };
        let answer = verify(&question.encode_to_vec()).unwrap();
        Answer::decode(&*answer).unwrap().valid
    }

    fn member(key: &SigningKey, name: &str) -> Vec<u8> {
        let jwk = key.jwk();
        URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap()
    }

    #[test]
    fn what_an_rsa_key_signed_is_valid_and_nothing_else() {
        let key = SigningKey::rs256("rsa");
        let number = |name| BoxedUint::from_be_slice_vartime(&member(&key, name));
        let public = PublicKey::new(number("n"), number("e")).unwrap();
        let public = public.to_public_key_der().unwrap().into_vec();
        assert!(is_valid(&public, &key.sign(TEXT), TEXT));
        assert!(!is_valid(&public, &key.sign(TEXT), b"something else"));
    }

    #[test]
    fn what_a_key_on_p256_signed_is_valid_and_nothing_else() {
        let key = SigningKey::es256("p256");
        let point = [&[4], &*member(&key, "x"), &*member(&key, "y")].concat();
        let public = p256::PublicKey::from_sec1_bytes(&point).unwrap();
        let public = public.to_public_key_der().unwrap().into_vec();
        let signature = p256::ecdsa::Signature::from_slice(&key.sign(TEXT)).unwrap();
        let signature = signature.to_der();
        assert!(is_valid(&public, signature.as_bytes(), TEXT));
        assert!(!is_valid(&public, signature.as_bytes(), b"something else"));
    }

    #[test]
    fn what_is_no_argument_of_the_function_is_a_fault() {
        assert!(verify(b"\xff").is_err());
    }
}
