//! One request: its header callback becomes steps of the core, and the steps become host calls.

use hallpass_core::audit::Written;
use hallpass_core::denial::{Answer, AnswerContext, Reason};
use hallpass_core::flow::{Exchange, Refusal, Stream};
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use crate::host;
use crate::sinks;
use crate::worker::{Outcome, Shared, Worker, record};

/// A request in the hands of its worker.
pub(crate) struct Request {
    id: u32,
    root: u32,
    worker: Option<Shared>,
}

impl Request {
    /// A request of `root`. Without a worker there is no configuration, and it is refused.
    pub(crate) fn new(id: u32, root: u32, worker: Option<Shared>) -> Self {
        Self { id, root, worker }
    }

    /// Judges the request; `None` when it is held.
    fn judge(&self, worker: &Shared, ends_here: bool) -> Option<Outcome> {
        let now = host::now();
        let (outcome, has_question) = worker.with(|worker| {
            let mut exchange = Exchange::new(host::request_head(worker.wanted, ends_here));
            let step = exchange.start(&mut worker.gate, now);
            let outcome = worker.hold_or_settle(self.id, exchange, step, now);
            worker.ask_again(now);
            let has_question = outcome.is_none() && !worker.outbox.is_empty();
            (outcome, has_question)
        });
        if has_question {
            self.dispatch(worker)
        } else {
            outcome
        }
    }

    /// Has the root send what is in the outbox; `None` when the request is held until the answer comes.
    fn dispatch(&self, worker: &Shared) -> Option<Outcome> {
        worker.with(|worker| worker.set_started(self.id));
        if !host::tick_from_request(self.root, self.id) {
            let now = host::now();
            return worker.with(|worker| {
                worker.take_started();
                let given_up = worker.give_up(self.id, now);
                given_up.or_else(|| Some(Outcome::Refuse(unanswerable())))
            });
        }
        let now = host::now();
        worker.with(|worker| {
            let (exchange, step) = worker.take_started()?;
            worker.hold_or_settle(self.id, exchange, step, now)
        })
    }
}

impl Request {
    fn hold_while_waiting(&self) -> Action {
        let waits = |worker: &Shared| worker.with(|worker| worker.is_held(self.id));
        if self.worker.as_ref().is_some_and(waits) {
            Action::Pause
        } else {
            Action::Continue
        }
    }
}

impl HttpContext for Request {
    fn on_http_request_headers(&mut self, _headers: usize, end_of_stream: bool) -> Action {
        let Some(worker) = &self.worker else {
            return refuse(&unanswerable());
        };
        let outcome = self.judge(worker, end_of_stream);
        worker.with(Worker::write_down);
        match outcome {
            None => Action::Pause,
            Some(outcome) => perform(self.id, outcome, worker),
        }
    }

    /// A host may be configured to go on reading while the headers are held; what it read must not release them.
    fn on_http_request_body(&mut self, _size: usize, _end_of_stream: bool) -> Action {
        self.hold_while_waiting()
    }

    /// Trailers reach some upstreams as headers, so nobody may speak for the filter in them either.
    fn on_http_request_trailers(&mut self, _trailers: usize) -> Action {
        if let Some(worker) = &self.worker {
            let config = worker.with(|worker| worker.gate.config());
            // What cannot be read cannot be taken out.
            let Some(trailers) = host::request_trailers() else {
                return refuse(&unanswerable());
            };
            let mut protected = trailers
                .iter()
                .map(|(name, _)| name)
                .filter(|name| config.headers.protects(name));
            if !protected.all(host::remove_trailer) {
                return refuse(&unanswerable());
            }
        }
        self.hold_while_waiting()
    }
}

impl Context for Request {}

/// The SDK drops a request's context when the host deletes it: its client has its answer, or has gone.
impl Drop for Request {
    fn drop(&mut self) {
        if let Some(worker) = &self.worker {
            worker.with(|worker| worker.forget(self.id));
        }
    }
}

/// Does what the outcome says to the effective request `id`, records it, and returns what its header callback has to say.
pub(crate) fn perform(id: u32, outcome: Outcome, worker: &Shared) -> Action {
    match outcome {
        Outcome::Pass(passage) => {
            if !host::apply(&passage.edits) {
                // Whoever does not pass is not recorded as one who did.
                sinks::error(
                    "the proxy would not change a request's headers, so the request is refused",
                );
                return refuse(&unanswerable());
            }
            record(passage.reason, passage.audit, worker);
            if let Some(stream) = passage.stream.filter(Stream::is_cut) {
                let until = stream.until();
                worker.with(|worker| worker.streams.open(id, stream, until));
            }
            Action::Continue
        }
        Outcome::Refuse(mut refusal) => {
            let audit = std::mem::take(&mut refusal.audit);
            worker.with(|worker| worker.record(audit));
            refuse(&refusal)
        }
    }
}

fn refuse(refusal: &Refusal) -> Action {
    host::respond(&refusal.answer, refusal.reason.as_str());
    Action::Pause
}

/// What a request gets that cannot be judged at all: without a configuration, or by a host that does not do its part.
pub(crate) fn unanswerable() -> Refusal {
    let reason = Reason::GrantServiceUnavailable;
    Refusal {
        answer: Answer::refusal(reason, &AnswerContext::default()),
        reason,
        audit: Written::default(),
    }
}
