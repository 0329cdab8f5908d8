//! The module under test, compiled once for all tests of a process.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use proxy_wasm_host::abi::v0_2_1::{Guest, Host, VmServices};
use proxy_wasm_host::{Engine, Limits, Module};

use crate::calls::tell_of_calls;

/// The variable that names another module than the one `make build` makes.
const MODULE_VARIABLE: &str = "HALLPASS_MODULE";
const DEFAULT_MODULE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../dist/hallpass.wasm");

/// A callback that runs this long hangs. It is measured by the wall clock, so it is generous to a busy machine.
const CALLBACK_LIMIT: Duration = Duration::from_mins(2);

static RUNTIME: LazyLock<(Engine, Host)> = LazyLock::new(|| {
    let engine = Engine::new().expect("wasmtime accepts its default configuration");
    let host = Host::new(&engine).expect("the host functions link");
    (engine, host)
});

static SHIPPED: LazyLock<CompiledModule> = LazyLock::new(|| CompiledModule::compile(&shipped()));

static SHIPPED_COUNTED: LazyLock<CompiledModule> =
    LazyLock::new(|| CompiledModule::compile_counted(&shipped()));

fn shipped() -> Vec<u8> {
    let path = std::env::var_os(MODULE_VARIABLE)
        .map_or_else(|| PathBuf::from(DEFAULT_MODULE), PathBuf::from);
    std::fs::read(&path).unwrap_or_else(|fault| {
        let path = path.display();
        panic!("no module at {path} ({fault}): run `make build`, or name another with {MODULE_VARIABLE}")
    })
}

/// A module, ready to be instantiated in about a millisecond.
#[derive(Clone)]
pub(crate) struct CompiledModule {
    module: Module,
    /// The functions whose calls it tells of, if it does.
    told: Option<Arc<[String]>>,
}

impl CompiledModule {
    /// The module that `HALLPASS_MODULE` names, or else `dist/hallpass.wasm`.
    pub(crate) fn shipped() -> Self {
        SHIPPED.clone()
    }

    /// The same, and it tells of its calls.
    pub(crate) fn shipped_counted() -> Self {
        SHIPPED_COUNTED.clone()
    }

    pub(crate) fn compile(bytes: &[u8]) -> Self {
        let module = Module::new(&RUNTIME.0, bytes)
            .unwrap_or_else(|fault| panic!("the module does not compile: {fault:?}"));
        Self { module, told: None }
    }

    pub(crate) fn compile_counted(bytes: &[u8]) -> Self {
        let (bytes, names) = tell_of_calls(bytes);
        Self {
            told: Some(names.into()),
            ..Self::compile(&bytes)
        }
    }

    /// The functions of the host whose calls it tells of, in the order of their numbers.
    pub(crate) fn told(&self) -> Option<Arc<[String]>> {
        self.told.clone()
    }

    pub(crate) fn instantiate(&self, services: VmServices) -> Guest {
        let limits = Limits::default().with_cpu_time(CALLBACK_LIMIT);
        Guest::new(&RUNTIME.1, &self.module, services, &limits)
            .unwrap_or_else(|fault| panic!("the module does not instantiate: {fault:?}"))
    }
}
