//! Time as the decisions see it: milliseconds since the epoch, given by the caller, never read here.
//!
//! Arithmetic saturates: a sum that does not fit ends at the last representable moment, and a [`Window`] that starts there is
//! never open. A date that cannot be represented at all is `None`, which every caller treats as "no such permission".

use std::time::Duration;

use chrono::{DateTime, SecondsFormat};

/// The last second that a date may name: 9999-12-31T23:59:59Z, the end of RFC 3339's range.
const LAST_SECOND: i64 = 253_402_300_799;

/// A moment, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(u64);

impl UnixMillis {
    /// The moment `millis` milliseconds after the epoch.
    pub const fn new(millis: u64) -> Self {
        Self(millis)
    }

    /// The moment of a `NumericDate` (RFC 7519, section 2) in whole seconds, or `None` after the year 9999.
    ///
    /// A date before the epoch becomes the epoch: it is long over either way.
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        if seconds > LAST_SECOND {
            return None;
        }
        let seconds = u64::try_from(seconds).unwrap_or(0);
        Some(Self(seconds.saturating_mul(1_000)))
    }

    /// The moment of a `NumericDate` with a fraction, to the millisecond below; as [`Self::from_seconds`] otherwise.
    pub fn from_fractional_seconds(seconds: f64) -> Option<Self> {
        let whole = seconds.floor();
        #[expect(
            clippy::cast_precision_loss,
            reason = "the last second needs 38 bits, and a double has 53"
        )]
        if whole.is_nan() || whole > LAST_SECOND as f64 {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "`as` saturates, and what is negative becomes the epoch"
        )]
        let millis = (seconds * 1_000.0).floor() as u64;
        Some(Self(millis))
    }

    /// The moment that an RFC 3339 timestamp such as `2026-11-23T21:00:00Z` names.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let moment = DateTime::parse_from_rfc3339(text).ok()?;
        Self::from_seconds(moment.timestamp()).map(|second| {
            second.saturating_add(Duration::from_millis(
                moment.timestamp_subsec_millis().into(),
            ))
        })
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn as_seconds(self) -> u64 {
        self.0 / 1_000
    }

    /// This moment and `span` more; the end of time if that does not fit.
    #[must_use]
    pub fn saturating_add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(millis_of(span)))
    }

    /// This moment less `span`; the epoch if that does not fit.
    #[must_use]
    pub fn saturating_sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(millis_of(span)))
    }

    /// How long it is from `earlier` until this moment; zero if `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// RFC 3339 in UTC with milliseconds: `2026-11-23T20:34:08.123Z`.
    pub fn to_rfc3339(self) -> String {
        i64::try_from(self.0)
            .ok()
            .and_then(DateTime::from_timestamp_millis)
            .map(|moment| moment.to_rfc3339_opts(SecondsFormat::Millis, true))
            .unwrap_or_default()
    }
}

fn millis_of(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// When something holds: from `from` on, and no longer at `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first moment at which it holds.
    pub from: UnixMillis,
    /// The first moment at which it no longer holds.
    pub until: UnixMillis,
}

/// Where a moment lies relative to a [`Window`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It does not hold yet.
    Before,
    /// It holds.
    Within,
    /// It is over. An empty or inverted window is always over, never open.
    Over,
}

impl Window {
    /// Where `now` lies.
    pub fn phase(self, now: UnixMillis) -> Phase {
        if now >= self.until {
            Phase::Over
        } else if now < self.from {
            Phase::Before
        } else {
            Phase::Within
        }
    }

    /// Whether it holds at `now`.
    pub fn is_open(self, now: UnixMillis) -> bool {
        self.phase(now) == Phase::Within
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn at(millis: u64) -> UnixMillis {
        UnixMillis::new(millis)
    }

    #[test]
    fn a_window_is_over_at_its_end() {
        let window = Window {
            from: at(10),
            until: at(20),
        };
        for (now, phase) in [
            (9, Phase::Before),
            (10, Phase::Within),
            (19, Phase::Within),
            (20, Phase::Over),
        ] {
            assert_eq!(window.phase(at(now)), phase, "at {now}");
        }
    }

    #[test]
    fn an_inverted_window_never_opens() {
        let window = Window {
            from: at(20),
            until: at(10),
        };
        assert!(
            [0, 9, 10, 15, 20, u64::MAX]
                .into_iter()
                .all(|now| !window.is_open(at(now)))
        );
    }

    #[test]
    fn a_sum_that_does_not_fit_ends_at_the_end_of_time() {
        assert_eq!(
            at(u64::MAX - 1).saturating_add(Duration::from_secs(5)),
            at(u64::MAX)
        );
        assert_eq!(at(5).saturating_sub(Duration::MAX), at(0));
    }

    #[test]
    fn dates_out_of_range_are_no_dates_and_negative_ones_are_over() {
        assert_eq!(UnixMillis::from_seconds(i64::MAX), None);
        assert_eq!(UnixMillis::from_seconds(LAST_SECOND + 1), None);
        assert_eq!(UnixMillis::from_seconds(i64::MIN), Some(at(0)));
        let fractional = UnixMillis::from_fractional_seconds;
        assert_eq!(fractional(1_790_000_000.25), Some(at(1_790_000_000_250)));
        assert_eq!(fractional(253_402_300_799.5), Some(at(253_402_300_799_500)));
        assert_eq!(fractional(-0.5), Some(at(0)));
        for none in [253_402_300_800.0, 1e300, f64::INFINITY, f64::NAN] {
            assert_eq!(fractional(none), None, "{none}");
        }
        assert_eq!(fractional(f64::NEG_INFINITY), Some(at(0)));
    }

    #[test]
    fn rfc_3339_is_read_with_its_offset_and_written_in_utc() {
        let moment = UnixMillis::from_rfc3339("2026-11-23T22:00:00.250+01:00").unwrap();
        assert_eq!(moment.to_rfc3339(), "2026-11-23T21:00:00.250Z");
        for text in [
            "",
            "2026-11-23",
            "2026-11-23T21:00:00",
            "tomorrow",
            "99999-01-01T00:00:00Z",
        ] {
            assert_eq!(UnixMillis::from_rfc3339(text), None, "{text}");
        }
    }
}
