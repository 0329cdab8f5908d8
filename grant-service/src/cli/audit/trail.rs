//! The record, to read: from the beginning or behind a place, and as it grows.

use std::io::{BufRead, Write};
use std::thread;
use std::time::Duration;

use hallpass_core::printable::printable;
use hallpass_core::time::UnixMillis;
use hallpass_grants::audit::{Entry, Link};
use hallpass_grants::clock::Clock;

use crate::cli::failure::{Failure, Outcome};
use crate::cli::remote::{Remote, Service};
use crate::cli::{paint, show};

/// How often to look for more.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Which entries to read.
#[derive(Debug, clap::Args)]
pub(super) struct TrailArgs {
    /// Goes on with what is added, until Ctrl-C
    #[arg(long)]
    follow: bool,
    /// Only this event, such as `grant_given`
    #[arg(long)]
    event: Option<String>,
    /// Only what this subject or service did
    #[arg(long)]
    actor: Option<String>,
    /// Only what is about this subject's requests and grants
    #[arg(long)]
    subject: Option<String>,
    /// Only what is about this resource
    #[arg(long)]
    resource: Option<String>,
    /// Not before this time, such as 2026-11-23T20:00:00Z, or so long ago, such as 2h
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<UnixMillis>,
    /// Before this time, or so long ago
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<UnixMillis>,
    /// Only entries behind this place in the record
    #[arg(long, value_name = "POSITION", default_value_t = 0)]
    after: u64,
    /// So many at most
    #[arg(long, value_name = "COUNT", conflicts_with = "follow")]
    limit: Option<u64>,
    /// Prints the lines of the export, as they are hashed: what `audit verify --file` reads
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &TrailArgs, remote: &Remote) -> Outcome {
    let service = remote.service()?;
    let mut last = args.after;
    args.print(&service, &mut last)?;
    if !args.follow {
        return Ok(());
    }
    loop {
        thread::sleep(LOOK_EVERY);
        match args.print(&service, &mut last) {
            Err(Failure::Unreachable(text)) => show::hint(&format!("{text}; trying again")),
            outcome => outcome?,
        }
    }
}

impl TrailArgs {
    /// Prints what is behind this place. It moves with each entry that is printed, so that none is printed again after an answer that breaks off.
    fn print(&self, service: &Service, last: &mut u64) -> Outcome {
        let query = self.query(*last);
        let query: Vec<_> = query
            .iter()
            .map(|(name, value)| (*name, &**value))
            .collect();
        let mut out = anstream::stdout().lock();
        for line in service.record(&query)?.lines() {
            let line = line.map_err(|fault| service.broken_off(fault))?;
            let entry = Link::from_line(&line)
                .and_then(|link| serde_json::from_str::<Entry>(&link.text).ok())
                .ok_or_else(|| service.broken_off("a line is no entry"))?;
            if self.json {
                writeln!(out, "{line}")?;
            } else {
                writeln!(out, "{}", told(&entry))?;
            }
            *last = entry.position;
        }
        Ok(out.flush()?)
    }

    fn query(&self, after: u64) -> Vec<(&'static str, String)> {
        let named = [
            ("event", self.event.clone()),
            ("actor", self.actor.clone()),
            ("subject", self.subject.clone()),
            ("resource", self.resource.clone()),
            ("since", self.since.map(UnixMillis::to_rfc3339)),
            ("until", self.until.map(UnixMillis::to_rfc3339)),
            ("limit", self.limit.map(|limit| limit.to_string())),
            ("after", Some(after.to_string())),
        ];
        let given = |(name, value): (&'static str, Option<_>)| Some((name, value?));
        named.into_iter().filter_map(given).collect()
    }
}

/// An entry in one line.
fn told(entry: &Entry) -> String {
    let why = entry.why.as_deref().filter(|why| !why.is_empty());
    let why = why.map_or_else(String::new, |why| format!(": {why}"));
    let mut aside = vec![format!("#{}", entry.position)];
    aside.extend(entry.source_ip.as_ref().map(|ip| format!("from {ip}")));
    aside.extend(entry.request.clone());
    format!(
        "{} {} {}{} {}",
        paint::faint(&entry.time),
        paint::state(entry.event.word()),
        printable(&entry.sentence()),
        printable(&why),
        paint::faint(&aside.join(" "))
    )
}

fn moment(text: &str) -> Result<UnixMillis, &'static str> {
    UnixMillis::from_rfc3339(text)
        .or_else(|| {
            let ago = humantime::parse_duration(text).ok()?;
            Some(Clock::system().now().saturating_sub(ago))
        })
        .ok_or("expected a time such as 2026-11-23T20:00:00Z, or a duration such as 2h")
}
