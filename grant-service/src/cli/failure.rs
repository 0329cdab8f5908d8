//! What a command comes to when it does not do what it was asked, and the exit status that scripts see.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use super::paint;

/// Why a command has not done it.
#[derive(Debug)]
pub(super) enum Failure {
    /// The service said no, or what was looked for is not so.
    Refused(String),
    /// It was asked for in a way in which it cannot be done.
    Usage(String),
    /// The service cannot be reached, or cannot answer now.
    Unreachable(String),
    /// Whoever reads what is printed has had enough. That alone is no fault: a command whose status says more than that it is done must look
    /// at that first.
    NobodyReads,
}

/// What commands come to.
pub(super) type Outcome<T = ()> = Result<T, Failure>;

/// Tells what went wrong, and the exit status.
pub(super) fn ended(outcome: Outcome) -> ExitCode {
    let (text, status) = match outcome {
        Ok(()) | Err(Failure::NobodyReads) => return ExitCode::SUCCESS,
        Err(Failure::Refused(text)) => (text, 1),
        Err(Failure::Usage(text)) => (text, 2),
        Err(Failure::Unreachable(text)) => (text, 3),
    };
    // The status counts, also where nobody reads why.
    drop(writeln!(anstream::stderr(), "{}", paint::error(&text)));
    ExitCode::from(status)
}

impl Failure {
    /// Asked for in a way in which it cannot be done.
    pub(super) fn usage(text: impl fmt::Display) -> Self {
        Self::Usage(text.to_string())
    }
}

impl From<io::Error> for Failure {
    fn from(fault: io::Error) -> Self {
        if fault.kind() == io::ErrorKind::BrokenPipe {
            Self::NobodyReads
        } else {
            Self::Usage(fault.to_string())
        }
    }
}
