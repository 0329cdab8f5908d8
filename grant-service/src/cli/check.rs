//! `hallpass-grants check`: every fault and everything suspicious, with its place.

use std::io::{self, Write};

use anyhow::Result;

use super::configuration::ConfigFile;

#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    file: ConfigFile,
}

pub(super) fn run(args: &CheckArgs) -> Result<u8> {
    let mut out = io::stdout().lock();
    let name = args.file.name();
    match args.file.read()? {
        Ok(config) => {
            let warnings = config.warnings();
            for warning in &warnings {
                writeln!(out, "{name} warning {warning}")?;
            }
            if warnings.is_empty() {
                writeln!(out, "{name} clean")?;
            }
            Ok(0)
        }
        Err(faults) => {
            for fault in faults.iter() {
                writeln!(out, "{name} fault {fault}")?;
            }
            Ok(1)
        }
    }
}
