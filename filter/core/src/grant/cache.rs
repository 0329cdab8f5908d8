//! Decisions of the grant service, remembered for a while.
//!
//! The moment of expiry lies inside each entry, and [`DecisionCache::get`] never returns an entry that is over: forgetting too early
//! costs a call, remembering too long would cost security. Entries have a bounded size, so a bound on their number bounds the memory.

use hashlink::LruCache;

use super::Ruling;
use crate::time::UnixMillis;

/// What a decision was about: a digest of the whole question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DecisionKey([u8; 32]);

impl DecisionKey {
    /// Takes a SHA-256 digest.
    pub const fn new(digest: [u8; 32]) -> Self {
        Self(digest)
    }
}

/// Remembered decisions; the least recently used goes first.
#[derive(Debug)]
pub struct DecisionCache {
    entries: LruCache<DecisionKey, Entry>,
}

#[derive(Debug)]
struct Entry {
    ruling: Ruling,
    until: UnixMillis,
}

impl DecisionCache {
    /// A cache of at most `max_entries` decisions; with none it remembers nothing.
    pub fn new(max_entries: usize) -> Self {
        Self {
            entries: LruCache::new(max_entries),
        }
    }

    /// The decision for `key`, unless it is over.
    pub fn get(&mut self, key: &DecisionKey, now: UnixMillis) -> Option<&Ruling> {
        if self.entries.peek(key)?.until <= now {
            self.entries.remove(key);
            return None;
        }
        self.entries.get(key).map(|entry| &entry.ruling)
    }

    /// Remembers a decision until `until`, in place of an older one.
    pub fn put(&mut self, key: DecisionKey, ruling: Ruling, until: UnixMillis, now: UnixMillis) {
        if until > now && self.entries.capacity() > 0 {
            self.entries.insert(key, Entry { ruling, until });
        } else {
            self.entries.remove(&key);
        }
    }

    /// How many decisions are held, those that are over but not yet noticed included.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
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

    fn key(n: u8) -> DecisionKey {
        DecisionKey::new([n; 32])
    }

    #[test]
    fn a_decision_is_forgotten_at_its_end() {
        let mut cache = DecisionCache::new(4);
        cache.put(key(1), Ruling::Deny, at(20), at(10));
        assert_eq!(cache.get(&key(1), at(19)), Some(&Ruling::Deny));
        assert_eq!(cache.get(&key(1), at(20)), None);
        assert!(cache.is_empty());
    }

    #[test]
    fn a_decision_that_is_already_over_replaces_the_older_one_by_nothing() {
        let mut cache = DecisionCache::new(4);
        cache.put(key(1), Ruling::Obliged, at(99), at(10));
        cache.put(key(1), Ruling::Deny, at(10), at(10));
        assert_eq!(cache.get(&key(1), at(10)), None);
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let mut cache = DecisionCache::new(2);
        cache.put(key(1), Ruling::Deny, at(99), at(0));
        cache.put(key(2), Ruling::Deny, at(99), at(0));
        assert!(cache.get(&key(1), at(1)).is_some());
        cache.put(key(3), Ruling::Deny, at(99), at(1));
        assert!(cache.get(&key(2), at(1)).is_none());
        assert!(cache.get(&key(1), at(1)).is_some());
        assert_eq!(cache.len(), 2);
    }

    #[test]
    fn a_cache_of_no_entries_remembers_nothing() {
        let mut cache = DecisionCache::new(0);
        cache.put(key(1), Ruling::Deny, at(99), at(0));
        assert_eq!(cache.get(&key(1), at(1)), None);
    }
}
