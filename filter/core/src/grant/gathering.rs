//! Which questions to the grant service leave when, and which together.
//!
//! While few calls are under way a question leaves at once, as if nothing were ever put together. While as many are as may be, questions
//! gather, and leave when one of these comes back: the more there is to ask, the more is asked with one call, and nobody waits for company.
//!
//! However that is configured, no more leaves than may be [under way](UnderWay). What waits for that leaves in turn by who asks, so that
//! whoever has very many questions waits for himself.

mod turns;

use std::time::Duration;

use self::turns::Turns;
use super::{Asker, UnderWay};
use crate::time::UnixMillis;

/// How long a question waits for a call to come back, at most, while another call may leave.
pub const PATIENCE: Duration = Duration::from_millis(10);
/// No further question joins others that are so large together, in bytes: services bound what they read.
const MOST_BYTES: usize = 48 << 10;

/// A question that waits to leave.
pub trait Waiting {
    /// Who asks.
    fn asker(&self) -> Asker;
    /// With how many bytes it is sent.
    fn bytes(&self) -> usize;
    /// Since when it waits.
    fn since(&self) -> UnixMillis;
    /// Whether it leaves without company, and does not wait for any.
    fn is_alone(&self) -> bool;
}

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
    waiting: Turns<Asker, Q>,
}

impl<Q: Waiting> Gathering<Q> {
    /// No question yet.
    pub fn new(rules: GatheringRules) -> Self {
        Self {
            rules,
            waiting: Turns::new(),
        }
    }

    /// Takes a question.
    pub fn push(&mut self, question: Q) {
        self.waiting.push(question.asker(), question);
    }

    /// Takes one back that could not be sent: it is the next to leave.
    pub fn put_back(&mut self, question: Q) {
        self.waiting.push_first(question.asker(), question);
    }

    /// How long the first that may leave still waits for a call to come back before it leaves all the same. `None` where there is none.
    pub fn patience(&self, under_way: &UnderWay, now: UnixMillis) -> Option<Duration> {
        let able = self.able(under_way);
        able.map(|(first, _)| left(first, now)).min()
    }

    /// Whether questions leave now.
    pub fn is_due(&self, under_way: &UnderWay, now: UnixMillis) -> bool {
        let mut able = self.able(under_way).peekable();
        if able.peek().is_none() {
            return false;
        }
        if under_way.calls() < self.rules.calls {
            return true;
        }
        let mut together = 0_usize;
        able.any(|(first, count)| {
            together = together.saturating_add(count);
            together >= self.rules.max_questions || first.is_alone() || left(first, now).is_zero()
        })
    }

    /// The first question of each of whom more may be under way, and how many of theirs may.
    fn able<'a>(&'a self, under_way: &'a UnderWay) -> impl Iterator<Item = (&'a Q, usize)> {
        let firsts = under_way.has_room().then(|| self.waiting.firsts());
        firsts
            .into_iter()
            .flatten()
            .filter_map(|(asker, first, count)| {
                let able = count.min(under_way.room_for(asker));
                (able > 0).then_some((first, able))
            })
    }

    /// The questions that leave next, with one call. None where they are not due.
    pub fn leave(&mut self, under_way: &UnderWay, now: UnixMillis) -> Vec<Q> {
        if !self.is_due(under_way, now) {
            return Vec::new();
        }
        let first = self.waiting.pop(|asker, _| under_way.room_for(asker) > 0);
        let mut leaving = Vec::from_iter(first);
        if leaving.iter().any(Q::is_alone) {
            return leaving;
        }
        while leaving.len() < self.rules.max_questions {
            let bytes: usize = leaving.iter().map(Q::bytes).fold(0, usize::saturating_add);
            let next = self.waiting.pop(|asker, next| {
                let beside = leaving.iter().filter(|other| other.asker() == asker);
                !next.is_alone()
                    && bytes.saturating_add(next.bytes()) <= MOST_BYTES
                    && under_way.room_for(asker) > beside.count()
            });
            match next {
                Some(next) => leaving.push(next),
                None => break,
            }
        }
        leaving
    }

    /// Takes out a question of `asker` that is not to leave any longer, if it has not left.
    pub fn withdraw(&mut self, asker: Asker, is_it: impl Fn(&Q) -> bool) -> Option<Q> {
        self.waiting.remove(asker, is_it)
    }

    /// Takes out what has waited for so long.
    pub fn take_overdue(&mut self, longest: Duration, now: UnixMillis) -> Vec<Q> {
        self.waiting
            .take_firsts_while(|question| now.since(question.since()) >= longest)
    }

    /// Takes out all of them.
    pub fn take_all(&mut self) -> Vec<Q> {
        self.waiting.take_firsts_while(|_| true)
    }
}

/// How much of its patience a question has left.
fn left(question: &impl Waiting, now: UnixMillis) -> Duration {
    // A clock that was set back must not keep it for as long.
    if now < question.since() {
        Duration::ZERO
    } else {
        PATIENCE.saturating_sub(now.since(question.since()))
    }
}

#[cfg(test)]
mod tests;
