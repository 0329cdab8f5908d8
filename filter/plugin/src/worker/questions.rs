//! A worker's questions to the grant service: which leave by themselves, which together, and which for nobody in particular.
//!
//! Each is a flight of its own, which those who need its answer join, however it is sent. Its time begins when it leaves. Questions that
//! leave together are one flight more, whose time is theirs. One that nobody waits for any longer does not leave, nor do those that wait
//! when the service begins to fail; and none waits longer to be asked than the service has time to answer.

use std::time::Duration;

use hallpass_core::config::{BatchSettings, ServiceSettings};
use hallpass_core::flight::Joined;
use hallpass_core::flow::Exchange;
use hallpass_core::grant::gathering::PATIENCE;
use hallpass_core::grant::{Failure, GrantOutcome, Query};
use hallpass_core::metrics::Counter;
use hallpass_core::time::UnixMillis;

use super::Worker;
use super::room::Waiting;
use crate::callouts::{Callout, Enquiry, Purpose, deadline};
use crate::host::Refused;
use crate::sinks;

/// How many questions that nobody waits for may lie there. For one more the answer serves to its end, and then somebody waits.
const MAX_BACKGROUND: usize = 1_024;
/// How often the log says that the host has no room for calls.
const TOLD_EVERY: Duration = Duration::from_secs(1);
/// The deadline of what has not left.
const NOT_YET: UnixMillis = UnixMillis::new(u64::MAX);

impl Worker {
    /// Joins the flight of a question, or starts it. False when there is no room.
    pub(super) fn join_question(
        &mut self,
        id: u32,
        query: &Query,
        exchange: &Exchange,
        now: UnixMillis,
    ) -> bool {
        let purpose = Purpose::Grant(query.key());
        match self.flights.join(purpose, id, NOT_YET) {
            Joined::First => {
                let request_id = exchange.request_id(&mut self.gate);
                let enquiry = Enquiry::new(query, Some(request_id), now);
                self.gathering.push(enquiry);
                true
            }
            Joined::Waiting => {
                self.bring_forward(query, now);
                self.gate.count(Counter::GrantCoalesced);
                true
            }
            Joined::Full => false,
        }
    }

    /// Somebody waits now for a question that may have been put for nobody, and not have left yet.
    fn bring_forward(&mut self, query: &Query, now: UnixMillis) {
        let key = query.key();
        let place = self.background.iter().position(|other| other.key == key);
        if let Some(enquiry) = place.and_then(|place| self.background.remove(place)) {
            self.gathering.push(Enquiry {
                since: now,
                ..enquiry
            });
        }
    }

    /// The next few of the questions that nobody waits for may leave, unless others must wait.
    pub(crate) fn release_background(&mut self, most: usize, now: UnixMillis) {
        if !self.calls.questions().has_room() {
            return;
        }
        for _ in 0..most {
            let Some(enquiry) = self.background.pop_front() else {
                return;
            };
            self.gathering.push(Enquiry {
                since: now,
                ..enquiry
            });
        }
    }

    /// Queues questions whose answers are over soon, for nobody in particular. They leave with the next ticks.
    pub(crate) fn ask_again(&mut self, now: UnixMillis) {
        for query in self.gate.take_refreshes() {
            let purpose = Purpose::Grant(query.key());
            if self.flights.is_under_way(&purpose) || self.background.len() >= MAX_BACKGROUND {
                continue;
            }
            self.flights.start(purpose, NOT_YET);
            self.background.push_back(Enquiry::new(&query, None, now));
        }
    }

    /// Whether the root has something to do for those who wait: questions leave, or the tick must come sooner for them.
    pub(crate) fn needs_root(&self, now: UnixMillis) -> bool {
        !self.outbox.is_empty()
            || self.gathering.is_due(self.calls.questions(), now)
            || self.tick.is_late(self.wanted_tick(now), now)
    }

    /// What is sent next.
    pub(crate) fn next_callout(&mut self, now: UnixMillis) -> Option<Callout> {
        loop {
            if let Some(callout) = self.outbox.pop_front() {
                return Some(callout);
            }
            let leaving = self.gathering.leave(self.calls.questions(), now);
            if leaving.is_empty() {
                return None;
            }
            self.prepare(leaving, now);
        }
    }

    /// Has questions leave with one call.
    fn prepare(&mut self, mut leaving: Vec<Enquiry>, now: UnixMillis) {
        let config = self.gate.config();
        let service = config.grants.service.as_ref();
        let Some(service) = service else {
            // Nobody can be asked, so nobody may wait for it.
            return self.land_questions(leaving, &GrantOutcome::GivenUp, now);
        };
        match leaving.pop() {
            Some(alone) if leaving.is_empty() => self.send_alone(alone, service, now),
            Some(last) => {
                leaving.push(last);
                match &service.batch {
                    Some(batch) => self.send_together(leaving, service, batch, now),
                    None => self.land_questions(leaving, &GrantOutcome::GivenUp, now),
                }
            }
            None => {}
        }
    }

    fn send_alone(&mut self, mut enquiry: Enquiry, service: &ServiceSettings, now: UnixMillis) {
        let request_id = enquiry.request_id.take();
        let request_id = request_id.unwrap_or_else(|| self.gate.new_request_id());
        let asked = self.gate.asking(now);
        self.send(Callout::for_grant(enquiry, service, request_id, asked), now);
    }

    fn send_together(
        &mut self,
        enquiries: Vec<Enquiry>,
        service: &ServiceSettings,
        batch: &BatchSettings,
        now: UnixMillis,
    ) {
        let request_id = self.gate.new_request_id();
        self.put_together = self.put_together.wrapping_add(1);
        let number = self.put_together;
        let asked = self.gate.asking(now);
        let callout =
            Callout::for_grants(number, enquiries, service, &batch.path, request_id, asked);
        self.send(callout, now);
    }

    /// The call with this number has left, with these questions.
    pub(super) fn left_together(&mut self, number: u64, enquiries: Vec<Enquiry>) {
        self.count_questions(Counter::GrantGathered, &enquiries);
        self.batches.insert(number, enquiries);
    }

    /// The host has no room for a call beside those that are under way: what it asks leaves when one of them comes back.
    pub(super) fn put_back(&mut self, callout: Callout, refusal: Refused, now: UnixMillis) {
        if self
            .told_full
            .is_none_or(|told| now.since(told) >= TOLD_EVERY)
        {
            self.told_full = Some(now);
            sinks::warn(&format!(
                "the proxy refused a call to cluster `{}` ({refusal}) while {} were under way, so it waits for one of them: has the circuit breaker room for more?",
                callout.cluster,
                self.calls.questions().calls()
            ));
        }
        if let Purpose::Grants(_) = callout.purpose {
            self.flights.land(&callout.purpose);
        }
        for enquiry in callout.into_enquiries().into_iter().rev() {
            self.flights.start(Purpose::Grant(enquiry.key), NOT_YET);
            self.gathering.put_back(enquiry);
        }
    }

    fn send(&mut self, callout: Callout, now: UnixMillis) {
        self.flights
            .start(callout.purpose, deadline(callout.timeout, now));
        self.outbox.push_back(callout);
    }

    fn land_questions(&mut self, enquiries: Vec<Enquiry>, outcome: &GrantOutcome, now: UnixMillis) {
        for enquiry in enquiries {
            let purpose = Purpose::Grant(enquiry.key);
            self.land(purpose, Some(outcome.clone()), now);
        }
    }

    /// A request waits no longer. Its question need not leave if nobody else waits for it.
    pub(super) fn stop_waiting(&mut self, id: u32, waiting: &Waiting) {
        let purpose = waiting.purpose;
        self.flights.leave(&purpose, &id);
        let (Purpose::Grant(key), Some(asker)) = (purpose, waiting.asker) else {
            return;
        };
        if self.flights.waiters(&purpose) > 0 {
            return;
        }
        let is_it = |enquiry: &Enquiry| enquiry.key == key;
        if self.gathering.withdraw(asker, is_it).is_some() {
            self.flights.land(&purpose);
        }
    }

    /// Gives up the questions that have waited for a call to come back for as long as a call may take. That says nothing of the service.
    pub(crate) fn give_up_unasked(&mut self, now: UnixMillis) {
        let Some(service) = &self.gate.config().grants.service else {
            return;
        };
        let longest = service.timeout.max(PATIENCE);
        let overdue = self.gathering.take_overdue(longest, now);
        if !overdue.is_empty() {
            sinks::warn(&format!(
                "{} questions were not put to the grant service within its timeout: as many calls were under way as there may be",
                overdue.len()
            ));
            self.count_questions(Counter::GrantUnasked, &overdue);
            let given_up = GrantOutcome::Failed(Failure::Question);
            self.land_questions(overdue, &given_up, now);
        }
    }

    /// Has questions that have not left share the fate of those that did, when the service begins to be left alone since it fails.
    pub(crate) fn spare_failing_service(&mut self, now: UnixMillis) {
        if self.gate.take_outage() {
            let spared = self.gathering.take_all();
            let failed = GrantOutcome::Failed(Failure::Service);
            self.land_questions(spared, &failed, now);
        }
    }

    fn count_questions(&mut self, counter: Counter, enquiries: &[Enquiry]) {
        let count = u32::try_from(enquiries.len()).unwrap_or(u32::MAX);
        self.gate.count_many(counter, count);
    }

    /// Ends the flight of questions that were put together, and returns them: each has its own still.
    pub(crate) fn take_batch(&mut self, number: u64) -> Vec<Enquiry> {
        self.flights.land(&Purpose::Grants(number));
        self.batches.remove(&number).unwrap_or_default()
    }

    /// Puts each of these questions by itself that somebody still waits for.
    pub(crate) fn put_apart(&mut self, enquiries: Vec<Enquiry>, now: UnixMillis) {
        self.count_questions(Counter::GrantApart, &enquiries);
        for enquiry in enquiries {
            let purpose = Purpose::Grant(enquiry.key);
            if self.flights.waiters(&purpose) == 0 {
                self.flights.land(&purpose);
            } else {
                self.gathering.push(Enquiry {
                    since: now,
                    is_alone: true,
                    ..enquiry
                });
            }
        }
    }
}
