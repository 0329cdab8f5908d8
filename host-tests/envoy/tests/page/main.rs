//! What people see in headless Chromium, through real Envoy. `make test-page` installs what that needs, and runs it.
//!
//! What must be seen is checked in the browser, by the scripts in `host-tests/page`; here are the worlds that they look at.

mod refusal;
mod walk;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs a script of `host-tests/page`, which leaves pictures in `target/page`.
#[track_caller]
fn check_in_browser(script: &str, world: &Value) {
    let checked = Command::new("node")
        .arg(root().join("host-tests/page").join(script))
        .arg(root().join("target/page"))
        .arg(world.to_string())
        .status()
        .expect("Node runs");
    assert!(checked.success(), "the browser found something, see above");
}
