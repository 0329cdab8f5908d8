//! Which questions to the grant service leave when, and which together.
//!
//! While few calls are under way a question leaves at once, as if nothing were ever put together. While as many are as may be, questions
//! gather, and leave when one of these comes back: the more there is to ask, the more is asked with one call, and nobody waits for company.
//!
//! However that is configured, [`MOST_CALLS`] are under way at most. What waits for one of these to come back leaves in turn by who asks, so
//! that whoever has very many questions waits for himself, and others for one call.

mod turns;

use std::time::Duration;

use self::turns::Turns;
use super::Asker;
use crate::time::UnixMillis;

/// How long a question waits for a call to come back, at most, while fewer than [`MOST_CALLS`] are under way.
pub const PATIENCE: Duration = Duration::from_millis(10);
/// So many calls are under way in a worker at most. More would not be answered sooner, and where a proxy's own bound on them is reached, it
/// answers in the service's place.
pub const MOST_CALLS: usize = 256;
/// No further question joins others that are so large together, in bytes: services bound what they read.
const MOST_BYTES: usize = 48 << 10;

/// Which questions leave when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GatheringRules {
    /// While fewer calls are under way, a question leaves at once.
    pub calls: usize,
    /// So many leave together at most; so many leave at once.
    pub max_questions: usize,
}

impl GatheringRules {
    /// Each question leaves at once, by itself.
    pub const EACH_BY_ITSELF: Self = Self {
        calls: usize::MAX,
        max_questions: 1,
    };
}

/// Questions that have not left yet.
#[derive(Debug)]
pub struct Gathering<Q> {
    rules: GatheringRules,
    waiting: Turns<Asker, Waiting<Q>>,
}

#[derive(Debug)]
struct Waiting<Q> {
    question: Q,
    bytes: usize,
    since: UnixMillis,
}

impl<Q> Waiting<Q> {
    /// How long it has waited, and no longer than `longest`. A clock that was set back must not keep it for as long.
    fn waited(&self, longest: Duration, now: UnixMillis) -> Duration {
        if now < self.since {
            longest
        } else {
            now.since(self.since).min(longest)
        }
    }
}

impl<Q> Gathering<Q> {
    /// No question yet.
    pub fn new(rules: GatheringRules) -> Self {
        Self {
            rules,
            waiting: Turns::new(),
        }
    }

    /// Takes a question of `asker`, which is sent with so many bytes.
    pub fn push(&mut self, question: Q, asker: Asker, bytes: usize, now: UnixMillis) {
        let waiting = Waiting {
            question,
            bytes,
            since: now,
        };
        self.waiting.push(asker, waiting);
    }

    /// How long the first of them may still wait for one of so many calls to come back before it leaves all the same. `None` where none
    /// waits, or they have to wait for a call.
    pub fn patience(&self, under_way: usize, now: UnixMillis) -> Option<Duration> {
        if under_way >= MOST_CALLS {
            return None;
        }
        let firsts = self.waiting.firsts();
        let longest = firsts.map(|first| first.waited(PATIENCE, now)).max()?;
        Some(PATIENCE.saturating_sub(longest))
    }

    /// Whether questions leave now, while so many calls are under way.
    pub fn is_due(&self, under_way: usize, now: UnixMillis) -> bool {
        self.patience(under_way, now).is_some_and(|patience| {
            self.waiting.len() >= self.rules.max_questions
                || under_way < self.rules.calls
                || patience.is_zero()
        })
    }

    /// The questions that leave next, with one call, while so many others are under way. None where they are not due.
    pub fn leave(&mut self, under_way: usize, now: UnixMillis) -> Vec<Q> {
        let mut leaving = Vec::new();
        if !self.is_due(under_way, now) {
            return leaving;
        }
        let mut bytes = 0_usize;
        while let Some(next) = self.waiting.next()
            && leaving.len() < self.rules.max_questions
        {
            bytes = bytes.saturating_add(next.bytes);
            if bytes > MOST_BYTES && !leaving.is_empty() {
                break;
            }
            leaving.extend(self.waiting.pop().map(|next| next.question));
        }
        leaving
    }

    /// Takes out a question of `asker` that is not to leave any longer, if it has not left.
    pub fn withdraw(&mut self, asker: Asker, is_it: impl Fn(&Q) -> bool) -> Option<Q> {
        let waiting = self
            .waiting
            .remove(asker, |waiting| is_it(&waiting.question))?;
        Some(waiting.question)
    }

    /// Takes out what has waited for so long.
    pub fn take_overdue(&mut self, longest: Duration, now: UnixMillis) -> Vec<Q> {
        let overdue = self
            .waiting
            .take_firsts_while(|waiting| waiting.waited(longest, now) >= longest);
        overdue
            .into_iter()
            .map(|waiting| waiting.question)
            .collect()
    }

    /// Takes out all of them.
    pub fn take_all(&mut self) -> Vec<Q> {
        std::iter::from_fn(|| self.waiting.pop())
            .map(|waiting| waiting.question)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const NOW: UnixMillis = UnixMillis::new(1_000);
    const SMALL: usize = 300;

    const ONE: Asker = Asker::new([1; 32]);
    const OTHER: Asker = Asker::new([2; 32]);

    fn gathering(
        rules: GatheringRules,
        questions: impl IntoIterator<Item = u32>,
    ) -> Gathering<u32> {
        let mut gathering = Gathering::new(rules);
        for question in questions {
            gathering.push(question, ONE, SMALL, NOW);
        }
        gathering
    }

    const RULES: GatheringRules = GatheringRules {
        calls: 2,
        max_questions: 4,
    };

    #[test]
    fn a_question_leaves_at_once_while_few_calls_are_under_way() {
        for under_way in [0, 1] {
            let mut gathering = gathering(RULES, [1]);
            assert!(gathering.is_due(under_way, NOW));
            assert_eq!(gathering.leave(under_way, NOW), [1]);
            assert_eq!(gathering.patience(0, NOW), None);
        }
    }

    #[test]
    fn questions_gather_while_as_many_calls_are_under_way_as_may_be() {
        let mut gathering = gathering(RULES, [1, 2, 3]);
        assert!(!gathering.is_due(2, NOW));
        assert!(gathering.leave(2, NOW).is_empty());
        assert_eq!(gathering.leave(1, NOW), [1, 2, 3], "a call has come back");
        assert_eq!(gathering.patience(0, NOW), None);
        assert!(gathering.leave(0, NOW).is_empty());
    }

    #[test]
    fn as_many_as_leave_together_at_most_wait_for_no_call() {
        let mut gathering = gathering(RULES, 1..=6);
        assert_eq!(gathering.leave(9, NOW), [1, 2, 3, 4]);
        assert!(gathering.leave(9, NOW).is_empty());
        assert_eq!(gathering.leave(1, NOW), [5, 6]);
    }

    #[test]
    fn no_question_waits_longer_for_a_call_than_the_first_may() {
        let mut gathering = gathering(RULES, [1]);
        let almost = UnixMillis::new(1_009);
        gathering.push(2, ONE, SMALL, almost);
        assert!(gathering.leave(2, almost).is_empty());
        assert_eq!(
            gathering.patience(2, almost),
            Some(Duration::from_millis(1))
        );
        assert_eq!(gathering.leave(2, UnixMillis::new(1_010)), [1, 2]);
        assert_eq!(gathering.patience(2, almost), None);
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nobody_waiting() {
        let mut gathering = gathering(RULES, [1]);
        assert_eq!(gathering.leave(2, UnixMillis::new(999)), [1]);
    }

    #[test]
    fn large_questions_leave_apart_and_none_is_too_large_to_leave() {
        let mut gathering = gathering(RULES, [1]);
        gathering.push(2, ONE, MOST_BYTES - SMALL, NOW);
        gathering.push(3, ONE, MOST_BYTES + 1, NOW);
        gathering.push(4, ONE, 0, NOW);
        assert_eq!(gathering.leave(0, NOW), [1, 2]);
        assert_eq!(gathering.leave(0, NOW), [3]);
        assert_eq!(gathering.leave(0, NOW), [4]);
    }

    #[test]
    fn each_leaves_by_itself_where_nothing_is_put_together() {
        let mut gathering = gathering(GatheringRules::EACH_BY_ITSELF, [1, 2]);
        let many = MOST_CALLS - 1;
        assert_eq!(gathering.leave(many, NOW), [1]);
        assert_eq!(gathering.leave(many, NOW), [2]);
        assert_eq!(gathering.patience(many, NOW), None);
    }

    #[test]
    fn however_long_and_however_many_wait_no_more_calls_are_made_than_may_be() {
        for rules in [RULES, GatheringRules::EACH_BY_ITSELF] {
            let mut gathering = gathering(rules, 1..=9);
            let late = UnixMillis::new(60_000);
            assert!(!gathering.is_due(MOST_CALLS, late));
            assert!(gathering.leave(MOST_CALLS, late).is_empty());
            assert_eq!(
                gathering.patience(MOST_CALLS, late),
                None,
                "the tick need not hurry for them"
            );
            assert!(gathering.is_due(MOST_CALLS - 1, late));
        }
    }

    #[test]
    fn who_asks_little_does_not_wait_for_who_asks_much() {
        let mut each = gathering(GatheringRules::EACH_BY_ITSELF, 1..=3);
        each.push(10, OTHER, SMALL, NOW);
        let left: Vec<_> = (0..4).flat_map(|_| each.leave(0, NOW)).collect();
        assert_eq!(left, [1, 10, 2, 3]);

        let mut together = gathering(RULES, 1..=6);
        together.push(10, OTHER, SMALL, NOW);
        assert_eq!(together.leave(0, NOW), [1, 10, 2, 3]);
    }

    #[test]
    fn a_question_that_is_withdrawn_does_not_leave() {
        let mut gathering = gathering(RULES, [1, 2]);
        assert_eq!(gathering.withdraw(OTHER, |question| *question == 1), None);
        assert_eq!(gathering.withdraw(ONE, |question| *question == 1), Some(1));
        assert_eq!(gathering.withdraw(ONE, |question| *question == 1), None);
        assert_eq!(gathering.leave(0, NOW), [2]);
    }

    #[test]
    fn what_has_waited_too_long_is_taken_out_and_the_rest_stays() {
        const LONGEST: Duration = Duration::from_millis(500);
        let mut gathering = gathering(RULES, [1]);
        gathering.push(2, ONE, SMALL, UnixMillis::new(1_001));
        gathering.push(3, OTHER, SMALL, NOW);
        let soon = UnixMillis::new(1_499);
        assert!(gathering.take_overdue(LONGEST, soon).is_empty());
        let late = UnixMillis::new(1_500);
        assert_eq!(gathering.take_overdue(LONGEST, late), [1, 3]);
        assert_eq!(gathering.take_all(), [2]);
        assert!(!gathering.is_due(0, late));
    }
}
