//! What tokens of every provider have in common: how large they may be, and how many that were verified are remembered.

use super::fault::{Faults, Place};
use super::field::Field;
use super::raw::RawTokenCache;
use crate::cache::Bounds;
use crate::token::parse::DEFAULT_MAX_TOKEN_BYTES;

/// More than this, most proxies take for no header any more.
const MAX_TOKEN_BYTES: u64 = 64 * 1024;
const MAX_ENTRIES: u64 = 1_000_000;
const MAX_CACHE_BYTES: u64 = 1 << 30;

pub(super) fn max_bytes(field: Field<u64>, faults: &mut Faults) -> usize {
    let place = Place::root().member("max_token_bytes");
    field.within(
        256..=MAX_TOKEN_BYTES,
        DEFAULT_MAX_TOKEN_BYTES as u64,
        &place,
        faults,
    )
}

pub(super) fn cache(field: Field<RawTokenCache>, faults: &mut Faults) -> Bounds {
    let place = Place::root().member("token_cache");
    let raw = field.optional(&place, faults).unwrap_or_default();
    raw.refuse_unknown(&place, faults);
    Bounds {
        max_entries: raw.max_entries.within(
            0..=MAX_ENTRIES,
            10_000,
            &place.member("max_entries"),
            faults,
        ),
        max_bytes: raw.max_bytes.within(
            0..=MAX_CACHE_BYTES,
            64 << 20,
            &place.member("max_bytes"),
            faults,
        ),
    }
}
