//! How one row compares with another.

use serde::Serialize;

use crate::plan::Row;
use crate::sample::{Sample, Spread};

/// The ratios of a row's figures to those of another, round by round.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Ratio {
    /// Of requests a second: more is better.
    pub(crate) throughput: Spread,
    /// Of the median time to an answer: less is better.
    pub(crate) p50: Spread,
    /// Of the time to an answer that one in a hundred exceeds: less is better.
    pub(crate) p99: Spread,
    /// Of processor time for a request: less is better. It suffers less from whatever else the machine does.
    pub(crate) cpu: Spread,
}

impl Ratio {
    /// The machine's speed drifts, so each sample is compared with that of its own round. `None` when one of the two has no figures.
    pub(crate) fn between(row: &Row, other: &Row) -> Option<Self> {
        let of = |figure: fn(&Sample) -> f64| {
            let pairs = row.sound_samples().iter().zip(other.sound_samples());
            Spread::of(pairs.map(|(sample, other)| figure(sample) / figure(other)))
        };
        Some(Self {
            throughput: of(|sample| sample.requests_per_second)?,
            p50: of(|sample| sample.p50_us)?,
            p99: of(|sample| sample.p99_us)?,
            cpu: of(|sample| sample.cpu_us_per_request)?,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::contender::Contender;
    use crate::crowd::Crowd;

    /// A row whose rounds had so many requests a second, and such a 99th percentile in microseconds.
    pub(crate) fn measured(contender: Contender, rounds: &[(f64, f64)]) -> Row {
        let sample = |&(requests_per_second, p99_us): &(f64, f64)| Sample {
            requests_per_second,
            p50_us: 100.0,
            p99_us,
            cpu_us_per_request: 1e6 / requests_per_second,
            strangers_per_second: None,
            key_fetches: None,
        };
        Row {
            samples: rounds.iter().map(sample).collect(),
            ..Row::new("row", contender, Crowd::One, &[])
        }
    }

    #[test]
    fn each_sample_is_compared_with_that_of_its_own_round() {
        // The machine became twice as slow, which changes no ratio.
        let row = measured(Contender::Hallpass, &[(80.0, 20.0), (40.0, 60.0)]);
        let other = measured(Contender::Plain, &[(100.0, 10.0), (50.0, 20.0)]);
        let ratio = Ratio::between(&row, &other).expect("both have figures");
        let spread = |median, min, max| Spread { median, min, max };
        assert_eq!(ratio.throughput, spread(0.8, 0.8, 0.8));
        assert_eq!(ratio.p99, spread(2.5, 2.0, 3.0));
        assert_eq!(ratio.cpu, spread(1.25, 1.25, 1.25));
    }

    #[test]
    fn a_row_without_sound_figures_is_not_compared() {
        let row = measured(Contender::Hallpass, &[(80.0, 20.0)]);
        let other = Row {
            fault: Some("a premise did not hold".to_owned()),
            ..measured(Contender::Plain, &[(100.0, 10.0)])
        };
        assert_eq!(Ratio::between(&row, &other), None);
    }
}
