//! The table, by what is odd about a row.

mod escapes;
mod headers;
mod hosts;
mod segments;
mod targets;

use crate::Row;

/// Every row.
pub fn rows() -> Vec<Row> {
    let rooms = [
        segments::rows(),
        escapes::rows(),
        targets::rows(),
        hosts::rows(),
        headers::rows(),
    ];
    rooms.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::{Outcome, Proxy, is_guarded};

    #[test]
    fn there_are_many_rows_and_each_has_a_name_of_its_own() {
        let names: HashSet<String> = rows().into_iter().map(|row| row.name).collect();
        assert_eq!(names.len(), rows().len());
        assert!(names.len() >= 70, "{}", names.len());
    }

    #[test]
    fn no_row_expects_what_is_guarded_to_go_upstream() {
        for row in rows() {
            for proxy in [Proxy::Absent, Proxy::Bare, Proxy::Normalising] {
                if let Outcome::Upstream { host, target } = row.expected(proxy) {
                    assert!(!is_guarded(host, target.as_bytes()), "{}", row.name);
                }
            }
        }
    }
}
