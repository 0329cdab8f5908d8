//! How the service tells its operator what happens: lines on the standard error.

use std::io::{self, IsTerminal};

use anyhow::Result;
use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

#[derive(Debug, clap::Args)]
pub(super) struct LogArgs {
    /// How log lines look
    #[arg(long, value_enum, default_value_t = Form::Text)]
    log: Form,
    /// What is logged: error, warn, info, debug or trace, also by part, such as info,sqlx=debug
    #[arg(long, env = "RUST_LOG", default_value = "info")]
    log_level: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Form {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

impl LogArgs {
    /// From now on lines are written.
    ///
    /// # Errors
    /// When the level is none.
    pub(super) fn start(&self) -> Result<()> {
        let lines = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::try_new(&self.log_level)?)
            .with_target(false)
            .with_ansi(io::stderr().is_terminal())
            .with_writer(io::stderr);
        match self.log {
            Form::Text => lines.init(),
            Form::Json => lines.json().flatten_event(true).init(),
        }
        Ok(())
    }
}
