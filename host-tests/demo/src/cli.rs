//! The command line of `hallpass-demo`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

use crate::grants::GrantService;
use crate::idp::IdentityProvider;
use crate::tour;
use crate::upstream::Upstream;

/// The demo around Hallpass: small servers, and a tour through them and the grant service on real Envoy.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Echoes each request as JSON
    Upstream(Listen),
    /// Signs tokens for the demo's users and publishes the keys
    Idp(Listen),
    /// Holds grants, and decides about access by them: the grant service's double in tests
    Grants(Listen),
    /// Starts everything with real Envoy, walks through the story, and stays up until Ctrl-C
    Tour(Tour),
}

#[derive(Debug, clap::Args)]
struct Listen {
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
}

#[derive(Debug, clap::Args)]
struct Tour {
    /// The Envoy program
    #[arg(long, env = "HALLPASS_ENVOY", default_value = "envoy")]
    envoy: PathBuf,
    /// The filter
    #[arg(long, env = "HALLPASS_MODULE", default_value = "dist/hallpass.wasm")]
    module: PathBuf,
    /// Envoy's configuration; ports and the filter's path are replaced
    #[arg(long, default_value = "envoy-config/envoy.yaml")]
    config: PathBuf,
    /// The grant service's program
    #[arg(long, env = "HALLPASS_GRANTS", default_value = "dist/hallpass-grants")]
    grants: PathBuf,
    /// Its configuration; addresses and the database's path are replaced
    #[arg(long, default_value = "envoy-config/grants.json")]
    grants_config: PathBuf,
    /// Where the logs, the final configurations and the grant service's database are kept
    #[arg(long, default_value = "target/demo")]
    directory: PathBuf,
    /// Envoy's port for clients
    #[arg(long, default_value_t = 10000)]
    port: u16,
    /// Envoy's port for the administrator
    #[arg(long, default_value_t = 9901)]
    admin_port: u16,
    /// End after the tour, with status 0 only if every step answered as told
    #[arg(long)]
    once: bool,
}

/// Runs the program on the process's arguments.
pub fn run() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Upstream(listen) => upstream(&listen),
        Command::Idp(listen) => idp(&listen),
        Command::Grants(listen) => grants(&listen),
        Command::Tour(tour) => take_tour(tour),
    };
    outcome.unwrap_or_else(|fault| {
        eprintln!("hallpass-demo: {fault:#}");
        ExitCode::FAILURE
    })
}

fn upstream(listen: &Listen) -> Result<ExitCode> {
    let upstream = Upstream::start(listen.port).with_context(|| cannot_listen(listen))?;
    announce(upstream.address());
    upstream.serve_forever()?;
    Ok(ExitCode::SUCCESS)
}

fn idp(listen: &Listen) -> Result<ExitCode> {
    let idp = IdentityProvider::start(listen.port).with_context(|| cannot_listen(listen))?;
    announce(idp.address());
    idp.serve_forever()?;
    Ok(ExitCode::SUCCESS)
}

fn grants(listen: &Listen) -> Result<ExitCode> {
    let grants = GrantService::start(listen.port).with_context(|| cannot_listen(listen))?;
    announce(grants.address());
    grants.serve_forever()?;
    Ok(ExitCode::SUCCESS)
}

/// The line that says where a server listens; whoever started it on a free port reads it.
fn announce(address: std::net::SocketAddr) {
    println!("listening on http://{address}");
}

fn cannot_listen(listen: &Listen) -> String {
    format!("cannot listen on 127.0.0.1:{}", listen.port)
}

fn take_tour(tour: Tour) -> Result<ExitCode> {
    let Tour {
        envoy,
        module,
        config,
        grants,
        grants_config,
        directory,
        port,
        admin_port,
        once,
    } = tour;
    tour::run(&tour::Options {
        envoy,
        module,
        config,
        grants,
        grants_config,
        directory,
        port,
        admin_port,
        once,
    })
}
