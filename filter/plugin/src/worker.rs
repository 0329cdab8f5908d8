//! What one worker's contexts share: the gate, the requests that wait, and the questions under way.

mod asking;
mod calls;
mod exporting;
mod held;
mod pace;
mod questions;
mod recording;
mod room;
mod tick;

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use hallpass_core::audit::export::Exporter;
use hallpass_core::audit::{PendingLines, Written};
use hallpass_core::config::AuditLog;
use hallpass_core::denial::Reason;
use hallpass_core::flight::Flights;
use hallpass_core::flow::{Exchange, Gate, Passage, Refusal, Step, Stream};
use hallpass_core::grant::gathering::GatheringRules;
use hallpass_core::grant::service::Fact;
use hallpass_core::grant::{Gathering, GrantOutcome};
use hallpass_core::streams::OpenStreams;
use hallpass_core::time::UnixMillis;

use crate::callouts::{Callout, Enquiry, Purpose};
use crate::host::{self, Wanted};
use crate::sinks::{self, Stats};
use asking::{MAX_WAITING, asker_of, purpose_of};
use calls::Calls;
use pace::Pace;
use room::{HeldRequest, HeldRequests, Waiting};
use tick::Tick;

pub(crate) use tick::HURRY;

/// The worker in the hands of several contexts of one thread.
#[derive(Clone)]
pub(crate) struct Shared(Rc<RefCell<Worker>>);

impl Shared {
    pub(crate) fn new(worker: Worker) -> Self {
        Self(Rc::new(RefCell::new(worker)))
    }

    /// Uses the worker. `work` must not reach for it a second time, and must make no host call that runs another callback: that would
    /// be a trap. A closure makes the borrow end where it is seen to end.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut Worker) -> R) -> R {
        work(&mut self.0.borrow_mut())
    }
}

/// A worker's state.
pub(crate) struct Worker {
    pub(crate) gate: Gate,
    pub(crate) outbox: VecDeque<Callout>,
    /// Questions to the grant service that have not left yet.
    gathering: Gathering<Enquiry>,
    /// Those that were put together and are under way, by the number of their call.
    batches: HashMap<u64, Vec<Enquiry>>,
    /// The number of the last of these calls.
    put_together: u64,
    /// Questions that nobody waits for: they leave a few at a time.
    background: VecDeque<Enquiry>,
    pub(crate) stats: Stats,
    pace: Pace,
    /// What some record, question or condition needs to know of each request.
    pub(crate) wanted: Wanted,
    /// Audit lines that wait for others, if they are to.
    pending: Option<PendingLines>,
    /// Records on their way to a collector, if there is one.
    exporter: Option<Exporter>,
    /// Requests that have passed and are cut if they are still open at their end.
    pub(crate) streams: OpenStreams<u32, Box<Stream>>,
    /// The host would not cut a stream, and the log says so.
    pub(crate) told_uncut: bool,
    calls: Calls,
    /// When the log said last that the host has no room for calls.
    told_full: Option<UnixMillis>,
    flights: Flights<Purpose, u32>,
    held: HeldRequests,
    /// Whose turn it is among the held, in their order.
    ready: VecDeque<u32>,
    /// Those of them that were judged before the configuration was replaced.
    settled: VecDeque<u32>,
    /// When the root is called next to look after all this.
    pub(crate) tick: Tick,
    started: Started,
}

/// The request whose header callback runs right now: it is not held yet, so it cannot be resumed, only told.
#[derive(Default)]
enum Started {
    #[default]
    None,
    Running(u32),
    Settled(Box<Exchange>, Step),
}

/// A step after which nothing is left to wait for.
pub(crate) enum Outcome {
    Pass(Box<Passage>),
    Refuse(Box<Refusal>),
}

impl Worker {
    pub(crate) fn new(gate: Gate, stats: Stats) -> Self {
        let config = gate.config();
        let batch = config
            .grants
            .service
            .as_ref()
            .and_then(|service| service.batch.as_ref());
        let rules = batch.map_or(GatheringRules::EACH_BY_ITSELF, |batch| batch.rules);
        let sends_source = config
            .grants
            .service
            .as_ref()
            .is_some_and(|service| service.facts.contains(&Fact::SourceIp));
        Self {
            wanted: Wanted {
                source: sends_source
                    || config.audit.log != AuditLog::None
                    || config.audit.otlp.is_some()
                    || config.policy.needs_source(),
                only_peers: config.trusted_hops.are_some(),
                certificate: config.policy.needs_certificate(),
            },
            pending: config.audit.flush_interval.map(PendingLines::new),
            exporter: config
                .audit
                .otlp
                .clone()
                .map(|otlp| Exporter::new(otlp, &host::node_id())),
            gate,
            streams: OpenStreams::default(),
            told_uncut: false,
            calls: Calls::default(),
            told_full: None,
            outbox: VecDeque::new(),
            gathering: Gathering::new(rules),
            batches: HashMap::new(),
            put_together: 0,
            background: VecDeque::new(),
            stats,
            pace: Pace::default(),
            flights: Flights::new(MAX_WAITING),
            held: HeldRequests::default(),
            ready: VecDeque::new(),
            settled: VecDeque::new(),
            tick: Tick::at_once(),
            started: Started::None,
        }
    }

    /// Starts anew with `next`; what this worker remembers is gone. Requests that it let through are still cut at their end, and those
    /// that it judged are still told.
    pub(crate) fn replace_by(&mut self, mut next: Self) {
        self.stats.leave();
        next.gate = next.gate.succeeding(&mut self.gate);
        let mut before = std::mem::replace(self, next);
        before.write_last_lines();
        self.take_over_exports(&mut before);
        self.calls
            .adopt(before.calls.take(|call| call.purpose.is_question()));
        // What happened has happened.
        before.stats.tell_spans();
        for (counter, count) in before.gate.take_counted() {
            self.gate.count_many(counter, count);
        }
        self.streams = before.streams;
        self.told_uncut = before.told_uncut;
        // They are held by the host, and wait to be told.
        self.held = before.held;
        self.ready = before.settled;
    }

    /// It is over, and nobody comes after it who would do what is left: lines that wait are written, records that wait are counted as
    /// dropped, and what it held is held no longer.
    pub(crate) fn end(&mut self) {
        self.write_last_lines();
        self.abandon_exports();
        self.tell_figures();
        self.stats.leave();
    }

    /// Holds a request whose step is to wait; otherwise returns what it comes to.
    pub(crate) fn hold_or_settle(
        &mut self,
        id: u32,
        mut exchange: Box<Exchange>,
        mut step: Step,
        now: UnixMillis,
    ) -> Option<Outcome> {
        loop {
            let need = match step {
                Step::Continue(passage) => return Some(Outcome::Pass(passage)),
                Step::Respond(refusal) => return Some(Outcome::Refuse(refusal)),
                Step::Wait(need) => need,
            };
            let (purpose, asker) = (purpose_of(&need), asker_of(&need, &exchange));
            if self.has_room_for(&need, asker) && self.join(id, need, &exchange, now) {
                let waiting = Waiting {
                    exchange,
                    purpose,
                    asker,
                };
                self.held.insert(id, HeldRequest::Waiting(waiting));
                return None;
            }
            step = self.without_answer(&mut exchange, purpose, now);
        }
    }

    /// The header callback of `id` is about to have its question dispatched.
    pub(crate) fn set_started(&mut self, id: u32) {
        self.started = Started::Running(id);
    }

    /// What was settled for that callback in the meantime, if anything was.
    pub(crate) fn take_started(&mut self) -> Option<(Box<Exchange>, Step)> {
        match std::mem::take(&mut self.started) {
            Started::Settled(exchange, step) => Some((exchange, step)),
            Started::None | Started::Running(_) => None,
        }
    }

    /// Judges a request whose question cannot be put by what is known; `None` if it is not held.
    pub(crate) fn give_up(&mut self, id: u32, now: UnixMillis) -> Option<Outcome> {
        let Some(HeldRequest::Waiting(mut waiting)) = self.held.remove(id) else {
            return None;
        };
        self.stop_waiting(id, &waiting);
        let step = self.without_answer(&mut waiting.exchange, waiting.purpose, now);
        self.hold_or_settle(id, waiting.exchange, step, now)
    }

    /// What a request comes to that cannot wait for what it needs.
    fn without_answer(
        &mut self,
        exchange: &mut Exchange,
        purpose: Purpose,
        now: UnixMillis,
    ) -> Step {
        match purpose {
            // No request waits for records to arrive.
            Purpose::Keys(_) | Purpose::Export => exchange.without_keys(&mut self.gate, now),
            Purpose::Revocations => exchange.without_revocations(&mut self.gate, now),
            Purpose::Grant(_) | Purpose::Grants(_) => {
                exchange.on_grant(&mut self.gate, &GrantOutcome::GivenUp, now)
            }
        }
    }

    /// Forgets a request that is over, or whose client has gone. What it waited for goes on for the others, if it has begun.
    pub(crate) fn forget(&mut self, id: u32) {
        self.streams.close(&id);
        // Nearly always nobody is held, and then there is nothing to look up.
        if self.held.is_empty() {
            return;
        }
        if let Some(HeldRequest::Waiting(waiting)) = self.held.remove(id) {
            self.stop_waiting(id, &waiting);
        }
    }

    /// Writes down what happened since this was last done: what an operator should know at once, audit lines that have waited for others,
    /// and figures unless very many come.
    pub(crate) fn write_down(&mut self, now: UnixMillis) {
        for notice in self.gate.take_notices() {
            sinks::warn(&notice);
        }
        self.write_due_lines(now);
        if self.pace.allows(now) {
            self.tell_figures();
        }
    }

    /// Tells the proxy what was counted.
    pub(crate) fn tell_figures(&mut self) {
        for (counter, count) in self.gate.take_counted() {
            self.stats.add(counter, count);
        }
        self.stats.tell_spans();
        self.stats.holds(self.gate.held());
        self.stats.open_streams(self.streams.len());
    }
}

/// Writes the record of a request that passes, and says loudly when nobody could check it.
pub(crate) fn record(
    reason: Reason,
    written: Option<Box<Written>>,
    worker: &Shared,
    now: UnixMillis,
) {
    if reason == Reason::GrantServiceFailedOpen {
        sinks::warn(
            "the grant service cannot be reached, and `failure_mode` lets a request pass unchecked",
        );
    }
    if let Some(written) = written {
        worker.with(|worker| worker.record(*written, now));
    }
}
