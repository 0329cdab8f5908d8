//! How much of something is whose.

use std::collections::HashMap;

use super::Asker;

/// A count for each asker. Whoever has none takes no room.
#[derive(Debug, Default)]
pub struct Tally(HashMap<Asker, usize>);

impl Tally {
    /// One more.
    pub fn add(&mut self, asker: Asker) {
        let count = self.0.entry(asker).or_default();
        *count = count.saturating_add(1);
    }

    /// One less.
    pub fn take(&mut self, asker: Asker) {
        if let Some(count) = self.0.get_mut(&asker) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.0.remove(&asker);
            }
        }
    }

    /// How much.
    pub fn of(&self, asker: Asker) -> usize {
        self.0.get(&asker).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn each_has_a_count_of_their_own_and_whoever_has_none_takes_no_room() {
        let [one, other] = [1, 2].map(|byte| Asker::new([byte; 32]));
        let mut tally = Tally::default();
        tally.add(one);
        tally.add(one);
        tally.add(other);
        assert_eq!((tally.of(one), tally.of(other)), (2, 1));
        tally.take(one);
        tally.take(other);
        tally.take(other);
        assert_eq!((tally.of(one), tally.of(other)), (1, 0));
        assert_eq!(tally.0.len(), 1);
    }
}
