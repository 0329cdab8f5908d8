//! An Envoy that serves nothing: it loads one wasm module, which does its work when it is configured, and writes what came of it to the log.

use std::path::Path;
use std::time::Duration;

use hallpass_demo::config::EnvoyConfig;
use hallpass_demo::envoy::{Envoy, built};
use serde_json::json;

use crate::proxy::{directory, program};

/// Loads `module` with `configuration`, and returns the rest of the first line in Envoy's log that has `marker` in it.
///
/// # Panics
/// When no such line comes within `patience`.
pub fn said_by_module(
    module: &Path,
    configuration: &str,
    marker: &str,
    patience: Duration,
) -> String {
    let module = built("module", module).unwrap_or_else(|fault| panic!("{fault:#}"));
    let directory = directory();
    let config = EnvoyConfig::from(json!({ "bootstrap_extensions": [{
        "name": "envoy.bootstrap.wasm",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.wasm.v3.WasmService",
            // One VM, on the main thread: the work is done once.
            "singleton": true,
            "config": {
                "name": "lone",
                "vm_config": { "runtime": "envoy.wasm.runtime.v8", "code": { "local": { "filename": module } } },
                "configuration": { "@type": "type.googleapis.com/google.protobuf.StringValue", "value": configuration },
            },
        },
    }] }));
    let envoy = Envoy::start(&program(), &config, 1, directory.path())
        .unwrap_or_else(|fault| panic!("{fault:#}"));
    let said = envoy.log().await_line(patience, |line| {
        line.split_once(marker).map(|(_, said)| said.to_owned())
    });
    said.unwrap_or_else(|| {
        let log = envoy.log().so_far().join("\n");
        panic!("the module said nothing after {patience:?}; Envoy's log:\n{log}")
    })
}
