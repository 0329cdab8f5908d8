//! `hallpass-grants request`: asking for access, and waiting for the decision.

use std::thread;
use std::time::Duration;

use hallpass_core::config::span::Span;
use hallpass_core::time::UnixMillis;
use hallpass_grants::clock::Clock;
use serde_json::{Value, json};
use uuid::Uuid;

use super::failure::{Failure, Outcome};
use super::remote::{Remote, Service};
use super::show;

/// How often to look whether it is decided.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// So often in a row the service may be out of reach while we wait.
const PATIENT_FOR: u32 = 30;

/// Asks for access.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Which resource
    resource: String,
    /// Which action
    action: String,
    /// How long, such as 30m or 8h; the rule's own duration if left out
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    duration: Option<Duration>,
    /// Until when, such as 2026-11-23T21:00:00Z, however late the approval comes
    #[arg(long, value_name = "TIME", value_parser = time, conflicts_with = "duration")]
    until: Option<UnixMillis>,
    /// Why you need it; some rules want a ticket in it
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// It cannot wait: where you may break the glass you are in at once, and everybody will know
    #[arg(long)]
    emergency: bool,
    /// The kind of resource
    #[arg(long = "type", value_name = "TYPE", default_value = "http")]
    kind: String,
    /// Waits until it is decided: exit status 0 if approved, 1 if not
    #[arg(long)]
    wait: bool,
    /// The same key makes sending it again the same request
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Prints the service's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

pub(super) fn run(args: &Args) -> Outcome {
    let service = args.remote.service()?;
    let key = args.idempotency_key.clone();
    let key = key.unwrap_or_else(|| Uuid::now_v7().to_string());
    let mut request = service.post_once(&["access", "v1", "requests"], &args.wish(), &key)?;
    // Scripts go by the exit status: what cannot be printed ends no waiting, and makes no decision another.
    let mut printed = Ok(());
    if args.wait && is_pending(&request) {
        if !args.json {
            printed = show::request(&request, Clock::system().now());
            show::hint("waiting for the decision; Ctrl-C only ends the waiting");
        }
        request = decided(&service, &request)?;
    }
    let printed = printed.and(args.print(&request));
    let status = show::text(&request["task"]["status"]);
    if args.wait && status != "approved" {
        return Err(Failure::Refused(format!("the request is {status}")));
    }
    printed
}

impl Args {
    fn print(&self, request: &Value) -> Outcome {
        if self.json {
            return show::json(request);
        }
        show::request(request, Clock::system().now())?;
        if is_pending(request) {
            let page = show::text(&request["task"]["links"]["ticket"]);
            show::hint(&format!(
                "approvers decide at {page} or with `hallpass-grants approve`; `hallpass-grants list requests` shows what becomes of it"
            ));
        }
        Ok(())
    }

    fn wish(&self) -> Value {
        let mut access = json!({ "emergency": self.emergency });
        if let Some(duration) = self.duration {
            access["duration"] = Span::from(duration).to_string().into();
        }
        if let Some(until) = self.until {
            access["requested_until"] = until.to_rfc3339().into();
        }
        json!({
            "resource": { "type": self.kind, "id": self.resource },
            "action": { "name": self.action },
            "requested_access": access,
            "reason": self.reason,
        })
    }
}

fn duration(text: &str) -> Result<Duration, &'static str> {
    humantime::parse_duration(text).map_err(|_| "expected a duration such as 30m or 8h")
}

fn time(text: &str) -> Result<UnixMillis, &'static str> {
    UnixMillis::from_rfc3339(text).ok_or("expected a time such as 2026-11-23T21:00:00Z")
}

fn is_pending(request: &Value) -> bool {
    request["task"]["status"] == "pending"
}

/// The request when it no longer waits.
fn decided(service: &Service, request: &Value) -> Outcome<Value> {
    let id = show::text(&request["task"]["id"]);
    let mut failures = 0;
    loop {
        thread::sleep(LOOK_EVERY);
        match service.get(&["access", "v1", "requests", &id], &[]) {
            Ok(request) if !is_pending(&request) => return Ok(request),
            Ok(_) => failures = 0,
            Err(Failure::Unreachable(_)) if failures < PATIENT_FOR => failures += 1,
            Err(failure) => return Err(failure),
        }
    }
}
