//! Where the configuration is.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use hallpass_grants::config::{Config, Faults};

/// The configuration's file.
#[derive(Debug, clap::Args)]
pub(super) struct ConfigFile {
    /// The configuration, as JSON
    #[arg(long, value_name = "FILE", env = "HALLPASS_GRANTS_CONFIG")]
    config: PathBuf,
}

impl ConfigFile {
    /// Reads and checks it.
    ///
    /// # Errors
    /// When the file cannot be read. What is wrong with its content is inside.
    pub(super) fn read(&self) -> Result<Result<Config, Faults>> {
        let text = fs::read_to_string(&self.config).with_context(|| self.name())?;
        Ok(Config::parse(&text))
    }

    /// What to call it.
    pub(super) fn name(&self) -> String {
        self.config.display().to_string()
    }
}
