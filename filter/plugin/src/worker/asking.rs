//! What a worker's requests wait for: who joins which question, what is sent, and what is given up.

use hallpass_core::config::LONGEST_CALL;
use hallpass_core::flight::Joined;
use hallpass_core::flow::{Exchange, Need};
use hallpass_core::grant::Asker;
use hallpass_core::metrics::Counter;
use hallpass_core::time::UnixMillis;

use super::Worker;
use crate::callouts::{Arrival, Call, Callout, GRACE, Purpose, deadline};
use crate::host::Refused;
use crate::sinks;

/// How many requests a worker holds at most, whatever they wait for: each keeps its headers. One more is refused.
pub(super) const MAX_WAITING: usize = 4_096;
/// How many of these may wait for keys: anyone can write a token that waits for them, and must not take the room of those who are known.
const MAX_WAITING_FOR_KEYS: usize = MAX_WAITING / 4;
/// How many of the same subject may wait for the grant service, whatever they ask for: who is known must not take the room of others.
const MAX_WAITING_OF_ONE: usize = MAX_WAITING / 4;

impl Worker {
    /// Joins the flight, or starts it. False when there is no room.
    pub(super) fn join(
        &mut self,
        id: u32,
        need: Need,
        exchange: &Exchange,
        now: UnixMillis,
    ) -> bool {
        let purpose = purpose_of(&need);
        let callout = match need {
            Need::Grant(query) => return self.join_question(id, &query, exchange, now),
            Need::Keys(provider) | Need::NewKey(provider) => self.keys_callout(provider),
            Need::Revocations => self.feed_callout(),
        };
        let Some(callout) = callout else { return false };
        match self
            .flights
            .join(purpose, id, deadline(callout.timeout, now))
        {
            Joined::First => {
                match purpose {
                    Purpose::Keys(provider) => self.gate.fetch_started(provider, now),
                    Purpose::Revocations => self.gate.feed_asked(now),
                    Purpose::Grant(_) | Purpose::Grants(_) | Purpose::Export => {}
                }
                self.outbox.push_back(callout);
                true
            }
            Joined::Waiting => true,
            Joined::Full => false,
        }
    }

    /// Whether one more request may wait for this.
    pub(super) fn has_room_for(&self, need: &Need, asker: Option<Asker>) -> bool {
        let wants_keys = matches!(need, Need::Keys(_) | Need::NewKey(_));
        let held_of = |asker| self.held.of(asker);
        self.held.len() < MAX_WAITING
            && !(wants_keys && self.waiting_for_keys() >= MAX_WAITING_FOR_KEYS)
            && asker.map_or(0, held_of) < MAX_WAITING_OF_ONE
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

    fn feed_callout(&self) -> Option<Callout> {
        let request = self.gate.feed_request()?;
        Some(Callout::for_revocations(&request))
    }

    /// The host took a call.
    pub(crate) fn call_sent(&mut self, number: u32, callout: Callout, now: UnixMillis) {
        let (call, enquiries) = callout.sent(now);
        if let Purpose::Grants(number) = call.purpose {
            self.left_together(number, enquiries);
        }
        self.calls.insert(number, call);
    }

    /// The host did not take it. What came of it, unless its questions wait for a call to come back, and are put then.
    pub(crate) fn call_refused(
        &mut self,
        callout: Callout,
        refusal: Refused,
        now: UnixMillis,
    ) -> Option<(Purpose, Arrival)> {
        let purpose = callout.purpose;
        if purpose.is_about_requests() {
            self.gate.count(Counter::CalloutRefused);
            if purpose.is_question() && refusal.may_be_for_want_of_room() && self.calls.refused() {
                self.put_back(callout, refusal, now);
                return None;
            }
            sinks::warn(&format!(
                "the proxy refused a call to cluster `{}` ({refusal}): is the cluster configured, and has it hosts?",
                callout.cluster
            ));
        }
        if let Purpose::Grants(number) = purpose {
            self.batches.insert(number, callout.into_enquiries());
        }
        Some((purpose, Arrival::Nothing("the proxy refused the call")))
    }

    /// The host answers a call, unless it was given up before.
    pub(crate) fn call_ended(&mut self, call: u32, now: UnixMillis) -> Option<Call> {
        let call = self.calls.remove(call).filter(|call| !call.is_orphan)?;
        if call.purpose.is_about_requests() {
            self.stats.callout_took(now.since(call.sent));
        }
        Some(call)
    }

    /// Queues fetches of the keys that are due.
    pub(crate) fn fetch_due_keys(&mut self, now: UnixMillis) {
        for provider in self.gate.due_keys(now) {
            self.gate.fetch_started(provider, now);
            self.ask_for_keys(provider, now);
        }
    }

    /// Queues the question what was taken back, if it is due.
    pub(crate) fn ask_feed_if_due(&mut self, now: UnixMillis) {
        if self.gate.is_feed_due(now)
            && let Some(callout) = self.feed_callout()
        {
            self.gate.feed_asked(now);
            self.flights
                .start(Purpose::Revocations, deadline(callout.timeout, now));
            self.outbox.push_back(callout);
        }
    }

    /// Queues the next question of a fetch that has started, with a deadline of its own.
    pub(crate) fn ask_for_keys(&mut self, provider: usize, now: UnixMillis) {
        if let Some(callout) = self.keys_callout(provider) {
            self.flights
                .start(callout.purpose, deadline(callout.timeout, now));
            self.outbox.push_back(callout);
        }
    }

    /// Questions that the host should have answered long ago. Their calls are forgotten: a late answer is no answer.
    pub(crate) fn give_up_overdue(&mut self, now: UnixMillis) -> Vec<Purpose> {
        // A clock that was set forward is no service that does not answer, and lets nobody pass for it.
        let jump = self.tick.lateness(now);
        if jump > GRACE {
            self.flights.put_off(jump, deadline(LONGEST_CALL, now));
        }
        let overdue = self.flights.overdue(now);
        self.calls
            .take(|call| overdue.contains(&call.purpose) || call.is_orphan && call.deadline <= now);
        overdue
    }

    /// Every question under way, to be given up together. Records under way are no question.
    pub(crate) fn under_way(&self) -> Vec<Purpose> {
        let mut questions = self.flights.overdue(UnixMillis::new(u64::MAX));
        questions.retain(|purpose| *purpose != Purpose::Export);
        questions
    }
}

pub(super) fn purpose_of(need: &Need) -> Purpose {
    match need {
        Need::Keys(provider) | Need::NewKey(provider) => Purpose::Keys(*provider),
        Need::Grant(query) => Purpose::Grant(query.key()),
        Need::Revocations => Purpose::Revocations,
    }
}

/// Who is known to wait, if somebody is: who waits for keys is not known yet.
pub(super) fn asker_of(need: &Need, exchange: &Exchange) -> Option<Asker> {
    match need {
        Need::Grant(query) => Some(query.asker()),
        Need::Revocations => exchange.asker(),
        Need::Keys(_) | Need::NewKey(_) => None,
    }
}
