//! The program `hallpass`: what an operator asks before a configuration is rolled out, answered by the filter's own code.

mod args;
mod check;
mod documents;
mod explain;
mod output;
mod paint;
mod place;

use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use args::{Cli, Command};

/// What was asked for cannot be done: a file that is not there, a configuration with faults where a sound one is needed.
const CANNOT: u8 = 2;

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            output::complain(&paint::error(&format!("{error:#}")));
            ExitCode::from(CANNOT)
        }
    }
}

fn run(command: Command) -> Result<u8> {
    match command {
        Command::Check(args) => check::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Schema => {
            let schema = serde_json::to_string_pretty(&hallpass_core::config::schema())?;
            output::print(|out| writeln!(out, "{schema}"))?;
            Ok(0)
        }
    }
}
