//! The guided tour: everything is started, the story is walked through with real requests, and it stays up for the visitor's own.

mod ask;
mod narrator;
mod stage;
mod story;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};

use self::narrator::Narrator;
use self::stage::Stage;

/// What the tour runs, and where.
#[derive(Clone, Debug)]
pub struct Options {
    /// The Envoy program.
    pub envoy: PathBuf,
    /// The filter.
    pub module: PathBuf,
    /// Envoy's configuration, laid out as `envoy-config/envoy.yaml`.
    pub config: PathBuf,
    /// The grant service's program.
    pub grants: PathBuf,
    /// Its configuration, laid out as `envoy-config/grants.json`.
    pub grants_config: PathBuf,
    /// Where the logs, the final configurations and the grant service's database are kept.
    pub directory: PathBuf,
    /// Envoy's port for clients.
    pub port: u16,
    /// Envoy's port for the administrator.
    pub admin_port: u16,
    /// Whether to end after the tour.
    pub once: bool,
}

/// Takes the tour. A signal to end (Ctrl-C, `SIGTERM`) ends it, and Envoy with it, at any point.
///
/// # Errors
/// When the stage cannot be set, or a request gets no answer at all.
pub fn run(options: &Options) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    // A tour that was to be judged and was interrupted has not been found right.
    let interrupted = if options.once {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    };
    let options = options.clone();
    let outcome = runtime.block_on(async {
        let mut terminated = signal(SignalKind::terminate())?;
        tokio::select! {
            outcome = tokio::task::spawn_blocking(move || tour(&options)) => outcome.context("the tour broke off")?,
            waited = tokio::signal::ctrl_c() => waited.map(|()| interrupted).context("cannot wait for Ctrl-C"),
            _ = terminated.recv() => Ok(interrupted),
        }
    });
    // The tour's thread may still be at work. It is not waited for: the process ends, and Envoy with it.
    runtime.shutdown_background();
    outcome
}

fn tour(options: &Options) -> Result<ExitCode> {
    let mut stage = Stage::set(options)?;
    let mut narrator = Narrator::new();
    story::walk(&stage, &mut narrator)?;
    let as_told = narrator.sum_up();
    if options.once {
        return Ok(if as_told {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        });
    }
    narrator.invite(&stage);
    stage.stay_up()?;
    Ok(ExitCode::FAILURE)
}
