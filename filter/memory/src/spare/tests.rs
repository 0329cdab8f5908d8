use std::alloc::System;
use std::cell::RefCell;
use std::collections::BTreeMap;

use super::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// The system's allocator, which knows what it has given.
#[derive(Default)]
struct Watched {
    /// By address, in which layout.
    given: RefCell<BTreeMap<usize, Layout>>,
    fails: bool,
}

// SAFETY: the system's allocator does it all; in between there is only a list.
unsafe impl GlobalAlloc for Watched {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if self.fails {
            return ptr::null_mut();
        }
        // SAFETY: what the caller promises.
        let place = unsafe { System.alloc(layout) };
        self.given.borrow_mut().insert(place.addr(), layout);
        place
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        let given = self.given.borrow_mut().remove(&place.addr());
        assert_eq!(given, Some(layout), "given back as it was given");
        // SAFETY: what the caller promises.
        unsafe { System.dealloc(place, layout) };
    }
}

impl Watched {
    fn bytes(&self) -> usize {
        self.given.borrow().values().map(Layout::size).sum()
    }
}

fn layout(size: usize) -> Layout {
    Layout::from_size_align(size, 1).unwrap()
}

/// A block in somebody's hands, every byte of which holds the same.
struct Block {
    place: *mut u8,
    layout: Layout,
    mark: u8,
}

impl Block {
    fn take(allocator: &SpareFirst<Watched>, layout: Layout, mark: u8) -> Self {
        // SAFETY: no layout here is of nothing.
        let place = unsafe { allocator.alloc(layout) };
        assert!(!place.is_null());
        assert_eq!(place.addr() % layout.align(), 0);
        let block = Self {
            place,
            layout,
            mark,
        };
        block.fill();
        block
    }

    fn fill(&self) {
        // SAFETY: the block is as large as its layout.
        unsafe { ptr::write_bytes(self.place, self.mark, self.layout.size()) };
    }

    fn assert_holds(&self, size: usize) {
        // SAFETY: `size` is not above that of the layout by which it was taken or grown.
        let bytes = unsafe { std::slice::from_raw_parts(self.place, size) };
        assert!(bytes.iter().all(|byte| *byte == self.mark));
    }

    fn give_back(self, allocator: &SpareFirst<Watched>) {
        self.assert_holds(self.layout.size());
        // SAFETY: it was taken from there by this layout.
        unsafe { allocator.dealloc(self.place, self.layout) };
    }

    fn resize(mut self, allocator: &SpareFirst<Watched>, size: usize) -> Self {
        // SAFETY: it was taken from there by this layout, and no size here is nothing.
        self.place = unsafe { allocator.realloc(self.place, self.layout, size) };
        assert_eq!(self.place.addr() % self.layout.align(), 0);
        self.assert_holds(self.layout.size().min(size));
        self.layout = Layout::from_size_align(size, self.layout.align()).unwrap();
        self.fill();
        self
    }
}

#[test]
fn a_block_that_was_given_back_goes_to_the_next_who_asks_for_as_much() {
    let allocator = SpareFirst::new(Watched::default());
    let first = Block::take(&allocator, layout(100), 1);
    let place = first.place;
    first.give_back(&allocator);
    let other = Block::take(&allocator, layout(300), 2);
    assert_ne!(other.place, place);
    let second = Block::take(&allocator, layout(97), 3);
    assert_eq!(second.place, place);
    second.give_back(&allocator);
    other.give_back(&allocator);
}

#[test]
fn a_block_that_is_to_hold_nothing_holds_nothing_of_its_last_owner_s() {
    let allocator = SpareFirst::new(Watched::default());
    for size in [1, 100, LARGEST, LARGEST + 1] {
        Block::take(&allocator, layout(size), 7).give_back(&allocator);
        let cleared = Block {
            // SAFETY: the layout is not of nothing.
            place: unsafe { allocator.alloc_zeroed(layout(size)) },
            layout: layout(size),
            mark: 0,
        };
        cleared.give_back(&allocator);
    }
}

#[test]
fn a_large_block_and_one_of_a_wide_alignment_go_back_at_once() {
    let allocator = SpareFirst::new(Watched::default());
    let wide = Layout::from_size_align(64, 64).unwrap();
    for layout in [layout(LARGEST + 1), layout(1 << 20), wide] {
        Block::take(&allocator, layout, 1).give_back(&allocator);
        assert_eq!(allocator.behind.bytes(), 0, "{layout:?}");
    }
}

#[test]
fn no_more_is_kept_than_there_is_a_bound_for() {
    let allocator = SpareFirst::new(Watched::default());
    for size in 1..=LARGEST {
        let blocks: Vec<Block> = (0..MOST_OF_A_SIZE / size + 2)
            .map(|_| Block::take(&allocator, layout(size), 1))
            .collect();
        for block in blocks {
            block.give_back(&allocator);
        }
    }
    let kept = allocator.behind.bytes();
    let most = LARGEST / STEP * MOST_OF_A_SIZE;
    assert!((most / 2..=most).contains(&kept), "{kept} of {most}");
}

#[test]
fn want_of_memory_is_told_and_loses_nothing() {
    let mut allocator = SpareFirst::new(Watched::default());
    let block = Block::take(&allocator, layout(32), 7);
    allocator.behind.fails = true;
    // SAFETY: it was taken from there by this layout.
    let grown = unsafe { allocator.realloc(block.place, block.layout, 64) };
    assert!(grown.is_null());
    block.give_back(&allocator);
    // SAFETY: the layout is not of nothing.
    assert!(unsafe { allocator.alloc(layout(64)) }.is_null());
}

#[test]
fn every_block_is_its_owners_alone_whatever_happens() {
    let allocator = SpareFirst::new(Watched::default());
    let mut blocks: Vec<Block> = Vec::new();
    // Knuth's MMIX numbers: the same on each run.
    let mut state: u64 = 11;
    let mut draw = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    for step in 0..200_000 {
        let size = 1 + draw([24, 200, 5_000][step % 3]);
        match draw(3) {
            0 if blocks.len() < 300 => {
                let align = 1 << draw(6);
                let layout = Layout::from_size_align(size, align).unwrap();
                let mark = u8::try_from(draw(256)).unwrap();
                blocks.push(Block::take(&allocator, layout, mark));
            }
            1 if !blocks.is_empty() => {
                let block = blocks.swap_remove(draw(blocks.len()));
                blocks.push(block.resize(&allocator, size));
            }
            _ if !blocks.is_empty() => {
                blocks.swap_remove(draw(blocks.len())).give_back(&allocator);
            }
            _ => {}
        }
    }
    for block in blocks {
        block.give_back(&allocator);
    }
}
