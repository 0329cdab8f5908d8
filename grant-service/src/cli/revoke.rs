//! `hallpass-grants revoke`: taking back a grant, or much more than one.

use std::io::{self, IsTerminal, Write};

use serde_json::{Value, json};

use super::failure::{Failure, Outcome};
use super::remote::Remote;
use super::show;

/// What to take back.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub(super) struct Args {
    /// One grant, by its name, such as g-0199...
    #[arg(group = "what")]
    grant: Option<String>,
    /// All that this subject holds, and what its tokens carry
    #[arg(long, group = "what")]
    subject: Option<String>,
    /// The subject's issuer; it may be left out where only one is trusted
    #[arg(long, requires = "subject", value_name = "URL")]
    issuer: Option<String>,
    /// All that is held on this resource
    #[arg(long, group = "what")]
    resource: Option<String>,
    /// Everything that anybody holds: the incident switch
    #[arg(long, group = "what")]
    everything: bool,
    /// Why; it goes on record
    #[arg(long, value_name = "TEXT")]
    why: String,
    /// Does not ask whether it is meant, for scripts
    #[arg(long)]
    yes: bool,
    /// Prints the service's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

pub(super) fn run(args: &Args) -> Outcome {
    let service = args.remote.service()?;
    if let Some(loss) = args.large_loss()
        && !args.yes
    {
        confirm(&loss)?;
    }
    let answer = service.post(&["access", "v1", "revocations"], &args.body())?;
    if args.json {
        return show::json(&answer);
    }
    let ended = answer["ended"].as_u64().unwrap_or(0);
    let grants = if ended == 1 { "grant" } else { "grants" };
    writeln!(
        io::stdout().lock(),
        "revoked: {ended} {grants} ended; proxies hear of it at their next look at the feed"
    )?;
    // Whoever misspelled a name would believe that it is done.
    if ended == 0
        && let Some(hint) = args.nothing_was_live()
    {
        show::hint(&hint);
    }
    Ok(())
}

impl Args {
    fn body(&self) -> Value {
        let mut body = json!({ "why": self.why });
        for (name, value) in [
            ("grant", &self.grant),
            ("subject", &self.subject),
            ("issuer", &self.issuer),
            ("resource", &self.resource),
        ] {
            if let Some(value) = value {
                body[name] = value.as_str().into();
            }
        }
        if self.everything {
            body["everything"] = true.into();
        }
        body
    }

    /// What to look at when no grant ended: the service knows nobody's name, so it revokes what nobody has.
    fn nothing_was_live(&self) -> Option<String> {
        match (&self.subject, &self.issuer, &self.resource) {
            (Some(subject), Some(issuer), _) => Some(format!(
                "no grant of subject {subject} at issuer {issuer} was live: check the spelling of subject and issuer"
            )),
            (Some(subject), None, _) => Some(format!(
                "no grant of subject {subject} was live: check the spelling of the subject, and whether --issuer is missing"
            )),
            (None, _, Some(resource)) => Some(format!(
                "no grant on resource {resource} was live: check the spelling of the resource"
            )),
            (None, _, None) => None,
        }
    }

    /// What is lost, if it is more than one grant.
    fn large_loss(&self) -> Option<String> {
        match (&self.subject, &self.resource) {
            (Some(subject), _) => Some(format!("everything that {subject} holds")),
            (_, Some(resource)) => Some(format!("everything that anybody holds on {resource}")),
            _ if self.everything => Some("EVERYTHING THAT ANYBODY HOLDS".to_owned()),
            _ => None,
        }
    }
}

fn confirm(loss: &str) -> Outcome {
    let input = io::stdin();
    if !input.is_terminal() {
        let text = format!("this takes back {loss}: say --yes if that is meant");
        return Err(Failure::Usage(text));
    }
    show::hint(&format!("this takes back {loss}, and cannot be undone"));
    match asked(&input) {
        Ok(answer) if answer.trim() == "yes" => Ok(()),
        // Also where nobody can read the question.
        Ok(_) | Err(_) => Err(Failure::Usage("nothing was taken back".to_owned())),
    }
}

fn asked(input: &io::Stdin) -> io::Result<String> {
    let mut prompt = io::stderr();
    write!(prompt, "type yes to do it: ")?;
    prompt.flush()?;
    let mut answer = String::new();
    input.read_line(&mut answer)?;
    Ok(answer)
}
