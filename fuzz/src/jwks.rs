//! Target `jwks`: what an issuer serves as its keys, and as the document that says where they are.

use std::collections::HashSet;

use hallpass_core::ids::Issuer;
use hallpass_core::jwks::{Discovery, Key, KeySet, ParsedSet};
use hallpass_core::token::Algorithm;
use hallpass_core::token::signature::{PureRust, SignatureVerifier};
use serde_json::Value;

use crate::{Reached, promise, world};

/// Lengths that a signature may have: Ed25519 and P-256, P-384, P-521, and the RSA keys that are in use.
const SIGNATURE_BYTES: [usize; 6] = [64, 96, 132, 256, 384, 512];

/// Reads a JWK set and verifies with every key of it, and reads the same bytes as the document that says where the keys are.
///
/// # Panics
/// When a key is lost without a word, serves for what it is not for, or verifies what nobody signed; when a document leads to another
/// server than the issuer's.
pub fn jwks(document: &[u8]) -> Reached {
    match discovery(document) {
        Reached::Accepted => Reached::Accepted,
        Reached::Unread | Reached::Refused => key_set(document),
    }
}

fn discovery(document: &[u8]) -> Reached {
    let issuer = Issuer::new(world::LAX);
    let discovery = Discovery::new(&issuer, None).expect("the issuer is a URL");
    match discovery.read(document) {
        Ok(address) => {
            assert_eq!(address.authority, discovery.document().authority);
            assert!(address.path.starts_with('/'), "{}", address.path);
            promise::header_value(":path", &address.path);
            let document: Value = serde_json::from_slice(document).expect("JSON");
            assert_eq!(document["issuer"], world::LAX);
            Reached::Accepted
        }
        Err(fault) => {
            promise::one_line(&fault);
            Reached::Unread
        }
    }
}

fn key_set(document: &[u8]) -> Reached {
    let ParsedSet { keys, skipped } = match KeySet::parse(document) {
        Ok(parsed) => parsed,
        Err(fault) => {
            promise::one_line(&fault);
            return Reached::Unread;
        }
    };
    let document: Value = serde_json::from_slice(document).expect("a key set is JSON");
    let elements = document["keys"].as_array().expect("with an array of keys");
    assert!(!keys.is_empty(), "a set without a key that can be used");
    assert_eq!(keys.len() + skipped.len(), elements.len());
    for (index, fault) in &skipped {
        promise::one_line(&fault.to_string());
        assert!(*index < elements.len());
    }
    let places: HashSet<usize> = skipped.iter().map(|(index, _)| *index).collect();
    assert_eq!(places.len(), skipped.len(), "one fault for each key");
    for (index, element) in elements.iter().enumerate() {
        assert!(
            places.contains(&index) || is_public(element),
            "a private key is taken: {element}"
        );
    }
    check_selection(&keys, elements);
    if skipped.is_empty() {
        Reached::Accepted
    } else {
        Reached::Refused
    }
}

fn is_public(key: &Value) -> bool {
    ["d", "k", "p", "q"]
        .iter()
        .all(|member| key.get(member).is_none())
}

fn check_selection(keys: &KeySet, elements: &[Value]) {
    let ids: HashSet<&str> = elements
        .iter()
        .filter_map(|key| key["kid"].as_str())
        .collect();
    for algorithm in Algorithm::ALL {
        let named = ids.iter().map(|id| Some(*id));
        for id in named.chain([None]) {
            if let Ok(key) = keys.select(id, algorithm) {
                assert!(key.allows(algorithm));
                check_forgery(key, algorithm);
            }
        }
        if !ids.contains("nobody's") {
            assert!(keys.select(Some("nobody's"), algorithm).is_err());
        }
    }
}

/// Zeros are nobody's signature: for RSA, for ECDSA (CVE-2022-21449) and for Ed25519, of whatever length.
fn check_forgery(key: &Key, algorithm: Algorithm) {
    for length in SIGNATURE_BYTES {
        let verdict = PureRust.verify(algorithm, key.public_key(), b"message", &vec![0; length]);
        assert!(verdict.is_err(), "{algorithm}: zeros are a signature");
    }
}
