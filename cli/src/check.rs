//! `hallpass check`: every fault and everything suspicious, with its place.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use hallpass_core::config::Config;
use serde::Serialize;

use crate::args::CheckArgs;
use crate::documents::{self, Document};
use crate::output;
use crate::paint;
use crate::place::Position;

/// What `--json` prints.
#[derive(Serialize)]
pub(crate) struct Report {
    pub(crate) clean: bool,
    pub(crate) configurations: Vec<Checked>,
}

/// What is to be said of one configuration.
#[derive(Serialize)]
pub(crate) struct Checked {
    pub(crate) file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    within: Option<String>,
    faults: Vec<Fault>,
    warnings: Vec<Warning>,
}

#[derive(Serialize)]
struct Fault {
    path: String,
    found: String,
    expected: String,
    #[serde(flatten)]
    position: Option<Position>,
}

#[derive(Serialize)]
struct Warning {
    path: String,
    found: String,
    advice: String,
    #[serde(flatten)]
    position: Option<Position>,
}

/// Checks the files and prints what is found; the exit status.
///
/// # Errors
/// When a file cannot be read, or holds no configuration. The others are told of before.
pub(crate) fn run(args: &CheckArgs) -> Result<u8> {
    let mut configurations = Vec::new();
    let mut unread = None;
    for file in &args.files {
        let name = file.display().to_string();
        match read(file).with_context(|| name.clone()) {
            Ok(found) => {
                configurations.extend(found.into_iter().map(|document| checked(&name, document)));
            }
            Err(error) => {
                unread.get_or_insert(error);
            }
        }
    }
    let has_faults = configurations.iter().any(|c| !c.faults.is_empty());
    let has_warnings = configurations.iter().any(|c| !c.warnings.is_empty());
    let report = Report {
        clean: !has_faults && !has_warnings && unread.is_none(),
        configurations,
    };
    if args.json {
        let json = paint::printable_json(&report)?;
        output::print(|out| writeln!(out, "{json}"))?;
    } else {
        let mut configurations = report.configurations.iter();
        output::print(|out| configurations.try_for_each(|checked| print(out, checked)))?;
    }
    match unread {
        Some(error) => Err(error),
        None => Ok(u8::from(has_faults || (args.strict && has_warnings))),
    }
}

fn read(file: &Path) -> Result<Vec<Document>> {
    documents::find(documents::read(file)?)
}

/// Checks one configuration, which is in this file.
pub(crate) fn checked(file: &str, document: Document) -> Checked {
    let (faults, warnings) = match Config::parse(document.text.as_bytes()) {
        Ok(config) => (Vec::new(), config.warnings()),
        Err(faults) => (faults.iter().cloned().collect(), Vec::new()),
    };
    let faults = faults.into_iter().map(|fault| Fault {
        position: document.position(&fault.path),
        path: fault.path,
        found: fault.found,
        expected: fault.expected,
    });
    let warnings = warnings.into_iter().map(|warning| Warning {
        position: document.position(&warning.path),
        path: warning.path,
        found: warning.found,
        advice: warning.advice,
    });
    Checked {
        file: file.to_owned(),
        faults: faults.collect(),
        warnings: warnings.collect(),
        within: document.within,
    }
}

/// Prints for a person: each fault and each warning on a line of its own.
pub(crate) fn print(out: &mut impl Write, checked: &Checked) -> std::io::Result<()> {
    let at = |position: Option<Position>| match position {
        Some(Position { line, column }) => format!("{}:{line}:{column}", checked.file),
        None => checked.file.clone(),
    };
    if let Some(within) = &checked.within {
        writeln!(
            out,
            "{}",
            paint::faint(&format!("{}, {within}", checked.file))
        )?;
    }
    for fault in &checked.faults {
        let path = if fault.path.is_empty() {
            "(document)"
        } else {
            &fault.path
        };
        writeln!(
            out,
            "{} {} {}: found {}, expected {}",
            paint::faint(&at(fault.position)),
            paint::bad("fault"),
            paint::place(path),
            paint::printable(&fault.found),
            paint::printable(&fault.expected),
        )?;
    }
    for warning in &checked.warnings {
        writeln!(
            out,
            "{} {} {}: {}; {}",
            paint::faint(&at(warning.position)),
            paint::odd("warning"),
            paint::place(&warning.path),
            paint::printable(&warning.found),
            paint::printable(&warning.advice),
        )?;
    }
    if checked.faults.is_empty() && checked.warnings.is_empty() {
        writeln!(
            out,
            "{} {}",
            paint::faint(&checked.file),
            paint::good("clean")
        )?;
    }
    Ok(())
}
