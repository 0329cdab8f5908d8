//! How often figures are told to the proxy. To tell them costs calls of the host: while few requests come, each has its own told at once,
//! and while very many do, they share. What the last of them leave is told by the tick.

use std::time::Duration;

use hallpass_core::time::UnixMillis;

/// How long a span is.
const SPAN: Duration = Duration::from_millis(20);
/// How often figures are told in one span.
const MOST: u8 = 16;

/// When figures were told lately.
#[derive(Debug)]
pub(super) struct Pace {
    /// When the span began.
    began: UnixMillis,
    /// How often they were told since.
    told: u8,
}

impl Pace {
    /// Whether figures may be told now, and then they are.
    pub(super) fn allows(&mut self, now: UnixMillis) -> bool {
        // A clock that was set back is no reason to wait until it has caught up.
        if now < self.began || now.since(self.began) >= SPAN {
            *self = Self {
                began: now,
                told: 0,
            };
        }
        let allows = self.told < MOST;
        if allows {
            self.told = self.told.saturating_add(1);
        }
        allows
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            began: UnixMillis::new(0),
            told: 0,
        }
    }
}
