//! The records of a worker's decisions, on their way to a collector.
//!
//! A request does no more than put its record into a queue. Batches leave with the root's tick and with the answer to the batch before,
//! never from within a request's callback.

use hallpass_core::audit::export::Delivery;
use hallpass_core::metrics::Counter;
use hallpass_core::time::UnixMillis;

use super::Worker;
use crate::callouts::{Arrival, Callout, Purpose, deadline};
use crate::sinks;

impl Worker {
    /// Queues the next batch of records, if one is due and none is under way.
    pub(crate) fn export_due(&mut self, now: UnixMillis) {
        let Some(exporter) = &mut self.exporter else {
            return;
        };
        if let Some(body) = exporter.start(now) {
            let callout = Callout::for_export(exporter.settings(), body);
            self.flights
                .start(Purpose::Export, deadline(callout.timeout, now));
            self.outbox.push_back(callout);
        }
        self.tell_exports();
    }

    /// Takes what came of the batch under way.
    pub(crate) fn export_ended(&mut self, arrival: &Arrival, now: UnixMillis) {
        self.flights.land(&Purpose::Export);
        if let Some(exporter) = &mut self.exporter {
            let retry_after;
            let delivery = match arrival {
                Arrival::Reply(reply) => {
                    retry_after = reply.header("retry-after");
                    Delivery::Answered {
                        status: reply.status,
                        retry_after: retry_after.as_deref(),
                        body: &reply.body,
                    }
                }
                Arrival::Nothing(why) => Delivery::Failed(why),
            };
            exporter.ended(&delivery, now);
        }
        self.tell_exports();
    }

    /// Goes on with what the worker of before had to export, a batch under way included, or gives it up if nothing is exported any
    /// longer.
    pub(super) fn take_over_exports(&mut self, before: &mut Self) {
        let Some(ours) = &self.exporter else {
            before.abandon_exports();
            return;
        };
        let Some(theirs) = before.exporter.take() else {
            return;
        };
        let settings = ours.settings().clone();
        let timeout = settings.timeout;
        self.exporter = Some(theirs.succeeded_by(settings));
        for (number, call) in before.calls.take(|call| call.purpose == Purpose::Export) {
            self.flights
                .start(Purpose::Export, deadline(timeout, call.sent));
            self.calls.insert(number, call);
        }
    }

    /// Gives up what it has to export, a batch under way included.
    pub(super) fn abandon_exports(&mut self) {
        if let Some(exporter) = &mut self.exporter {
            exporter.abandon();
        }
        self.tell_exports();
    }

    fn tell_exports(&mut self) {
        let Some(exporter) = &mut self.exporter else {
            return;
        };
        let news = exporter.take_news();
        for (counter, count) in [
            (Counter::AuditExported, news.exported),
            (Counter::AuditDropped, news.dropped),
            (Counter::AuditRetried, news.retried),
        ] {
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            self.gate.count_many(counter, count);
        }
        self.stats.queued(exporter.queued());
        for notice in news.notices {
            sinks::warn(&notice);
        }
    }
}
