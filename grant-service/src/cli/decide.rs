//! `hallpass-grants approve`, `deny` and `withdraw`: deciding on a request.

use hallpass_grants::clock::Clock;
use serde_json::{Value, json};

use super::failure::Outcome;
use super::remote::Remote;
use super::show;

/// Which request.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The request's name, such as r-0199...
    request: String,
    /// Prints the service's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

/// Which request, and why not.
#[derive(Debug, clap::Args)]
pub(super) struct Denial {
    /// Why; whoever asked reads it
    #[arg(long, value_name = "TEXT")]
    why: String,
    #[command(flatten)]
    args: Args,
}

pub(super) fn approve(args: &Args) -> Outcome {
    decide(args, "approve", &json!({}))
}

pub(super) fn deny(denial: &Denial) -> Outcome {
    decide(&denial.args, "deny", &json!({ "why": denial.why }))
}

pub(super) fn withdraw(args: &Args) -> Outcome {
    decide(args, "withdraw", &json!({}))
}

fn decide(args: &Args, decision: &str, body: &Value) -> Outcome {
    let service = args.remote.service()?;
    let path = ["access", "v1", "requests", &args.request, decision];
    let request = service.post(&path, body)?;
    if args.json {
        return show::json(&request);
    }
    show::request(&request, Clock::system().now())
}
