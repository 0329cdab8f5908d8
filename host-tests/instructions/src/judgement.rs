//! What is to be said of counts beside the figures that were accepted.

use std::collections::BTreeSet;
use std::fmt::{self, Display};

use crate::figures::Figures;

/// How many percent a count may lie off its figure.
const TOLERANCE: u64 = 2;
/// Who wants the counts to be the figures.
const ACCEPT: &str = "make bench-instructions ACCEPT=1";

/// Counts beside figures, benchmark by benchmark.
pub(crate) struct Judgement<'a> {
    rows: Vec<Row<'a>>,
    accepted_of: &'a str,
    counted_of: &'a str,
}

struct Row<'a> {
    name: &'a str,
    accepted: Option<u64>,
    counted: Option<u64>,
}

/// What a count means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Kept,
    /// It takes more than was accepted.
    Grown,
    /// It takes less, and the figure should follow.
    Shrunk,
    /// It has no figure.
    New,
    /// There is a figure for it, and it was not counted.
    Gone,
}

impl Verdict {
    fn of(accepted: Option<u64>, counted: Option<u64>) -> Self {
        let (accepted, counted) = match (accepted, counted) {
            (None, _) => return Self::New,
            (_, None) => return Self::Gone,
            (Some(accepted), Some(counted)) => (accepted, counted),
        };
        let hundredfold = counted.saturating_mul(100);
        if hundredfold > accepted.saturating_mul(100 + TOLERANCE) {
            Self::Grown
        } else if hundredfold < accepted.saturating_mul(100 - TOLERANCE) {
            Self::Shrunk
        } else {
            Self::Kept
        }
    }

    /// Whether it must not stay so.
    fn is_fault(self) -> bool {
        match self {
            Self::Grown | Self::New | Self::Gone => true,
            Self::Kept | Self::Shrunk => false,
        }
    }
}

/// In percent.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts are far below what a double holds exactly"
)]
fn change(from: u64, to: u64) -> f64 {
    (to as f64 / from as f64 - 1.0) * 100.0
}

impl<'a> Judgement<'a> {
    pub(crate) fn new(accepted: &'a Figures, counted: &'a Figures) -> Self {
        let all = [accepted, counted].map(|figures| figures.instructions.keys());
        let names: BTreeSet<&String> = all.into_iter().flatten().collect();
        let row = |name: &'a String| Row {
            name,
            accepted: accepted.instructions.get(name).copied(),
            counted: counted.instructions.get(name).copied(),
        };
        Self {
            rows: names.into_iter().map(row).collect(),
            accepted_of: &accepted.compiler,
            counted_of: &counted.compiler,
        }
    }

    /// Whether nothing is above its figure, as far as the two can be compared.
    pub(crate) fn is_fine(&self) -> bool {
        self.is_of_another_compiler() || !self.rows.iter().any(|row| row.verdict().is_fault())
    }

    /// What is to be done about it, if anything is.
    pub(crate) fn advice(&self) -> String {
        if self.is_of_another_compiler() {
            return format!(
                "\nThe figures are of another compiler, so nothing is held against them.\n  \
                 theirs: {}\n  this one: {}\n\
                 {ACCEPT} writes them anew, for this one.\n",
                self.accepted_of, self.counted_of
            );
        }
        let any = |verdicts: &[Verdict]| {
            let mut rows = self.rows.iter();
            rows.any(|row| verdicts.contains(&row.verdict()))
        };
        let grown = format!(
            "\nSomething takes more than {TOLERANCE} % over its figure, and every request pays for it. \
             If it is worth that, accept it: {ACCEPT}\n"
        );
        let others = format!(
            "\nBenchmarks and figures are not the same ones. Write the figures anew: {ACCEPT}\n"
        );
        let shrunk = format!(
            "\nSomething takes more than {TOLERANCE} % less than its figure. \
             Bring the file down, so that it stays so: {ACCEPT}\n"
        );
        let advice = [
            (any(&[Verdict::Grown]), grown),
            (any(&[Verdict::New, Verdict::Gone]), others),
            (any(&[Verdict::Shrunk]), shrunk),
        ];
        let advice = advice.into_iter().filter(|(applies, _)| *applies);
        advice.map(|(_, text)| text).collect()
    }

    fn is_of_another_compiler(&self) -> bool {
        !self.accepted_of.is_empty() && self.accepted_of != self.counted_of
    }
}

impl Row<'_> {
    fn verdict(&self) -> Verdict {
        Verdict::of(self.accepted, self.counted)
    }
}

impl Display for Judgement<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "\n{:46}{:>12}{:>12}{:>10}",
            "instructions", "accepted", "counted", "change"
        )?;
        self.rows.iter().try_for_each(|row| row.fmt(out))
    }
}

impl Display for Row<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |count: Option<u64>| count.map_or("-".to_owned(), |count| count.to_string());
        write!(
            out,
            "  {:44}{:>12}{:>12}",
            self.name,
            number(self.accepted),
            number(self.counted)
        )?;
        if let (Some(accepted), Some(counted)) = (self.accepted, self.counted) {
            write!(out, "{:>+8.1} %", change(accepted, counted))?;
        }
        writeln!(
            out,
            "{}",
            match self.verdict() {
                Verdict::Kept => "",
                Verdict::Grown => "  MORE than accepted",
                Verdict::Shrunk => "  less than accepted",
                Verdict::New => "  has no figure",
                Verdict::Gone => "  was not counted",
            }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(compiler: &str, instructions: &[(&str, u64)]) -> Figures {
        let instructions = instructions.iter();
        Figures {
            compiler: compiler.to_owned(),
            instructions: instructions.map(|(k, v)| ((*k).to_owned(), *v)).collect(),
        }
    }

    fn judged(accepted: &Figures, counted: &Figures) -> (bool, String) {
        let judgement = Judgement::new(accepted, counted);
        let text = format!("{judgement}{}", judgement.advice());
        (judgement.is_fine(), text)
    }

    #[test]
    fn two_percent_more_or_less_are_kept() {
        for counted in [9_800, 10_000, 10_200] {
            let (is_fine, text) = judged(
                &figures("a", &[("hot", 10_000)]),
                &figures("a", &[("hot", counted)]),
            );
            assert!(is_fine, "{text}");
            assert!(!text.contains("ACCEPT"), "{text}");
        }
    }

    #[test]
    fn more_than_that_above_the_figure_is_a_fault() {
        let (is_fine, text) = judged(
            &figures("a", &[("hot", 10_000)]),
            &figures("a", &[("hot", 10_201)]),
        );
        assert!(!is_fine);
        assert!(text.contains("MORE than accepted"), "{text}");
    }

    #[test]
    fn more_than_that_below_it_is_said() {
        let (is_fine, text) = judged(
            &figures("a", &[("hot", 10_000)]),
            &figures("a", &[("hot", 9_799)]),
        );
        assert!(is_fine);
        assert!(text.contains("Bring the file down"), "{text}");
    }

    #[test]
    fn a_benchmark_without_a_figure_and_a_figure_without_a_benchmark_are_faults() {
        let one = figures("a", &[("hot", 1)]);
        let both = figures("a", &[("hot", 1), ("cold", 1)]);
        assert!(!judged(&one, &both).0);
        assert!(!judged(&both, &one).0);
        assert!(!judged(&Figures::default(), &one).0);
    }

    #[test]
    fn counts_of_another_compiler_are_told_and_held_against_nothing() {
        let (is_fine, text) = judged(
            &figures("old", &[("hot", 10_000)]),
            &figures("new", &[("hot", 20_000)]),
        );
        assert!(is_fine);
        assert!(text.contains("theirs: old\n  this one: new"), "{text}");
    }
}
