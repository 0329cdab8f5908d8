//! The figures that were accepted: a file that is checked in, written by this program alone.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// How many instructions each benchmark took, by its name.
pub(crate) type Instructions = BTreeMap<String, u64>;

/// Counts, and the compiler whose they are.
#[derive(Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Figures {
    pub(crate) compiler: String,
    pub(crate) instructions: Instructions,
}

impl Figures {
    /// Reads the file; one that is not there holds none.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let context = || format!("cannot read {}", path.display());
        let text = std::fs::read(path).with_context(context)?;
        serde_json::from_slice(&text).with_context(context)
    }

    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}
