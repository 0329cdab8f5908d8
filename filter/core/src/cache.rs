//! What was found out once and holds for a while: bounded in number and in bytes, the least recently used goes first.
//!
//! The moment of its end lies inside each entry, and [`Cache::get`] never returns one that is over. Forgetting too early costs work,
//! remembering too long would cost security: every doubt is decided for forgetting.

use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash};

use hashlink::linked_hash_map::RawEntryMut;
use hashlink::{DefaultHashBuilder, LruCache};

use crate::time::UnixMillis;

/// How much a cache may hold; with no entries it remembers nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Entries.
    pub max_entries: usize,
    /// Bytes, by what [`Cache::put`] is told of each entry.
    pub max_bytes: usize,
}

/// Values that end, by key.
#[derive(Debug)]
pub struct Cache<K, V, S = DefaultHashBuilder> {
    entries: LruCache<K, Entry<V>, S>,
    bytes: usize,
    max_bytes: usize,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    bytes: usize,
    until: UnixMillis,
}

impl<K: Eq + Hash, V, S: BuildHasher + Default> Cache<K, V, S> {
    /// An empty cache.
    pub fn new(bounds: Bounds) -> Self {
        Self {
            entries: LruCache::with_hasher(bounds.max_entries, S::default()),
            bytes: 0,
            max_bytes: bounds.max_bytes,
        }
    }

    /// The value for `key`, unless it is over.
    pub fn get<Q>(&mut self, key: &Q, now: UnixMillis) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.get_mut(key, now).map(|value| &*value)
    }

    /// As [`Cache::get`], to be changed.
    pub fn get_mut<Q>(&mut self, key: &Q, now: UnixMillis) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        // One look-up, whatever is found: the keys may be long.
        let RawEntryMut::Occupied(mut found) = self.entries.raw_entry_mut().from_key(key) else {
            return None;
        };
        if found.get().until <= now {
            let over = found.remove();
            self.bytes = self.bytes.saturating_sub(over.bytes);
            return None;
        }
        found.to_back();
        Some(&mut found.into_mut().value)
    }

    /// Whether a value of `bytes` bytes, key included, could be remembered without forgetting one that counts.
    pub fn has_room(&self, bytes: usize, now: UnixMillis) -> bool {
        let fits = self.entries.len() < self.entries.capacity()
            && self.bytes.saturating_add(bytes) <= self.max_bytes;
        fits || self.next_to_go().is_some_and(|entry| entry.until <= now)
    }

    fn next_to_go(&self) -> Option<&Entry<V>> {
        self.entries.iter().next().map(|(_, entry)| entry)
    }

    /// Remembers a value of `bytes` bytes, key included, until `until`, in place of an older one.
    pub fn put(&mut self, key: K, value: V, bytes: usize, until: UnixMillis, now: UnixMillis) {
        self.remove(&key);
        if until <= now || bytes > self.max_bytes || self.entries.capacity() == 0 {
            return;
        }
        while self.entries.len() >= self.entries.capacity()
            || self.bytes.saturating_add(bytes) > self.max_bytes
        {
            let Some((_, evicted)) = self.entries.remove_lru() else {
                break;
            };
            self.bytes = self.bytes.saturating_sub(evicted.bytes);
        }
        self.bytes = self.bytes.saturating_add(bytes);
        let entry = Entry {
            value,
            bytes,
            until,
        };
        self.entries.insert(key, entry);
    }

    /// Forgets the value for `key`.
    pub fn remove<Q>(&mut self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        if let Some(entry) = self.entries.remove(key) {
            self.bytes = self.bytes.saturating_sub(entry.bytes);
        }
    }

    /// Forgets every value that `keep` does not want.
    pub fn retain(&mut self, mut keep: impl FnMut(&V) -> bool) {
        let bytes = &mut self.bytes;
        self.entries.retain(|_, entry| {
            let kept = keep(&entry.value);
            if !kept {
                *bytes = bytes.saturating_sub(entry.bytes);
            }
            kept
        });
    }

    /// How many values are held, those that are over but not yet noticed included.
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

    const NOW: UnixMillis = UnixMillis::new(1_000);
    const LATER: UnixMillis = UnixMillis::new(2_000);

    fn cache(max_entries: usize, max_bytes: usize) -> Cache<u8, &'static str> {
        Cache::new(Bounds {
            max_entries,
            max_bytes,
        })
    }

    fn held(cache: &mut Cache<u8, &'static str>) -> Vec<u8> {
        (0..=9)
            .filter(|key| cache.get(key, NOW).is_some())
            .collect()
    }

    #[test]
    fn a_value_is_there_until_its_end_and_not_at_it() {
        let mut cache = cache(4, 100);
        cache.put(1, "one", 10, LATER, NOW);
        assert_eq!(cache.get(&1, UnixMillis::new(1_999)), Some(&"one"));
        assert_eq!(cache.get(&1, LATER), None);
        assert!(cache.is_empty(), "what is over takes no room");
        cache.put(1, "over", 10, NOW, NOW);
        assert_eq!(cache.get(&1, UnixMillis::new(0)), None);
    }

    #[test]
    fn a_newer_value_replaces_an_older_one_even_if_it_is_over() {
        let mut cache = cache(4, 100);
        cache.put(1, "old", 10, LATER, NOW);
        cache.put(1, "new", 20, LATER, NOW);
        assert_eq!(
            (cache.get(&1, NOW).copied(), cache.bytes),
            (Some("new"), 20)
        );
        cache.put(1, "over", 10, NOW, NOW);
        assert_eq!((cache.get(&1, NOW).copied(), cache.bytes), (None, 0));
    }

    #[test]
    fn the_least_recently_used_goes_first_when_there_are_too_many() {
        let mut cache = cache(2, 100);
        cache.put(1, "one", 10, LATER, NOW);
        cache.put(2, "two", 10, LATER, NOW);
        cache.get(&1, NOW);
        cache.put(3, "three", 10, LATER, NOW);
        assert_eq!((held(&mut cache), cache.bytes), (vec![1, 3], 20));
    }

    #[test]
    fn there_is_room_while_none_that_counts_must_go() {
        let mut by_number = cache(2, 100);
        by_number.put(1, "soon over", 10, UnixMillis::new(1_500), NOW);
        assert!(by_number.has_room(90, NOW));
        assert!(!by_number.has_room(91, NOW));
        by_number.put(2, "two", 10, LATER, NOW);
        assert!(!by_number.has_room(10, NOW));
        assert!(by_number.has_room(10, UnixMillis::new(1_500)));
        by_number.get(&1, NOW);
        assert!(
            !by_number.has_room(10, UnixMillis::new(1_500)),
            "the other goes first"
        );
        assert!(!cache(0, 100).has_room(1, NOW));
    }

    #[test]
    fn as_many_go_as_the_bytes_of_a_new_one_need() {
        let mut cache = cache(8, 100);
        for key in 1..=4 {
            cache.put(key, "small", 25, LATER, NOW);
        }
        cache.put(5, "large", 60, LATER, NOW);
        assert_eq!((held(&mut cache), cache.bytes), (vec![4, 5], 85));
        cache.put(6, "too large", 101, LATER, NOW);
        assert_eq!(held(&mut cache), [4, 5]);
    }

    #[test]
    fn what_is_not_kept_is_gone_with_its_bytes() {
        let mut cache = cache(8, 100);
        cache.put(1, "one", 10, LATER, NOW);
        cache.put(2, "two", 20, LATER, NOW);
        cache.retain(|value| *value == "two");
        assert_eq!((held(&mut cache), cache.bytes), (vec![2], 20));
    }

    #[test]
    fn a_cache_without_entries_or_bytes_remembers_nothing() {
        for mut cache in [cache(0, 100), cache(8, 0)] {
            cache.put(1, "one", 1, LATER, NOW);
            assert!(cache.is_empty());
        }
    }
}
