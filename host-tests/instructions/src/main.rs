//! Holds counted instructions against the figures that were accepted: `make bench-instructions` counts, and this one judges.
//!
//! Counts do not depend on how busy the machine is, so the room that they have is small. They do depend on the compiler: where it is
//! another than the one that the figures are of, nothing is held against them.

mod compiler;
mod counts;
mod figures;
mod judgement;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use figures::Figures;
use judgement::Judgement;

/// Holds counted instructions against the figures that were accepted
#[derive(Debug, Parser)]
struct Cli {
    /// What gungraun counted: its JSON, one benchmark a line
    counted: PathBuf,
    /// The figures that were accepted
    #[arg(long)]
    figures: PathBuf,
    /// Accept what was counted: the figures are written anew
    #[arg(long)]
    accept: bool,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            eprintln!("hallpass-instructions: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether no figure is above what was accepted.
fn run(cli: &Cli) -> Result<bool> {
    let counted = Figures {
        compiler: compiler::version()?,
        instructions: counts::read(&cli.counted)?,
    };
    let accepted = Figures::read(&cli.figures)?;
    let judgement = Judgement::new(&accepted, &counted);
    print!("{judgement}");
    if cli.accept {
        counted.write(&cli.figures)?;
        println!("\n{} holds these figures now.", cli.figures.display());
        return Ok(true);
    }
    print!("{}", judgement.advice());
    Ok(judgement.is_fine())
}
