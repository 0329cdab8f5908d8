//! Files of tokens, signed before anything is measured.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ScopedJoinHandle};

use anyhow::{Context, Result};

/// Stands in a file for a request without a token.
pub(crate) const NO_TOKEN: &str = "-";

/// Tokens in their order, one a line.
#[derive(Debug)]
pub(crate) struct TokenFile {
    path: PathBuf,
    count: usize,
}

impl TokenFile {
    /// Makes `count` tokens, `token(0)` and so on, with every processor there is, and writes them to `directory`. Says on standard error
    /// how far it is.
    pub(crate) fn make(
        directory: &Path,
        name: &str,
        count: usize,
        token: impl Fn(usize) -> String + Sync,
    ) -> Result<Self> {
        let path = directory.join(format!("{name}.tokens"));
        let progress = Progress::new(name, count);
        let one = |number: &usize| {
            progress.step();
            token(*number)
        };
        let share = |numbers: &[usize]| -> Vec<String> { numbers.iter().map(one).collect() };

        let numbers: Vec<usize> = (0..count).collect();
        let workers = thread::available_parallelism().map_or(1, NonZero::get);
        let tokens: Vec<String> = thread::scope(|scope| {
            let shares: Vec<_> = numbers
                .chunks(count.div_ceil(workers).max(1))
                .map(|numbers| scope.spawn(|| share(numbers)))
                .collect();
            let made = shares.into_iter().map(ScopedJoinHandle::join);
            made.flat_map(|share| share.expect("signing does not panic"))
                .collect()
        });
        write_lines(&path, &tokens).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { path, count })
    }

    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }
}

fn write_lines(path: &Path, lines: &[String]) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for line in lines {
        writeln!(file, "{line}")?;
    }
    file.flush()
}

/// How many tokens are made, told in tenths.
struct Progress {
    count: usize,
    made: AtomicUsize,
}

impl Progress {
    fn new(name: &str, count: usize) -> Self {
        eprint!("tokens: {name} ({count}) ");
        Self {
            count,
            made: AtomicUsize::new(0),
        }
    }

    fn step(&self) {
        let made = self.made.fetch_add(1, Ordering::Relaxed) + 1;
        if made * 10 / self.count != (made - 1) * 10 / self.count {
            eprint!(".");
        }
        if made == self.count {
            eprintln!();
        }
    }
}
