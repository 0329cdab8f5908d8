//! The clock of the scripted world: it moves only when the test says so.

use std::sync::atomic::{AtomicU64, Ordering};

use proxy_wasm_host::abi::v0_2_1::Clock;

/// Milliseconds since the Unix epoch, read by every worker.
pub(crate) struct ScriptedClock(AtomicU64);

impl ScriptedClock {
    pub(crate) fn new(unix_ms: u64) -> Self {
        Self(AtomicU64::new(unix_ms))
    }

    pub(crate) fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn set(&self, unix_ms: u64) {
        self.0.store(unix_ms, Ordering::Relaxed);
    }
}

impl Clock for ScriptedClock {
    fn realtime_nanos(&self) -> u64 {
        self.now().saturating_mul(1_000_000)
    }

    fn monotonic_nanos(&self) -> u64 {
        self.realtime_nanos()
    }
}
