//! Signature vectors inside real Envoy: both backends, the proxy's cryptography and the module's own, must judge as pure Rust does natively.
//!
//! `HALLPASS_VECTORS` names the module that has them judged (`hallpass-vectors-module`).

use std::env;
use std::path::PathBuf;
use std::time::Duration;

use hallpass_core::token::Algorithm;
use hallpass_core::token::signature::PureRust;
use hallpass_envoy_tests::said_by_module;
use hallpass_vectors::{Assignment, Backend, Group, MARKER, Report, groups};

/// Thousands of signatures, on a machine that may be busy.
const PATIENCE: Duration = Duration::from_mins(5);

/// What the proxy's function verifies: there is no PSS in it and no Ed25519.
const OF_THE_HOST: [Algorithm; 6] = [
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::Es512,
];

#[test]
fn the_cryptography_of_the_proxy_judges_as_pure_rust_does_natively() {
    let mut groups = groups();
    groups.retain(|group| OF_THE_HOST.contains(&group.algorithm));
    assert_judged_as_natively(Backend::Host, groups, &OF_THE_HOST);
}

#[test]
fn pure_rust_in_wasm_judges_as_it_does_natively() {
    assert_judged_as_natively(Backend::Module, groups(), &Algorithm::ALL);
}

fn assert_judged_as_natively(backend: Backend, groups: Vec<Group>, algorithms: &[Algorithm]) {
    let natively = Report::of(&groups, &PureRust);
    let in_envoy = judged_in_envoy(&Assignment { backend, groups });
    in_envoy.assert_right_for(algorithms);
    assert_eq!(in_envoy, natively);
}

fn judged_in_envoy(assignment: &Assignment) -> Report {
    let module = env::var_os("HALLPASS_VECTORS").map(PathBuf::from);
    let module = module.expect(
        "HALLPASS_VECTORS is not set: it names the module that has vectors judged; `make test-envoy` sets it",
    );
    let assignment = serde_json::to_string(assignment).expect("text and numbers are JSON");
    let report = said_by_module(&module, &assignment, MARKER, PATIENCE);
    serde_json::from_str(&report).expect("the module writes its report as JSON")
}
