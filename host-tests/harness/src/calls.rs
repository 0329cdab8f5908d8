//! Counts what a module asks of its host: every call of every function that it imports, whatever serves it.
//!
//! The host crate shows its embedder some calls and serves others by itself, so they are counted where they are made: in the module's bytes,
//! each imported function is replaced by one that tells of the call and then makes it. It tells by a line of the log at the level of traces,
//! at which the shipped module writes nothing; the line's length is the function's number, so that it needs no memory of the module's.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use proxy_wasm_host::abi::v0_2_1::types::LogLevel;
use proxy_wasm_host::abi::v0_2_1::{LogContext, LogSink};
use walrus::{FunctionId, Module, ValType};

use crate::records::Log;

/// How often a module called each function of its host, by the function's name without `proxy_`.
pub type HostCalls = BTreeMap<String, u64>;

/// The module's bytes with every call told of, and the names of the functions in the order of their numbers, which begin with 1.
///
/// # Panics
/// When the bytes are no module.
pub(crate) fn tell_of_calls(bytes: &[u8]) -> (Vec<u8>, Vec<String>) {
    let mut module = Module::from_buffer(bytes).expect("the bytes are a module");
    let imported: Vec<(FunctionId, String, String)> = module
        .imports
        .iter()
        .filter_map(|import| match import.kind {
            walrus::ImportKind::Function(id) => {
                Some((id, import.module.clone(), import.name.clone()))
            }
            _ => None,
        })
        .collect();
    let line = [ValType::I32, ValType::I32, ValType::I32];
    let line = module.types.add(&line, &[ValType::I32]);
    let (log, _) = module.add_import_func("env", "proxy_log", line);
    let mut names = Vec::new();
    for (told, from, name) in imported {
        let ty = module.funcs.get(told).ty();
        let (original, _) = module.add_import_func(&from, &name, ty);
        names.push(name.trim_start_matches("proxy_").to_owned());
        let number = i32::try_from(names.len()).expect("imports can be counted");
        module
            .replace_imported_func(told, |(body, arguments)| {
                body.i32_const(i32::from(LogLevel::Trace))
                    .i32_const(0)
                    .i32_const(number)
                    .call(log)
                    .drop();
                for argument in arguments {
                    body.local_get(*argument);
                }
                body.call(original);
            })
            .expect("it is an imported function");
    }
    (module.emit_wasm(), names)
}

/// A log that takes what a module tells of its calls out of the lines, and counts it.
#[derive(Clone)]
pub(crate) struct CallLog {
    log: Log,
    names: Arc<[String]>,
    calls: Arc<Mutex<HostCalls>>,
}

impl CallLog {
    pub(crate) fn new(log: Log, names: Arc<[String]>) -> Self {
        Self {
            log,
            names,
            calls: Arc::default(),
        }
    }

    /// What was counted since this was last asked.
    pub(crate) fn take(&self) -> HostCalls {
        std::mem::take(&mut *self.calls.lock().expect("no sink panicked"))
    }
}

impl LogSink for CallLog {
    fn log(&self, context: LogContext<'_>, level: LogLevel, message: &[u8]) {
        if level != LogLevel::Trace {
            return self.log.log(context, level, message);
        }
        let number = message.len().checked_sub(1);
        let name = number.and_then(|index| self.names.get(index));
        let name = name.expect("a line at the level of traces tells of a call");
        let mut calls = self.calls.lock().expect("no sink panicked");
        *calls.entry(name.clone()).or_default() += 1;
    }
}
