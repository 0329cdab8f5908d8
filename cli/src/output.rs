//! What is printed, for as long as somebody reads it: `hallpass check … | head -1` has its line after the first, and goes away.

use std::io::{self, ErrorKind, Stderr, StdoutLock, Write};

use anstream::AutoStream;

/// The standard output, without colours where it is no terminal.
pub(crate) type Out = AutoStream<StdoutLock<'static>>;

/// Prints. A reader that has gone away is no failure: what was found out stays so, and with it the exit status.
///
/// # Errors
/// When it cannot be written for another reason.
pub(crate) fn print(write: impl FnOnce(&mut Out) -> io::Result<()>) -> io::Result<()> {
    match write(&mut anstream::stdout().lock()) {
        Err(fault) if fault.kind() == ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

/// Tells more beside an error, to nobody where nobody reads.
pub(crate) fn aside(write: impl FnOnce(&mut AutoStream<Stderr>) -> io::Result<()>) {
    let _ = write(&mut anstream::stderr());
}

/// Tells of an error, to nobody where nobody reads.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}
