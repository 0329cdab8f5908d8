//! The proxy's own cryptography: used where it proves itself, never trusted where it does not, and final where it is used.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use hallpass_harness::{Harness, HarnessBuilder};
use hallpass_tokens::{
    Algorithm, SigningKey, TokenBuilder, VERIFY_SIGNATURE, jwks, signature_verdict,
    verify_signature, with_flipped_signature,
};
use proxy_wasm_host::abi::v0_2_1::types::Status;

use crate::setup::{config_with, profile, refused};

/// A host's function, as the harness takes it.
type Host = fn(&[u8]) -> Result<Vec<u8>, Status>;

/// A host that knows ECDSA on P-256 and nothing else.
fn knows_p256(argument: &[u8]) -> Vec<u8> {
    verify_signature(argument, &[Algorithm::Es256]).expect("the module asks in protobuf")
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
        Harness::builder().foreign_function(VERIFY_SIGNATURE, move |argument| {
            count.fetch_add(1, Ordering::SeqCst);
            Ok(knows_p256(argument))
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
        ("says yes to everything", |_| Ok(signature_verdict(true))),
        ("says no to everything", |_| Ok(signature_verdict(false))),
        ("answers nothing", |_| Ok(Vec::new())),
        ("answers garbage", |_| Ok(vec![0xff; 40])),
        ("fails", |_| Err(Status::InternalFailure)),
    ];
    for (what, host) in hosts {
        let configured = Arc::new(AtomicBool::new(false));
        let over = configured.clone();
        let harness = start(Harness::builder().foreign_function(
            VERIFY_SIGNATURE,
            move |argument| {
                assert!(
                    !over.load(Ordering::SeqCst),
                    "the host that {what} was asked"
                );
                host(argument)
            },
        ));
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
        Harness::builder().foreign_function(VERIFY_SIGNATURE, move |argument| {
            if over.load(Ordering::SeqCst) {
                return Err(Status::InternalFailure);
            }
            Ok(knows_p256(argument))
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
