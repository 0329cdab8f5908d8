//! Lines on their way to the proxy's log that wait for others, so that it is called, and writes, once for many.

use std::time::Duration;

use super::MARK;
use crate::time::UnixMillis;

/// How much may lie in wait, but for the line that reaches it.
const MOST_BYTES: usize = 8 << 10;

/// The lines of one worker that have not been written yet, each with its mark.
#[derive(Debug)]
pub struct PendingLines {
    flush_interval: Duration,
    text: String,
    /// When the first of them began to wait.
    since: UnixMillis,
}

impl PendingLines {
    /// None yet. Each will wait for `flush_interval` at most, if [`PendingLines::patience`] is heeded.
    pub fn new(flush_interval: Duration) -> Self {
        Self {
            flush_interval,
            text: String::new(),
            since: UnixMillis::new(0),
        }
    }

    /// Has one more line wait.
    pub fn push(&mut self, line: &str, now: UnixMillis) {
        if self.text.is_empty() {
            self.since = now;
        } else {
            self.text.push('\n');
        }
        self.text.push_str(MARK);
        self.text.push_str(line);
    }

    /// How long the first of them may wait still; `None` if there are none. No time at all if there are many.
    pub fn patience(&self, now: UnixMillis) -> Option<Duration> {
        if self.text.is_empty() {
            return None;
        }
        // A clock that was set back is no reason to wait until it has caught up.
        if self.text.len() >= MOST_BYTES || now < self.since {
            return Some(Duration::ZERO);
        }
        Some(self.flush_interval.saturating_sub(now.since(self.since)))
    }

    /// Writes those whose time has come, and all others with them.
    pub fn write_due(&mut self, now: UnixMillis, write: impl FnOnce(&str)) {
        if self.patience(now) == Some(Duration::ZERO) {
            self.write_all(write);
        }
    }

    /// Writes all, if there are any.
    pub fn write_all(&mut self, write: impl FnOnce(&str)) {
        if !self.text.is_empty() {
            write(&self.text);
            self.text.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const INTERVAL: Duration = Duration::from_millis(20);

    fn at(millis: u64) -> UnixMillis {
        UnixMillis::new(1_790_000_000_000 + millis)
    }

    fn due(pending: &mut PendingLines, now: UnixMillis) -> Option<String> {
        let mut written = None;
        pending.write_due(now, |text| written = Some(text.to_owned()));
        written
    }

    #[test]
    fn lines_wait_until_the_first_of_them_has_waited_long_enough_and_are_written_once() {
        let mut pending = PendingLines::new(INTERVAL);
        assert_eq!(pending.patience(at(0)), None, "nothing waits");
        pending.push("{1}", at(0));
        pending.push("{2}", at(15));
        assert_eq!(
            pending.patience(at(15)),
            Some(Duration::from_millis(5)),
            "a later line does not have the first one wait for longer"
        );
        assert_eq!(due(&mut pending, at(19)), None, "it is not time yet");
        let both = "hallpass.audit {1}\nhallpass.audit {2}";
        assert_eq!(due(&mut pending, at(20)).as_deref(), Some(both));
        assert_eq!(due(&mut pending, at(60)), None, "they were written");
        assert_eq!(pending.patience(at(60)), None);
    }

    #[test]
    fn a_line_that_comes_after_the_others_were_written_has_its_own_time() {
        let mut pending = PendingLines::new(INTERVAL);
        pending.push("{1}", at(0));
        assert!(due(&mut pending, at(20)).is_some());
        pending.push("{2}", at(30));
        assert_eq!(due(&mut pending, at(49)), None);
        assert_eq!(
            due(&mut pending, at(50)).as_deref(),
            Some("hallpass.audit {2}")
        );
    }

    #[test]
    fn many_do_not_wait_for_more() {
        let mut pending = PendingLines::new(INTERVAL);
        let line = "x".repeat(1_000);
        let mut most = 0;
        for _ in 0..100 {
            pending.push(&line, at(0));
            most = most.max(pending.text.len());
            pending.write_due(at(0), |_| {});
        }
        let lines = most / (MARK.len() + line.len());
        assert_eq!(lines, 9, "8 KiB, and the line that reaches them");
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_no_line_waiting() {
        let mut pending = PendingLines::new(INTERVAL);
        pending.push("{1}", at(3_600_000));
        assert!(due(&mut pending, at(0)).is_some());
    }

    #[test]
    fn all_are_written_whatever_their_time_and_nothing_where_there_are_none() {
        let mut pending = PendingLines::new(INTERVAL);
        pending.write_all(|_| panic!("there are none"));
        pending.push("{1}", at(0));
        let mut written = String::new();
        pending.write_all(|text| written.push_str(text));
        assert_eq!(written, "hallpass.audit {1}");
        pending.write_all(|_| panic!("they were written"));
    }
}
