//! The command line of `hallpass-bench`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};
use hallpass_demo::envoy::built;
use hallpass_demo::idp::IdentityProvider;

use crate::chart::Chart;
use crate::contender::Setting;
use crate::decider;
use crate::load::Load;
use crate::memory;
use crate::plan::{Audience, groups};
use crate::proxy::Proxy;
use crate::report::Report;
use crate::rounds::{Bench, Rounds};

/// Measures Hallpass in real Envoy, side by side with Envoy's own JWT filter.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// The Envoy program
    #[arg(long, env = "HALLPASS_ENVOY", default_value = "envoy")]
    envoy: PathBuf,
    /// The filter
    #[arg(long, env = "HALLPASS_MODULE", default_value = "dist/hallpass.wasm")]
    module: PathBuf,
    /// Another build of the filter, measured in the same rounds
    #[arg(long)]
    against: Option<PathBuf>,
    /// Measure only the groups whose title holds this
    #[arg(long)]
    only: Option<String>,
    /// The program that makes the load
    #[arg(long, default_value = "wrk")]
    wrk: PathBuf,
    /// How often each row is measured
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// How many seconds each measurement takes
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=60))]
    seconds: u32,
    /// How many seconds the measurement takes in which decisions are asked for anew; it is made once
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(10..=600))]
    steady_seconds: u32,
    /// After how many different questions to the grant service the proxy's memory is looked at; 0 leaves that out
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(0..=10_000_000))]
    questions: u64,
    /// How many requests a second strangers send at most
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(10..=16_000))]
    strangers: u32,
    /// Where the figures go, as JSON
    #[arg(long, default_value = "dist/bench.json")]
    output: PathBuf,
    /// Where the tokens and Envoy's log and configuration are kept
    #[arg(long, default_value = "target/bench")]
    directory: PathBuf,
}

/// What is done instead of measuring.
#[derive(Debug, Subcommand)]
enum Command {
    Chart(Chart),
}

/// Runs the program on the process's arguments.
pub(crate) fn run() -> ExitCode {
    let cli = Cli::parse();
    let done = match &cli.command {
        Some(Command::Chart(chart)) => chart.write().map(|()| true),
        None => measure(&cli),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            eprintln!("hallpass-bench: {fault:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every premise held.
fn measure(cli: &Cli) -> Result<bool> {
    let module = built("filter", &cli.module)?;
    let other_module = cli.against.as_deref().map(|path| built("filter", path));
    let other_module = other_module.transpose()?;
    let module_bytes = std::fs::metadata(&module)?.len();
    std::fs::create_dir_all(&cli.directory)
        .with_context(|| format!("cannot make {}", cli.directory.display()))?;

    let rounds = Rounds {
        count: cli.rounds,
        seconds: cli.seconds,
        steady_seconds: cli.steady_seconds,
        strangers_a_second: cli.strangers,
    };
    let audience = Audience::sign(&cli.directory, &rounds)?;
    let mut groups = groups(&audience, other_module.is_some());
    let looks_at_memory = match &cli.only {
        None => cli.questions > 0,
        Some(wanted) => {
            groups.retain(|group| group.title.contains(wanted));
            let memory = "memory".contains(wanted);
            ensure!(
                memory || !groups.is_empty(),
                "no group's title holds `{wanted}`"
            );
            memory && cli.questions > 0
        }
    };

    let idp = IdentityProvider::start(0).context("cannot serve the keys")?;
    let grants = decider::start().context("cannot decide about grants")?;
    let setting = Setting {
        module,
        other_module,
        idp: idp.address(),
        grants: grants.address(),
    };
    let bench = Bench {
        proxy: Proxy::start(&cli.envoy, &setting, &cli.directory)?,
        load: Load::new(&cli.wrk, &cli.directory)?,
        idp,
        rounds,
    };
    bench.run(&mut groups)?;

    let memory = looks_at_memory
        .then(|| memory::measure(&bench, &audience.curious, cli.questions))
        .transpose()?;

    let report = Report::new(&groups, &bench.rounds, module_bytes, memory);
    report.write(&cli.output)?;
    print!("{report}");
    Ok(report.is_complete())
}
