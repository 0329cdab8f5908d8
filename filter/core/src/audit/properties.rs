//! The decision as properties of its request, from which the proxy's own access log can print it.
//!
//! An access log is text whose form the operator chooses, and the proxy writes values into it as they are. So a value is written as it
//! would stand within the quotes of a JSON text: nobody's name ends the line, nor the quotes that the operator puts around it.

use super::Record;
use super::line::escaped;

/// Names, each one segment, and values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Properties(Box<[(&'static str, String)]>);

impl Properties {
    pub(super) fn of(record: &Record<'_>) -> Self {
        let facts = [
            ("hallpass_decision", Some(record.decision)),
            (
                "hallpass_enforced",
                Some(if record.enforced { "true" } else { "false" }),
            ),
            ("hallpass_reason", Some(record.reason)),
            ("hallpass_subject", record.subject),
            ("hallpass_issuer", record.issuer),
            ("hallpass_resource", record.resource),
            ("hallpass_action", record.action),
            ("hallpass_grant_id", record.grant_id),
            ("hallpass_grant_expires", record.grant_expires.as_deref()),
        ];
        let known = facts.into_iter();
        Self(
            known
                .filter_map(|(name, value)| Some((name, escaped(value?))))
                .collect(),
        )
    }

    /// Each property's name and value.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::denial::Reason;
    use crate::time::UnixMillis;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn what_is_not_known_is_left_out_and_no_value_ends_a_line_or_its_quotes() {
        let mut record = Record::new(Reason::GrantMissing, "c0ffee", UnixMillis::new(0));
        record.subject = Some("mallory\"\n127.0.0.1 \"alice\u{2028}");
        let properties = Properties::of(&record);
        let told: Vec<_> = properties.iter().collect();
        assert_eq!(
            told,
            [
                ("hallpass_decision", "deny"),
                ("hallpass_enforced", "true"),
                ("hallpass_reason", "grant_missing"),
                ("hallpass_subject", r#"mallory\"\n127.0.0.1 \"alice\u2028"#),
            ]
        );
    }
}
