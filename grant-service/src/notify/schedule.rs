//! When what could not be told is tried again.

use std::time::Duration;

/// After the first failure.
const FIRST: Duration = Duration::from_secs(5);
/// However often it fails.
const LONGEST: Duration = Duration::from_mins(30);
/// A receiver that asks for more patience than this gets this much.
const LONGEST_ASKED: Duration = Duration::from_hours(1);
/// What could not be told for so long is given up.
pub(super) const GIVEN_UP_AFTER: Duration = Duration::from_hours(24);

/// How long to wait after so many attempts: doubled each time. `asked` is what the receiver asks for.
pub(super) fn wait(attempts: u32, asked: Option<Duration>) -> Duration {
    let doubled = 2_u32.saturating_pow(attempts.saturating_sub(1));
    let wait = FIRST.saturating_mul(doubled).min(LONGEST);
    wait.max(asked.unwrap_or_default().min(LONGEST_ASKED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_gets_longer_up_to_half_an_hour() {
        for (attempts, seconds) in [
            (1, 5),
            (2, 10),
            (5, 80),
            (9, 1_280),
            (10, 1_800),
            (u32::MAX, 1_800),
        ] {
            assert_eq!(
                wait(attempts, None),
                Duration::from_secs(seconds),
                "{attempts}"
            );
        }
    }

    #[test]
    fn a_receiver_that_asks_for_patience_gets_it_within_bounds() {
        for (asked, seconds) in [(1, 5), (60, 60), (1_000_000, 3_600)] {
            let asked = Some(Duration::from_secs(asked));
            assert_eq!(wait(1, asked), Duration::from_secs(seconds));
        }
    }
}
