//! What the grant service said before, and for how long that counts.
//!
//! A decision is *fresh* until the earliest of the configured time, the service's own word (`Cache-Control`) and the grant's end. An allow may
//! be *stale* for a while longer, for when the service fails, and never past its grant's end. Shortly before an allow stops being fresh it is
//! *due*: whoever uses it then has it asked for again in the background, so that a steady user never waits.

use std::time::Duration;

use super::{DecisionKey, GrantReply, Ruling, Word};
use crate::cache::{Bounds, Cache};
use crate::time::{UnixMillis, Window};

/// What an entry may take on average, in bytes.
const ENTRY_BYTES: usize = 1_024;
/// The last part of its time in which an allow is due.
const DUE_PART: u32 = 5;
/// It is due for no shorter time than this, or half of its time: the question leaves with the worker's tick, and the answer takes a while.
const DUE_AT_LEAST: Duration = Duration::from_secs(1);

/// How long decisions count at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lifetimes {
    /// An allow, fresh.
    pub allow: Duration,
    /// A denial, and whatever comes to one.
    pub deny: Duration,
    /// An allow, from then on, when the service fails.
    pub stale: Duration,
    /// Whether an allow without an end counts as a denial.
    pub require_expiry: bool,
}

/// Decisions, by what they are about.
#[derive(Debug)]
pub struct Decisions {
    entries: Cache<DecisionKey, Entry>,
    lifetimes: Lifetimes,
}

#[derive(Debug)]
struct Entry {
    word: Word,
    fresh: Window,
    /// When it is due; after its time if it is not, or has been asked for again.
    due: UnixMillis,
    stale_until: UnixMillis,
}

/// A decision that is fresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fresh {
    /// What it says.
    pub word: Word,
    /// Whether it should be asked for again. That is told once.
    pub is_due: bool,
}

impl Decisions {
    /// Nothing yet, and at most `max_entries`.
    pub fn new(max_entries: usize, lifetimes: Lifetimes) -> Self {
        Self {
            entries: Cache::new(Bounds {
                max_entries,
                max_bytes: max_entries.saturating_mul(ENTRY_BYTES),
            }),
            lifetimes,
        }
    }

    /// The decision, if it is fresh.
    pub fn fresh(&mut self, key: &DecisionKey, now: UnixMillis) -> Option<Fresh> {
        let entry = self.entry(key, now)?;
        if !entry.fresh.is_open(now) {
            return None;
        }
        let is_due = entry.due <= now;
        if is_due {
            entry.due = entry.fresh.until;
        }
        Some(Fresh {
            word: entry.word.clone(),
            is_due,
        })
    }

    /// When the decision was given that is kept, whether or not it is fresh.
    pub fn given(&mut self, key: &DecisionKey, now: UnixMillis) -> Option<UnixMillis> {
        self.entry(key, now).map(|entry| entry.fresh.from)
    }

    /// What is kept. A decision of a clock that has been set back since is forgotten: it would come to life when that time comes.
    fn entry(&mut self, key: &DecisionKey, now: UnixMillis) -> Option<&mut Entry> {
        let given = self.entries.get(key, now)?.fresh.from;
        if given > now {
            self.entries.remove(key);
        }
        self.entries.get_mut(key, now)
    }

    /// The allow, if it may stand in for a service that fails.
    pub fn stale(&mut self, key: &DecisionKey, now: UnixMillis) -> Option<Word> {
        let entry = self.entry(key, now)?;
        let is_allow = matches!(entry.word.ruling, Ruling::Allow { .. });
        let may_stand_in = now < entry.stale_until && is_allow;
        may_stand_in.then(|| entry.word.clone())
    }

    /// Takes a decision that was `asked` for and `given` some time ago, in place of an older one, also where it is not to be remembered.
    pub fn put(
        &mut self,
        key: DecisionKey,
        reply: &GrantReply,
        asked: UnixMillis,
        given: UnixMillis,
        now: UnixMillis,
    ) {
        let never = UnixMillis::new(u64::MAX);
        let Lifetimes {
            allow,
            deny,
            stale,
            require_expiry,
        } = self.lifetimes;
        // What counts as a denial now is asked for again as soon as one is.
        let (lifetime, stale, end) = match &reply.ruling {
            Ruling::Allow {
                until: Some(until), ..
            } if *until > given => (allow, stale, *until),
            // Nobody said how long it may be trusted, so for that time it is, and not until the service is back.
            Ruling::Allow { until: None, .. } if !require_expiry => (allow, Duration::ZERO, never),
            Ruling::Allow { .. } | Ruling::Deny { .. } | Ruling::Obliged => {
                (deny, Duration::ZERO, never)
            }
        };
        let lifetime = reply.max_age.map_or(lifetime, |age| age.min(lifetime));
        // Nothing is kept at all of what is meant for now only.
        let stale = if lifetime.is_zero() { lifetime } else { stale };
        let until = given.saturating_add(lifetime).min(end);
        let stale_until = until.saturating_add(stale).min(end);
        let lives_on = matches!(reply.ruling, Ruling::Allow { .. }) && until < end;
        let entry = Entry {
            word: Word {
                ruling: reply.ruling.clone(),
                asked,
            },
            fresh: Window { from: given, until },
            due: if lives_on { due(given, until) } else { until },
            stale_until,
        };
        let bytes = entry.word.ruling.weight();
        self.entries.put(key, entry, bytes, stale_until, now);
    }

    /// How many are held.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// When an allow is due that is fresh from `given` until `until`.
fn due(given: UnixMillis, until: UnixMillis) -> UnixMillis {
    let lifetime = until.since(given);
    let part = |divisor| lifetime.checked_div(divisor).unwrap_or_default();
    let ahead = part(DUE_PART).max(DUE_AT_LEAST.min(part(2)));
    until.saturating_sub(ahead)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::GrantId;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const KEY: DecisionKey = DecisionKey::new([7; 32]);
    const NOW: UnixMillis = UnixMillis::new(1_000_000);

    fn after(seconds: u64) -> UnixMillis {
        NOW.saturating_add(Duration::from_secs(seconds))
    }

    fn just_before(moment: UnixMillis) -> UnixMillis {
        moment.saturating_sub(Duration::from_millis(1))
    }

    fn allow(until: Option<UnixMillis>) -> GrantReply {
        GrantReply {
            ruling: Ruling::Allow {
                id: Some(GrantId::new("g")),
                until,
                step_up: None,
            },
            max_age: None,
            remarks: Vec::new(),
        }
    }

    fn deny() -> GrantReply {
        GrantReply {
            ruling: Ruling::Deny { form_url: None },
            max_age: None,
            remarks: Vec::new(),
        }
    }

    /// Allows count for 30 seconds and for 60 more when the service fails, denials for 2.
    fn decisions() -> Decisions {
        let lifetimes = Lifetimes {
            allow: Duration::from_secs(30),
            deny: Duration::from_secs(2),
            stale: Duration::from_mins(1),
            require_expiry: true,
        };
        Decisions::new(8, lifetimes)
    }

    fn told(reply: &GrantReply) -> Decisions {
        let mut decisions = decisions();
        decisions.put(KEY, reply, NOW, NOW, NOW);
        decisions
    }

    /// From when on it is neither fresh nor, if the service fails, of use.
    fn ends(reply: &GrantReply) -> (u64, u64) {
        let first = |is_over: &mut dyn FnMut(UnixMillis) -> bool| {
            let mut seconds = 0..7_200;
            seconds.find(|s| is_over(after(*s))).unwrap()
        };
        let mut decisions = told(reply);
        let fresh = first(&mut |now| decisions.fresh(&KEY, now).is_none());
        let mut decisions = told(reply);
        let stale = first(&mut |now| decisions.stale(&KEY, now).is_none());
        (fresh, stale)
    }

    #[test]
    fn an_allow_is_fresh_for_its_time_and_stale_for_a_while_longer() {
        assert_eq!(ends(&allow(Some(after(3_600)))), (30, 90));
    }

    #[test]
    fn nothing_outlives_its_grant() {
        assert_eq!(ends(&allow(Some(after(40)))), (30, 40));
        assert_eq!(ends(&allow(Some(after(10)))), (10, 10));
        let mut decisions = told(&allow(Some(after(10))));
        assert!(decisions.fresh(&KEY, just_before(after(10))).is_some());
    }

    #[test]
    fn a_denial_and_what_comes_to_one_is_never_stale() {
        for reply in [deny(), allow(None), allow(Some(NOW))] {
            let mut decisions = told(&reply);
            assert!(decisions.fresh(&KEY, after(1)).is_some(), "{reply:?}");
            assert_eq!(decisions.fresh(&KEY, after(2)), None, "{reply:?}");
            assert_eq!(decisions.stale(&KEY, after(2)), None, "{reply:?}");
        }
        assert_eq!(told(&deny()).stale(&KEY, after(1)), None);
    }

    #[test]
    fn an_allow_that_nobody_gave_an_end_is_never_stale_where_it_counts() {
        let lifetimes = Lifetimes {
            require_expiry: false,
            ..decisions().lifetimes
        };
        let mut decisions = Decisions::new(8, lifetimes);
        decisions.put(KEY, &allow(None), NOW, NOW, NOW);
        let last = just_before(after(30));
        assert!(decisions.fresh(&KEY, last).is_some());
        assert_eq!(decisions.fresh(&KEY, after(30)), None);
        assert_eq!(decisions.stale(&KEY, after(30)), None);
    }

    #[test]
    fn what_the_service_says_shortens_and_never_lengthens() {
        for (max_age, end) in [(5, 5), (600, 30)] {
            let reply = GrantReply {
                max_age: Some(Duration::from_secs(max_age)),
                ..allow(Some(after(3_600)))
            };
            assert_eq!(ends(&reply).0, end);
        }
        let for_now_only = GrantReply {
            max_age: Some(Duration::ZERO),
            ..allow(Some(after(3_600)))
        };
        assert!(told(&for_now_only).is_empty());
    }

    #[test]
    fn a_newer_decision_replaces_an_older_one_even_if_it_is_not_kept() {
        let mut decisions = told(&allow(Some(after(3_600))));
        decisions.put(KEY, &deny(), NOW, after(1), after(1));
        assert_eq!(decisions.stale(&KEY, after(4)), None);
        let mut decisions = told(&allow(Some(after(3_600))));
        let for_now_only = GrantReply {
            max_age: Some(Duration::ZERO),
            ..deny()
        };
        decisions.put(KEY, &for_now_only, NOW, after(1), after(1));
        assert_eq!(decisions.fresh(&KEY, after(1)), None);
        assert_eq!(decisions.stale(&KEY, after(1)), None);
    }

    #[test]
    fn an_allow_that_lives_on_is_due_once_in_the_last_part_of_its_time() {
        let is_due = |decisions: &mut Decisions, moment| {
            let fresh = decisions.fresh(&KEY, moment);
            fresh.unwrap().is_due
        };
        let mut decisions = told(&allow(Some(after(3_600))));
        assert!(!is_due(&mut decisions, just_before(after(24))));
        assert!(is_due(&mut decisions, after(24)));
        assert!(!is_due(&mut decisions, after(25)), "it was told");
        decisions.put(KEY, &allow(Some(after(3_600))), NOW, after(25), after(25));
        assert!(is_due(&mut decisions, after(49)), "and again the next time");
    }

    #[test]
    fn what_ends_or_is_denied_is_never_due() {
        for reply in [allow(Some(after(30))), allow(Some(after(10))), deny()] {
            let mut decisions = told(&reply);
            let mut seconds = 0..30;
            let due = seconds.any(|s| decisions.fresh(&KEY, after(s)).is_some_and(|f| f.is_due));
            assert!(!due, "{reply:?}");
        }
    }

    #[test]
    fn a_clock_that_is_set_back_to_before_a_decision_makes_nothing_of_it() {
        let mut decisions = told(&allow(Some(after(3_600))));
        assert_eq!(decisions.fresh(&KEY, just_before(NOW)), None);
        assert!(decisions.is_empty(), "nor does it come to life later");
        let mut decisions = told(&allow(Some(after(3_600))));
        assert_eq!(decisions.stale(&KEY, just_before(NOW)), None);
    }
}
