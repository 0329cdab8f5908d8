//! Which compiler builds here, and for what: two of them make different instructions of the same source.

use std::process::Command;

use anyhow::{Context, Result, ensure};

/// The compiler that cargo would use, with its version and what it builds for.
pub(crate) fn version() -> Result<String> {
    let program = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(program)
        .arg("-vV")
        .output()
        .context("cannot ask rustc for its version")?;
    ensure!(output.status.success(), "rustc does not tell its version");
    told(&String::from_utf8_lossy(&output.stdout)).context("rustc tells its version in a new way")
}

fn told(text: &str) -> Option<String> {
    let host = text.lines().find_map(|line| line.strip_prefix("host: "))?;
    Some(format!("{} for {host}", text.lines().next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compiler_is_told_by_version_and_machine() {
        let text = "rustc 1.96.0 (abc 2026-05-25)\nbinary: rustc\nhost: x86_64-unknown-linux-gnu\nrelease: 1.96.0\n";
        let expected = "rustc 1.96.0 (abc 2026-05-25) for x86_64-unknown-linux-gnu";
        assert_eq!(told(text).as_deref(), Some(expected));
        assert_eq!(told("rustc 1.96.0\n"), None);
    }
}
