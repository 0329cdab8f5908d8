//! What one measurement came to, and what several come to.

use std::fmt::{self, Display};
use std::time::Duration;

use serde::Serialize;

use crate::load::Answered;

/// One measurement of one row.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Sample {
    /// How many of the users' requests were answered in a second.
    pub(crate) requests_per_second: f64,
    /// The median of the time to an answer, in microseconds.
    pub(crate) p50_us: f64,
    /// The time to an answer that one in a hundred exceeds, in microseconds.
    pub(crate) p99_us: f64,
    /// The proxy's processor time for each of these requests, in microseconds. What strangers cost is in it.
    pub(crate) cpu_us_per_request: f64,
    /// How many strangers were refused in a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) strangers_per_second: Option<f64>,
    /// How often the keys were fetched since the first stranger came, a moment before the measurement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key_fetches: Option<usize>,
}

/// The strangers during a measurement.
#[derive(Debug)]
pub(crate) struct Strangers {
    pub(crate) came: u64,
    pub(crate) elapsed: Duration,
    pub(crate) key_fetches: usize,
}

impl Sample {
    /// From what the load saw and what the proxy used.
    pub(crate) fn new(answered: &Answered, cpu: Duration, strangers: Option<Strangers>) -> Self {
        let requests = f64::from(answered.requests);
        let rate = |strangers: &Strangers| {
            let came = u32::try_from(strangers.came).unwrap_or(u32::MAX);
            f64::from(came) / strangers.elapsed.as_secs_f64()
        };
        Self {
            requests_per_second: requests * 1e6 / f64::from(answered.microseconds),
            p50_us: answered.p50_us.into(),
            p99_us: answered.p99_us.into(),
            cpu_us_per_request: cpu.as_secs_f64() * 1e6 / requests,
            strangers_per_second: strangers.as_ref().map(rate),
            key_fetches: strangers.map(|strangers| strangers.key_fetches),
        }
    }
}

/// The middle of some figures, and their ends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// Of some figures; `None` when there are none.
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        let upper = *sorted.get(middle)?;
        let median = if sorted.len() % 2 == 1 {
            upper
        } else {
            f64::midpoint(sorted[middle - 1], upper)
        };
        Some(Self {
            median,
            min: *sorted.first()?,
            max: *sorted.last()?,
        })
    }
}

impl Display for Spread {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { median, min, max } = self;
        out.pad(&format!("{median:.2} ({min:.2} to {max:.2})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one_or_lies_between_the_two_in_the_middle() {
        let of = |figures: &[f64]| Spread::of(figures.iter().copied());
        let spread = |median, min, max| Some(Spread { median, min, max });
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[3.0, 1.0, 2.0]), spread(2.0, 1.0, 3.0));
        assert_eq!(of(&[4.0, 1.0, 2.0, 3.0]), spread(2.5, 1.0, 4.0));
    }
}
