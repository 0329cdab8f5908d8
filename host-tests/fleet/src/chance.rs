//! What comes about by chance, the same on every run.

use std::time::Duration;

use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};

/// A source of numbers for one proxy.
pub(crate) struct Chance(ChaCha8Rng);

impl Chance {
    /// Each number has a sequence of its own.
    pub(crate) fn of(number: u32) -> Self {
        Self(ChaCha8Rng::seed_from_u64(number.into()))
    }

    /// Any number below `end`.
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        let scaled = (u64::from(self.0.next_u32()) * u64::from(end)) >> 32;
        u32::try_from(scaled).expect("less than `end`")
    }

    /// Any span shorter than `end`, in whole milliseconds.
    pub(crate) fn shorter_than(&mut self, end: Duration) -> Duration {
        let end = u32::try_from(end.as_millis()).expect("less than weeks");
        Duration::from_millis(self.below(end).into())
    }

    /// How many seconds pass until something comes that comes so often in a second, whatever came before.
    pub(crate) fn wait(&mut self, rate: f64) -> f64 {
        let share = (f64::from(self.0.next_u32()) + 1.0) / (f64::from(u32::MAX) + 1.0);
        -share.ln() / rate
    }
}
