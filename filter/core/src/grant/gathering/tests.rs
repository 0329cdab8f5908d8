use super::*;
use crate::grant::under_way::{MOST_CALLS, MOST_OF_ONE};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const NOW: UnixMillis = UnixMillis::new(1_000);
const SMALL: usize = 300;
const RULES: GatheringRules = GatheringRules {
    calls: 2,
    max_questions: 4,
};

#[derive(Debug, Clone, Copy)]
struct Question {
    name: u32,
    asker: u8,
    bytes: usize,
    since: UnixMillis,
    is_alone: bool,
}

impl Waiting for Question {
    fn asker(&self) -> Asker {
        asker(self.asker)
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn since(&self) -> UnixMillis {
        self.since
    }

    fn is_alone(&self) -> bool {
        self.is_alone
    }
}

fn asker(number: u8) -> Asker {
    Asker::new([number; 32])
}

/// A question of the first asker that comes now.
fn question(name: u32) -> Question {
    Question {
        name,
        asker: 1,
        bytes: SMALL,
        since: NOW,
        is_alone: false,
    }
}

fn of(asker: u8, name: u32) -> Question {
    Question {
        asker,
        ..question(name)
    }
}

fn gathering(
    rules: GatheringRules,
    questions: impl IntoIterator<Item = Question>,
) -> Gathering<Question> {
    let mut gathering = Gathering::new(rules);
    for question in questions {
        gathering.push(question);
    }
    gathering
}

/// So many calls, of nobody who asks here.
fn calls(count: usize) -> UnderWay {
    let mut under_way = UnderWay::default();
    for _ in 0..count {
        under_way.begin(&[]);
    }
    under_way
}

fn names(questions: Vec<Question>) -> Vec<u32> {
    questions
        .into_iter()
        .map(|question| question.name)
        .collect()
}

fn leave(gathering: &mut Gathering<Question>, under_way: usize, now: UnixMillis) -> Vec<u32> {
    names(gathering.leave(&calls(under_way), now))
}

#[test]
fn a_question_leaves_at_once_while_few_calls_are_under_way() {
    for under_way in [0, 1] {
        let mut gathering = gathering(RULES, [question(1)]);
        assert!(gathering.is_due(&calls(under_way), NOW));
        assert_eq!(leave(&mut gathering, under_way, NOW), [1]);
        assert_eq!(gathering.patience(&calls(0), NOW), None);
    }
}

#[test]
fn questions_gather_while_as_many_calls_are_under_way_as_may_be() {
    let mut gathering = gathering(RULES, (1..=3).map(question));
    assert!(!gathering.is_due(&calls(2), NOW));
    assert!(leave(&mut gathering, 2, NOW).is_empty());
    let back = leave(&mut gathering, 1, NOW);
    assert_eq!(back, [1, 2, 3], "a call has come back");
    assert_eq!(gathering.patience(&calls(0), NOW), None);
    assert!(leave(&mut gathering, 0, NOW).is_empty());
}

#[test]
fn as_many_as_leave_together_at_most_wait_for_no_call() {
    let mut gathering = gathering(RULES, (1..=6).map(question));
    assert_eq!(leave(&mut gathering, 9, NOW), [1, 2, 3, 4]);
    assert!(leave(&mut gathering, 9, NOW).is_empty());
    assert_eq!(leave(&mut gathering, 1, NOW), [5, 6]);
}

#[test]
fn no_question_waits_longer_for_a_call_than_the_first_may() {
    let almost = UnixMillis::new(1_009);
    let later = Question {
        since: almost,
        ..of(2, 2)
    };
    let mut gathering = gathering(RULES, [later, question(1)]);
    assert!(leave(&mut gathering, 2, almost).is_empty());
    let patience = gathering.patience(&calls(2), almost);
    assert_eq!(patience, Some(Duration::from_millis(1)));
    assert_eq!(
        leave(&mut gathering, 2, UnixMillis::new(1_010)),
        [2, 1],
        "together, and in turn"
    );
    assert_eq!(gathering.patience(&calls(2), almost), None);
}

#[test]
fn a_clock_that_is_set_back_keeps_nobody_waiting_and_has_nobody_given_up() {
    let mut gathering = gathering(RULES, [question(1)]);
    let before = UnixMillis::new(999);
    let given_up = gathering.take_overdue(Duration::from_millis(500), before);
    assert!(given_up.is_empty());
    assert_eq!(leave(&mut gathering, 2, before), [1]);
}

#[test]
fn large_questions_leave_apart_and_none_is_too_large_to_leave() {
    let sizes = [SMALL, MOST_BYTES - SMALL, MOST_BYTES + 1, 0];
    let questions = (1..).zip(sizes).map(|(name, bytes)| Question {
        bytes,
        ..question(name)
    });
    let mut gathering = gathering(RULES, questions);
    assert_eq!(leave(&mut gathering, 0, NOW), [1, 2]);
    assert_eq!(leave(&mut gathering, 0, NOW), [3]);
    assert_eq!(leave(&mut gathering, 0, NOW), [4]);
}

#[test]
fn each_leaves_by_itself_where_nothing_is_put_together() {
    let mut gathering = gathering(GatheringRules::EACH_BY_ITSELF, [question(1), question(2)]);
    let many = MOST_CALLS - 1;
    assert_eq!(leave(&mut gathering, many, NOW), [1]);
    assert_eq!(leave(&mut gathering, many, NOW), [2]);
    assert_eq!(gathering.patience(&calls(many), NOW), None);
}

#[test]
fn one_that_is_to_have_no_company_waits_for_none() {
    let alone = |name| Question {
        is_alone: true,
        ..of(2, name)
    };
    let mut gathering = gathering(RULES, [alone(1), question(2), alone(3), question(4)]);
    let many = MOST_CALLS - 1;
    assert_eq!(leave(&mut gathering, many, NOW), [1]);
    assert_eq!(
        leave(&mut gathering, many, NOW),
        [2, 4],
        "others have their turn meanwhile"
    );
    assert_eq!(leave(&mut gathering, many, NOW), [3]);
}

#[test]
fn however_long_and_however_many_wait_no_more_calls_are_made_than_may_be() {
    for rules in [RULES, GatheringRules::EACH_BY_ITSELF] {
        let mut gathering = gathering(rules, (1..=9).map(question));
        let late = UnixMillis::new(60_000);
        let full = calls(MOST_CALLS);
        assert!(!gathering.is_due(&full, late));
        assert!(gathering.leave(&full, late).is_empty());
        let patience = gathering.patience(&full, late);
        assert_eq!(patience, None, "the tick need not hurry for them");
        assert!(gathering.is_due(&calls(MOST_CALLS - 1), late));
    }
}

#[test]
fn nobody_has_more_under_way_than_one_may_and_others_pass_by() {
    let mut under_way = UnderWay::default();
    under_way.begin(&[asker(1); MOST_OF_ONE - 1]);
    let questions = [question(1), question(2), of(2, 10)];
    let mut together = gathering(RULES, questions);
    assert_eq!(names(together.leave(&under_way, NOW)), [1, 10]);
    let mut each = gathering(GatheringRules::EACH_BY_ITSELF, questions);
    assert_eq!(names(each.leave(&under_way, NOW)), [1]);
    under_way.begin(&[asker(1)]);
    assert_eq!(names(each.leave(&under_way, NOW)), [10]);
    let late = UnixMillis::new(60_000);
    assert!(!each.is_due(&under_way, late));
    assert_eq!(each.patience(&under_way, late), None);
    assert!(each.leave(&under_way, late).is_empty());
    under_way.end(&[asker(1)]);
    assert_eq!(names(each.leave(&under_way, late)), [2]);
}

#[test]
fn what_may_not_leave_has_nobody_elses_leave_without_company() {
    let mut under_way = UnderWay::default();
    for _ in 0..RULES.calls {
        under_way.begin(&[asker(1); MOST_OF_ONE / 2]);
    }
    let crowd = (1..=9).map(question);
    let mut gathering = gathering(RULES, crowd.chain([of(2, 10), of(3, 20)]));
    assert!(!gathering.is_due(&under_way, NOW));
    gathering.push(of(4, 30));
    gathering.push(of(4, 31));
    assert_eq!(names(gathering.leave(&under_way, NOW)), [10, 20, 30, 31]);
}

#[test]
fn who_asks_little_does_not_wait_for_who_asks_much() {
    let questions = [question(1), question(2), question(3), of(2, 10)];
    let mut each = gathering(GatheringRules::EACH_BY_ITSELF, questions);
    let left: Vec<_> = (0..4).flat_map(|_| leave(&mut each, 0, NOW)).collect();
    assert_eq!(left, [1, 10, 2, 3]);

    let questions = (1..=6).map(question).chain([of(2, 10)]);
    let mut together = gathering(RULES, questions);
    assert_eq!(leave(&mut together, 0, NOW), [1, 10, 2, 3]);
}

#[test]
fn what_is_put_back_leaves_next() {
    let mut gathering = gathering(GatheringRules::EACH_BY_ITSELF, [question(1), of(2, 10)]);
    let first = gathering.leave(&calls(0), NOW);
    for question in first {
        gathering.put_back(question);
    }
    assert_eq!(leave(&mut gathering, 0, NOW), [1]);
    assert_eq!(leave(&mut gathering, 0, NOW), [10]);
}

#[test]
fn a_question_that_is_withdrawn_does_not_leave() {
    let mut gathering = gathering(RULES, [question(1), question(2)]);
    let is_first = |question: &Question| question.name == 1;
    assert!(gathering.withdraw(asker(2), is_first).is_none());
    assert!(gathering.withdraw(asker(1), is_first).is_some());
    assert!(gathering.withdraw(asker(1), is_first).is_none());
    assert_eq!(leave(&mut gathering, 0, NOW), [2]);
}

#[test]
fn what_has_waited_too_long_is_taken_out_and_the_rest_stays() {
    const LONGEST: Duration = Duration::from_millis(500);
    let later = Question {
        since: UnixMillis::new(1_001),
        ..question(2)
    };
    let mut gathering = gathering(RULES, [question(1), later, of(2, 3)]);
    let soon = UnixMillis::new(1_499);
    assert!(gathering.take_overdue(LONGEST, soon).is_empty());
    let late = UnixMillis::new(1_500);
    assert_eq!(names(gathering.take_overdue(LONGEST, late)), [1, 3]);
    assert_eq!(names(gathering.take_all()), [2]);
    assert!(!gathering.is_due(&calls(0), late));
}
