//! The command line.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Checks Hallpass configurations, and explains what the filter decides and why.
#[derive(Debug, Parser)]
#[command(name = "hallpass", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Tells every fault and everything suspicious in configurations
    ///
    /// What is suspicious is told of a configuration that has no fault: while it has some, mend these first.
    ///
    /// Exit status: 0 clean, 1 faults (with --strict also warnings), 2 a file cannot be read or holds no configuration.
    Check(CheckArgs),
    /// Decides about an example request, offline, and tells why step by step
    ///
    /// Exit status: 0 decided (as expected, with --expect), 1 decided otherwise than expected, 2 the configuration or another file is at
    /// fault, 3 undecided for want of keys or of the grant service's reply.
    Explain(Box<ExplainArgs>),
    /// Prints the JSON Schema of the configuration
    Schema,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Configurations as JSON, or YAML with configurations in it (of Envoy, Istio, Envoy Gateway);
    /// - reads the standard input
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Exit with status 1 for warnings too
    #[arg(long)]
    pub(crate) strict: bool,
    /// Print JSON for scripts
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The configuration, alone or in YAML (then the first in it)
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// The keys of the issuers whose keys are fetched, as a JWK set; NAME=FILE for those of one provider
    #[arg(long, value_name = "[NAME=]FILE")]
    pub(crate) jwks: Vec<String>,
    /// The file with the request's token; - reads it from the standard input. It is put where its issuer's tokens sit
    #[arg(long, value_name = "FILE")]
    pub(crate) token: Option<PathBuf>,
    /// The time of the request, such as 2026-11-23T20:34:08Z; now where it is left out
    #[arg(long, value_name = "RFC3339")]
    pub(crate) at: Option<String>,
    /// The client's address
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) source_ip: Option<IpAddr>,
    /// A header of the request
    #[arg(long, value_name = "NAME: VALUE")]
    pub(crate) header: Vec<String>,
    /// The body with which the grant service answers
    #[arg(long, value_name = "FILE")]
    pub(crate) grant_reply: Option<PathBuf>,
    /// What cannot be reached
    #[arg(long, value_enum)]
    pub(crate) unreachable: Vec<Unreachable>,
    /// Exit with status 1 if the decision is another
    #[arg(long, value_enum)]
    pub(crate) expect: Option<Expected>,
    /// Print JSON for scripts
    #[arg(long)]
    pub(crate) json: bool,
    /// The method, such as GET
    pub(crate) method: String,
    /// The URL, such as <https://admin.example/orders/7>; it is split and never corrected
    pub(crate) url: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Unreachable {
    /// The issuers' keys
    Keys,
    /// The grant service
    Grants,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Expected {
    /// The request passes
    Allow,
    /// It is refused
    Deny,
}
