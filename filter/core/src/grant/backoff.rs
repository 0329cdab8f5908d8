//! When a service that fails again and again is asked the next time: not with each request, which would wait for nothing and keep the
//! service down, but once after a while that grows.

use std::time::Duration;

use crate::time::{UnixMillis, Window};

/// So many failures one after the other are no accident.
const ACCIDENTS: u32 = 3;
/// The first wait; it doubles with each further failure.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How a service has done of late.
#[derive(Debug, Default)]
pub struct Backoff {
    failures: u32,
    /// While it is not asked.
    rest: Option<Window>,
    /// The one question of this wait is under way.
    probes: bool,
}

/// What an answer, or its absence, changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    None,
    /// From now on it is asked now and then only.
    Rests,
    /// It does its work again.
    Recovered,
}

impl Backoff {
    /// Whether the service may be asked now. After each wait one question goes out, and until its answer is there the others wait another
    /// time.
    pub fn may_ask(&mut self, now: UnixMillis) -> bool {
        // A clock that was set back to before the wait began says nothing of how long that was.
        let rests = self.rest.is_some_and(|rest| rest.is_open(now));
        if !rests && self.failures >= ACCIDENTS {
            self.probes = true;
            self.wait(now);
        }
        !rests
    }

    /// The service decided something.
    pub fn answered(&mut self) -> Change {
        let rested = self.rest.take().is_some();
        self.failures = 0;
        self.probes = false;
        if rested {
            Change::Recovered
        } else {
            Change::None
        }
    }

    /// It did not. Of many that were under way when the rest began, none makes it longer.
    pub fn failed(&mut self, now: UnixMillis) -> Change {
        let rests = self.rest.is_some_and(|rest| rest.is_open(now));
        if rests && !std::mem::take(&mut self.probes) {
            return Change::None;
        }
        self.failures = self.failures.saturating_add(1);
        if self.failures < ACCIDENTS {
            return Change::None;
        }
        self.wait(now);
        if self.failures == ACCIDENTS {
            Change::Rests
        } else {
            Change::None
        }
    }

    fn wait(&mut self, now: UnixMillis) {
        let doublings = self.failures.saturating_sub(ACCIDENTS).min(10);
        let wait = FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT);
        self.rest = Some(Window {
            from: now,
            until: now.saturating_add(wait),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn at(millis: u64) -> UnixMillis {
        UnixMillis::new(millis)
    }

    /// A service that failed so often, each time at once.
    fn failed(times: u32) -> Backoff {
        let mut backoff = Backoff::default();
        for _ in 0..times {
            backoff.may_ask(at(1_000));
            backoff.failed(at(1_000));
            backoff.probes = true;
        }
        backoff.probes = false;
        backoff
    }

    #[test]
    fn a_failure_now_and_then_keeps_nobody_from_asking() {
        let mut backoff = failed(2);
        assert!(backoff.may_ask(at(1_000)));
        assert_eq!(backoff.answered(), Change::None);
        assert_eq!(backoff.failed(at(1_000)), Change::None);
        assert!(backoff.may_ask(at(1_000)));
    }

    #[test]
    fn after_some_failures_one_question_goes_out_in_each_wait() {
        let mut backoff = failed(3);
        let asked: Vec<u64> = (1_000..1_800)
            .filter(|moment| backoff.may_ask(at(*moment)))
            .collect();
        assert_eq!(asked, [1_250, 1_500, 1_750]);
    }

    #[test]
    fn the_waits_grow_up_to_a_bound() {
        for (failures, wait) in [(3, 250), (4, 500), (5, 1_000), (8, 5_000), (100, 5_000)] {
            let mut backoff = failed(failures);
            assert!(!backoff.may_ask(at(1_000 + wait - 1)), "{failures}");
            assert!(backoff.may_ask(at(1_000 + wait)), "{failures}");
        }
    }

    #[test]
    fn failures_of_what_was_asked_before_the_wait_do_not_make_it_longer() {
        let mut backoff = failed(3);
        for _ in 0..200 {
            assert_eq!(backoff.failed(at(1_100)), Change::None);
        }
        assert!(backoff.may_ask(at(1_250)));
        backoff.failed(at(1_300));
        backoff.failed(at(1_300));
        assert!(!backoff.may_ask(at(1_799)));
        assert!(backoff.may_ask(at(1_800)), "twice as long, not four times");
    }

    #[test]
    fn the_beginning_and_the_end_are_told_once() {
        let mut backoff = failed(2);
        assert_eq!(backoff.failed(at(1_000)), Change::Rests);
        assert_eq!(backoff.failed(at(1_300)), Change::None);
        assert_eq!(backoff.answered(), Change::Recovered);
        assert_eq!(backoff.answered(), Change::None);
        assert!(backoff.may_ask(at(1_300)));
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_make_the_wait_longer() {
        assert!(failed(100).may_ask(at(999)));
    }
}
