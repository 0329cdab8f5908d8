//! An allocator before another one: small blocks that are given back are kept for whoever asks for as many bytes next.
//!
//! One request after the other takes the same few blocks and gives them back. An allocator that joins what is free, and parts it again,
//! runs through more of its code for that than all that is done with the blocks: of the module's code that a request runs through, it was
//! a sixth. Here it is two looks at a list. Whatever is not small, or of which enough is kept, is the other allocator's as before, so that
//! memory that was used for one thing can still be used for another.
#![expect(
    unsafe_code,
    reason = "an allocator deals in addresses, and Rust asks for promises that the compiler cannot check"
)]

use std::alloc::{GlobalAlloc, Layout};
use std::cell::UnsafeCell;
use std::ptr::{self, NonNull};

/// Sizes are rounded up to multiples of this.
const STEP: usize = 16;
/// What every block's address is a multiple of; most of what is asked for needs no more.
const ALIGN: usize = 8;
/// The largest block that is kept: large enough for a request's headers with a token.
const LARGEST: usize = 4_096;
/// How many bytes are kept of one size. Two megabytes of all together.
const MOST_OF_A_SIZE: usize = 8_192;
/// One list for each size, and one for none.
const SIZES: usize = LARGEST / STEP + 1;

/// Spare blocks before the allocator `A`.
///
/// It is for one thread. Where there could be more it is not [`Sync`], and cannot be a program's allocator.
#[derive(Debug)]
pub struct SpareFirst<A> {
    lists: UnsafeCell<[List; SIZES]>,
    behind: A,
}

/// Spare blocks of one size.
#[derive(Debug, Clone, Copy)]
struct List {
    first: Option<NonNull<Spare>>,
    bytes: usize,
}

/// What a spare block begins with.
struct Spare {
    next: Option<NonNull<Spare>>,
}

// SAFETY: without atomics, WebAssembly has one thread.
#[cfg(all(target_arch = "wasm32", not(target_feature = "atomics")))]
unsafe impl<A: Sync> Sync for SpareFirst<A> {}

impl<A> SpareFirst<A> {
    /// Without any block yet: all come from `behind`.
    pub const fn new(behind: A) -> Self {
        let empty = List {
            first: None,
            bytes: 0,
        };
        Self {
            lists: UnsafeCell::new([empty; SIZES]),
            behind,
        }
    }

    /// Works on the list of blocks as large as this layout, which [`rounded`] made.
    fn with_list<R>(&self, layout: Layout, work: impl FnOnce(&mut List) -> R) -> Option<R> {
        // SAFETY: there is one thread, and no work on a list allocates or looks at another list: nobody else looks at them now.
        let lists = unsafe { &mut *self.lists.get() };
        lists.get_mut(layout.size() / STEP).map(work)
    }
}

impl List {
    fn take(&mut self, size: usize) -> Option<NonNull<Spare>> {
        let block = self.first?;
        // SAFETY: whoever put it here wrote where the next one is, and nobody has had it since.
        self.first = unsafe { block.as_ref() }.next;
        self.bytes = self.bytes.saturating_sub(size);
        Some(block)
    }

    /// False if enough is kept.
    fn put(&mut self, block: NonNull<Spare>, size: usize) -> bool {
        let bytes = self.bytes.saturating_add(size);
        if bytes > MOST_OF_A_SIZE {
            return false;
        }
        let spare = Spare { next: self.first };
        // SAFETY: it was given back, so nobody else has it; and the smallest block is as large and aligned as this needs.
        unsafe { block.write(spare) };
        self.first = Some(block);
        self.bytes = bytes;
        true
    }
}

/// The layout of a block that may be spare; `None` for one that is never kept.
fn rounded(layout: Layout) -> Option<Layout> {
    if layout.size() > LARGEST || layout.align() > ALIGN {
        return None;
    }
    let size = layout.size().checked_next_multiple_of(STEP)?;
    Layout::from_size_align(size, ALIGN).ok()
}

// SAFETY: every block comes from the allocator behind, by the layout that `rounded` makes of the one that was asked for, or by that one
// itself where it makes none. It goes back there by the same. While it is spare, nobody has it. Nothing here panics.
unsafe impl<A: GlobalAlloc> GlobalAlloc for SpareFirst<A> {
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(block) = rounded(layout) else {
            // SAFETY: what the caller promises.
            return unsafe { self.behind.alloc(layout) };
        };
        match self.with_list(block, |list| list.take(block.size())) {
            Some(Some(spare)) => spare.as_ptr().cast(),
            // SAFETY: what the caller promises; it is not smaller than what was asked for, which is not nothing.
            _ => unsafe { self.behind.alloc(block) },
        }
    }

    #[inline(never)]
    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        let Some(block) = rounded(layout) else {
            // SAFETY: what the caller promises.
            return unsafe { self.behind.dealloc(place, layout) };
        };
        #[expect(
            clippy::cast_ptr_alignment,
            reason = "it was taken by a layout that is aligned to more than a byte"
        )]
        let spare = NonNull::new(place.cast::<Spare>());
        let is_kept =
            spare.and_then(|spare| self.with_list(block, |list| list.put(spare, block.size())));
        if is_kept != Some(true) {
            // SAFETY: what the caller promises, and by this layout it was taken.
            unsafe { self.behind.dealloc(place, block) };
        }
    }

    #[inline(never)]
    unsafe fn realloc(&self, place: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let Ok(new) = Layout::from_size_align(new_size, layout.align()) else {
            return ptr::null_mut();
        };
        match (rounded(layout), rounded(new)) {
            // SAFETY: what the caller promises.
            (None, None) => unsafe { self.behind.realloc(place, layout, new_size) },
            (Some(one), Some(other)) if one == other => place,
            // SAFETY: what the caller promises. Both blocks hold as much as is copied, and they are two.
            _ => unsafe {
                let other = self.alloc(new);
                if !other.is_null() {
                    ptr::copy_nonoverlapping(place, other, layout.size().min(new_size));
                    self.dealloc(place, layout);
                }
                other
            },
        }
    }
}

#[cfg(test)]
mod tests;
