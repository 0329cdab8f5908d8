//! Requests that are held: until what they wait for is there, and then until it is their turn.
//!
//! An answer that many waited for does not release them all at once. A host may end each of them inside the end of the one before, on one
//! stack: Envoy does, and some three hundred answers in one callback ended its virtual machine, with every cache in it. So those who are
//! ready queue up, and a few are told in each callback. Each is judged when it is told, at that time: nothing that ended in between counts.

use hallpass_core::flow::{Exchange, Step};
use hallpass_core::grant::GrantOutcome;
use hallpass_core::time::UnixMillis;
use std::rc::Rc;

use super::room::{HeldRequest, Waiting};
use super::{Outcome, Started, Worker};
use crate::callouts::Purpose;
use crate::http::unanswerable;

/// What a request waited for.
#[derive(Clone)]
pub(super) enum Answer {
    /// An issuer's keys; what is known of them now is in the gate.
    Keys,
    /// What was taken back; what is known of it now is in the gate.
    Revocations,
    /// The grant service's word.
    Grant(Rc<GrantOutcome>),
}

impl Worker {
    /// Whether the request is held.
    pub(crate) fn is_held(&self, id: u32) -> bool {
        self.held.contains(id)
    }

    /// Ends a flight: those who waited are ready. The one whose header callback is still running is judged at once, and left for
    /// [`Worker::take_started`]. Only the grant service's answer has an outcome of its own.
    pub(crate) fn land(
        &mut self,
        purpose: Purpose,
        outcome: Option<GrantOutcome>,
        now: UnixMillis,
    ) {
        let answer = match (outcome, purpose) {
            (Some(outcome), _) => Answer::Grant(Rc::new(outcome)),
            (None, Purpose::Revocations) => Answer::Revocations,
            (None, Purpose::Keys(_) | Purpose::Grant(_) | Purpose::Grants(_) | Purpose::Export) => {
                Answer::Keys
            }
        };
        for id in self.flights.land(&purpose) {
            let Some(HeldRequest::Waiting(waiting)) = self.held.remove(id) else {
                continue;
            };
            let Waiting {
                mut exchange,
                asker,
                ..
            } = waiting;
            if matches!(self.started, Started::Running(running) if running == id) {
                let step = self.judge(&mut exchange, &answer, now);
                self.started = Started::Settled(exchange, step);
            } else {
                let answer = answer.clone();
                self.held.insert(
                    id,
                    HeldRequest::Ready {
                        exchange,
                        answer,
                        asker,
                    },
                );
                self.ready.push_back(id);
            }
        }
    }

    fn judge(&mut self, exchange: &mut Exchange, answer: &Answer, now: UnixMillis) -> Step {
        match answer {
            Answer::Keys => exchange.on_keys(&mut self.gate, now),
            Answer::Revocations => exchange.on_revocations(&mut self.gate, now),
            Answer::Grant(outcome) => exchange.on_grant(&mut self.gate, outcome, now),
        }
    }

    /// Judges the next of those who are ready, at most so many, and returns what they come to now. One that must wait for something else
    /// is held again.
    pub(crate) fn take_ready(&mut self, most: usize, now: UnixMillis) -> Vec<(u32, Outcome)> {
        let mut done = Vec::new();
        for _ in 0..most {
            let Some(id) = self.ready.pop_front() else {
                break;
            };
            if let Some(outcome) = self.take(id, now) {
                done.push((id, outcome));
            }
        }
        done
    }

    /// Judges all who are ready by what this worker knows, since it is about to be replaced; they are told afterwards.
    pub(crate) fn settle_ready(&mut self, now: UnixMillis) {
        for id in std::mem::take(&mut self.ready) {
            if let Some(outcome) = self.take(id, now) {
                self.held.insert(id, HeldRequest::Settled(outcome));
                self.settled.push_back(id);
            }
        }
    }

    fn take(&mut self, id: u32, now: UnixMillis) -> Option<Outcome> {
        match self.held.remove(id)? {
            HeldRequest::Ready {
                mut exchange,
                answer,
                ..
            } => {
                let step = self.judge(&mut exchange, &answer, now);
                self.hold_or_settle(id, exchange, step, now)
            }
            HeldRequest::Settled(Outcome::Pass(passage))
                if passage.until.is_some_and(|until| until <= now) =>
            {
                Some(match passage.lapsed(&mut self.gate, now) {
                    Step::Continue(passage) => Outcome::Pass(passage),
                    Step::Respond(refusal) => Outcome::Refuse(refusal),
                    Step::Wait(_) => Outcome::Refuse(Box::new(unanswerable())),
                })
            }
            HeldRequest::Settled(outcome) => Some(outcome),
            waiting @ HeldRequest::Waiting(_) => {
                self.held.insert(id, waiting);
                None
            }
        }
    }
}
