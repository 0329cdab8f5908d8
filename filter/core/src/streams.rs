//! What is open, and until when.
//!
//! Nearly everything is closed long before its end, so opening and closing must cost next to nothing: one place in a hash map. What is
//! over is looked for among all that is open, but only when the earliest end that was told has come.

use std::collections::HashMap;
use std::hash::Hash;

use hashlink::DefaultHashBuilder;

use crate::time::UnixMillis;

const NEVER: UnixMillis = UnixMillis::new(u64::MAX);

/// Whatever is open, by key, each with its end. It holds as much as is open at a time.
#[derive(Debug)]
pub struct OpenStreams<K, V> {
    streams: HashMap<K, (UnixMillis, V), DefaultHashBuilder>,
    /// No end is earlier; it may be that of one which was closed meanwhile.
    earliest: UnixMillis,
}

impl<K, V> Default for OpenStreams<K, V> {
    fn default() -> Self {
        Self {
            streams: HashMap::default(),
            earliest: NEVER,
        }
    }
}

impl<K: Copy + Eq + Hash, V> OpenStreams<K, V> {
    /// `key` is open from now on, and over at `until`.
    pub fn open(&mut self, key: K, value: V, until: UnixMillis) {
        self.earliest = self.earliest.min(until);
        self.streams.insert(key, (until, value));
    }

    /// `key` is closed, whether or not it was open.
    pub fn close(&mut self, key: &K) {
        self.streams.remove(key);
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        self.streams.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.streams.is_empty()
    }

    /// The keys of all that is over at `now` and still open.
    pub fn over(&mut self, now: UnixMillis) -> Vec<K> {
        if now < self.earliest {
            return Vec::new();
        }
        let ends = self.streams.values().map(|(until, _)| *until);
        self.earliest = ends.min().unwrap_or(NEVER);
        let over = self.streams.iter().filter(|(_, (until, _))| *until <= now);
        over.map(|(key, _)| *key).collect()
    }

    /// Whatever is open and `has_ended` is over from now on, and by any clock.
    pub fn end_those(&mut self, has_ended: impl Fn(&V) -> bool) {
        let before_all = UnixMillis::new(0);
        for (until, value) in self.streams.values_mut() {
            if has_ended(value) {
                *until = before_all;
                self.earliest = before_all;
            }
        }
    }

    /// Closes `key` if it is over at `now`. Whoever was told of it a while ago asks so again: it may be closed since, and its key be
    /// another's.
    pub fn close_over(&mut self, key: &K, now: UnixMillis) -> Option<V> {
        let (until, _) = self.streams.get(key)?;
        if now < *until {
            return None;
        }
        let (_, value) = self.streams.remove(key)?;
        Some(value)
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

    const NONE: [u32; 0] = [];

    fn over(open: &mut OpenStreams<u32, ()>, now: u64) -> Vec<u32> {
        let mut over = open.over(at(now));
        over.sort_unstable();
        over
    }

    #[test]
    fn at_its_end_it_is_over_and_not_before() {
        let mut open = OpenStreams::default();
        open.open(1, (), at(10));
        assert_eq!(over(&mut open, 9), NONE);
        assert_eq!(open.close_over(&1, at(9)), None);
        assert_eq!(over(&mut open, 10), [1]);
        assert_eq!(open.close_over(&1, at(10)), Some(()));
        assert_eq!(open.close_over(&1, at(10)), None);
        assert_eq!(over(&mut open, 10), NONE);
    }

    #[test]
    fn what_was_closed_is_never_over() {
        let mut open = OpenStreams::default();
        open.open(1, (), at(10));
        open.open(2, (), at(20));
        open.close(&1);
        assert_eq!(over(&mut open, 15), NONE);
        assert_eq!(over(&mut open, 20), [2]);
    }

    #[test]
    fn a_key_that_is_another_s_meanwhile_is_not_closed() {
        let mut open = OpenStreams::default();
        open.open(1, "first", at(10));
        assert_eq!(open.over(at(10)), [1]);
        open.close(&1);
        open.open(1, "second", at(20));
        assert_eq!(open.close_over(&1, at(10)), None);
        assert_eq!(open.over(at(20)), [1]);
    }

    #[test]
    fn what_has_ended_before_its_end_is_over_by_any_clock() {
        let mut open = OpenStreams::default();
        open.open(1, "stays", at(10));
        open.open(2, "ends", at(20));
        open.end_those(|value| *value == "ends");
        assert_eq!(open.over(at(0)), [2]);
        assert_eq!(open.close_over(&1, at(0)), None);
        assert_eq!(open.close_over(&2, at(0)), Some("ends"));
        assert_eq!(open.over(at(9)), NONE);
        assert_eq!(open.over(at(10)), [1]);
    }

    #[test]
    fn it_says_what_a_plain_list_says_whatever_happens() {
        let mut open = OpenStreams::default();
        let mut list: Vec<(u32, u64)> = Vec::new();
        // Knuth's MMIX numbers: the same on each run.
        let mut state: u64 = 7;
        let mut draw = |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for _ in 0..20_000 {
            let key = u32::try_from(draw(50)).unwrap();
            let moment = draw(1_000);
            match draw(4) {
                0 => {
                    list.retain(|(other, _)| *other != key);
                    list.push((key, moment));
                    open.open(key, (), at(moment));
                }
                1 => {
                    list.retain(|(other, _)| *other != key);
                    open.close(&key);
                }
                2 => {
                    let expected = list.iter().any(|(k, until)| *k == key && *until <= moment);
                    assert_eq!(open.close_over(&key, at(moment)).is_some(), expected);
                    list.retain(|(k, until)| !(*k == key && *until <= moment));
                    assert_eq!(open.len(), list.len());
                }
                _ => {
                    let is_over = list.iter().filter(|(_, until)| *until <= moment);
                    let mut expected: Vec<u32> = is_over.map(|(key, _)| *key).collect();
                    expected.sort_unstable();
                    assert_eq!(over(&mut open, moment), expected);
                }
            }
        }
    }
}
