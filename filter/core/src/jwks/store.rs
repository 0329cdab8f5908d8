//! The keys of one issuer over time: not there yet, fresh, stale but usable, or gone.
//!
//! Nothing is fetched here. The store says when a fetch is due and takes its outcome; a failed fetch never loses the last good keys
//! before their stated age.

use std::sync::Arc;
use std::time::Duration;

use super::KeySet;
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
}

/// The keys of one issuer.
#[derive(Debug)]
pub struct KeyStore {
    rules: Option<RefreshRules>,
    keys: Option<Fetched>,
    fetching: bool,
    failures: u32,
    due: UnixMillis,
}

#[derive(Debug)]
struct Fetched {
    set: Arc<KeySet>,
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

impl KeyStore {
    /// A store whose keys are part of the configuration and never change.
    pub fn fixed(keys: KeySet) -> Self {
        Self {
            rules: None,
            keys: Some(Fetched {
                set: Arc::new(keys),
                usable_until: UnixMillis::new(u64::MAX),
            }),
            fetching: false,
            failures: 0,
            due: UnixMillis::new(u64::MAX),
        }
    }

    /// A store whose keys must be fetched, the first time at once.
    pub fn remote(rules: RefreshRules) -> Self {
        Self {
            rules: Some(rules),
            keys: None,
            fetching: false,
            failures: 0,
            due: UnixMillis::new(0),
        }
    }

    /// The keys, if there are any whose age allows their use.
    pub fn keys(&self, now: UnixMillis) -> Keys {
        match &self.keys {
            Some(fetched) if now < fetched.usable_until => Keys::Ready(fetched.set.clone()),
            _ if self.fetching => Keys::Awaited,
            _ => Keys::Unavailable,
        }
    }

    /// Whether a fetch should start now.
    pub fn is_due(&self, now: UnixMillis) -> bool {
        !self.fetching && now >= self.due
    }

    /// A fetch has started.
    pub fn fetch_started(&mut self) {
        self.fetching = true;
    }

    /// The fetch brought keys: they replace the old ones.
    pub fn fetched(&mut self, keys: KeySet, now: UnixMillis) {
        let Some(rules) = self.rules else { return };
        self.fetching = false;
        self.failures = 0;
        self.due = now.saturating_add(rules.refresh);
        self.keys = Some(Fetched {
            set: Arc::new(keys),
            usable_until: self.due.saturating_add(rules.max_stale),
        });
    }

    /// The fetch failed: the old keys stay, and the next attempt comes after a growing wait.
    pub fn fetch_failed(&mut self, now: UnixMillis) {
        let Some(rules) = self.rules else { return };
        self.fetching = false;
        let doubled = FIRST_RETRY.saturating_mul(1 << self.failures.min(10));
        self.failures = self.failures.saturating_add(1);
        self.due = now.saturating_add(doubled.min(LONGEST_RETRY).min(rules.refresh));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const START: UnixMillis = UnixMillis::new(1_790_000_000_000);

    fn after(seconds: u64) -> UnixMillis {
        START.saturating_add(Duration::from_secs(seconds))
    }

    fn store() -> KeyStore {
        KeyStore::remote(RefreshRules {
            refresh: Duration::from_mins(5),
            max_stale: Duration::from_hours(1),
        })
    }

    #[test]
    fn keys_are_due_at_once_awaited_while_fetched_and_then_ready() {
        let mut store = store();
        assert!(store.is_due(START));
        assert!(matches!(store.keys(START), Keys::Unavailable));
        store.fetch_started();
        assert!(!store.is_due(START), "one fetch at a time");
        assert!(matches!(store.keys(START), Keys::Awaited));
        store.fetched(KeySet::default(), START);
        assert!(matches!(store.keys(START), Keys::Ready(_)));
        assert!(!store.is_due(after(299)));
        assert!(store.is_due(after(300)));
    }

    #[test]
    fn last_good_keys_outlive_failed_fetches_until_their_stated_age() {
        let mut store = store();
        store.fetch_started();
        store.fetched(KeySet::default(), START);
        store.fetch_started();
        store.fetch_failed(after(300));
        assert!(matches!(store.keys(after(3899)), Keys::Ready(_)));
        assert!(matches!(store.keys(after(3900)), Keys::Unavailable));
    }

    #[test]
    fn failed_fetches_are_repeated_with_growing_waits() {
        let mut store = store();
        let mut waits = Vec::new();
        for _ in 0..7 {
            store.fetch_started();
            store.fetch_failed(START);
            waits.push(store.due.since(START).as_secs());
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
    }

    #[test]
    fn fixed_keys_are_never_due() {
        let store = KeyStore::fixed(KeySet::default());
        assert!(!store.is_due(after(u64::MAX / 2_000)));
        assert!(matches!(store.keys(START), Keys::Ready(_)));
    }
}
