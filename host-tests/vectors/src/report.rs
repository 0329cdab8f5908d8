//! What a verifier made of the cases.

use std::collections::BTreeMap;

use hallpass_core::jwks::KeySet;
use hallpass_core::token::Algorithm;
use hallpass_core::token::signature::{PublicKey, SignatureFault, SignatureVerifier};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{Case, Expected, Group};

/// What became of the cases, by the name of their algorithm.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Report {
    /// A tally for each algorithm that had cases.
    pub algorithms: BTreeMap<String, Tally>,
}

/// How many cases ended as they must, and which did not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Good signatures that were accepted.
    pub accepted: usize,
    /// Bad ones that were refused.
    pub refused: usize,
    /// The set, the name and the fate of every other case.
    pub wrong: Vec<String>,
}

impl Report {
    /// Has `verifier` judge every case, with the key that the filter makes of the JWK.
    pub fn of(groups: &[Group], verifier: &dyn SignatureVerifier) -> Self {
        let mut report = Self::default();
        for group in groups {
            let tally = report.algorithms.entry(group.algorithm.name().to_owned());
            tally.or_default().judge(group, verifier);
        }
        report
    }

    /// Asserts that every case of `algorithms` ended as it must, and that each had good and bad ones.
    ///
    /// # Panics
    /// When it is not so.
    pub fn assert_right_for(&self, algorithms: &[Algorithm]) {
        let wrong: Vec<_> = self
            .algorithms
            .values()
            .flat_map(|tally| &tally.wrong)
            .collect();
        assert!(
            wrong.is_empty(),
            "{} cases are wrong: {wrong:#?}",
            wrong.len()
        );
        for algorithm in algorithms {
            let tally = self.algorithms.get(algorithm.name());
            let both = tally.is_some_and(|tally| tally.accepted > 0 && tally.refused > 0);
            assert!(both, "{algorithm} has not been tried: {tally:?}");
        }
    }
}

impl Tally {
    fn judge(&mut self, group: &Group, verifier: &dyn SignatureVerifier) {
        match import(group) {
            Ok(key) => {
                for case in &group.cases {
                    let verdict =
                        verifier.verify(group.algorithm, &key, &case.message, &case.signature);
                    self.count(group, case, verdict);
                }
            }
            // A signature that was never looked at has not been refused.
            Err(fault) => self
                .wrong
                .push(format!("{}: the key is not taken: {fault}", group.set)),
        }
    }

    fn count(&mut self, group: &Group, case: &Case, verdict: Result<(), SignatureFault>) {
        match (case.expected, verdict) {
            (Expected::Accept, Ok(())) => self.accepted += 1,
            (Expected::Refuse, Err(SignatureFault::Invalid)) => self.refused += 1,
            (_, verdict) => {
                let Group { set, .. } = group;
                let Case { name, .. } = case;
                self.wrong.push(format!("{set} {name}: {verdict:?}"));
            }
        }
    }
}

/// The key as the filter reads it from a key set, and chooses it for a token.
fn import(group: &Group) -> Result<PublicKey, String> {
    let parsed = KeySet::from_value(&json!({ "keys": [group.jwk] }))?;
    if let Some((_, fault)) = parsed.skipped.first() {
        return Err(fault.to_string());
    }
    let key = parsed.keys.select(None, group.algorithm);
    key.map(|key| key.public_key().clone())
        .map_err(|fault| format!("{fault:?}"))
}
