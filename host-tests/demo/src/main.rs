//! The program `hallpass-demo`; see [`hallpass_demo::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    hallpass_demo::cli::run()
}
