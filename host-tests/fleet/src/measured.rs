//! What a simulation counts.

use std::ops::AddAssign;
use std::time::Duration;

use hallpass_core::time::UnixMillis;

/// What was counted at some proxies that started in the same second.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Measured {
    /// Calls to the grant service.
    pub calls: Seconds,
    /// Polls of its feed.
    pub polls: Seconds,
    /// Fetches of keys.
    pub fetches: Seconds,
    /// Requests.
    pub requests: Seconds,
    /// Those of them that waited for an answer.
    pub waited: u64,
    /// Answers that a worker took over from another one.
    pub shared: u64,
    /// Requests that were refused to someone who has a grant.
    pub refused_wrongly: u64,
    /// Requests that passed at a worker that knew already that what they need was taken back.
    pub passed_knowingly: u64,
    /// How long it took until a worker knew of a revocation.
    pub felt: Delays,
    /// For each request that passed after its user's revocation, how long after.
    pub passed_late: Delays,
    /// Decisions that workers held at the end.
    pub decisions: Entries,
    /// Tokens that workers held at the end.
    pub tokens: Entries,
}

/// How often something happened, in each second since the first proxy started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seconds(Vec<u64>);

/// How long things took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delays {
    /// How many.
    pub count: u64,
    /// The longest.
    pub worst: Duration,
    sum: Duration,
}

/// How many entries workers held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entries {
    /// In the worker that held most.
    pub most: usize,
    sum: u64,
    workers: u32,
}

impl Seconds {
    fn count(&mut self, since_start: Duration) {
        let second = usize::try_from(since_start.as_secs()).expect("hours at most");
        if self.0.len() <= second {
            self.0.resize(second + 1, 0);
        }
        self.0[second] += 1;
    }

    /// In all.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// In the busiest second.
    pub fn peak(&self) -> u64 {
        self.0.iter().copied().max().unwrap_or_default()
    }

    /// A second, on average of those from `from` until `until`.
    pub fn rate(&self, from: Duration, until: Duration) -> f64 {
        let (from, until) = (from.as_secs(), until.as_secs());
        let within = self.0.iter().zip(0..);
        let within = within.filter(|(_, second)| (from..until).contains(second));
        let sum = within.map(|(count, _)| number(*count)).sum::<f64>();
        sum / number(until - from)
    }
}

impl Delays {
    fn count(&mut self, delay: Duration) {
        self.count += 1;
        self.worst = self.worst.max(delay);
        self.sum += delay;
    }

    /// On average.
    pub fn mean(&self) -> Duration {
        if self.count == 0 {
            return Duration::ZERO;
        }
        self.sum.div_f64(number(self.count))
    }
}

impl Entries {
    pub(crate) fn of(held: usize) -> Self {
        Self {
            most: held,
            sum: held as u64,
            workers: 1,
        }
    }

    /// In a worker, on average.
    pub fn mean(&self) -> f64 {
        number(self.sum) / f64::from(self.workers.max(1))
    }
}

#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
pub(crate) fn number(count: u64) -> f64 {
    count as f64
}

impl AddAssign<&Self> for Seconds {
    fn add_assign(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (sum, more) in self.0.iter_mut().zip(&other.0) {
            *sum += more;
        }
    }
}

impl AddAssign<&Self> for Delays {
    fn add_assign(&mut self, other: &Self) {
        self.count += other.count;
        self.worst = self.worst.max(other.worst);
        self.sum += other.sum;
    }
}

impl AddAssign<&Self> for Entries {
    fn add_assign(&mut self, other: &Self) {
        self.most = self.most.max(other.most);
        self.sum += other.sum;
        self.workers += other.workers;
    }
}

impl AddAssign<&Self> for Measured {
    fn add_assign(&mut self, other: &Self) {
        self.calls += &other.calls;
        self.polls += &other.polls;
        self.fetches += &other.fetches;
        self.requests += &other.requests;
        self.waited += other.waited;
        self.shared += other.shared;
        self.refused_wrongly += other.refused_wrongly;
        self.passed_knowingly += other.passed_knowingly;
        self.felt += &other.felt;
        self.passed_late += &other.passed_late;
        self.decisions += &other.decisions;
        self.tokens += &other.tokens;
    }
}

/// Where a proxy writes down what happens.
pub(crate) struct Ledger {
    start: UnixMillis,
    pub(crate) measured: Measured,
}

impl Ledger {
    /// An empty one. Seconds are counted from `start` on.
    pub(crate) fn new(start: UnixMillis) -> Self {
        Self {
            start,
            measured: Measured::default(),
        }
    }

    pub(crate) fn called(&mut self, now: UnixMillis) {
        self.measured.calls.count(now.since(self.start));
    }

    pub(crate) fn polled(&mut self, now: UnixMillis) {
        self.measured.polls.count(now.since(self.start));
    }

    pub(crate) fn fetched(&mut self, now: UnixMillis) {
        self.measured.fetches.count(now.since(self.start));
    }

    pub(crate) fn requested(&mut self, waits: bool, now: UnixMillis) {
        self.measured.requests.count(now.since(self.start));
        self.measured.waited += u64::from(waits);
    }

    pub(crate) fn shared(&mut self, count: u32) {
        self.measured.shared += u64::from(count);
    }

    /// A worker knows of a revocation.
    pub(crate) fn felt(&mut self, after: Duration) {
        self.measured.felt.count(after);
    }

    /// A request has passed, or has not, so long after its user's revocation, if there was one, of which its worker knows or not.
    pub(crate) fn decided(&mut self, passed: bool, revoked: Option<Duration>, is_known: bool) {
        match (passed, revoked) {
            (true, None) | (false, Some(_)) => {}
            (false, None) => self.measured.refused_wrongly += 1,
            (true, Some(after)) => {
                self.measured.passed_late.count(after);
                self.measured.passed_knowingly += u64::from(is_known);
            }
        }
    }
}
