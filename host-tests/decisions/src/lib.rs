//! The decision table: what must become of a request, for everyone who decides.
//!
//! Each [`Case`] is a whole world: a configuration, a time, a request, and what the issuer's keys and the grant service are like. The
//! harness runs it through the module, the tests of the program `hallpass` through `hallpass explain`; both must come to what the case
//! expects, so the program cannot explain what the filter does not do.

mod case;
mod conditions;
mod grants;
mod requests;
mod service;
mod tokens;

pub use case::{Case, Expected, Keys, Service, published};

/// The whole table.
pub fn cases() -> Vec<Case> {
    [
        requests::cases(),
        tokens::cases(),
        conditions::cases(),
        grants::cases(),
        service::cases(),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_case_has_a_name_of_its_own() {
        let cases = cases();
        let names: HashSet<&str> = cases.iter().map(|case| case.name).collect();
        assert_eq!(names.len(), cases.len());
        assert!(cases.len() >= 60, "{}", cases.len());
    }
}
