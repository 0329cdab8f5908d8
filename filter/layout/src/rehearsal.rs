//! Requests as they come to a proxy, each in the share that speaks for what matters: what is counted of them is what the code is laid out by.

mod lesson;
mod proxy;
mod users;

use anyhow::{Context, Result};

use crate::profile::Profile;
use lesson::lessons;
use proxy::Proxy;

/// What ran in a rehearsal with this module, which counts.
///
/// # Errors
/// When the module traps, or a request goes otherwise than it is to: then what ran was not what was to be rehearsed.
pub(crate) fn profile_of(counting: &[u8]) -> Result<Profile> {
    let mut profile = Profile::default();
    for lesson in lessons() {
        profile = lesson
            .given(counting, profile)
            .with_context(|| lesson.name.to_owned())?;
    }
    Ok(profile)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes every configuration, and lets every request through.
    const CARELESS: &str = r#"(module
        (memory (export "memory") 1)
        (func (export "malloc") (param i32) (result i32) (i32.const 1024))
        (func (export "proxy_on_vm_start") (param i32 i32) (result i32) (i32.const 1))
        (func (export "proxy_on_configure") (param i32 i32) (result i32) (i32.const 1))
        (func (export "proxy_on_context_create") (param i32 i32))
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (i32.const 0))
        (func (export "proxy_on_delete") (param i32)))"#;

    fn fault(module: &str) -> String {
        let module = wat::parse_str(module).unwrap();
        format!("{:#}", profile_of(&module).unwrap_err())
    }

    #[test]
    fn a_request_that_becomes_something_else_than_it_is_to_ends_the_rehearsal() {
        let fault = fault(CARELESS);
        let expected = "without audit lines: no token: a request was let through (questions to the grant service: 0, signatures verified by the proxy: 0), and was to be answered 401";
        assert!(fault.starts_with(expected), "{fault}");
    }

    #[test]
    fn a_module_that_traps_ends_the_rehearsal_by_the_callback() {
        let fault = fault(&CARELESS.replace(
            r#""proxy_on_request_headers") (param i32 i32 i32) (result i32) (i32.const 0)"#,
            r#""proxy_on_request_headers") (param i32 i32 i32) (result i32) (unreachable)"#,
        ));
        let expected = "without audit lines: a known token: proxy_on_request_headers";
        assert!(fault.starts_with(expected), "{fault}");
    }

    #[test]
    fn a_module_that_refuses_its_configuration_ends_the_rehearsal() {
        let fault = fault(&CARELESS.replace(
            r#""proxy_on_configure") (param i32 i32) (result i32) (i32.const 1)"#,
            r#""proxy_on_configure") (param i32 i32) (result i32) (i32.const 0)"#,
        ));
        assert!(
            fault.starts_with("without audit lines: it refuses its configuration"),
            "{fault}"
        );
    }
}
