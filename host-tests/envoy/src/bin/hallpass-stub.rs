//! The demo's servers as a program of this crate, so that its tests can start one as a process, and kill it.

use std::process::ExitCode;

fn main() -> ExitCode {
    hallpass_demo::cli::run()
}
