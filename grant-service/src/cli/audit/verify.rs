//! Proving the record, wherever it is.

use std::env;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, IsTerminal, Write};
use std::path::{Path, PathBuf};

use hallpass_grants::audit::{Broken, Head, Link, Proof};
use hallpass_grants::config::Config;
use hallpass_grants::store::{Store, StoreFault};
use serde_json::json;

use crate::cli::failure::{Failure, Outcome};
use crate::cli::paint;
use crate::cli::remote::Remote;
use crate::cli::show;

/// So many entries are read from the database at once.
const PAGE: u32 = 1_000;
/// Where the service takes its database from, before its configuration.
const ENVIRONMENTS_DATABASE: &str = "DATABASE_URL";
/// How often to say how far it has come.
const TELL_EVERY: u64 = 10_000;

/// Where the record is, and what was noted of it.
#[derive(Debug, clap::Args)]
pub(super) struct VerifyArgs {
    /// An export of the whole record, as `audit --json` prints it; - reads the standard input
    #[arg(long, value_name = "FILE", group = "where")]
    file: Option<PathBuf>,
    /// The database itself: `sqlite:PATH` or `postgres://...`. Where nothing says where the record is, it is that of `DATABASE_URL`
    #[arg(long, value_name = "URL", group = "where")]
    database: Option<String>,
    /// The database of this configuration of the service. That of `DATABASE_URL` goes before it, as when the service starts
    #[arg(long, value_name = "FILE", group = "where")]
    config: Option<PathBuf>,
    /// A place and hash that an earlier proof printed: the record must pass through it. May be given several times
    #[arg(long, value_name = "POSITION:HASH")]
    expect: Vec<Head>,
    /// Prints the outcome as JSON
    #[arg(long)]
    json: bool,
}

/// What a proof came to, unless there was nothing to read.
type Verdict = Result<Head, Broken>;

pub(super) fn run(args: &VerifyArgs, remote: &Remote) -> Outcome {
    let verdict = if let Some(url) = args.database_url()? {
        database(&url, &args.expect)?
    } else if let Some(path) = &args.file {
        export(path, &args.expect)?
    } else if remote.is_given() {
        let service = remote.service()?;
        let lines = service.record(&[])?;
        follow(lines, &args.expect, |fault| service.broken_off(fault))?
    } else if let Some(url) = environments_database() {
        database(&url, &args.expect)?
    } else {
        return Err(Failure::usage(
            "where is the record? Say --url, --file, --database or --config, or set DATABASE_URL",
        ));
    };
    tell(args, verdict)
}

impl VerifyArgs {
    fn database_url(&self) -> Outcome<Option<String>> {
        let Some(path) = &self.config else {
            return Ok(self.database.clone());
        };
        let text = fs::read_to_string(path);
        let text = text.map_err(|fault| cannot_read(path, &fault))?;
        let config = Config::parse(&text).map_err(|_| {
            let path = path.display();
            Failure::Usage(format!(
                "{path} has faults: `hallpass-grants check --config {path}` tells them"
            ))
        })?;
        let configured = || String::from_utf8_lossy(config.database.bytes()).into_owned();
        Ok(Some(environments_database().unwrap_or_else(configured)))
    }
}

/// It is no default of an option: it would come into conflict with the others.
fn environments_database() -> Option<String> {
    env::var(ENVIRONMENTS_DATABASE).ok()
}

fn cannot_read(path: &Path, fault: &io::Error) -> Failure {
    Failure::Usage(format!("cannot read {}: {fault}", path.display()))
}

fn export(path: &Path, expected: &[Head]) -> Outcome<Verdict> {
    let cannot = |fault| cannot_read(path, &fault);
    if path.as_os_str() == "-" {
        return follow(io::stdin().lock(), expected, cannot);
    }
    let file = File::open(path).map_err(cannot)?;
    follow(BufReader::new(file), expected, cannot)
}

/// Follows the lines of an export.
fn follow(
    lines: impl BufRead,
    expected: &[Head],
    cannot: impl Fn(io::Error) -> Failure,
) -> Outcome<Verdict> {
    let mut proof = Proof::new(expected.to_vec());
    for line in lines.lines() {
        let line = line.map_err(&cannot)?;
        let position = proof.end().position.saturating_add(1);
        let fault = "the line is not as `audit --json` writes it";
        let followed = Link::from_line(&line)
            .ok_or(Broken { position, fault })
            .and_then(|link| proof.follow(&link));
        if let Err(broken) = followed {
            return Ok(Err(broken));
        }
        progress(position);
    }
    Ok(proof.finish())
}

fn database(url: &str, expected: &[Head]) -> Outcome<Verdict> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let store = Store::open_to_read(url).await;
        let store = store.map_err(|fault| Failure::Usage(format!("{fault:#}")))?;
        let verdict = kept(&store, expected).await;
        store.close().await;
        verdict.map_err(|fault| Failure::Usage(format!("cannot read the database: {fault}")))
    })
}

/// Follows the rows of a database, while it may grow.
async fn kept(store: &Store, expected: &[Head]) -> Result<Verdict, StoreFault> {
    let mut proof = Proof::new(expected.to_vec());
    loop {
        let page = store.kept_entries(proof.end().position, PAGE).await?;
        if page.is_empty() {
            break;
        }
        for entry in page {
            let position = proof.end().position.saturating_add(1);
            let broken = |fault| Ok(Err(Broken { position, fault }));
            if entry.position != position {
                return broken("an entry is missing, or stands in another's place");
            }
            if let Err(fault) = proof.follow(&entry.link) {
                return Ok(Err(fault));
            }
            if !entry.is_indexed_right {
                return broken("the columns beside the entry do not say what it says");
            }
            progress(position);
        }
    }
    let (position, hash) = store.chain_end().await?;
    let end = proof.end();
    let fault = "the record does not end where the database says that it ends";
    // What was added since the last page is for the next proof.
    if position < end.position || (position == end.position && hash != end.hash.to_string()) {
        return Ok(Err(Broken {
            position: end.position,
            fault,
        }));
    }
    if position > end.position && store.kept_entries(end.position, 1).await?.is_empty() {
        let position = end.position.saturating_add(1);
        return Ok(Err(Broken { position, fault }));
    }
    Ok(proof.finish())
}

fn progress(position: u64) {
    if position.is_multiple_of(TELL_EVERY) && io::stderr().is_terminal() {
        anstream::eprint!("{}\r", paint::faint(&format!("{position} entries")));
    }
}

fn tell(args: &VerifyArgs, verdict: Verdict) -> Outcome {
    let printed = print(args, &verdict);
    // Scripts go by the exit status, also where nobody reads what is printed.
    verdict.map_err(|broken| {
        let before = broken.position.saturating_sub(1);
        Failure::Refused(format!("{broken}; the {before} before it hold"))
    })?;
    printed
}

fn print(args: &VerifyArgs, verdict: &Verdict) -> Outcome {
    let told = match verdict {
        Ok(end) => json!({ "holds": true, "entries": end.position, "last": end.to_string() }),
        Err(broken) => {
            json!({ "holds": false, "position": broken.position, "fault": broken.fault })
        }
    };
    if args.json {
        show::json(&told)?;
    } else if let Ok(end) = verdict {
        writeln!(
            io::stdout().lock(),
            "{} entries, the chain holds, last hash {}",
            end.position,
            end
        )?;
    }
    Ok(())
}
