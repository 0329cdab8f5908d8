//! What is written down: counters in the proxy's stats, lines in its log.

use std::borrow::Cow;
use std::time::Duration;

use hallpass_core::audit::{MARK, Properties};
use hallpass_core::metrics::{Counter, Held};
use hallpass_core::token::Algorithm;
use hallpass_core::token::signature::chosen::{Backend, ChosenVerifier};

use crate::host::{self, Severity};

/// How many spans are kept until they are told.
const MOST_SPANS: usize = 256;

/// The proxy's numbers for our metrics.
#[derive(Debug)]
pub(crate) struct Stats {
    /// In the order of [`Counter::all`].
    counters: Vec<Option<u32>>,
    callout_ms: Option<u32>,
    /// How long callouts took of which nothing was told yet.
    spans: Vec<Duration>,
    tokens: Level,
    decisions: Level,
    streams: Level,
    queued: Level,
    revocations: Level,
}

/// A gauge that all workers move together: each adds and takes away what changes in its own cache.
#[derive(Debug)]
struct Level {
    gauge: Option<u32>,
    told: usize,
}

impl Level {
    fn declare(name: &str) -> Self {
        Self {
            gauge: host::define_gauge(name),
            told: 0,
        }
    }

    fn tell(&mut self, now: usize) {
        if let Some(gauge) = self.gauge.filter(|_| now != self.told) {
            let number = |count| i64::try_from(count).unwrap_or(i64::MAX);
            host::add(gauge, number(now).saturating_sub(number(self.told)));
            self.told = now;
        }
    }
}

impl Stats {
    /// Declares every metric, so that each is in the stats from the start, with 0.
    pub(crate) fn declare() -> Self {
        Self {
            counters: Counter::all()
                .map(|counter| host::define_counter(&counter.name()))
                .collect(),
            callout_ms: host::define_histogram("hallpass.callout_ms"),
            spans: Vec::new(),
            tokens: Level::declare("hallpass.tokens.entries"),
            decisions: Level::declare("hallpass.grants.entries"),
            streams: Level::declare("hallpass.streams.open"),
            queued: Level::declare("hallpass.audit.queued"),
            revocations: Level::declare("hallpass.revocations.entries"),
        }
    }

    /// Adds so many to a counter.
    pub(crate) fn add(&self, counter: Counter, count: u32) {
        if let Some(Some(id)) = self.counters.get(counter.index()) {
            host::add(*id, count.into());
        }
    }

    /// Tells how much this worker holds.
    pub(crate) fn holds(&mut self, held: Held) {
        self.tokens.tell(held.tokens);
        self.decisions.tell(held.decisions);
        self.revocations.tell(held.revocations);
    }

    /// Tells how many of this worker's requests are open that will be cut at their end.
    pub(crate) fn open_streams(&mut self, count: usize) {
        self.streams.tell(count);
    }

    /// Tells how many of this worker's records wait for a collector to take them.
    pub(crate) fn queued(&mut self, count: usize) {
        self.queued.tell(count);
    }

    /// Takes this worker's share out of the gauges, for good: they are the proxy's, and go on without it.
    pub(crate) fn leave(&mut self) {
        let Self {
            tokens,
            decisions,
            streams,
            queued,
            revocations,
            ..
        } = self;
        for level in [tokens, decisions, streams, queued, revocations] {
            level.tell(0);
            level.gauge = None;
        }
    }

    /// Keeps how long a callout took, for [`Stats::tell_spans`].
    pub(crate) fn callout_took(&mut self, span: Duration) {
        self.spans.push(span);
        if self.spans.len() >= MOST_SPANS {
            self.tell_spans();
        }
    }

    /// Records how long callouts took.
    pub(crate) fn tell_spans(&mut self) {
        for span in self.spans.drain(..) {
            if let Some(id) = self.callout_ms {
                host::record(id, u64::try_from(span.as_millis()).unwrap_or(u64::MAX));
            }
        }
    }
}

/// Tells who verifies the signatures of each algorithm: a line in the log, and a gauge for each that is 1 where the proxy does it.
pub(crate) fn tell_backends(verifier: &ChosenVerifier) {
    let (by_host, by_module): (Vec<Algorithm>, Vec<Algorithm>) = Algorithm::ALL
        .into_iter()
        .partition(|algorithm| verifier.backend(*algorithm) == Backend::Host);
    let list = |algorithms: &[Algorithm]| match algorithms {
        [] => "none".to_owned(),
        some => some.iter().map(|a| a.name()).collect::<Vec<_>>().join(" "),
    };
    let line = format!(
        "signatures verified by the proxy: {}; in the module: {}",
        list(&by_host),
        list(&by_module)
    );
    host::log(Severity::Info, &line);
    for (algorithms, value) in [(by_host, 1), (by_module, 0)] {
        for algorithm in algorithms {
            if let Some(gauge) = host::define_gauge(&host_gauge(algorithm)) {
                host::record(gauge, value);
            }
        }
    }
}

fn host_gauge(algorithm: Algorithm) -> String {
    format!("hallpass.signatures.host.{algorithm}")
}

/// Writes audit lines, each of which has its mark.
pub(crate) fn write_lines(lines: &str) {
    host::log(Severity::Info, lines);
}

/// Leaves the record of a decision with the effective request.
pub(crate) fn leave_with_request(properties: &Properties) {
    for (name, value) in properties.iter() {
        host::set_property(name, value);
    }
}

/// Tells an operator of something that is as it should be.
pub(crate) fn inform(line: &str) {
    host::log(Severity::Info, &without_mark(line));
}

/// Tells an operator of something that needs attention.
pub(crate) fn warn(line: &str) {
    host::log(Severity::Warn, &without_mark(line));
}

/// Tells an operator of something that keeps the plugin from working.
pub(crate) fn error(line: &str) {
    host::log(Severity::Error, &without_mark(line));
}

/// What a stranger has repeated in the log is no record, and does not look like one.
fn without_mark(line: &str) -> Cow<'_, str> {
    if line.contains(MARK) {
        Cow::Owned(line.replace(MARK, "hallpass.audit\u{b7}"))
    } else {
        Cow::Borrowed(line)
    }
}
