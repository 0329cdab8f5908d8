//! What one worker's contexts share: the gate, the requests that wait, and the questions under way.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use hallpass_core::config::AuditLog;
use hallpass_core::denial::Reason;
use hallpass_core::flight::{Flights, Joined};
use hallpass_core::flow::{Exchange, Gate, Need, Passage, Refusal, Step};
use hallpass_core::grant::service::Fact;
use hallpass_core::grant::{GrantOutcome, Query};
use hallpass_core::metrics::{Counter, Held};
use hallpass_core::time::UnixMillis;

use crate::callouts::{Callout, Purpose};
use crate::sinks::{self, Stats};

/// How many requests a worker holds at most, whatever they wait for: each keeps its headers. One more is refused.
const MAX_WAITING: usize = 4_096;
/// How many of these may wait for keys that their tokens name and nobody knows: anyone can write such a token, and must not take the room
/// of those who are known.
const MAX_WAITING_FOR_NEW_KEYS: usize = MAX_WAITING / 4;
/// How much later than its timeout a call is given up that the host never answers.
const GRACE: Duration = Duration::from_secs(1);

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
    pub(crate) stats: Stats,
    /// Whether some record or question needs the client's address.
    pub(crate) needs_source: bool,
    /// Calls under way, by the host's number, each with the moment at which it was sent.
    calls: HashMap<u32, (Purpose, UnixMillis)>,
    flights: Flights<Purpose, u32>,
    waiting: HashMap<u32, Waiting>,
    started: Started,
    asked: u64,
}

struct Waiting {
    exchange: Exchange,
    purpose: Purpose,
}

/// The request whose header callback runs right now: it is not held yet, so it cannot be resumed, only told.
#[derive(Default)]
enum Started {
    #[default]
    None,
    Running(u32),
    Settled(Box<(Exchange, Step)>),
}

/// A step after which nothing is left to wait for.
pub(crate) enum Outcome {
    Pass(Passage),
    Refuse(Refusal),
}

impl Worker {
    pub(crate) fn new(gate: Gate, stats: Stats) -> Self {
        let config = gate.config();
        let sends_source = config
            .grants
            .service
            .as_ref()
            .is_some_and(|service| service.facts.contains(&Fact::SourceIp));
        Self {
            needs_source: sends_source || config.audit != AuditLog::None,
            gate,
            calls: HashMap::new(),
            outbox: VecDeque::new(),
            stats,
            flights: Flights::new(MAX_WAITING),
            waiting: HashMap::new(),
            started: Started::None,
            asked: 0,
        }
    }

    /// Starts anew with `next`; what this worker remembers is gone.
    pub(crate) fn replace_by(&mut self, next: Self) {
        self.stats.holds(Held::default());
        *self = next;
    }

    /// Holds a request whose step is to wait; otherwise returns what it comes to.
    pub(crate) fn hold_or_settle(
        &mut self,
        id: u32,
        mut exchange: Exchange,
        mut step: Step,
        now: UnixMillis,
    ) -> Option<Outcome> {
        loop {
            let need = match step {
                Step::Continue(passage) => return Some(Outcome::Pass(passage)),
                Step::Respond(refusal) => return Some(Outcome::Refuse(refusal)),
                Step::Wait(need) => need,
            };
            let purpose = purpose_of(&need);
            if self.join(id, need, &exchange, now) {
                self.waiting.insert(id, Waiting { exchange, purpose });
                return None;
            }
            step = match purpose {
                Purpose::Keys(_) => exchange.without_keys(&mut self.gate, now),
                Purpose::Grant(_) => {
                    exchange.on_grant(&mut self.gate, &GrantOutcome::Overloaded, now)
                }
            };
        }
    }

    /// Whether the request is held.
    pub(crate) fn is_waiting(&self, id: u32) -> bool {
        self.waiting.contains_key(&id)
    }

    /// Joins the flight, or starts it. False when there is no room.
    fn join(&mut self, id: u32, need: Need, exchange: &Exchange, now: UnixMillis) -> bool {
        let wants_new_key = matches!(need, Need::NewKey(_));
        if self.waiting.len() >= MAX_WAITING
            || wants_new_key && self.waiting_for_keys() >= MAX_WAITING_FOR_NEW_KEYS
        {
            return false;
        }
        let purpose = purpose_of(&need);
        let callout = match need {
            Need::Keys(provider) | Need::NewKey(provider) => self.keys_callout(provider),
            Need::Grant(query) => self.grant_callout(&query, exchange.request_id()),
        };
        let Some(callout) = callout else { return false };
        let deadline = deadline(&callout, now);
        match self.flights.join(purpose, id, deadline) {
            Joined::First => {
                if let Purpose::Keys(provider) = purpose {
                    self.gate.fetch_started(provider, now);
                }
                self.outbox.push_back(callout);
                true
            }
            Joined::Waiting => {
                if matches!(purpose, Purpose::Grant(_)) {
                    self.stats.count(Counter::GrantCoalesced);
                }
                true
            }
            Joined::Full => false,
        }
    }

    fn waiting_for_keys(&self) -> usize {
        let providers = 0..self.gate.config().providers.len();
        providers
            .map(|provider| self.flights.waiters(&Purpose::Keys(provider)))
            .sum()
    }

    fn keys_callout(&self, provider: usize) -> Option<Callout> {
        let request = self.gate.keys_request(provider)?;
        Some(Callout::for_keys(provider, request))
    }

    fn grant_callout(&mut self, query: &Query, request_id: Option<&str>) -> Option<Callout> {
        let config = self.gate.config();
        let service = config.grants.service.as_ref()?;
        self.asked = self.asked.wrapping_add(1);
        let own_id = format!("hallpass-{}-{}", config.hash, self.asked);
        Some(Callout::for_grant(
            query,
            service,
            request_id.unwrap_or(&own_id),
        ))
    }

    /// The host took a call.
    pub(crate) fn call_sent(&mut self, call: u32, purpose: Purpose, now: UnixMillis) {
        self.calls.insert(call, (purpose, now));
    }

    /// The host answers a call: what it was for, unless it was given up before.
    pub(crate) fn call_ended(&mut self, call: u32, now: UnixMillis) -> Option<Purpose> {
        let (purpose, sent) = self.calls.remove(&call)?;
        self.stats.callout_took(now.since(sent));
        Some(purpose)
    }

    /// Queues fetches of the keys that are due.
    pub(crate) fn fetch_due_keys(&mut self, now: UnixMillis) {
        for provider in self.gate.due_keys(now) {
            self.gate.fetch_started(provider, now);
            self.ask_for_keys(provider, now);
        }
    }

    /// Queues the next question of a fetch that has started, with a deadline of its own.
    pub(crate) fn ask_for_keys(&mut self, provider: usize, now: UnixMillis) {
        if let Some(callout) = self.keys_callout(provider) {
            self.flights.start(callout.purpose, deadline(&callout, now));
            self.outbox.push_back(callout);
        }
    }

    /// Questions that the host should have answered long ago. Their calls are forgotten: a late answer is no answer.
    pub(crate) fn give_up_overdue(&mut self, now: UnixMillis) -> Vec<Purpose> {
        let overdue = self.flights.overdue(now);
        self.calls
            .retain(|_, (purpose, _)| !overdue.contains(purpose));
        overdue
    }

    /// Ends a flight and judges each of its waiters anew. Returns those that are done, with what they come to; the one whose header
    /// callback is still running is left for [`Worker::take_started`]. Without an outcome, the answer was about keys.
    pub(crate) fn land(
        &mut self,
        purpose: Purpose,
        outcome: Option<&GrantOutcome>,
        now: UnixMillis,
    ) -> Vec<(u32, Outcome)> {
        let mut done = Vec::new();
        for id in self.flights.land(&purpose) {
            let Some(Waiting { mut exchange, .. }) = self.waiting.remove(&id) else {
                continue;
            };
            let step = match outcome {
                None => exchange.on_keys(&mut self.gate, now),
                Some(outcome) => exchange.on_grant(&mut self.gate, outcome, now),
            };
            if matches!(self.started, Started::Running(running) if running == id) {
                self.started = Started::Settled(Box::new((exchange, step)));
            } else if let Some(outcome) = self.hold_or_settle(id, exchange, step, now) {
                done.push((id, outcome));
            }
        }
        done
    }

    /// The header callback of `id` is about to have its question dispatched.
    pub(crate) fn set_started(&mut self, id: u32) {
        self.started = Started::Running(id);
    }

    /// What was settled for that callback in the meantime, if anything was.
    pub(crate) fn take_started(&mut self) -> Option<(Exchange, Step)> {
        match std::mem::take(&mut self.started) {
            Started::Settled(settled) => Some(*settled),
            Started::None | Started::Running(_) => None,
        }
    }

    /// Every question under way, to be given up together.
    pub(crate) fn under_way(&self) -> Vec<Purpose> {
        self.flights.overdue(UnixMillis::new(u64::MAX))
    }

    /// Forgets a request whose client has gone. What it waited for goes on for the others.
    pub(crate) fn forget(&mut self, id: u32) {
        if let Some(gone) = self.waiting.remove(&id) {
            self.flights.leave(&gone.purpose, &id);
        }
    }

    /// Writes down what happened since this was last done.
    pub(crate) fn write_down(&mut self) {
        for counter in self.gate.take_counted() {
            self.stats.count(counter);
        }
        self.stats.holds(self.gate.held());
        for notice in self.gate.take_notices() {
            sinks::warn(&notice);
        }
    }
}

fn purpose_of(need: &Need) -> Purpose {
    match need {
        Need::Keys(provider) | Need::NewKey(provider) => Purpose::Keys(*provider),
        Need::Grant(query) => Purpose::Grant(query.key()),
    }
}

/// When a call is given up that the host never answers.
fn deadline(callout: &Callout, now: UnixMillis) -> UnixMillis {
    now.saturating_add(callout.timeout).saturating_add(GRACE)
}

/// Writes the record of an outcome, and says loudly when a request passes that nobody could check.
pub(crate) fn record(outcome: &Outcome) {
    match outcome {
        Outcome::Pass(passage) => {
            if passage.reason == Reason::GrantServiceFailedOpen {
                sinks::warn(
                    "the grant service cannot be reached, and `failure_mode` lets a request pass unchecked",
                );
            }
            sinks::audit(passage.audit.as_deref());
        }
        Outcome::Refuse(refusal) => sinks::audit(refusal.audit.as_deref()),
    }
}
