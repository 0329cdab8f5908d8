//! Which questions to the grant service leave when, and which together.
//!
//! While few calls are under way a question leaves at once, as if nothing were ever put together. While as many are as may be, questions
//! gather, and leave when one of these comes back: the more there is to ask, the more is asked with one call, and nobody waits for company.

use std::collections::VecDeque;
use std::time::Duration;

use crate::time::UnixMillis;

/// How long a question waits for a call to come back, at most.
pub const PATIENCE: Duration = Duration::from_millis(10);
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

/// Questions that have not left yet, in the order in which they came.
#[derive(Debug)]
pub struct Gathering<Q> {
    rules: GatheringRules,
    waiting: VecDeque<Waiting<Q>>,
}

#[derive(Debug)]
struct Waiting<Q> {
    question: Q,
    bytes: usize,
    since: UnixMillis,
}

impl<Q> Gathering<Q> {
    /// No question yet.
    pub fn new(rules: GatheringRules) -> Self {
        Self {
            rules,
            waiting: VecDeque::new(),
        }
    }

    /// Takes a question that is sent with so many bytes.
    pub fn push(&mut self, question: Q, bytes: usize, now: UnixMillis) {
        self.waiting.push_back(Waiting {
            question,
            bytes,
            since: now,
        });
    }

    /// How long the first of them may still wait for a call to come back.
    pub fn patience(&self, now: UnixMillis) -> Option<Duration> {
        let first = self.waiting.front()?;
        // A clock that was set back must not keep it for as long.
        let waited = if now < first.since {
            PATIENCE
        } else {
            now.since(first.since)
        };
        Some(PATIENCE.saturating_sub(waited))
    }

    /// Whether questions leave now, while so many calls are under way.
    pub fn is_due(&self, under_way: impl FnOnce() -> usize, now: UnixMillis) -> bool {
        self.patience(now).is_some_and(|patience| {
            self.waiting.len() >= self.rules.max_questions
                || patience.is_zero()
                || under_way() < self.rules.calls
        })
    }

    /// The questions that leave next, with one call, while so many others are under way. None where they are not due.
    pub fn leave(&mut self, under_way: impl FnOnce() -> usize, now: UnixMillis) -> Vec<Q> {
        let mut leaving = Vec::new();
        if !self.is_due(under_way, now) {
            return leaving;
        }
        let mut bytes = 0_usize;
        while let Some(next) = self.waiting.front()
            && leaving.len() < self.rules.max_questions
        {
            bytes = bytes.saturating_add(next.bytes);
            if bytes > MOST_BYTES && !leaving.is_empty() {
                break;
            }
            leaving.extend(self.waiting.pop_front().map(|next| next.question));
        }
        leaving
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const NOW: UnixMillis = UnixMillis::new(1_000);
    const SMALL: usize = 300;

    fn gathering(
        rules: GatheringRules,
        questions: impl IntoIterator<Item = u32>,
    ) -> Gathering<u32> {
        let mut gathering = Gathering::new(rules);
        for question in questions {
            gathering.push(question, SMALL, NOW);
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
            assert!(gathering.is_due(|| under_way, NOW));
            assert_eq!(gathering.leave(|| under_way, NOW), [1]);
            assert_eq!(gathering.patience(NOW), None);
        }
    }

    #[test]
    fn questions_gather_while_as_many_calls_are_under_way_as_may_be() {
        let mut gathering = gathering(RULES, [1, 2, 3]);
        assert!(!gathering.is_due(|| 2, NOW));
        assert!(gathering.leave(|| 2, NOW).is_empty());
        assert_eq!(
            gathering.leave(|| 1, NOW),
            [1, 2, 3],
            "a call has come back"
        );
        assert_eq!(gathering.patience(NOW), None);
        assert!(gathering.leave(|| 0, NOW).is_empty());
    }

    #[test]
    fn as_many_as_leave_together_at_most_wait_for_no_call() {
        let mut gathering = gathering(RULES, 1..=6);
        assert_eq!(gathering.leave(|| 9, NOW), [1, 2, 3, 4]);
        assert!(gathering.leave(|| 9, NOW).is_empty());
        assert_eq!(gathering.leave(|| 1, NOW), [5, 6]);
    }

    #[test]
    fn no_question_waits_longer_for_a_call_than_the_first_may() {
        let mut gathering = gathering(RULES, [1]);
        let almost = UnixMillis::new(1_009);
        gathering.push(2, SMALL, almost);
        assert!(gathering.leave(|| 2, almost).is_empty());
        assert_eq!(gathering.patience(almost), Some(Duration::from_millis(1)));
        assert_eq!(gathering.leave(|| 2, UnixMillis::new(1_010)), [1, 2]);
        assert_eq!(gathering.patience(almost), None);
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nobody_waiting() {
        let mut gathering = gathering(RULES, [1]);
        assert_eq!(gathering.leave(|| 2, UnixMillis::new(999)), [1]);
    }

    #[test]
    fn large_questions_leave_apart_and_none_is_too_large_to_leave() {
        let mut gathering = gathering(RULES, [1]);
        gathering.push(2, MOST_BYTES - SMALL, NOW);
        gathering.push(3, MOST_BYTES + 1, NOW);
        gathering.push(4, 0, NOW);
        assert_eq!(gathering.leave(|| 0, NOW), [1, 2]);
        assert_eq!(gathering.leave(|| 0, NOW), [3]);
        assert_eq!(gathering.leave(|| 0, NOW), [4]);
    }

    #[test]
    fn each_leaves_by_itself_where_nothing_is_put_together() {
        let mut gathering = gathering(GatheringRules::EACH_BY_ITSELF, [1, 2]);
        let uncounted = || panic!("it does not matter how many are under way");
        assert_eq!(gathering.leave(uncounted, NOW), [1]);
        assert_eq!(gathering.leave(uncounted, NOW), [2]);
        assert_eq!(gathering.patience(NOW), None);
    }
}
