//! Those whose tokens were verified before: a token that comes again is recognized by its bytes and need not be verified anew.
//!
//! The key is the whole text of the token, so an identity can only ever be answered for exactly that token. It counts as long as the
//! token holds, and only while the key set that verified it is still its issuer's: a rotation empties what it concerns.

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
pub(super) struct Bearers(Cache<Box<[u8]>, Verified, HashOfSignature>);

impl Bearers {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self(Cache::new(bounds))
    }

    /// What was found out about this very token, unless it is over.
    pub(super) fn get(&mut self, token: &[u8], now: UnixMillis) -> Option<Verified> {
        self.0.get(token, now).cloned()
    }

    pub(super) fn put(&mut self, token: &[u8], verified: Verified, now: UnixMillis) {
        let until = verified.bearer.identity.window().until;
        let bytes = weight(token);
        self.0.put(token.into(), verified, bytes, until, now);
    }

    /// Forgets those of `provider` that other keys than `current` verified.
    pub(super) fn keep_only(&mut self, provider: usize, current: &Arc<KeySet>) {
        self.0.retain(|verified| {
            verified.provider != provider || Arc::ptr_eq(&verified.keys, current)
        });
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// About what an entry takes: the text once as the key, and what is kept of its claims twice at most, as such and as a header, each piece
/// with its own allocation.
fn weight(token: &[u8]) -> usize {
    const FIXED: usize = 1_024;
    token.len().saturating_mul(3).saturating_add(FIXED)
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
