//! A span of time as a configuration writes it, `500ms`, `30s`, `5m`, `8h` or `7d`: one number and one unit. `humantime` knows more, `M`
//! for months among them, which is too near to `m` for minutes, and writes what nobody here could write.

use std::fmt;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::field::Expected;

/// The units, each with its milliseconds, the largest first.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// The names of the units.
#[cfg(feature = "schema")]
pub(super) const UNIT_NAMES: [&str; 5] = ["ms", "s", "m", "h", "d"];

/// A span of time. It is shown as it was written, or in the largest unit of which it is a whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// How long.
    pub duration: Duration,
    number: u64,
    unit: &'static str,
}

impl From<Duration> for Span {
    /// What is less than a millisecond is not shown.
    fn from(duration: Duration) -> Self {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let whole = UNITS
            .into_iter()
            .filter(|_| millis > 0)
            .find_map(|(unit, size)| {
                Some((millis.checked_div(size)?, unit, size))
                    .filter(|_| millis.is_multiple_of(size))
            });
        let (number, unit) = whole.map_or((0, "s"), |(number, unit, _)| (number, unit));
        Self {
            duration,
            number,
            unit,
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.number, self.unit)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
        let unit = text.strip_prefix(digits).unwrap_or_default();
        let unit = UNITS.into_iter().find(|(name, _)| *name == unit);
        let (unit, _) = unit.ok_or_else(|| D::Error::custom("not one number and one unit"))?;
        Ok(Self {
            duration: humantime::parse_duration(&text).map_err(D::Error::custom)?,
            number: digits.parse().map_err(D::Error::custom)?,
            unit,
        })
    }
}

impl Expected for Span {
    const EXPECTED: &'static str = "a duration such as `500ms`, `30s`, `5m`, `8h` or `7d`";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn read(text: &str) -> Option<Span> {
        serde_json::from_value(text.into()).ok()
    }

    #[test]
    fn a_span_is_shown_as_it_was_written() {
        for text in [
            "0s", "500ms", "301s", "90m", "48h", "400d", "8192d", "61000ms",
        ] {
            let span = read(text).unwrap();
            assert_eq!(span.to_string(), text);
            assert_eq!(span.duration, humantime::parse_duration(text).unwrap());
        }
    }

    #[test]
    fn one_that_nobody_wrote_is_shown_in_the_largest_unit_that_it_is_a_whole_number_of() {
        for (text, millis) in [
            ("0s", 0),
            ("1500ms", 1_500),
            ("61s", 61_000),
            ("90m", 5_400_000),
            ("99h", 356_400_000),
            ("365d", 31_536_000_000),
        ] {
            let span = Span::from(Duration::from_millis(millis));
            assert_eq!(span.to_string(), text);
            assert_eq!(read(text).unwrap().duration, span.duration, "{text}");
        }
    }

    #[test]
    fn what_is_not_one_number_and_one_unit_is_no_span() {
        for text in [
            "",
            "5",
            "m",
            "5 m",
            "1h30m",
            "5M",
            "5min",
            "-5m",
            "1.5h",
            "5m ",
            "99999999999999999999d",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
