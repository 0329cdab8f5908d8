//! One request: its header callback becomes steps of the core, and the steps become host calls.

use hallpass_core::denial::{Answer, AnswerContext, Reason};
use hallpass_core::flow::Exchange;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

use crate::host;
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
    fn judge(&self, worker: &Shared) -> Option<Outcome> {
        let now = host::now();
        let (outcome, has_question) = worker.with(|worker| {
            let mut exchange = Exchange::new(host::request_head(worker.needs_source));
            let step = exchange.start(&mut worker.gate, now);
            let outcome = worker.hold_or_settle(self.id, exchange, step, now);
            (outcome, !worker.outbox.is_empty())
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
        host::tick_from_request(self.root, self.id);
        let now = host::now();
        worker.with(|worker| {
            let (exchange, step) = worker.take_started()?;
            worker.hold_or_settle(self.id, exchange, step, now)
        })
    }
}

impl HttpContext for Request {
    fn on_http_request_headers(&mut self, _headers: usize, _end_of_stream: bool) -> Action {
        let Some(worker) = &self.worker else {
            refuse_unconfigured();
            return Action::Pause;
        };
        let outcome = self.judge(worker);
        worker.with(Worker::write_down);
        match outcome {
            None => Action::Pause,
            Some(outcome) => {
                record(&outcome);
                perform(&outcome)
            }
        }
    }
}

impl Context for Request {
    fn on_done(&mut self) -> bool {
        if let Some(worker) = &self.worker {
            worker.with(|worker| worker.forget(self.id));
        }
        true
    }
}

/// Does what the outcome says to the effective request, and returns what its header callback has to say.
pub(crate) fn perform(outcome: &Outcome) -> Action {
    match outcome {
        Outcome::Pass(passage) => {
            host::apply(&passage.edits);
            Action::Continue
        }
        Outcome::Refuse(refusal) => {
            host::respond(&refusal.answer, refusal.reason.as_str());
            Action::Pause
        }
    }
}

fn refuse_unconfigured() {
    let reason = Reason::KeysUnavailable;
    let answer = Answer::refusal(reason, &AnswerContext::default());
    host::respond(&answer, reason.as_str());
}
