//! The way of records to a collector: they queue up here, leave in batches, and are dropped and counted where that does not work.
//!
//! A request only puts its record into the queue, which is bounded in records and bytes; what finds no room is dropped, so that the
//! records of how an outage began are kept. One batch is under way at a time. One whose answer says that it may be sent again, or that
//! has no answer, is sent again after a wait that grows, a bounded number of times; so a collector may see records twice whose answer got
//! lost, and no record is ever sent again that was answered. Each record is in the end exported or dropped, never both.

mod news;

use std::collections::VecDeque;
use std::time::Duration;

use super::otlp::{Acceptance, Envelope, LogRecord};
use crate::config::OtlpSettings;
use crate::time::{UnixMillis, Window};
use news::Reporter;

pub use news::News;

/// A batch is no larger than this, in bytes, unless one record alone is.
const MAX_BATCH_BYTES: usize = 1 << 20;
/// How often a batch is sent before it is dropped.
const MAX_ATTEMPTS: u32 = 10;
/// The wait after a first failure; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait, also if the collector asks for more.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What a worker has to export, and how far that is.
#[derive(Debug)]
pub struct Exporter {
    settings: OtlpSettings,
    envelope: Envelope,
    queue: VecDeque<LogRecord>,
    queued_bytes: usize,
    batch: Option<Batch>,
    /// Failures since the last success.
    failures: u32,
    rest: Option<Window>,
    reporter: Reporter,
}

/// Records that were taken out of the queue and are under way, or wait to be sent again.
#[derive(Debug)]
struct Batch {
    records: Vec<LogRecord>,
    attempts: u32,
    is_under_way: bool,
}

/// What came of a batch.
#[derive(Debug)]
pub enum Delivery<'a> {
    /// The collector answered, or the host in its place.
    Answered {
        /// The status.
        status: u16,
        /// The header `Retry-After`.
        retry_after: Option<&'a [u8]>,
        /// The body.
        body: &'a [u8],
    },
    /// Nobody did, for this reason.
    Failed(&'a str),
}

impl Exporter {
    /// An empty queue to the collector of these settings, for the proxy that calls itself `instance`.
    pub fn new(settings: OtlpSettings, instance: &str) -> Self {
        Self {
            settings,
            envelope: Envelope::new(instance),
            queue: VecDeque::new(),
            queued_bytes: 0,
            batch: None,
            failures: 0,
            rest: None,
            reporter: Reporter::default(),
        }
    }

    /// Where the records go.
    pub fn settings(&self) -> &OtlpSettings {
        &self.settings
    }

    /// The same queue under a new configuration; a batch that is under way stays so. What it has no room for is dropped.
    #[must_use]
    pub fn succeeded_by(mut self, settings: OtlpSettings) -> Self {
        self.settings = settings;
        self.rest = None;
        while self.is_over_bounds()
            && let Some(last) = self.queue.pop_back()
        {
            self.queued_bytes = self.queued_bytes.saturating_sub(last.size());
            self.reporter.dropped(1);
        }
        self
    }

    /// Gives everything up that has not been answered, since nobody exports any longer.
    pub fn abandon(&mut self) {
        let lost = self.queued();
        self.queue.clear();
        self.queued_bytes = 0;
        self.batch = None;
        self.reporter.end(lost);
    }

    /// How many records wait or are under way.
    pub fn queued(&self) -> usize {
        self.queue.len().saturating_add(self.in_batch())
    }

    fn in_batch(&self) -> usize {
        self.batch.as_ref().map_or(0, |batch| batch.records.len())
    }

    fn is_over_bounds(&self) -> bool {
        let bounds = self.settings.bounds;
        self.queued() > bounds.max_entries || self.queued_bytes > bounds.max_bytes
    }

    /// Takes a record into the queue, or drops it if there is no room.
    pub fn push(&mut self, record: LogRecord) {
        let bounds = self.settings.bounds;
        let bytes = self.queued_bytes.saturating_add(record.size());
        if self.queued() >= bounds.max_entries || bytes > bounds.max_bytes {
            self.reporter.overflow(&self.settings.cluster);
            return;
        }
        self.queued_bytes = bytes;
        self.queue.push_back(record);
    }

    /// The body to send now, if a batch is due and none is under way. It is under way until [`Self::ended`].
    pub fn start(&mut self, now: UnixMillis) -> Option<Vec<u8>> {
        // A clock that was set back to before the wait began says nothing of how long that was.
        if self.rest.is_some_and(|rest| rest.is_open(now)) {
            return None;
        }
        if self.batch.is_none() && self.is_due(now) {
            self.batch = Some(self.next_batch());
        }
        let batch = self.batch.as_mut().filter(|batch| !batch.is_under_way)?;
        batch.is_under_way = true;
        batch.attempts = batch.attempts.saturating_add(1);
        if batch.attempts > 1 {
            self.reporter.retried(batch.records.len());
        }
        Some(self.envelope.around(&batch.records))
    }

    fn is_due(&self, now: UnixMillis) -> bool {
        self.queue.front().is_some_and(|oldest| {
            self.queue.len() >= self.settings.batch
                || now < oldest.made()
                || now.since(oldest.made()) >= self.settings.interval
        })
    }

    fn next_batch(&mut self) -> Batch {
        let mut records = Vec::new();
        let mut bytes = 0_usize;
        while records.len() < self.settings.batch
            && let Some(next) = self.queue.pop_front()
        {
            bytes = bytes.saturating_add(next.size());
            if bytes > MAX_BATCH_BYTES && !records.is_empty() {
                self.queue.push_front(next);
                break;
            }
            records.push(next);
        }
        Batch {
            records,
            attempts: 0,
            is_under_way: false,
        }
    }

    /// Takes what came of the batch under way.
    pub fn ended(&mut self, delivery: &Delivery<'_>, now: UnixMillis) {
        let Some(batch) = self.batch.take_if(|batch| batch.is_under_way) else {
            return;
        };
        match *delivery {
            Delivery::Answered {
                status: 200..=299,
                body,
                ..
            } => self.taken(batch, &Acceptance::read(body)),
            Delivery::Answered {
                status,
                retry_after,
                ..
            } => {
                let why = format!("status {status}");
                if may_be_sent_again(status) {
                    self.failed(batch, &why, retry_after, now);
                } else {
                    self.reporter.outage(&self.settings.cluster, &why);
                    self.give_up(batch);
                }
            }
            Delivery::Failed(why) => self.failed(batch, why, None, now),
        }
    }

    fn taken(&mut self, batch: Batch, acceptance: &Acceptance) {
        let count = self.close(batch);
        self.failures = 0;
        self.rest = None;
        let rejected = acceptance.rejected.min(count);
        let cluster = &self.settings.cluster;
        self.reporter.exported(count.saturating_sub(rejected));
        self.reporter.arrival(cluster);
        self.reporter
            .rejection(cluster, rejected, &acceptance.message);
        if self.queue.len() < self.settings.batch {
            self.reporter.room();
        }
    }

    fn failed(&mut self, mut batch: Batch, why: &str, retry_after: Option<&[u8]>, now: UnixMillis) {
        self.reporter.outage(&self.settings.cluster, why);
        let doublings = self.failures.min(10);
        let wait = retry_after
            .and_then(seconds)
            .unwrap_or_else(|| FIRST_WAIT.saturating_mul(1 << doublings));
        self.failures = self.failures.saturating_add(1);
        self.rest = Some(Window {
            from: now,
            until: now.saturating_add(wait.clamp(FIRST_WAIT, LONGEST_WAIT)),
        });
        if batch.attempts < MAX_ATTEMPTS {
            batch.is_under_way = false;
            self.batch = Some(batch);
        } else {
            self.give_up(batch);
        }
    }

    /// The batch is dealt with, and its room is free. Returns how many records were in it.
    fn close(&mut self, batch: Batch) -> usize {
        let count = batch.records.len();
        for record in batch.records {
            self.queued_bytes = self.queued_bytes.saturating_sub(record.size());
        }
        count
    }

    fn give_up(&mut self, batch: Batch) {
        let count = self.close(batch);
        self.reporter.dropped(count);
    }

    /// What happened since this was last asked, for stats and log.
    pub fn take_news(&mut self) -> News {
        self.reporter.take()
    }
}

/// OTLP/HTTP's *Retryable Response Codes*: the same records may be taken later.
fn may_be_sent_again(status: u16) -> bool {
    matches!(status, 429 | 502 | 503 | 504)
}

/// `Retry-After` in seconds (RFC 9110, section 10.2.3). A date in it is not read: the usual wait will do.
fn seconds(retry_after: &[u8]) -> Option<Duration> {
    let text = std::str::from_utf8(retry_after).ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests;
