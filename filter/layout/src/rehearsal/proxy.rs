//! A proxy with one worker, as far as a rehearsal needs one: it has a scripted clock, calls the module's callbacks as Envoy does for
//! requests without a body, and answers the module's questions at once. Its clock does not tick: ticks are few beside requests.

mod host;
mod memory;
mod request;

use std::collections::{HashMap, VecDeque};

use anyhow::{Context, Result, bail, ensure};
use hallpass_tokens::NOW;
use wasmi::{Engine, Instance, Linker, Module, Store, TypedFunc, WasmParams, WasmResults};

pub(crate) use request::{Course, Outcome, Request};

use crate::profile::Profile;

/// The context of the worker.
const ROOT: u32 = 1;
/// There is none above it.
const NOBODY: u32 = 0;
/// The module waits, and the request with it.
const PAUSE: u32 = 1;
/// How much later each request comes: a busy worker's.
const BETWEEN_REQUESTS_NANOS: u64 = 100_000;

/// What the module can ask about.
pub(crate) struct World {
    now_nanos: u64,
    configuration: Vec<u8>,
    /// The headers of the request, and those of the answer that has arrived.
    headers: Vec<u8>,
    reply_headers: Vec<u8>,
    reply_body: Vec<u8>,
    /// The questions that no answer has come to.
    calls: VecDeque<u32>,
    last_call: u32,
    /// How many signatures it has had verified.
    verifications: u32,
    last_metric: u32,
    shared: HashMap<Vec<u8>, Vec<u8>>,
    /// What the module has said of the request.
    outcome: Option<Outcome>,
    log: Vec<String>,
    counts: bool,
    profile: Profile,
}

/// The proxy with the module in it.
pub(crate) struct Proxy {
    store: Store<World>,
    instance: Instance,
    last_context: u32,
}

impl Proxy {
    /// Starts it with a module that counts, and adds to the profile what is counted.
    ///
    /// # Errors
    /// When the module does not start, or refuses its configuration.
    pub(crate) fn start(counting: &[u8], configuration: &str, profile: Profile) -> Result<Self> {
        let now_nanos = NOW.unsigned_abs() * 1_000_000_000;
        let world = World {
            now_nanos,
            configuration: configuration.as_bytes().to_vec(),
            headers: Vec::new(),
            reply_headers: Vec::new(),
            reply_body: Vec::new(),
            calls: VecDeque::new(),
            last_call: 0,
            verifications: 0,
            last_metric: 0,
            shared: HashMap::new(),
            outcome: None,
            log: Vec::new(),
            counts: false,
            profile,
        };
        let engine = Engine::default();
        let module = Module::new(&engine, counting)?;
        let mut store = Store::new(&engine, world);
        let mut linker = Linker::new(&engine);
        host::define(&mut linker)?;
        let instance = linker.instantiate_and_start(&mut store, &module)?;
        let mut proxy = Self {
            store,
            instance,
            last_context: ROOT,
        };
        proxy.call::<_, ()>("proxy_on_context_create", (ROOT, NOBODY))?;
        proxy.call::<_, u32>("proxy_on_vm_start", (ROOT, 0_u32))?;
        let size = u32::try_from(configuration.len())?;
        let accepted: u32 = proxy.call("proxy_on_configure", (ROOT, size))?;
        ensure!(
            accepted != 0,
            "it refuses its configuration:\n{}",
            proxy.log()
        );
        Ok(proxy)
    }

    /// Whether what runs is counted from now on.
    pub(crate) fn count(&mut self, counts: bool) {
        self.store.data_mut().counts = counts;
    }

    /// A request from its first header to its end.
    ///
    /// # Errors
    /// When the module traps, or never says what is to become of it.
    pub(crate) fn handle(&mut self, request: &Request) -> Result<Course> {
        self.last_context += 1;
        let id = self.last_context;
        let world = self.store.data_mut();
        world.now_nanos += BETWEEN_REQUESTS_NANOS;
        world.headers = request.encoded(id);
        world.outcome = None;
        let (questions, verifications) = (world.last_call, world.verifications);
        self.call::<_, ()>("proxy_on_context_create", (id, ROOT))?;
        let headers = request.number_of_headers();
        let action: u32 = self.call("proxy_on_request_headers", (id, headers, 1_u32))?;
        let outcome = match action {
            PAUSE => self.await_outcome()?,
            _ => Outcome::Passed,
        };
        self.call::<_, ()>("proxy_on_delete", id)?;
        let world = self.store.data();
        Ok(Course {
            outcome,
            questions: world.last_call - questions,
            verifications: world.verifications - verifications,
        })
    }

    /// What the module has said to the proxy's log.
    pub(crate) fn log(&self) -> String {
        self.store.data().log.join("\n")
    }

    /// What has been counted.
    pub(crate) fn into_profile(self) -> Profile {
        self.store.into_data().profile
    }

    /// Answers the module's questions until it says what is to become of the request.
    fn await_outcome(&mut self) -> Result<Outcome> {
        loop {
            let world = self.store.data_mut();
            if let Some(outcome) = world.outcome.take() {
                return Ok(outcome);
            }
            let Some(call) = world.calls.pop_front() else {
                bail!("it has a request wait for nothing:\n{}", self.log());
            };
            let (number, headers, body) = request::reply();
            let size = u32::try_from(body.len())?;
            world.reply_headers = headers;
            world.reply_body = body;
            self.call::<_, ()>(
                "proxy_on_http_call_response",
                (ROOT, call, number, size, 0_u32),
            )?;
        }
    }

    fn call<P: WasmParams, R: WasmResults>(&mut self, name: &str, with: P) -> Result<R> {
        let callback: TypedFunc<P, R> = self.instance.get_typed_func(&self.store, name)?;
        let result = callback.call(&mut self.store, with);
        result.with_context(|| format!("{name}; the module's log:\n{}", self.log()))
    }
}
