//! Reckons a fleet, simulates it, and tells whether the two agree.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use hallpass_fleet::{Fleet, Report, Routing, Run};

/// What a fleet of proxies asks and remembers, and how soon it feels a revocation: by formula, and by simulation.
#[derive(Debug, Parser)]
struct Cli {
    /// Proxies
    #[arg(long, default_value_t = 1_000)]
    proxies: u32,
    /// Worker threads of each
    #[arg(long, default_value_t = 4)]
    workers: u32,
    /// Users who are active
    #[arg(long, default_value_t = 1_000_000)]
    users: u32,
    /// Resources that each of them uses
    #[arg(long, default_value_t = 3)]
    resources: u32,
    /// Seconds until a user asks for the same resource again, on average
    #[arg(long, default_value_t = 30)]
    gap: u64,
    /// `allow_ttl`, in seconds
    #[arg(long, default_value_t = 30)]
    allow_ttl: u64,
    /// `revocations.interval`, in seconds
    #[arg(long, default_value_t = 5)]
    interval: u64,
    /// Simulate one of so many proxies where users come to any of them, or there is no feed
    #[arg(long, default_value_t = 20)]
    one_in: u32,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let allow_ttl = Duration::from_secs(cli.allow_ttl);
    let fleet = Fleet {
        proxies: cli.proxies,
        workers: cli.workers,
        users: cli.users,
        resources: cli.resources,
        gap: Duration::from_secs(cli.gap),
        allow_ttl,
        interval: Some(Duration::from_secs(cli.interval)),
        ..Fleet::default()
    };
    let run = Run {
        lasts: allow_ttl * 4,
        settles: allow_ttl * 2,
        revocations: 10,
        one_in: 1,
    };
    let some = Run {
        one_in: cli.one_in,
        ..run
    };
    let to_any = Fleet {
        routing: Routing::ToAny,
        ..fleet
    };
    let without_feed = Fleet {
        interval: None,
        ..fleet
    };
    let mut agree = true;
    for (what, fleet, run) in [
        ("each user comes to one proxy", fleet, run),
        ("each request comes to any proxy", to_any, some),
        ("each user comes to one proxy, no feed", without_feed, some),
    ] {
        agree &= tell(what, &fleet, &run);
    }
    if agree {
        println!("all is as reckoned");
        ExitCode::SUCCESS
    } else {
        println!("NOT all is as reckoned");
        ExitCode::FAILURE
    }
}

fn tell(what: &str, fleet: &Fleet, run: &Run) -> bool {
    let Fleet {
        proxies,
        workers,
        users,
        resources,
        ..
    } = fleet;
    println!(
        "{proxies} proxies x {workers} workers, {users} users x {resources} resources, each of them asked for every {:?}; {what}",
        fleet.gap
    );
    println!(
        "{} proxies simulated for {:?}, of which {:?} are called steady",
        fleet.simulated(run),
        run.lasts,
        run.lasts.saturating_sub(run.settles)
    );
    let measured = fleet.simulate(run);
    let report = Report::of(fleet, run, &measured);
    println!("{report}");
    let is_right = measured.refused_wrongly == 0 && measured.passed_knowingly == 0;
    if !is_right {
        println!(
            "NOT right: {} refused who have a grant, {} passed where it was known that they have none\n",
            measured.refused_wrongly, measured.passed_knowingly
        );
    }
    is_right && report.faults().next().is_none()
}
