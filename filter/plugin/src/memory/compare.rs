//! How memory is compared: by words, in place of the compiler's own function.
#![expect(
    unsafe_code,
    reason = "the compiler calls this function with addresses, not with slices"
)]

/// C's `memcmp`, which stands in for the compiler's.
///
/// # Safety
/// `size` bytes can be read at both addresses.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(one: *const u8, other: *const u8, size: usize) -> i32 {
    // SAFETY: what the caller promises.
    unsafe { hallpass_memory::compare(one, other, size) }
}
