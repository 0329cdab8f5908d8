//! What was reckoned beside what was measured, and whether the two agree.

use std::fmt;
use std::time::Duration;

use crate::measured::number;
use crate::{Between, Fleet, Measured, Run, Seconds};

/// So far a figure may lie from its formula, which leaves out the wait for the next tick, answers for which two workers ask in the same
/// moment, and the like.
const TOLERANCE: f64 = 0.05;
/// And so many standard deviations of what comes about by chance.
const DEVIATIONS: f64 = 4.0;

/// A fleet by formula and by simulation.
#[derive(Debug)]
pub struct Report {
    rows: Vec<Row>,
}

/// One figure.
#[derive(Debug)]
pub struct Row {
    /// What it is.
    pub what: &'static str,
    /// What it should be.
    pub reckoned: Between,
    /// What it is in the simulation.
    pub measured: f64,
    /// How far it may lie outside.
    slack: f64,
}

impl Report {
    /// Compares what came of a run with what was to come of it.
    pub fn of(fleet: &Fleet, run: &Run, measured: &Measured) -> Self {
        let reckoned = fleet.reckon(run.lasts);
        let scale = f64::from(fleet.proxies) / f64::from(fleet.simulated(run));
        let by_chance = |expected: f64, seconds: Duration| {
            let seconds = seconds.as_secs_f64();
            TOLERANCE * expected + DEVIATIONS * (expected * scale / seconds).sqrt()
        };
        let counted = |what, reckoned: Between, measured: f64, seconds| Row {
            what,
            reckoned,
            measured: measured * scale,
            slack: by_chance(reckoned.most, seconds),
        };
        let steady = run.lasts.saturating_sub(run.settles);
        let rate = |what, reckoned: Between, seconds: &Seconds| {
            let measured = seconds.rate(run.settles, run.lasts);
            counted(what, reckoned, measured, steady)
        };
        // What goes by the clock, or ends up somewhere, leaves little to chance.
        let certain = |what, reckoned: f64, measured: f64| Row {
            what,
            reckoned: exactly(reckoned),
            measured,
            slack: TOLERANCE * reckoned,
        };
        let clocked = |what, reckoned, seconds: &Seconds| {
            let measured = seconds.rate(run.settles, run.lasts);
            certain(what, reckoned, measured * scale)
        };
        let all_at_once = |what, seconds: &Seconds| {
            let measured = number(seconds.peak());
            certain(what, reckoned.gates.into(), measured * scale)
        };
        let mut rows = vec![
            rate(
                "requests a second",
                exactly(reckoned.requests),
                &measured.requests,
            ),
            rate(
                "calls to the grant service a second",
                reckoned.calls,
                &measured.calls,
            ),
            counted(
                "the same in the busiest second",
                reckoned.first_calls,
                number(measured.calls.peak()),
                Duration::from_secs(1),
            ),
            all_at_once("fetches of keys in the busiest second", &measured.fetches),
        ];
        if fleet.interval.is_some() {
            let polls = &measured.polls;
            rows.push(clocked("polls of the feed a second", reckoned.polls, polls));
            rows.push(all_at_once("the same in the busiest second", polls));
        }
        let (decisions, tokens) = (measured.decisions.mean(), measured.tokens.mean());
        let mebibytes = |decisions, tokens| fleet.bytes(decisions, tokens) / f64::from(1 << 20);
        rows.push(certain(
            "decisions in a worker",
            reckoned.decisions,
            decisions,
        ));
        rows.push(certain("tokens in a worker", reckoned.tokens, tokens));
        rows.push(certain(
            "MiB for both in a worker",
            mebibytes(reckoned.decisions, reckoned.tokens),
            mebibytes(decisions, tokens),
        ));
        if let Some((mean, worst)) = reckoned.felt.filter(|_| measured.felt.count > 0) {
            let mean = mean.as_secs_f64();
            rows.push(Row {
                what: "seconds until a worker knows of a revocation, mean",
                reckoned: exactly(mean),
                measured: measured.felt.mean().as_secs_f64(),
                // They are spread evenly over an interval.
                slack: mean
                    * (TOLERANCE + DEVIATIONS * (number(measured.felt.count) * 3.0).sqrt().recip()),
            });
            let longest = measured.felt.worst;
            rows.push(at_most("the same, longest", worst, longest));
        }
        if run.revocations > 0 {
            rows.push(at_most(
                "seconds after it that a request passed, longest",
                reckoned.passed_late,
                measured.passed_late.worst,
            ));
        }
        Self { rows }
    }

    /// The figures that are not what they should be.
    pub fn faults(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| !row.agrees())
    }
}

impl Row {
    /// Whether it is near enough to what it should be.
    pub fn agrees(&self) -> bool {
        let Between { least, most } = self.reckoned;
        (least - self.slack..=most + self.slack).contains(&self.measured)
    }
}

fn exactly(figure: f64) -> Between {
    Between {
        least: figure,
        most: figure,
    }
}

fn at_most(what: &'static str, most: Duration, measured: Duration) -> Row {
    Row {
        what,
        reckoned: Between {
            least: 0.0,
            most: most.as_secs_f64(),
        },
        measured: measured.as_secs_f64(),
        slack: 0.0,
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<52} {:>20} {:>12}", "", "reckoned", "simulated")?;
        for row in &self.rows {
            writeln!(f, "{row}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Between { least, most } = self.reckoned;
        let reckoned = if least <= 0.0 && most > 0.0 {
            format!("at most {}", Figure(most))
        } else if most - least < most / 1_000.0 {
            Figure(most).to_string()
        } else {
            format!("{} to {}", Figure(least), Figure(most))
        };
        let measured = Figure(self.measured).to_string();
        write!(f, "{:<52} {reckoned:>20} {measured:>12}", self.what)?;
        if !self.agrees() {
            write!(f, "  NOT as reckoned")?;
        }
        Ok(())
    }
}

/// A figure with as many places as say anything.
struct Figure(f64);

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = if self.0.abs() < 100.0 { 2 } else { 0 };
        write!(f, "{:.places$}", self.0)
    }
}
