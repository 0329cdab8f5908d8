//! The scripted world of one proxy: the clock, the services, the records, and the workers in it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proxy_wasm_host::abi::v0_2_1::types::{Action, LogLevel};
use proxy_wasm_host::abi::v0_2_1::{ContextId, LogSink, SharedServices, VmServices};

use crate::calls::CallLog;
use crate::clock::ScriptedClock;
use crate::module::CompiledModule;
use crate::records::Log;
use crate::store::Store;
use crate::streams::{ForeignFunction, Phase, Stream, Streams};
use crate::upstreams::{OpenCallout, Upstreams};
use crate::worker::{Fault, Start, Worker};
use crate::{Headers, Reply, Request};

/// Which worker of the world.
pub(crate) type WorkerIndex = usize;

/// What is decided before the first worker starts.
pub(crate) struct Settings {
    pub(crate) module: CompiledModule,
    pub(crate) config: String,
    pub(crate) log_level: LogLevel,
    pub(crate) properties: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(crate) foreign_functions: BTreeMap<String, ForeignFunction>,
    pub(crate) callouts_time_out: bool,
    pub(crate) refuses_resets: bool,
    pub(crate) traps_are_outcomes: bool,
}

/// A proxy and everything around it.
pub(crate) struct World {
    pub(crate) clock: Arc<ScriptedClock>,
    pub(crate) log: Log,
    /// Counts the calls of a module that tells of them.
    pub(crate) calls: Option<CallLog>,
    pub(crate) store: Arc<Store>,
    pub(crate) upstreams: Upstreams,
    settings: Settings,
    workers: RefCell<Vec<Worker>>,
}

/// Something that happens by itself when its time has come.
enum Event {
    Tick(WorkerIndex),
    Timeout(OpenCallout),
}

impl World {
    pub(crate) fn new(settings: Settings, unix_ms: u64, upstreams: Upstreams) -> Self {
        let log = Log::default();
        let told = settings.module.told();
        Self {
            clock: Arc::new(ScriptedClock::new(unix_ms)),
            calls: told.map(|names| CallLog::new(log.clone(), names)),
            log,
            store: Arc::new(Store::default()),
            upstreams,
            settings,
            workers: RefCell::new(Vec::new()),
        }
    }

    /// Starts another worker; `None` when the module refuses its configuration.
    pub(crate) fn start_worker(&self) -> Option<WorkerIndex> {
        let index = self.workers.borrow().len();
        let sink: Arc<dyn LogSink> = match &self.calls {
            Some(calls) => Arc::new(calls.clone()),
            None => Arc::new(self.log.clone()),
        };
        let services = VmServices::new(sink)
            .with_clock(Arc::clone(&self.clock) as _)
            .with_shared(Arc::clone(&self.store) as Arc<dyn SharedServices>)
            .with_callouts(self.upstreams.of_worker(index, Arc::clone(&self.clock)))
            .with_log_level(self.settings.log_level)
            .with_vm_id("hallpass");
        let guest = self.settings.module.instantiate(services);
        let mut streams = Streams::default();
        streams.refuses_resets = self.settings.refuses_resets;
        streams.properties.clone_from(&self.settings.properties);
        streams
            .foreign_functions
            .clone_from(&self.settings.foreign_functions);
        match Worker::start(guest, streams, &self.settings.config, self.clock.now()) {
            Ok(Start::Serving(worker)) => self.workers.borrow_mut().push(*worker),
            Ok(Start::Refused) => return None,
            Err(fault) => panic!("{fault}\nits log:{}", self.log),
        }
        self.settle();
        Some(index)
    }

    /// Gives a running worker another configuration; whether its module takes it.
    pub(crate) fn configure(&self, worker: WorkerIndex, config: &str) -> bool {
        let outcome = self.workers.borrow_mut()[worker].configure(self.clock.now(), config);
        let taken = self.accept(outcome);
        self.settle();
        taken == Some(true)
    }

    pub(crate) fn is_alive(&self, worker: WorkerIndex) -> bool {
        self.workers.borrow()[worker].is_alive()
    }

    /// Reads one stream, past ones included.
    pub(crate) fn stream<R>(
        &self,
        worker: WorkerIndex,
        context: ContextId,
        read: impl FnOnce(&Stream) -> R,
    ) -> R {
        let workers = self.workers.borrow();
        read(
            workers[worker]
                .streams
                .get(context)
                .expect("a handle names a stream of its world"),
        )
    }

    pub(crate) fn request(&self, worker: WorkerIndex, request: Request) -> ContextId {
        let (context, outcome) =
            self.workers.borrow_mut()[worker].request(self.clock.now(), request);
        self.accept(outcome);
        self.settle();
        context.unwrap_or_else(|| panic!("the worker has died: {}", self.log))
    }

    /// The upstream answers a forwarded request. What the client sees is left in the stream.
    pub(crate) fn upstream_answers(
        &self,
        worker: WorkerIndex,
        context: ContextId,
        response: Headers,
    ) {
        let now = self.clock.now();
        let outcome = {
            let worker = &mut self.workers.borrow_mut()[worker];
            if let Some(stream) = worker.streams.get_mut(context) {
                stream.response = response;
            }
            worker.response_headers(now, context)
        };
        self.accept(outcome);
        self.end_stream(worker, context);
        self.settle();
    }

    /// A piece of the body arrives: whether the module lets it go on.
    pub(crate) fn request_body(&self, worker: WorkerIndex, context: ContextId, bytes: u32) -> bool {
        let now = self.clock.now();
        let said = self.workers.borrow_mut()[worker].request_body(now, context, bytes);
        self.accept(said) == Some(Action::Continue)
    }

    /// The trailers arrive: whether the module lets them go on.
    pub(crate) fn request_trailers(
        &self,
        worker: WorkerIndex,
        context: ContextId,
        trailers: Headers,
    ) -> bool {
        let now = self.clock.now();
        let said = {
            let worker = &mut self.workers.borrow_mut()[worker];
            if let Some(stream) = worker.streams.get_mut(context) {
                stream.trailers = trailers;
            }
            worker.request_trailers(now, context)
        };
        self.accept(said) == Some(Action::Continue)
    }

    pub(crate) fn hang_up(&self, worker: WorkerIndex, context: ContextId) {
        if let Some(stream) = self.workers.borrow_mut()[worker].streams.get_mut(context) {
            stream.phase = Phase::HungUp;
        }
        self.end_stream(worker, context);
        self.settle();
    }

    /// Answers an open callout; `false` when it is no longer open.
    pub(crate) fn reply(&self, callout: OpenCallout, reply: Reply) -> bool {
        let open = self.deliver(callout, reply);
        self.settle();
        open
    }

    pub(crate) fn end(&self, worker: WorkerIndex) {
        let outcome = self.workers.borrow_mut()[worker].end(self.clock.now());
        self.accept(outcome);
    }

    pub(crate) fn tick(&self, worker: WorkerIndex) {
        let outcome = self.workers.borrow_mut()[worker].tick(self.clock.now());
        self.accept(outcome);
        self.settle();
    }

    /// Lets time pass: timers fire and callouts time out on the way, each at its own time.
    pub(crate) fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_millis()).expect("a test does not run for ages");
        let target = self.clock.now().saturating_add(by);
        while let Some((time, event)) = self.next_event(target) {
            self.clock.set(time.max(self.clock.now()));
            match event {
                Event::Tick(worker) => self.tick(worker),
                Event::Timeout(callout) => {
                    self.reply(callout, Reply::failed_like_envoy(504));
                }
            }
        }
        self.clock.set(target);
    }

    fn next_event(&self, until: u64) -> Option<(u64, Event)> {
        let workers = self.workers.borrow();
        let ticks = workers
            .iter()
            .enumerate()
            .filter_map(|(index, worker)| Some((worker.tick_due()?, Event::Tick(index))));
        let open = if self.settings.callouts_time_out {
            self.upstreams.open()
        } else {
            Vec::new()
        };
        let timeouts = open
            .into_iter()
            .map(|(callout, call)| (call.deadline(), Event::Timeout(callout)));
        timeouts
            .chain(ticks)
            .filter(|(time, _)| *time <= until)
            .min_by_key(|(time, _)| *time)
    }

    /// Does what follows by itself after a callback: scripted services answer, and streams that got an answer end.
    fn settle(&self) {
        loop {
            if let Some((callout, reply)) = self.upstreams.next_scripted() {
                self.deliver(callout, reply);
            } else if let Some((worker, context)) = self.next_answered() {
                self.finish_answered(worker, context);
            } else {
                break;
            }
        }
    }

    fn deliver(&self, callout: OpenCallout, reply: Reply) -> bool {
        let open = self.upstreams.close(callout);
        if open && self.is_alive(callout.worker) {
            let now = self.clock.now();
            let response = reply.into_response();
            let outcome =
                self.workers.borrow_mut()[callout.worker].callout_ends(now, callout, response);
            self.accept(outcome);
        }
        open
    }

    fn next_answered(&self) -> Option<(WorkerIndex, ContextId)> {
        let workers = self.workers.borrow();
        workers
            .iter()
            .enumerate()
            .find_map(|(index, worker)| Some((index, worker.streams.next_answered()?)))
    }

    /// The proxy sends the module's answer through the module's own response callback, as Envoy does, and ends the stream.
    fn finish_answered(&self, worker: WorkerIndex, context: ContextId) {
        let now = self.clock.now();
        if self.stream(worker, context, |stream| {
            matches!(stream.phase, Phase::Answered(_))
        }) {
            let outcome = self.workers.borrow_mut()[worker].response_headers(now, context);
            self.accept(outcome);
            if let Some(stream) = self.workers.borrow_mut()[worker].streams.get_mut(context)
                && let Phase::Answered(answer) = &mut stream.phase
            {
                answer.headers = stream.response.clone();
                answer.headers.discard(b":status");
            }
        }
        self.end_stream(worker, context);
    }

    fn end_stream(&self, worker: WorkerIndex, context: ContextId) {
        let ended = self.workers.borrow_mut()[worker].end_stream(self.clock.now(), context);
        for id in self.accept(ended).into_iter().flatten() {
            self.upstreams.close(OpenCallout { worker, id });
        }
    }

    /// A fault of the module ends the test, unless it is a trap that the test asked to see.
    fn accept<R>(&self, outcome: Result<R, Fault>) -> Option<R> {
        match outcome {
            Ok(value) => Some(value),
            Err(Fault::Trap(_)) if self.settings.traps_are_outcomes => None,
            Err(fault) => panic!("{fault}\nits log:{}", self.log),
        }
    }
}
