//! The command line of `hallpass-bench`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};
use hallpass_demo::envoy::built;
use hallpass_demo::idp::IdentityProvider;

use crate::chart::Chart;
use crate::contender::{Contender, Modules, Setting};
use crate::crowd::{Audience, Crowd};
use crate::decider;
use crate::growth::{Alone, Growth};
use crate::load::Load;
use crate::memory;
use crate::plan::{Group, Row, groups};
use crate::proxy::Proxy;
use crate::report::{Others, Report, Size};
use crate::rounds::{Bench, Rounds};
use crate::selection::Selection;
use crate::startup;

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
    /// The empty filter, as the SDK builds it
    #[arg(long, default_value = "dist/noop.wasm")]
    noop: PathBuf,
    /// The empty filter, stripped
    #[arg(long, default_value = "dist/noop-stripped.wasm")]
    noop_stripped: PathBuf,
    /// Measure only these groups: their ids, what ids begin with, or parts of their titles, separated by commas
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
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

/// What is measured.
struct Plan {
    groups: Vec<Group>,
    start_up: bool,
    memory: bool,
}

impl Plan {
    fn new(cli: &Cli) -> Result<Self> {
        let selection = Selection::new(&cli.only);
        let mut groups = groups(cli.against.is_some());
        let others = [startup::SECTION, memory::SECTION];
        let known = groups.iter().map(|group| (&*group.id, &*group.title));
        let sections: Vec<_> = known.chain(others).collect();
        if let Some(word) = selection.vain(&sections) {
            let ids: Vec<_> = sections.iter().map(|(id, _)| *id).collect();
            bail!(
                "there is no `{word}` in an id or a title; the ids are {}",
                ids.join(", ")
            );
        }
        groups.retain(|group| selection.takes(&group.id, &group.title));
        let [start_up, memory] = others.map(|(id, title)| selection.takes(id, title));
        Ok(Self {
            groups,
            start_up,
            memory: memory && cli.questions > 0,
        })
    }

    /// The contenders that need a listener, for each number of workers.
    fn contenders(&self) -> BTreeMap<u32, BTreeSet<Contender>> {
        let mut all: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for group in &self.groups {
            let needed = all.entry(group.workers).or_default();
            for row in &group.rows {
                needed.extend([row.contender].into_iter().chain(row.answers_like));
            }
        }
        if self.memory {
            let needed = all.entry(memory::WORKERS).or_default();
            needed.insert(memory::CONTENDER);
        }
        all
    }

    fn crowds(&self) -> BTreeSet<Crowd> {
        let rows = self.groups.iter().flat_map(|group| &group.rows);
        let of_memory = self.memory.then_some(memory::USER);
        rows.flat_map(Row::crowds).chain(of_memory).collect()
    }
}

/// Whether every premise held.
fn measure(cli: &Cli) -> Result<bool> {
    let mut plan = Plan::new(cli)?;
    let other_build = cli.against.as_deref().map(|path| built("filter", path));
    let modules = Modules {
        hallpass: built("filter", &cli.module)?,
        other_build: other_build.transpose()?,
        empty: built("empty filter", &cli.noop)?,
        empty_stripped: built("empty filter", &cli.noop_stripped)?,
    };
    let sizes = Size::of_all(&modules)?;
    std::fs::create_dir_all(&cli.directory)
        .with_context(|| format!("cannot make {}", cli.directory.display()))?;

    let rounds = Rounds {
        count: cli.rounds,
        seconds: cli.seconds,
        steady_seconds: cli.steady_seconds,
        strangers_a_second: cli.strangers,
    };
    let idp = IdentityProvider::start(0).context("cannot serve the keys")?;
    let decider = decider::start().context("cannot decide")?;
    let setting = Setting {
        modules,
        idp: idp.address(),
        grants: decider.address(),
    };
    let start_up = plan
        .start_up
        .then(|| startup::measure(&cli.envoy, &setting, &cli.directory.join("startup")))
        .transpose()?;

    let audience = Audience::sign(&cli.directory, &rounds, &plan.crowds())?;
    let mut proxies = BTreeMap::new();
    for (workers, contenders) in plan.contenders() {
        let directory = cli.directory.join(format!("workers-{workers}"));
        let proxy = Proxy::start(&cli.envoy, workers, &setting, &contenders, &directory)?;
        proxies.insert(workers, proxy);
    }
    let bench = Bench {
        proxies,
        load: Load::new(&cli.wrk, &cli.directory)?,
        audience,
        idp,
        rounds,
    };
    bench.run(&mut plan.groups)?;
    let memory = plan
        .memory
        .then(|| memory::measure(&bench, cli.questions))
        .transpose()?;

    let alone = cli.directory.join("alone");
    let alone = Alone::measure(&cli.envoy, &setting, &bench, &mut plan.groups, &alone)?;
    let others = Others {
        start_up,
        memory,
        growth: Growth::new(&plan.groups, &alone),
    };
    let report = Report::new(&plan.groups, &bench.rounds, sizes, others);
    report.write(&cli.output)?;
    print!("{report}");
    Ok(report.is_complete())
}
