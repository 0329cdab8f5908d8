//! `hallpass-grants audit`: reading the record, and proving it.

mod trail;
mod verify;

use super::failure::Outcome;
use super::remote::Remote;

/// Reads the record, or proves it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    trail: trail::TrailArgs,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Proves that no entry was changed, removed or inserted
    ///
    /// It reads the whole record, from the service (--url), from an export (--file) or from the database itself (--database, --config, or
    /// `DATABASE_URL` where none of these is said), and prints the last entry's place and hash. Note these elsewhere: with --expect a later proof also
    /// shows that nothing was cut off.
    ///
    /// Exit status: 0 the chain holds, 1 it does not, 2 there is nothing to read, 3 the service cannot be reached.
    Verify(verify::VerifyArgs),
}

pub(super) fn run(args: &Args) -> Outcome {
    match &args.command {
        Some(Command::Verify(verify)) => verify::run(verify, &args.remote),
        None => trail::run(&args.trail, &args.remote),
    }
}
