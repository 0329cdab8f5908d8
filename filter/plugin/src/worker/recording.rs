//! The records of a worker's decisions, on their way to the proxy's log, with their requests, and into the queue of those that are exported.
//!
//! A line for the log is written at once, or waits for others if that is configured. Whoever has one wait sees to it that the tick comes
//! in time.

use std::time::Duration;

use hallpass_core::audit::{MARK, Written};
use hallpass_core::metrics::Counter;
use hallpass_core::time::UnixMillis;

use super::{HURRY, Worker};
use crate::sinks;

impl Worker {
    /// Writes down a decision about the effective request.
    pub(crate) fn record(&mut self, written: Written, now: UnixMillis) {
        if let Some(line) = &written.line {
            self.write_line(line, now);
        }
        if let Some(properties) = &written.properties {
            sinks::leave_with_request(properties);
        }
        match (written.export, &mut self.exporter) {
            (None, _) => {}
            (Some(record), Some(exporter)) => exporter.push(record),
            // It was decided under a configuration that is gone, and this one exports nothing.
            (Some(_), None) => self.gate.count(Counter::AuditDropped),
        }
    }

    /// Writes a line, or has it wait for others.
    fn write_line(&mut self, line: &str, now: UnixMillis) {
        match &mut self.pending {
            None => sinks::write_lines(&format!("{MARK}{line}")),
            Some(pending) => {
                pending.push(line, now);
                pending.write_due(now, sinks::write_lines);
            }
        }
    }

    /// Writes the lines that have waited for long enough.
    pub(super) fn write_due_lines(&mut self, now: UnixMillis) {
        if let Some(pending) = &mut self.pending {
            pending.write_due(now, sinks::write_lines);
        }
    }

    /// Writes the lines that wait, and from now on each by itself: nobody may come who would write them later.
    pub(super) fn write_last_lines(&mut self) {
        if let Some(mut pending) = self.pending.take() {
            pending.write_all(sinks::write_lines);
        }
    }

    /// Whether lines wait that the tick would write too late.
    pub(crate) fn has_late_lines(&self, now: UnixMillis) -> bool {
        let patience = self.patience_of_lines(now);
        patience.is_some_and(|patience| self.tick.is_late(patience.max(HURRY), now))
    }

    pub(super) fn patience_of_lines(&self, now: UnixMillis) -> Option<Duration> {
        self.pending.as_ref()?.patience(now)
    }
}
