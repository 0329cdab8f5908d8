//! The command line: which command does what.

mod audit;
mod check;
mod configuration;
mod decide;
mod failure;
mod list;
mod logs;
mod paint;
mod remote;
mod request;
mod revoke;
mod serve;
mod show;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// What was asked for cannot be done.
const CANNOT: u8 = 2;

/// The reference grant service of Hallpass: people request access, others approve it, it ends by itself or is revoked.
///
/// Exit status of what asks the running service: 0 done, 1 refused, 2 asked for in a way in which it cannot be done, 3 the service cannot be reached or
/// cannot answer now.
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
    /// What is suspicious is told where there is no fault: while there are some, mend these first.
    ///
    /// Exit status: 0 clean or only suspicious, 1 faults, 2 the file cannot be read.
    Check(check::CheckArgs),
    /// Asks for access
    Request(request::Args),
    /// Says yes to a request
    Approve(decide::Args),
    /// Says no to a request
    Deny(decide::Denial),
    /// Takes back a request of your own that waits
    Withdraw(decide::Args),
    /// Takes back a grant; or all of a subject, all on a resource, or everything
    Revoke(revoke::Args),
    /// Lists what you asked for, what waits for you, or grants
    List(list::Args),
    /// Reads the record, or proves it
    Audit(audit::Args),
}

/// Does what the command line says.
pub(crate) fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(args) => own(serve::run(args)),
        Command::Check(args) => own(check::run(&args)),
        Command::Request(args) => failure::ended(request::run(&args)),
        Command::Approve(args) => failure::ended(decide::approve(&args)),
        Command::Deny(denial) => failure::ended(decide::deny(&denial)),
        Command::Withdraw(args) => failure::ended(decide::withdraw(&args)),
        Command::Revoke(args) => failure::ended(revoke::run(&args)),
        Command::List(args) => failure::ended(list::run(&args)),
        Command::Audit(args) => failure::ended(audit::run(&args)),
    }
}

/// What comes of running the service and checking its configuration.
fn own(outcome: Result<u8>) -> ExitCode {
    match outcome {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(CANNOT)
        }
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
