//! The test's view of one worker of the proxy, and how it is set up.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;
use std::time::Duration;

use proxy_wasm_host::abi::v0_2_1::types::{LogLevel, Status};
use serde_json::Value;

use crate::module::CompiledModule;
use crate::streams::{ForeignFunction, property_key};
use crate::upstreams::{OpenCallout, Upstreams};
use crate::world::{Settings, WorkerIndex, World};
use crate::{Call, Cluster, Exchange, HostCalls, LogLine, Reply, Request};

/// When a harness starts unless a test says otherwise: 2026-09-21T14:13:20Z, in milliseconds since the Unix epoch.
pub const START: u64 = 1_790_000_000_000;

/// One worker of a scripted proxy with the module in it.
#[derive(Clone)]
pub struct Harness {
    world: Rc<World>,
    worker: WorkerIndex,
}

/// The module refused its configuration.
#[derive(Clone, Debug)]
pub struct Refused {
    /// What the module logged.
    pub log: Vec<LogLine>,
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the module refused its configuration:")?;
        self.log
            .iter()
            .try_for_each(|line| write!(formatter, "\n  {line}"))
    }
}

impl std::error::Error for Refused {}

/// Sets a harness up: the world as it is when the module starts.
pub struct HarnessBuilder {
    module: Option<Vec<u8>>,
    host_calls: HostCallsAre,
    unix_ms: u64,
    log_level: LogLevel,
    upstreams: Upstreams,
    properties: BTreeMap<Vec<u8>, Vec<u8>>,
    foreign_functions: BTreeMap<String, ForeignFunction>,
    callouts_time_out: bool,
    refuses_resets: bool,
    traps_are_outcomes: bool,
}

/// Whether the module is changed so that it tells of its calls.
#[derive(Clone, Copy)]
enum HostCallsAre {
    Counted,
    NotCounted,
}

impl Default for HarnessBuilder {
    fn default() -> Self {
        Self {
            module: None,
            host_calls: HostCallsAre::NotCounted,
            unix_ms: START,
            log_level: LogLevel::Info,
            upstreams: Upstreams::default(),
            properties: BTreeMap::new(),
            foreign_functions: BTreeMap::new(),
            callouts_time_out: true,
            refuses_resets: false,
            traps_are_outcomes: false,
        }
    }
}

impl HarnessBuilder {
    /// Starts the clock at this time, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn at(mut self, unix_ms: u64) -> Self {
        self.unix_ms = unix_ms;
        self
    }

    /// Scripts a cluster; one that is not mentioned exists and waits for the test.
    #[must_use]
    pub fn cluster(self, name: &str, cluster: Cluster) -> Self {
        self.upstreams.set_cluster(name, cluster);
        self
    }

    /// Offers a property to every context. Without this call there are none but `source.address`, when a request names its peer.
    #[must_use]
    pub fn property(mut self, path: &[&str], value: impl Into<Vec<u8>>) -> Self {
        let path: Vec<_> = path.iter().map(|segment| segment.as_bytes()).collect();
        self.properties.insert(property_key(&path), value.into());
        self
    }

    /// Offers a foreign function. Without this call there are none.
    #[must_use]
    pub fn foreign_function(
        mut self,
        name: &str,
        function: impl Fn(&[u8]) -> Result<Vec<u8>, Status> + Send + Sync + 'static,
    ) -> Self {
        self.foreign_functions
            .insert(name.to_owned(), std::sync::Arc::new(function));
        self
    }

    /// The log level that the module is told; lines below it are recorded all the same when the module writes them. The default is info.
    #[must_use]
    pub fn log_level(mut self, level: LogLevel) -> Self {
        self.log_level = level;
        self
    }

    /// Lets the proxy forget the callouts' timeouts, so that only the module's own watchdog ends them.
    #[must_use]
    pub fn without_callout_timeouts(mut self) -> Self {
        self.callouts_time_out = false;
        self
    }

    /// Lets the proxy refuse to reset streams, as one does that has no means to.
    #[must_use]
    pub fn refusing_resets(mut self) -> Self {
        self.refuses_resets = true;
        self
    }

    /// Makes a trap an [`Outcome`](crate::Outcome) instead of ending the test at once.
    #[must_use]
    pub fn traps_are_outcomes(mut self) -> Self {
        self.traps_are_outcomes = true;
        self
    }

    /// Runs these bytes instead of the shipped module. They must be a WebAssembly module.
    #[must_use]
    pub fn module(mut self, bytes: &[u8]) -> Self {
        self.module = Some(bytes.to_vec());
        self
    }

    /// Counts the module's calls of the host, for [`Harness::take_host_calls`].
    #[must_use]
    pub fn counting_host_calls(mut self) -> Self {
        self.host_calls = HostCallsAre::Counted;
        self
    }

    /// Starts the module with this configuration: text, or a JSON value.
    ///
    /// # Errors
    /// When the module refuses the configuration.
    ///
    /// # Panics
    /// When there is no module, or it is not one, or it traps while it starts.
    pub fn start(self, config: impl fmt::Display) -> Result<Harness, Refused> {
        let module = match (self.module, self.host_calls) {
            (None, HostCallsAre::NotCounted) => CompiledModule::shipped(),
            (None, HostCallsAre::Counted) => CompiledModule::shipped_counted(),
            (Some(bytes), HostCallsAre::NotCounted) => CompiledModule::compile(&bytes),
            (Some(bytes), HostCallsAre::Counted) => CompiledModule::compile_counted(&bytes),
        };
        let settings = Settings {
            module,
            config: config.to_string(),
            log_level: self.log_level,
            properties: self.properties,
            foreign_functions: self.foreign_functions,
            callouts_time_out: self.callouts_time_out,
            refuses_resets: self.refuses_resets,
            traps_are_outcomes: self.traps_are_outcomes,
        };
        let world = Rc::new(World::new(settings, self.unix_ms, self.upstreams));
        match world.start_worker() {
            Some(worker) => Ok(Harness { world, worker }),
            None => Err(Refused {
                log: world.log.lines(),
            }),
        }
    }
}

impl Harness {
    /// Starts the shipped module in a world of its own with this configuration: text, or a JSON value.
    ///
    /// # Errors
    /// When the module refuses the configuration.
    ///
    /// # Panics
    /// When there is no module, or it traps while it starts.
    pub fn start(config: impl fmt::Display) -> Result<Self, Refused> {
        Self::builder().start(config)
    }

    /// Sets a world up before the module starts in it.
    pub fn builder() -> HarnessBuilder {
        HarnessBuilder::default()
    }

    /// Another worker of the same proxy, with the same configuration: its own virtual machine, the same clock, services, shared store and records.
    ///
    /// # Panics
    /// When the module does not start a second time.
    #[must_use]
    pub fn second_worker(&self) -> Self {
        let worker = self
            .world
            .start_worker()
            .unwrap_or_else(|| panic!("the second worker was refused:{}", self.world.log));
        Self {
            world: Rc::clone(&self.world),
            worker,
        }
    }

    /// Gives the running module another configuration, as a proxy does that keeps its virtual machine.
    ///
    /// # Panics
    /// When the module refuses it.
    pub fn reconfigure(&self, config: impl fmt::Display) {
        let taken = self.world.configure(self.worker, &config.to_string());
        assert!(taken, "the configuration was refused:{}", self.world.log);
    }

    /// Ends the filter, as a proxy does that shuts down, or has another one in its place.
    pub fn end(&self) {
        self.world.end(self.worker);
    }

    /// Sends a request into the proxy. It goes as far as it can without the test's help.
    pub fn request(&self, request: Request) -> Exchange {
        let context = self.world.request(self.worker, request);
        Exchange::new(Rc::clone(&self.world), self.worker, context)
    }

    /// The time, in milliseconds since the Unix epoch.
    pub fn now(&self) -> u64 {
        self.world.clock.now()
    }

    /// Sets the clock, forwards or backwards, as a correction of the system's clock does: no timer fires and no callout times out.
    pub fn at(&self, unix_ms: u64) {
        self.world.clock.set(unix_ms);
    }

    /// Lets time pass. Timers of all workers fire and callouts time out on the way, each at its own time.
    pub fn advance(&self, by: Duration) {
        self.world.advance(by);
    }

    /// Fires the module's timer now.
    pub fn tick(&self) {
        self.world.tick(self.worker);
    }

    /// Changes how a cluster treats calls, those that are open included.
    pub fn set_cluster(&self, name: &str, cluster: Cluster) {
        self.world.upstreams.set_cluster(name, cluster);
    }

    /// The callouts of all workers that wait for an answer, oldest first.
    pub fn callouts(&self) -> Vec<Callout> {
        let open = self.world.upstreams.open().into_iter();
        open.map(|(id, call)| Callout {
            world: Rc::clone(&self.world),
            id,
            call,
        })
        .collect()
    }

    /// The one callout that waits for an answer.
    ///
    /// # Panics
    /// When none waits, or several.
    #[track_caller]
    pub fn callout(&self) -> Callout {
        let mut open = self.callouts();
        assert_eq!(
            open.len(),
            1,
            "expected one open callout: {open:?}{}",
            self.world.log
        );
        open.remove(0)
    }

    /// Every call to a cluster so far, oldest first, whatever became of it. Dispatches that the proxy refused are not among them.
    pub fn calls_to(&self, cluster: &str) -> Vec<Call> {
        self.world
            .upstreams
            .made()
            .into_iter()
            .filter(|call| call.cluster == cluster)
            .collect()
    }

    /// Every line that the module has logged.
    pub fn log(&self) -> Vec<LogLine> {
        self.world.log.lines()
    }

    /// Whether a line of the log contains this text.
    pub fn logged(&self, text: &str) -> bool {
        self.log().iter().any(|line| line.text.contains(text))
    }

    /// The decisions that the module recorded in its log, oldest first.
    ///
    /// # Panics
    /// When an audit line is not JSON.
    pub fn audit(&self) -> Vec<Value> {
        self.log().iter().flat_map(LogLine::audit).collect()
    }

    /// The counters and gauges that the module has defined, by name.
    pub fn metrics(&self) -> BTreeMap<String, u64> {
        self.world.store.values()
    }

    /// A counter or gauge; zero when the module has not defined it.
    pub fn metric(&self, name: &str) -> u64 {
        self.metrics().get(name).copied().unwrap_or(0)
    }

    /// What a histogram was given, in order.
    pub fn histogram(&self, name: &str) -> Vec<u64> {
        self.world.store.observations(name)
    }

    /// Every call of every worker's module into the host since this was last asked: those of its start, too, the first time.
    ///
    /// # Panics
    /// When they are not counted: see [`HarnessBuilder::counting_host_calls`].
    pub fn take_host_calls(&self) -> HostCalls {
        let calls = self.world.calls.as_ref();
        calls
            .expect("the harness was built to count host calls")
            .take()
    }

    /// Whether the worker's virtual machine still runs: `false` after a trap.
    pub fn is_alive(&self) -> bool {
        self.world.is_alive(self.worker)
    }
}

impl fmt::Debug for Harness {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "worker {}, its log:{}",
            self.worker, self.world.log
        )
    }
}

/// A call that waits for the test to answer it.
#[derive(Clone)]
pub struct Callout {
    world: Rc<World>,
    id: OpenCallout,
    call: Call,
}

impl Callout {
    /// Answers the call.
    ///
    /// # Panics
    /// When the call is no longer open.
    #[track_caller]
    pub fn reply(&self, reply: Reply) {
        assert!(
            self.world.reply(self.id, reply),
            "the call is no longer open: {:?}",
            self.call
        );
    }

    /// Answers the call with JSON.
    ///
    /// # Panics
    /// When the call is no longer open.
    #[track_caller]
    pub fn reply_json(&self, status: u16, body: &Value) {
        self.reply(Reply::json(status, body));
    }

    /// Fails the call as Envoy does: 503 for a connection that failed, 504 for a timeout, with headers and a body.
    ///
    /// # Panics
    /// When the call is no longer open.
    #[track_caller]
    pub fn fail_like_envoy(&self, status: u16) {
        self.reply(Reply::failed_like_envoy(status));
    }

    /// Fails the call as the ABI describes it: no header at all.
    ///
    /// # Panics
    /// When the call is no longer open.
    #[track_caller]
    pub fn fail_with_no_headers(&self) {
        self.reply(Reply::failed_without_headers());
    }
}

impl Deref for Callout {
    type Target = Call;

    fn deref(&self) -> &Call {
        &self.call
    }
}

impl fmt::Debug for Callout {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.call.fmt(formatter)
    }
}
