//! What a module leaves behind: its log lines, with the audit lines among them.

use std::fmt;
use std::sync::{Arc, Mutex};

use proxy_wasm_host::abi::v0_2_1::types::LogLevel;
use proxy_wasm_host::abi::v0_2_1::{LogContext, LogSink};
use serde_json::Value;

/// What stands before the JSON of an audit line.
const AUDIT_MARKER: &str = "hallpass.audit ";

/// One message that the module logged: a line, or several audit lines.
#[derive(Clone, Debug)]
pub struct LogLine {
    /// How serious the module said it is.
    pub level: LogLevel,
    /// The text; bytes that are not UTF-8 are replaced.
    pub text: String,
}

impl LogLine {
    /// The decisions that it records. Those that were written together have a line each.
    ///
    /// # Panics
    /// When a line has the audit marker and no JSON after it.
    pub fn audit(&self) -> Vec<Value> {
        let lines = self.text.split('\n');
        lines
            .filter_map(|line| line.split_once(AUDIT_MARKER))
            .map(|(_, json)| {
                serde_json::from_str(json)
                    .unwrap_or_else(|fault| panic!("an audit line is not JSON ({fault}): {self}"))
            })
            .collect()
    }
}

impl fmt::Display for LogLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "[{:?}] {}", self.level, self.text)
    }
}

/// Every line of every worker, in the order in which they were written.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<LogLine>>>);

impl Log {
    pub(crate) fn lines(&self) -> Vec<LogLine> {
        self.0.lock().expect("no sink panicked").clone()
    }
}

impl fmt::Display for Log {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines()
            .iter()
            .try_for_each(|line| write!(formatter, "\n  {line}"))
    }
}

impl LogSink for Log {
    fn log(&self, _: LogContext<'_>, level: LogLevel, message: &[u8]) {
        let text = String::from_utf8_lossy(message).into_owned();
        self.0
            .lock()
            .expect("no sink panicked")
            .push(LogLine { level, text });
    }
}
