//! Loads the grant service on `SQLite`, and two replicas of it on `PostgreSQL`, and tells how fast they answer.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use hallpass_grants_load::{Load, Service};

/// No more than one answer in a hundred may take longer.
const SLOWEST: Duration = Duration::from_millis(20);

/// How fast the grant service answers the filter while people request and approve.
#[derive(Debug, Parser)]
struct Cli {
    /// The program `hallpass-grants`
    #[arg(long, default_value = "dist/hallpass-grants")]
    program: PathBuf,
    /// For how long, on each database
    #[arg(long, default_value_t = 30)]
    seconds: u32,
    /// Questions of the filter a second
    #[arg(long, default_value_t = 500)]
    evaluations: u32,
    /// Requests a second, and as many approvals
    #[arg(long, default_value_t = 50)]
    requests: u32,
    /// Only on this database: `sqlite` or `postgres`
    #[arg(long)]
    only: Option<String>,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<bool> {
    let load = Load {
        evaluations: cli.evaluations,
        requests: cli.requests,
        lasts: Duration::from_secs(cli.seconds.into()),
    };
    let wanted = |database: &str| cli.only.as_deref().is_none_or(|only| only == database);
    let mut is_fine = true;
    if wanted("sqlite") {
        let folder = tempfile::tempdir()?;
        let database = format!("sqlite:{}", folder.path().join("grants.db").display());
        let service = Service::start(&cli.program, folder.path(), &database)?;
        println!("\nSQLite:");
        is_fine &= tell(load, &[service.address()]);
    }
    if wanted("postgres") {
        // As it comes: what is acknowledged is on the disk.
        let server = hallpass_postgres::Server::start(&[])?;
        let database = server.new_database()?;
        let folder = tempfile::tempdir()?;
        let one = Service::start(&cli.program, folder.path(), &database)?;
        let two = Service::start(&cli.program, folder.path(), &database)?;
        println!("\nPostgreSQL, two replicas:");
        is_fine &= tell(load, &[one.address(), two.address()]);
    }
    Ok(is_fine)
}

fn tell(load: Load, addresses: &[&str]) -> bool {
    let report = load.put_on(addresses);
    print!("{report}");
    match report.check(load, SLOWEST) {
        Ok(()) => {
            println!("as it should be");
            true
        }
        Err(error) => {
            println!("NOT as it should be: {error:#}");
            false
        }
    }
}
