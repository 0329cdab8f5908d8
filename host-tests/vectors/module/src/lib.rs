//! A proxy-wasm module that judges signature vectors inside the proxy: with the proxy's own cryptography, or with what the filter brings.
//!
//! Its configuration is an [`Assignment`]; as soon as it has it, it writes one line to the log: [`MARKER`], and a [`Report`] as JSON.

use hallpass_core::token::signature::host::{FUNCTION, HostVerifier};
use hallpass_core::token::signature::{PureRust, SignatureVerifier};
use hallpass_vectors::{Assignment, Backend, MARKER, Report};
use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, RootContext};
use proxy_wasm::types::LogLevel;

struct Judge;

impl Context for Judge {}

impl RootContext for Judge {
    fn on_configure(&mut self, _size: usize) -> bool {
        let configuration = self.get_plugin_configuration().unwrap_or_default();
        match serde_json::from_slice::<Assignment>(&configuration) {
            Ok(assignment) => {
                let report = Report::of(&assignment.groups, &*verifier(assignment.backend));
                let report = serde_json::to_string(&report).expect("names and numbers are JSON");
                write(LogLevel::Info, &format!("{MARKER}{report}"));
                true
            }
            Err(fault) => {
                write(LogLevel::Error, &format!("not an assignment: {fault}"));
                false
            }
        }
    }
}

fn verifier(backend: Backend) -> Box<dyn SignatureVerifier> {
    match backend {
        Backend::Host => Box::new(HostVerifier::new(verify_signature)),
        Backend::Module => Box::new(PureRust),
    }
}

fn verify_signature(arguments: &[u8]) -> Option<Vec<u8>> {
    hostcalls::call_foreign_function(FUNCTION, Some(arguments))
        .ok()
        .flatten()
}

fn write(level: LogLevel, line: &str) {
    hostcalls::log(level, line).expect("the host takes lines for its log");
}

#[allow(missing_docs, reason = "the macro's function is for the host alone")]
mod entry {
    use super::{Judge, LogLevel};

    proxy_wasm::main! {{
        proxy_wasm::set_log_level(LogLevel::Info);
        proxy_wasm::set_root_context(|_| Box::new(Judge));
    }}
}
