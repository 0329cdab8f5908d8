//! Those whose tokens were verified before: a token that comes again is recognized by its bytes and need not be verified anew.
//!
//! The key is the whole text of the token, so an identity can only ever be answered for exactly that token. It counts as long as the
//! token holds, and only while the key set that verified it is still its issuer's: a rotation empties what it concerns.
//!
//! Once there is no room left, a token that comes for the first time is not remembered, only that it came. So tokens that are used once
//! do not drive out those that are used again and again, and cost no work beyond their verification.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use hashlink::DefaultHashBuilder;

use crate::bearer::Bearer;
use crate::cache::{Bounds, Cache};
use crate::jwks::KeySet;
use crate::time::UnixMillis;

/// What is known of a token that was verified.
#[derive(Debug, Clone)]
pub(super) struct Verified {
    pub(super) bearer: Arc<Bearer>,
    /// The provider whose rules and keys verified it, by place in the configuration.
    pub(super) provider: usize,
    pub(super) keys: Arc<KeySet>,
}

/// Verified tokens, by their text.
#[derive(Debug)]
pub(super) struct Bearers {
    known: Cache<Box<[u8]>, Verified, HashOfSignature>,
    seen: Seen,
    hasher: HashOfSignature,
}

impl Bearers {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            known: Cache::new(bounds),
            seen: Seen::new(bounds.max_entries),
            hasher: HashOfSignature::default(),
        }
    }

    /// What was found out about this very token, unless it is over.
    pub(super) fn get(&mut self, token: &[u8], now: UnixMillis) -> Option<Verified> {
        self.known.get(token, now).cloned()
    }

    /// Remembers a token, if there is room or it came before.
    pub(super) fn put(&mut self, token: &[u8], verified: Verified, now: UnixMillis) {
        let bytes = weight(token);
        if self.known.has_room(bytes, now) || self.seen.again(self.hasher.hash_one(token)) {
            let until = verified.bearer.identity.window().until;
            self.known.put(token.into(), verified, bytes, until, now);
        }
    }

    /// Forgets those of `provider` that other keys than `current` verified.
    pub(super) fn keep_only(&mut self, provider: usize, current: &Arc<KeySet>) {
        self.known.retain(|verified| {
            verified.provider != provider || Arc::ptr_eq(&verified.keys, current)
        });
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }
}

/// About what an entry takes: the text once as the key, and what is kept of its claims twice at most, as such and as a header, each piece
/// with its own allocation.
fn weight(token: &[u8]) -> usize {
    const FIXED: usize = 1_024;
    token.len().saturating_mul(3).saturating_add(FIXED)
}

/// Traces of tokens that came lately and were not remembered. One may cover another's, and two may look the same: then a token is
/// remembered a little later or sooner than it should be, and nothing else.
#[derive(Debug)]
struct Seen {
    traces: Box<[u32]>,
}

impl Seen {
    /// For a cache of so many entries; a cache without any needs no traces.
    fn new(max_entries: usize) -> Self {
        /// Half a megabyte.
        const MAX_TRACES: usize = 1 << 17;
        let traces = match max_entries {
            0 => 0,
            some => some.min(MAX_TRACES).next_power_of_two(),
        };
        Self {
            traces: vec![0; traces].into(),
        }
    }

    /// Whether a token with this hash has left a trace. It leaves one now.
    fn again(&mut self, hash: u64) -> bool {
        let place = hash & (self.traces.len() as u64).wrapping_sub(1);
        let place = usize::try_from(place).ok();
        let Some(found) = place.and_then(|place| self.traces.get_mut(place)) else {
            return false;
        };
        // Other bits than those that chose the place; and never 0, which is no trace.
        let trace = u32::try_from(hash >> 32).unwrap_or_default() | 1;
        std::mem::replace(found, trace) == trace
    }
}

/// Hashes the end of a token: a piece of its signature, which differs from token to token. Those who choose what stands there get no
/// token into the cache, and equality is that of the whole text.
#[derive(Debug, Default)]
struct HashOfSignature(DefaultHashBuilder);

impl BuildHasher for HashOfSignature {
    type Hasher = EndHasher<<DefaultHashBuilder as BuildHasher>::Hasher>;

    fn build_hasher(&self) -> Self::Hasher {
        EndHasher(self.0.build_hasher())
    }
}

struct EndHasher<H>(H);

impl<H: Hasher> Hasher for EndHasher<H> {
    fn write(&mut self, bytes: &[u8]) {
        const HASHED: usize = 32;
        self.0
            .write(bytes.last_chunk::<HASHED>().map_or(bytes, |end| end));
    }

    fn finish(&self) -> u64 {
        self.0.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_token_leaves_a_trace_until_another_takes_its_place() {
        let mut seen = Seen::new(2);
        let (one, other) = (0x0000_0003_0000_0001, 0x0000_0005_0000_0001);
        assert!(!seen.again(one));
        assert!(seen.again(one));
        assert!(!seen.again(other));
        assert!(!seen.again(one));
        assert!(!seen.again(0), "no trace is not a trace of nothing");
    }

    #[test]
    fn without_a_cache_there_are_no_traces() {
        let mut seen = Seen::new(0);
        assert!(!seen.again(7));
        assert!(!seen.again(7));
    }
}
