//! Lays out a built module's code by what its requests run.
//!
//! Between two requests a proxy runs through more code than the processor's nearer caches hold, so that what a request costs in the module
//! is less the instructions that it executes than the memory that they lie in. The compiler cannot know what a request runs: it leaves what
//! hardly ever happens between what always does, and trimming leaves functions in the order of their sizes. So the module is built, made to count
//! ([`counting`]), taken through a rehearsal ([`rehearsal`]), and written anew ([`layout`]): what requests run comes first, in the order
//! in which they run it, and for each branch that nearly always goes one way there is a hint of it, by which the proxy's compiler puts the
//! other way out of the way (WebAssembly, "Branch Hinting", the custom section `metadata.code.branch_hint`). What the code does is not
//! changed, and a proxy that does not know hints ignores them.
//!
//! The same module gives the same result on every machine: the rehearsal has a clock, users and keys of its own, and runs in an interpreter.

mod counting;
mod layout;
mod module;
mod profile;
mod rehearsal;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Parser;

/// Lays out a module's code by what a rehearsal of its requests runs
#[derive(Parser)]
struct Cli {
    /// The module, trimmed
    module: PathBuf,
    /// Where the module goes
    #[arg(long)]
    output: PathBuf,
}

fn main() -> Result<()> {
    let cli = Cli::parse();
    let bytes = std::fs::read(&cli.module)
        .with_context(|| format!("cannot read {}", cli.module.display()))?;
    let laid_out = laid_out(&bytes).with_context(|| cli.module.display().to_string())?;
    write(&cli.output, &laid_out)
}

fn laid_out(module: &[u8]) -> Result<Vec<u8>> {
    let counting = counting::counting(module).context("cannot make it count")?;
    let profile = rehearsal::profile_of(&counting).context("in the rehearsal")?;
    layout::by(&profile, module).context("cannot lay it out")
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
