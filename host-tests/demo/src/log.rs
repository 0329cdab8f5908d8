//! What the proxy writes to its log, line by line as it comes: kept in memory to be waited for, and in a file to be read afterwards.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// What precedes the JSON of an audit line.
const AUDIT_MARKER: &str = "hallpass.audit ";

/// The lines of a running process.
#[derive(Debug, Default)]
pub struct Log {
    written: Mutex<Written>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Written {
    lines: Vec<String>,
    /// The process has closed its log: there will be no more.
    ended: bool,
}

impl Log {
    /// Reads `source` to its end on a thread of its own, and copies it into `file`.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn follow(source: impl Read + Send + 'static, file: &Path) -> io::Result<Arc<Self>> {
        let mut file = File::create(file)?;
        let log = Arc::<Self>::default();
        let writer = log.clone();
        thread::spawn(move || {
            for line in BufReader::new(source).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                // A full disk costs the copy, not the test.
                let _ = writeln!(file, "{line}");
                writer.change(|written| written.lines.push(line));
            }
            writer.change(|written| written.ended = true);
        });
        Ok(log)
    }

    /// A log without a line, of a process that nobody reads along with.
    pub(crate) fn ended() -> Self {
        let log = Self::default();
        log.change(|written| written.ended = true);
        log
    }

    /// Every line so far.
    pub fn so_far(&self) -> Vec<String> {
        self.written().lines.clone()
    }

    /// Every line of a process that has ended or is about to; after `patience`, the lines so far.
    pub fn to_the_end(&self, patience: Duration) -> Vec<String> {
        self.await_until(patience, |written| written.ended)
            .lines
            .clone()
    }

    /// The audit lines that `wanted` takes, as soon as there are at least `count` or `patience` is over. One that is not JSON appears as
    /// a string.
    pub fn await_audit(
        &self,
        count: usize,
        patience: Duration,
        wanted: impl Fn(&Value) -> bool,
    ) -> Vec<Value> {
        let found = |written: &Written| -> Vec<_> {
            written
                .lines
                .iter()
                .filter_map(|line| audit(line))
                .filter(&wanted)
                .collect()
        };
        found(&self.await_until(patience, |written| found(written).len() >= count))
    }

    /// What `wanted` makes of the first line that it takes, as soon as there is one; `None` when the process has ended or `patience` is
    /// over without.
    pub fn await_line<T>(
        &self,
        patience: Duration,
        wanted: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let found = |written: &Written| written.lines.iter().find_map(|line| wanted(line));
        found(&self.await_until(patience, |written| {
            written.ended || found(written).is_some()
        }))
    }

    fn await_until(
        &self,
        patience: Duration,
        reached: impl Fn(&Written) -> bool,
    ) -> MutexGuard<'_, Written> {
        let deadline = Instant::now() + patience;
        let mut written = self.written();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if reached(&written) || left.is_zero() {
                return written;
            }
            written = self
                .changed
                .wait_timeout(written, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    fn change(&self, change: impl FnOnce(&mut Written)) {
        change(&mut self.written());
        self.changed.notify_all();
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn audit(line: &str) -> Option<Value> {
    let (_, json) = line.split_once(AUDIT_MARKER)?;
    Some(serde_json::from_str(json).unwrap_or_else(|_| Value::String(json.to_owned())))
}
