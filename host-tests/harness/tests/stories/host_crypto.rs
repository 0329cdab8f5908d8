//! The proxy's own cryptography: used where it proves itself, never trusted where it does not, and final where it is used.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use hallpass_harness::{Harness, HarnessBuilder};
use hallpass_tokens::{SigningKey, TokenBuilder, jwks, with_flipped_signature};
use p256::ecdsa::signature::Verifier;
use p256::pkcs8::DecodePublicKey;
use prost::Message;
use proxy_wasm_host::abi::v0_2_1::types::Status;

use crate::setup::{config_with, profile, refused};

const FUNCTION: &str = "verify_signature";

/// The argument of `verify_signature`, as Envoy declares it.
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

/// A host's function, as the harness takes it.
type Host = fn(&[u8]) -> Result<Vec<u8>, Status>;

fn answer(valid: bool) -> Vec<u8> {
    let error = if valid { "" } else { "Failed to verify" };
    Answer {
        valid,
        error: error.to_owned(),
    }
    .encode_to_vec()
}

/// A host that knows ECDSA on P-256, and says of all else what Envoy says of what it does not know.
fn is_valid(argument: &[u8]) -> bool {
    let question = Question::decode(argument).expect("the module asks in protobuf");
    let key = p256::ecdsa::VerifyingKey::from_public_key_der(&question.public_key);
    let signature = p256::ecdsa::DerSignature::try_from(&*question.signature);
    match (key, signature) {
        (Ok(key), Ok(signature)) if question.hash == "sha256" => {
            key.verify(&question.text, &signature).is_ok()
        }
        _ => false,
    }
}

fn keys() -> [SigningKey; 2] {
    [SigningKey::es256("ec"), SigningKey::rs256("rsa")]
}

fn start(builder: HarnessBuilder) -> Harness {
    let config = config_with(|config| {
        config["providers"][0]["jwks"]["inline"] = jwks(&keys().each_ref());
    });
    builder
        .start(config)
        .unwrap_or_else(|refused| panic!("{refused}"))
}

fn tokens() -> [String; 2] {
    keys().map(|key| TokenBuilder::for_user("alice").signed_by(&key))
}

#[track_caller]
fn assert_verifies(harness: &Harness) {
    for token in tokens() {
        harness.request(profile(&token)).forwarded();
        let forged = with_flipped_signature(&token);
        refused(
            &harness.request(profile(&forged)),
            401,
            "token_signature_invalid",
        );
    }
}

#[test]
fn a_host_is_asked_for_the_algorithms_that_it_proves_to_know_and_for_no_other() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let harness = start(
        Harness::builder().foreign_function(FUNCTION, move |argument| {
            count.fetch_add(1, Ordering::SeqCst);
            Ok(answer(is_valid(argument)))
        }),
    );
    assert!(harness.logged("signatures verified by the proxy: ES256; in the module: RS256"));
    assert_eq!(harness.metric("hallpass.signatures.host.ES256"), 1);
    assert_eq!(harness.metric("hallpass.signatures.host.RS256"), 0);
    let before = asked.load(Ordering::SeqCst);
    assert_verifies(&harness);
    let asked = asked.load(Ordering::SeqCst) - before;
    assert_eq!(asked, 2, "the good and the forged ES256 token");
}

#[test]
fn a_host_without_cryptography_leaves_it_to_the_module() {
    let harness = start(Harness::builder());
    assert!(harness.logged("signatures verified by the proxy: none"));
    assert_verifies(&harness);
}

#[test]
fn a_host_that_fails_the_self_test_is_never_asked_again() {
    let hosts: [(&str, Host); 5] = [
        ("says yes to everything", |_| Ok(answer(true))),
        ("says no to everything", |_| Ok(answer(false))),
        ("answers nothing", |_| Ok(Vec::new())),
        ("answers garbage", |_| Ok(vec![0xff; 40])),
        ("fails", |_| Err(Status::InternalFailure)),
    ];
    for (what, host) in hosts {
        let configured = Arc::new(AtomicBool::new(false));
        let over = configured.clone();
        let harness = start(
            Harness::builder().foreign_function(FUNCTION, move |argument| {
                assert!(
                    !over.load(Ordering::SeqCst),
                    "the host that {what} was asked"
                );
                host(argument)
            }),
        );
        configured.store(true, Ordering::SeqCst);
        assert!(
            harness.logged("signatures verified by the proxy: none"),
            "{what}"
        );
        assert_verifies(&harness);
    }
}

/// What a host that has passed the self-test says when it matters is not asked of anyone else.
#[test]
fn a_refusal_by_the_host_is_final() {
    let configured = Arc::new(AtomicBool::new(false));
    let over = configured.clone();
    let harness = start(
        Harness::builder().foreign_function(FUNCTION, move |argument| {
            if over.load(Ordering::SeqCst) {
                return Err(Status::InternalFailure);
            }
            Ok(answer(is_valid(argument)))
        }),
    );
    configured.store(true, Ordering::SeqCst);
    let [ec, rsa] = tokens();
    refused(
        &harness.request(profile(&ec)),
        401,
        "token_signature_invalid",
    );
    harness.request(profile(&rsa)).forwarded();
}
