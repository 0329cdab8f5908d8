//! That a report finds out a verifier that is wrong.

use hallpass_core::token::Algorithm;
use hallpass_core::token::signature::{PublicKey, SignatureFault, SignatureVerifier};
use hallpass_vectors::{Group, Report, groups};
use serde_json::json;

/// Says the same of every signature.
struct Always(Result<(), SignatureFault>);

impl SignatureVerifier for Always {
    fn verify(
        &self,
        _: Algorithm,
        _: &PublicKey,
        _: &[u8],
        _: &[u8],
    ) -> Result<(), SignatureFault> {
        self.0
    }
}

fn ed25519() -> Vec<Group> {
    let mut groups = groups();
    groups.retain(|group| group.algorithm == Algorithm::EdDsa);
    groups
}

/// How many cases ended as they must, the good and the bad, and how many did not.
fn counts(groups: &[Group], verdict: Result<(), SignatureFault>) -> [usize; 3] {
    let report = Report::of(groups, &Always(verdict));
    let tally = &report.algorithms["EdDSA"];
    [tally.accepted, tally.refused, tally.wrong.len()]
}

#[test]
fn who_accepts_or_refuses_everything_is_wrong_about_the_rest() {
    let groups = ed25519();
    let [good, _, accepted_bad] = counts(&groups, Ok(()));
    let [_, bad, refused_good] = counts(&groups, Err(SignatureFault::Invalid));
    assert!(good > 0 && bad > 0);
    assert_eq!((accepted_bad, refused_good), (bad, good));
}

#[test]
fn who_cannot_say_has_refused_nothing() {
    let groups = ed25519();
    let cases = groups.iter().map(|group| group.cases.len()).sum();
    let counts = counts(&groups, Err(SignatureFault::Unsupported));
    assert_eq!(counts, [0, 0, cases]);
}

#[test]
fn a_key_that_is_not_taken_is_wrong() {
    let mut groups = ed25519();
    groups.truncate(1);
    groups[0].jwk["x"] = json!("AQAB");
    let report = Report::of(&groups, &Always(Err(SignatureFault::Invalid)));
    let wrong = &report.algorithms["EdDSA"].wrong;
    assert_eq!(wrong.len(), 1);
    assert!(wrong[0].contains("the key is not taken"), "{wrong:?}");
}
