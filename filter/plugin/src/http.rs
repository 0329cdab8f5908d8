//! One request: its callbacks become steps of the core, and the steps become host calls.

use hallpass_core::denial::{Answer, AnswerContext, Reason};
use hallpass_core::flow::{Exchange, Refusal};
use hallpass_core::time::UnixMillis;

use crate::host;
use crate::root::{hasten_for, send_for};
use crate::sinks;
use crate::worker::{Outcome, Shared, record};

/// What the host is to do with a request when a callback returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Go on with it.
    Continue,
    /// Not now: it is held, or has its answer.
    Pause,
}

impl Verdict {
    /// As the ABI has it.
    pub(crate) const fn to_abi(self) -> u32 {
        match self {
            Self::Continue => 0,
            Self::Pause => 1,
        }
    }
}

/// A request in the hands of its worker.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    id: u32,
    root: u32,
    worker: &'a Shared,
}

impl<'a> Request<'a> {
    /// The request `id` of `root`.
    pub(crate) fn new(id: u32, root: u32, worker: &'a Shared) -> Self {
        Self { id, root, worker }
    }

    /// Its headers are there.
    pub(crate) fn judge_headers(&self, ends_here: bool) -> Verdict {
        let now = host::now();
        let outcome = self.judge(ends_here, now);
        self.worker.with(|worker| worker.write_down(now));
        match outcome {
            None => Verdict::Pause,
            Some(outcome) => {
                let verdict = perform(self.id, outcome, self.worker, now);
                self.have_lines_written(now);
                verdict
            }
        }
    }

    /// A host may be configured to go on reading while the headers are held; what it read must not release them.
    pub(crate) fn hold_while_waiting(&self) -> Verdict {
        if self.worker.with(|worker| worker.is_held(self.id)) {
            Verdict::Pause
        } else {
            Verdict::Continue
        }
    }

    /// Trailers reach some upstreams as headers, so nobody may speak for the filter in them either.
    pub(crate) fn judge_trailers(&self) -> Verdict {
        let config = self.worker.with(|worker| worker.gate.config());
        // What cannot be read cannot be taken out.
        let Some(trailers) = host::request_trailers() else {
            return refuse_unjudged();
        };
        let mut protected = trailers
            .iter()
            .map(|(name, _)| name)
            .filter(|name| config.headers.protects(name));
        if !protected.all(host::remove_trailer) {
            return refuse_unjudged();
        }
        self.hold_while_waiting()
    }

    /// It is over: its client has its answer, or has gone.
    pub(crate) fn forget(&self) {
        self.worker.with(|worker| worker.forget(self.id));
    }

    /// Judges the request; `None` when it is held.
    fn judge(&self, ends_here: bool, now: UnixMillis) -> Option<Outcome> {
        let (outcome, needs_root) = self.worker.with(|worker| {
            let head = host::request_head(worker.wanted, ends_here);
            let mut exchange = Box::new(Exchange::new(head));
            let step = exchange.start(&mut worker.gate, now);
            let outcome = worker.hold_or_settle(self.id, exchange, step, now);
            worker.ask_again(now);
            let needs_root = outcome.is_none() && worker.needs_root(now);
            (outcome, needs_root)
        });
        if needs_root { self.ask(now) } else { outcome }
    }

    /// Has the tick come in time for lines that began to wait with this request's.
    fn have_lines_written(&self, now: UnixMillis) {
        if self.worker.with(|worker| worker.has_late_lines(now)) {
            hasten_for(self.root, self.id, self.worker, now);
        }
    }

    /// Has the root send what is to be sent; `None` when the request is held until the answer comes.
    fn ask(&self, now: UnixMillis) -> Option<Outcome> {
        self.worker.with(|worker| worker.set_started(self.id));
        let is_sent = send_for(self.root, self.id, self.worker, now);
        self.worker.with(|worker| {
            let started = worker.take_started();
            if !is_sent {
                let given_up = worker.give_up(self.id, now);
                return given_up.or_else(|| Some(Outcome::Refuse(Box::new(unanswerable()))));
            }
            let (exchange, step) = started?;
            worker.hold_or_settle(self.id, exchange, step, now)
        })
    }
}

/// Does what the outcome says to the effective request `id`, records it, and returns what its header callback has to say.
pub(crate) fn perform(id: u32, outcome: Outcome, worker: &Shared, now: UnixMillis) -> Verdict {
    match outcome {
        Outcome::Pass(passage) => {
            if !host::apply(&passage.edits) {
                // Whoever does not pass is not recorded as one who did.
                sinks::error(
                    "the proxy would not change a request's headers, so the request is refused",
                );
                return refuse_unjudged();
            }
            record(passage.reason, passage.audit, worker, now);
            if let Some(stream) = passage.stream.filter(|stream| stream.is_cut()) {
                let until = stream.until();
                worker.with(|worker| worker.streams.open(id, stream, until));
            }
            Verdict::Continue
        }
        Outcome::Refuse(mut refusal) => {
            if let Some(written) = refusal.audit.take() {
                worker.with(|worker| worker.record(*written, now));
            }
            refuse(&refusal)
        }
    }
}

fn refuse(refusal: &Refusal) -> Verdict {
    host::respond(&refusal.answer, refusal.reason.as_str());
    Verdict::Pause
}

/// Refuses the effective request, which cannot be judged at all.
pub(crate) fn refuse_unjudged() -> Verdict {
    refuse(&unanswerable())
}

/// What a request gets that cannot be judged at all: without a configuration, or by a host that does not do its part.
pub(crate) fn unanswerable() -> Refusal {
    let reason = Reason::GrantServiceUnavailable;
    Refusal {
        answer: Answer::refusal(reason, &AnswerContext::default()),
        reason,
        audit: None,
    }
}
