//! When the root's tick comes. Whoever cannot wait for it has it come sooner. Nobody puts it off but the tick itself: the host begins its
//! time anew whenever that is set, so that it might never come for the others.

use std::time::Duration;

use hallpass_core::time::UnixMillis;

use super::Worker;
use crate::host;

/// How often due fetches, unanswered calls and streams whose permission has ended are looked for, and figures told.
const USUAL: Duration = Duration::from_millis(250);
/// The same while somebody is ready who has not been told yet, or a question that nobody waits for has not left.
pub(crate) const HURRY: Duration = Duration::from_millis(1);

/// The host's timer, as it was set last.
pub(crate) struct Tick {
    period: Duration,
    /// When it comes next, as far as the clock is to be believed: if it was set forward, the tick comes sooner than this says, and if it was
    /// set back, the timer is set once more than would be needed.
    due: UnixMillis,
}

impl Tick {
    /// A worker begins with it, also with another configuration: it is due at once, and sets the timer whatever that was.
    pub(super) const fn at_once() -> Self {
        Self {
            period: Duration::ZERO,
            due: UnixMillis::new(0),
        }
    }

    /// It has come at `now`, and is to come again after `wanted`.
    pub(crate) fn come(&mut self, wanted: Duration, now: UnixMillis) {
        if wanted != self.period {
            host::tick_every(wanted);
        }
        self.expect(wanted, now);
    }

    /// Has it come after `wanted`, if it would come later.
    pub(crate) fn hasten(&mut self, wanted: Duration, now: UnixMillis) {
        if self.is_late(wanted, now) {
            host::tick_every(wanted);
            self.expect(wanted, now);
        }
    }

    /// By how much later it comes, at `now`, than it should have: the clock was set forward, or the thread was held up.
    pub(super) fn lateness(&self, now: UnixMillis) -> Duration {
        if self.period.is_zero() {
            return Duration::ZERO;
        }
        now.since(self.due)
    }

    fn expect(&mut self, period: Duration, now: UnixMillis) {
        *self = Self {
            period,
            due: now.saturating_add(period),
        };
    }

    /// Whether it comes too late for somebody who can wait for so long.
    pub(super) fn is_late(&self, patience: Duration, now: UnixMillis) -> bool {
        now.saturating_add(patience) < self.due
    }
}

impl Worker {
    /// Has the tick come in time for what waits here.
    pub(crate) fn hasten(&mut self, now: UnixMillis) {
        let wanted = self.wanted_tick(now);
        self.tick.hasten(wanted, now);
    }

    /// After how long the tick should come for what waits here: requests and questions that may go on, and lines to be written.
    pub(crate) fn wanted_tick(&self, now: UnixMillis) -> Duration {
        let under_way = self.calls.questions();
        if !self.ready.is_empty() || !self.background.is_empty() && under_way.has_room() {
            return HURRY;
        }
        let of_questions = self.gathering.patience(under_way, now);
        let patience = of_questions.into_iter().chain(self.patience_of_lines(now));
        let patience = patience.min().unwrap_or(USUAL);
        patience.clamp(HURRY, USUAL)
    }
}
