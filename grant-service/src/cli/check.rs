//! `hallpass-grants check`: every fault and everything suspicious, with its place.

use std::io::{self, ErrorKind, Write};

use anyhow::Result;

use super::configuration::ConfigFile;

#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    file: ConfigFile,
}

pub(super) fn run(args: &CheckArgs) -> Result<u8> {
    let (told, status) = match args.file.read()? {
        Ok(config) => {
            let warnings = config.warnings().into_iter();
            let mut told: Vec<_> = warnings
                .map(|warning| format!("warning {warning}"))
                .collect();
            if told.is_empty() {
                told.push("clean".to_owned());
            }
            (told, 0)
        }
        Err(faults) => (
            faults
                .iter()
                .map(|fault| format!("fault {fault}"))
                .collect(),
            1,
        ),
    };
    match print(&args.file.name(), &told) {
        // The status counts, also where nobody reads why.
        Err(fault) if fault.kind() != ErrorKind::BrokenPipe => Err(fault.into()),
        Ok(()) | Err(_) => Ok(status),
    }
}

fn print(name: &str, told: &[String]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in told {
        writeln!(out, "{name} {line}")?;
    }
    Ok(())
}
