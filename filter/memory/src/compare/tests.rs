use std::cmp::Ordering;

use super::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// Five words: with what comes before the first whole one and after the last.
const LONGEST: usize = 40;
/// What comes after the bytes that are compared.
const BEHIND: usize = WORD;

/// Bytes that begin at any place in a word.
#[derive(Clone, Copy)]
#[repr(align(8))]
struct Aligned([u8; WORD + LONGEST + BEHIND]);

impl Aligned {
    fn filled_with(byte: u8) -> Self {
        Self([byte; WORD + LONGEST + BEHIND])
    }
}

fn compared(one: &[u8], other: &[u8]) -> Ordering {
    assert_eq!(one.len(), other.len());
    // SAFETY: both are as long.
    unsafe { compare(one.as_ptr(), other.as_ptr(), one.len()) }.cmp(&0)
}

/// Calls with every size, and with every place in a word at which each side may begin.
fn everywhere(mut call: impl FnMut(usize, usize, usize)) {
    for size in 0..=LONGEST {
        for left in 0..WORD {
            for right in 0..WORD {
                call(size, left, right);
            }
        }
    }
}

#[test]
fn the_first_byte_that_differs_decides_wherever_it_and_both_sides_stand() {
    everywhere(|size, left, right| {
        for at in 0..size {
            // Greater only without a sign; and what follows would decide the other way.
            for (first, second) in [(0x7f, 0x80), (0, 0xff), (0x41, 0x42)] {
                let mut one = Aligned::filled_with(0x55);
                let mut other = one;
                one.0[left + at] = first;
                other.0[right + at] = second;
                one.0[left + at + 1..].fill(0xaa);
                let one = &one.0[left..left + size];
                let other = &other.0[right..right + size];
                let place = format!("byte {at} of {size}, from {left} and {right} on");
                assert_eq!(compared(one, other), one.cmp(other), "{place}");
                assert_eq!(compared(one, other), Ordering::Less, "{place}");
                assert_eq!(compared(other, one), Ordering::Greater, "{place}");
            }
        }
    });
}

#[test]
fn equal_bytes_are_equal_whatever_stands_around_them() {
    everywhere(|size, left, right| {
        let mut one = Aligned::filled_with(0x11);
        let mut other = Aligned::filled_with(0xee);
        for (at, byte) in (0_u8..).enumerate().take(size) {
            one.0[left + at] = byte;
            other.0[right + at] = byte;
        }
        let one = &one.0[left..left + size];
        let other = &other.0[right..right + size];
        assert_eq!(compared(one, other), one.cmp(other));
        assert_eq!(
            compared(one, other),
            Ordering::Equal,
            "{size} bytes from {left} and {right} on"
        );
    });
}

#[test]
fn bytes_are_equal_to_themselves() {
    let bytes = Aligned::filled_with(7);
    for size in 0..=LONGEST {
        assert_eq!(
            compared(&bytes.0[1..=size], &bytes.0[1..=size]),
            Ordering::Equal
        );
    }
}
