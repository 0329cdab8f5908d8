//! The program `hallpass-grants`.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
