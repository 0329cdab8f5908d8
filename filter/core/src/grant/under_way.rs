//! What the grant service is being asked right now, and whether it may be asked more.

use super::{Asker, Tally};

/// So many calls are under way in a worker at most. More would not be answered sooner, and a proxy bounds them, too, for all alike.
pub const MOST_CALLS: usize = 256;
/// So many questions about the same subject are under way at most, so that nobody has all calls.
pub const MOST_OF_ONE: usize = 32;

/// The calls that are under way.
#[derive(Debug, Default)]
pub struct UnderWay {
    calls: usize,
    questions: Tally,
    /// The host took no further call beside these.
    is_full: bool,
}

impl UnderWay {
    /// How many there are.
    pub fn calls(&self) -> usize {
        self.calls
    }

    /// Whether there may be another one.
    pub fn has_room(&self) -> bool {
        self.calls < MOST_CALLS && !self.is_full
    }

    /// How many questions about `asker` may leave with it.
    pub fn room_for(&self, asker: Asker) -> usize {
        MOST_OF_ONE.saturating_sub(self.questions.of(asker))
    }

    /// A call has left, with questions about these.
    pub fn begin(&mut self, askers: &[Asker]) {
        self.calls = self.calls.saturating_add(1);
        for asker in askers {
            self.questions.add(*asker);
        }
    }

    /// A call with questions about these is over, in whatever way.
    pub fn end(&mut self, askers: &[Asker]) {
        self.calls = self.calls.saturating_sub(1);
        self.is_full = false;
        for asker in askers {
            self.questions.take(*asker);
        }
    }

    /// The host would not take a call. While others are under way that may be for want of room: then there is none until one of them is over.
    /// False where there are no others.
    pub fn refused(&mut self) -> bool {
        self.is_full = self.calls > 0;
        self.is_full
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const ONE: Asker = Asker::new([1; 32]);
    const OTHER: Asker = Asker::new([2; 32]);

    #[test]
    fn there_are_only_so_many_calls() {
        let mut under_way = UnderWay::default();
        for _ in 0..MOST_CALLS {
            assert!(under_way.has_room());
            under_way.begin(&[ONE]);
        }
        assert!(!under_way.has_room());
        under_way.end(&[ONE]);
        assert!(under_way.has_room());
        assert_eq!(under_way.calls(), MOST_CALLS - 1);
    }

    #[test]
    fn nobody_has_all_of_them() {
        let mut under_way = UnderWay::default();
        under_way.begin(&[ONE; MOST_OF_ONE - 1]);
        assert_eq!(under_way.room_for(ONE), 1);
        under_way.begin(&[ONE, OTHER]);
        assert_eq!(under_way.room_for(ONE), 0);
        assert_eq!(under_way.room_for(OTHER), MOST_OF_ONE - 1);
        under_way.end(&[ONE, OTHER]);
        assert_eq!(under_way.room_for(ONE), 1);
    }

    #[test]
    fn where_the_host_takes_no_more_there_is_room_when_one_is_over() {
        let mut under_way = UnderWay::default();
        assert!(!under_way.refused(), "that is not for want of room");
        assert!(under_way.has_room());
        under_way.begin(&[ONE]);
        under_way.begin(&[OTHER]);
        assert!(under_way.refused());
        assert!(!under_way.has_room());
        under_way.end(&[ONE]);
        assert!(under_way.has_room());
    }
}
