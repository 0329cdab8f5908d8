//! A comparison of bytes by words. Wasm has no instruction for it, and the compiler's own function goes byte by byte, which for the token of
//! each request is half a microsecond.
#![expect(
    unsafe_code,
    reason = "the compiler calls this function with addresses, not with slices"
)]

use std::ptr;

const WORD: usize = size_of::<u64>();

/// As C's `memcmp`: below zero, zero or above it, as the first byte that differs in `one` is less than that in `other`, none does, or it is
/// greater.
///
/// # Safety
/// `size` bytes can be read at both addresses.
#[inline]
pub unsafe fn compare(one: *const u8, other: *const u8, size: usize) -> i32 {
    // What is taken out of the cache is compared with itself, and nothing of it need be in reach for that.
    if ptr::eq(one, other) {
        return 0;
    }
    let mut at: usize = 0;
    // SAFETY: a word is read only where all of it lies before `size`, a byte likewise; neither read asks for alignment.
    unsafe {
        while at <= size.wrapping_sub(WORD) && size >= WORD {
            let word = |start: *const u8| ptr::read_unaligned(start.wrapping_add(at).cast::<u64>());
            if word(one) != word(other) {
                break;
            }
            at = at.wrapping_add(WORD);
        }
        while at < size {
            let byte = |start: *const u8| i32::from(ptr::read(start.wrapping_add(at)));
            let difference = byte(one).wrapping_sub(byte(other));
            if difference != 0 {
                return difference;
            }
            at = at.wrapping_add(1);
        }
    }
    0
}

#[cfg(test)]
mod tests;
