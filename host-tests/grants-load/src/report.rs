//! What was measured, in figures.

use std::fmt;
use std::time::Duration;

/// How often something was done, and how long each time took, counted from the moment at which it was due: whoever comes too late because the one
/// before took long has waited too.
#[derive(Debug, Default)]
pub struct Series {
    took: Vec<Duration>,
    /// What went wrong, each time.
    pub errors: Vec<String>,
}

/// What came of a load.
#[derive(Debug)]
pub struct Report {
    /// How long it was kept up.
    pub lasted: Duration,
    /// Each thing that was done, by its name.
    pub series: Vec<(&'static str, Series)>,
}

impl Series {
    /// One more.
    pub fn add<T>(&mut self, took: Duration, outcome: &anyhow::Result<T>) {
        match outcome {
            Ok(_) => self.took.push(took),
            Err(error) => self.errors.push(format!("{error:#}")),
        }
    }

    /// Those of another one too.
    pub fn extend(&mut self, other: Self) {
        self.took.extend(other.took);
        self.errors.extend(other.errors);
    }

    /// How many went well.
    pub fn count(&self) -> usize {
        self.took.len()
    }

    /// So many in a thousand took no longer.
    pub fn permille(&self, permille: usize) -> Duration {
        let mut sorted = self.took.clone();
        sorted.sort_unstable();
        let last = sorted.len().saturating_sub(1);
        sorted
            .get(last * permille / 1_000)
            .copied()
            .unwrap_or_default()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.lasted.as_secs_f64();
        writeln!(
            f,
            "{:<12} {:>8} {:>9} {:>9} {:>9} {:>9} {:>7}",
            "", "a second", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "errors"
        )?;
        for (name, series) in &self.series {
            #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
            let rate = series.count() as f64 / seconds;
            let millis = |permille| series.permille(permille).as_secs_f64() * 1_000.0;
            writeln!(
                f,
                "{name:<12} {rate:>8.1} {:>9.2} {:>9.2} {:>9.2} {:>9.2} {:>7}",
                millis(500),
                millis(990),
                millis(999),
                millis(1_000),
                series.errors.len()
            )?;
            for error in series.errors.iter().take(3) {
                writeln!(f, "    {error}")?;
            }
        }
        Ok(())
    }
}
