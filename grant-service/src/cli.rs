//! The command line: which command does what.

mod check;
mod configuration;
mod logs;
mod serve;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// What was asked for cannot be done.
const CANNOT: u8 = 2;

/// The reference grant service of Hallpass: people request access, others approve it, it ends by itself or is revoked.
#[derive(Debug, Parser)]
#[command(name = "hallpass-grants", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the service, until SIGTERM or Ctrl-C
    Serve(serve::ServeArgs),
    /// Tells every fault and everything suspicious in a configuration
    ///
    /// Exit status: 0 clean or only suspicious, 1 faults, 2 the file cannot be read.
    Check(check::CheckArgs),
}

/// Does what the command line says.
pub(crate) fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(CANNOT)
        }
    }
}

fn run(command: Command) -> Result<u8> {
    match command {
        Command::Serve(args) => serve::run(args),
        Command::Check(args) => check::run(&args),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_commands_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }
}
