//! The keys of one issuer over time: not there yet, fresh, stale but usable, or gone.
//!
//! Nothing is fetched here. The store says when a fetch is due and takes its outcome; a failed fetch never loses the last good keys
//! before their stated age. For tokens that the set does not verify, the issuer's present keys are sought once per cool-down, however many
//! they are: in between the issuer's last word stands, for all of them, so that nothing has to be remembered of any.

use std::sync::Arc;
use std::time::Duration;

use super::{KeyFault, KeySet, ParsedSet};
use crate::time::UnixMillis;

/// The first wait after a failed fetch; it doubles with each further one.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// The longest wait after failed fetches, unless the refresh interval is shorter.
const LONGEST_RETRY: Duration = Duration::from_secs(30);

/// How long fetched keys serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshRules {
    /// Keys are fetched again this long after the last good fetch.
    pub refresh: Duration,
    /// How much longer than that the last good keys serve while fetches fail.
    pub max_stale: Duration,
    /// How long after a fetch for a token that the keys did not verify there is no other such fetch.
    pub cool_down: Duration,
}

/// The keys of one issuer.
#[derive(Debug)]
pub struct KeyStore {
    rules: Option<RefreshRules>,
    keys: Option<Fetched>,
    /// When the fetch began that is under way.
    fetching: Option<UnixMillis>,
    failures: u32,
    planned: UnixMillis,
    due: UnixMillis,
    /// When other keys than those at hand were last sought.
    sought: Option<UnixMillis>,
}

#[derive(Debug)]
struct Fetched {
    set: Arc<KeySet>,
    /// What the document held besides.
    skipped: Vec<(usize, KeyFault)>,
    /// When the fetch began that last brought this set: it has every key that the issuer had published by then.
    asked: UnixMillis,
    usable_until: UnixMillis,
}

/// What the store can offer now.
#[derive(Debug, Clone)]
pub enum Keys {
    /// Keys to verify with.
    Ready(Arc<KeySet>),
    /// None yet, but a fetch is under way: its outcome is worth waiting for.
    Awaited,
    /// None, and nothing to wait for.
    Unavailable,
}

/// What is to be said of a token that the keys at hand do not verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sought {
    /// A fetch is under way or due now: its outcome is worth waiting for.
    Awaited,
    /// The issuer was asked, and has no other keys.
    Absent,
    /// The issuer did not answer, so nobody can know.
    Unavailable,
}

impl KeyStore {
    /// A store whose keys are part of the configuration and never change.
    pub fn fixed(keys: KeySet) -> Self {
        Self {
            rules: None,
            keys: Some(Fetched {
                set: Arc::new(keys),
                skipped: Vec::new(),
                asked: UnixMillis::new(0),
                usable_until: UnixMillis::new(u64::MAX),
            }),
            fetching: None,
            failures: 0,
            planned: UnixMillis::new(0),
            due: UnixMillis::new(u64::MAX),
            sought: None,
        }
    }

    /// A store whose keys must be fetched, the first time at once.
    pub fn remote(rules: RefreshRules) -> Self {
        Self {
            rules: Some(rules),
            keys: None,
            fetching: None,
            failures: 0,
            planned: UnixMillis::new(0),
            due: UnixMillis::new(0),
            sought: None,
        }
    }

    /// The keys, if there are any whose age allows their use.
    pub fn keys(&self, now: UnixMillis) -> Keys {
        match &self.keys {
            Some(fetched) if now < fetched.usable_until => Keys::Ready(fetched.set.clone()),
            _ if self.fetching.is_some() => Keys::Awaited,
            _ => Keys::Unavailable,
        }
    }

    /// Looks for other keys than those at hand, for a token that came at `came`. Where that is worth a fetch, one is due from now on.
    pub fn seek(&mut self, came: UnixMillis, now: UnixMillis) -> Sought {
        let Some(rules) = self.rules else {
            return Sought::Absent;
        };
        // A moment that lies ahead is from before the clock was set back, and says nothing.
        let covers = |keys: &Fetched| keys.asked > came && keys.asked <= now;
        if self.keys.as_ref().is_some_and(covers) {
            return Sought::Absent;
        }
        if self.fetching.is_some() || self.is_due(now) {
            return Sought::Awaited;
        }
        // An issuer that is away is asked again when the wait after the failure is over, whoever comes meanwhile.
        if self.failures > 0 {
            return Sought::Unavailable;
        }
        let cools_down = |sought: UnixMillis| sought <= now && now.since(sought) < rules.cool_down;
        if !self.sought.is_some_and(cools_down) {
            self.sought = Some(now);
            self.plan(now, Duration::ZERO);
            return Sought::Awaited;
        }
        Sought::Absent
    }

    /// Whether a fetch should start now: its time has come, or the clock was set back and nobody knows when that will be.
    pub fn is_due(&self, now: UnixMillis) -> bool {
        self.fetching.is_none() && !(self.planned..self.due).contains(&now)
    }

    fn plan(&mut self, now: UnixMillis, wait: Duration) {
        self.planned = now;
        self.due = now.saturating_add(wait);
    }

    /// A fetch has started.
    pub fn fetch_started(&mut self, now: UnixMillis) {
        self.fetching = Some(now);
    }

    /// The fetch brought keys: they replace the old ones, unless they are the same; then the very set of before stays, so that whoever
    /// remembers something by it need not forget. `max_age` is the issuer's own word on how long they last, which can bring the next
    /// fetch nearer.
    ///
    /// Whether the document says anything that the last one did not.
    pub fn fetched(
        &mut self,
        parsed: ParsedSet,
        max_age: Option<Duration>,
        now: UnixMillis,
    ) -> bool {
        let Some(rules) = self.rules else {
            return false;
        };
        let asked = self.fetching.take().unwrap_or(now);
        self.failures = 0;
        self.plan(now, rules.next_refresh(max_age));
        let usable_until = now
            .saturating_add(rules.refresh)
            .saturating_add(rules.max_stale);
        let ParsedSet { keys, skipped } = parsed;
        let last = self.keys.take();
        let is_news = last
            .as_ref()
            .is_none_or(|last| *last.set != keys || last.skipped != skipped);
        let set = match last {
            Some(last) if *last.set == keys => last.set,
            _ => Arc::new(keys),
        };
        self.keys = Some(Fetched {
            set,
            skipped,
            asked,
            usable_until,
        });
        is_news
    }

    /// The fetch failed: the old keys stay, and the next attempt comes after a growing wait.
    pub fn fetch_failed(&mut self, now: UnixMillis) {
        let Some(rules) = self.rules else { return };
        self.fetching = None;
        if let Some(keys) = &mut self.keys {
            // If the clock was set back since it was last looked at, they would serve for longer by as much.
            let set_back_by = self.planned.since(now);
            keys.usable_until = keys.usable_until.saturating_sub(set_back_by);
        }
        let doubled = FIRST_RETRY.saturating_mul(1 << self.failures.min(10));
        self.failures = self.failures.saturating_add(1);
        self.plan(now, doubled.min(LONGEST_RETRY).min(rules.refresh));
    }
}

impl RefreshRules {
    /// How long after a good fetch the next one is due. The issuer's word shortens it down to the cool-down and never lengthens it. Zero
    /// says nothing here: issuers send it whose keys last for months, and keys must be kept in any case.
    fn next_refresh(&self, max_age: Option<Duration>) -> Duration {
        match max_age {
            Some(max_age) if !max_age.is_zero() => self.refresh.min(max_age.max(self.cool_down)),
            _ => self.refresh,
        }
    }
}

#[cfg(test)]
mod tests;
