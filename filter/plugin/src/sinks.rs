//! What is written down: counters in the proxy's stats, lines in its log.

use std::collections::HashMap;
use std::time::Duration;

use hallpass_core::metrics::Counter;

use crate::host::{self, Level};

/// The marker before each audit line.
const AUDIT_MARK: &str = "hallpass.audit ";

/// The proxy's numbers for our metrics.
#[derive(Debug)]
pub(crate) struct Stats {
    counters: HashMap<Counter, u32>,
    callout_ms: Option<u32>,
}

impl Stats {
    /// Declares every metric, so that each is in the stats from the start, with 0.
    pub(crate) fn declare() -> Self {
        Self {
            counters: Counter::all()
                .filter_map(|counter| Some((counter, host::define_counter(&counter.name())?)))
                .collect(),
            callout_ms: host::define_histogram("hallpass.callout_ms"),
        }
    }

    /// Counts.
    pub(crate) fn count(&self, counter: Counter) {
        if let Some(id) = self.counters.get(&counter) {
            host::increment(*id);
        }
    }

    /// Records how long a callout took.
    pub(crate) fn callout_took(&self, span: Duration) {
        if let Some(id) = self.callout_ms {
            host::record(id, u64::try_from(span.as_millis()).unwrap_or(u64::MAX));
        }
    }
}

/// Writes the record of a decision.
pub(crate) fn audit(line: Option<&str>) {
    if let Some(line) = line {
        host::log(Level::Info, &format!("{AUDIT_MARK}{line}"));
    }
}

/// Tells an operator of something that needs attention.
pub(crate) fn warn(line: &str) {
    host::log(Level::Warn, line);
}

/// Tells an operator of something that keeps the plugin from working.
pub(crate) fn error(line: &str) {
    host::log(Level::Error, line);
}
