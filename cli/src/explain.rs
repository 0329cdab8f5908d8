//! `hallpass explain`: decides an example request with the filter's own state machine, and tells why.
//!
//! The decision is what [`flow::Exchange`](hallpass_core::flow::Exchange) says and nothing else. The steps beside it are told by the same
//! functions of the core, and decide nothing: if they ever said something else, they would be wrong, not the decision.

mod decide;
mod grants;
mod inputs;
mod print;
mod token;
mod trace;

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;

use crate::CANNOT;
use crate::args::{Expected, ExplainArgs};
use crate::check::{self, Checked, Report};
use crate::output;
use crate::paint;
use inputs::Inputs;

/// The request was decided otherwise than expected.
const UNEXPECTED: u8 = 1;
/// Something is missing without which nobody can decide.
const UNDECIDED: u8 = 3;

/// Everything that is told.
#[derive(Debug, Serialize)]
struct Explanation {
    decision: Decision,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// What the client gets, or 200 where the upstream answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// Whether the decision is held to. In monitor mode the request passes all the same.
    enforced: bool,
    /// One sentence on the reason, or on what is missing.
    detail: String,
    steps: Vec<Step>,
    /// What the grant service is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    question: Option<Value>,
    /// When the permission ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream: Option<Upstream>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<ClientAnswer>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Decision {
    Allow,
    Deny,
    Undecided,
}

/// One step on the way to the decision.
#[derive(Debug, Serialize)]
struct Step {
    about: &'static str,
    verdict: Verdict,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    /// It holds.
    Yes,
    /// It does not.
    No,
    /// It is only told.
    Note,
}

impl Step {
    fn new(about: &'static str, verdict: Verdict, text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            about,
            verdict,
            text,
        }
    }

    fn yes(about: &'static str, text: impl Into<String>) -> Self {
        Self::new(about, Verdict::Yes, text)
    }

    fn no(about: &'static str, text: impl Into<String>) -> Self {
        Self::new(about, Verdict::No, text)
    }

    fn note(about: &'static str, text: impl Into<String>) -> Self {
        Self::new(about, Verdict::Note, text)
    }
}

/// What changes in the request on its way upstream. The token is never shown, nor are other cookies.
#[derive(Debug, Serialize)]
struct Upstream {
    /// Headers that are taken out.
    removed: Vec<String>,
    /// Headers from which only the token is taken out.
    stripped: Vec<String>,
    /// Headers that are set.
    set: BTreeMap<String, String>,
    /// The path, where it goes on in another spelling.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// The authority, where it goes on in another spelling.
    #[serde(skip_serializing_if = "Option::is_none")]
    authority: Option<String>,
}

/// What a refused client gets.
#[derive(Debug, Serialize)]
struct ClientAnswer {
    headers: BTreeMap<String, String>,
    body: Value,
}

/// Decides and prints; the exit status.
///
/// # Errors
/// When a file cannot be read, or an argument cannot be meant.
pub(crate) fn run(args: &ExplainArgs) -> Result<u8> {
    let config = match inputs::config(&args.config)? {
        Ok(config) => config,
        Err(faulty) => return cannot_decide(args, faulty),
    };
    let inputs = Inputs::read(args, config)?;
    let mut explanation = decide::decide(&inputs);
    explanation.steps.splice(0..0, trace::steps(&inputs));
    if args.json {
        let json = paint::printable_json(&explanation)?;
        output::print(|out| writeln!(out, "{json}"))?;
    } else {
        output::print(|out| print::print(out, &explanation))?;
    }
    Ok(status(explanation.decision, args.expect))
}

/// Tells the faults as the check does, since nobody decides with a configuration that has some.
fn cannot_decide(args: &ExplainArgs, faulty: Checked) -> Result<u8> {
    let error = format!("{} has faults, and nothing is decided", faulty.file);
    output::complain(&paint::error(&error));
    if args.json {
        let report = Report {
            clean: false,
            configurations: vec![faulty],
        };
        let json = paint::printable_json(&report)?;
        output::print(|out| writeln!(out, "{json}"))?;
    } else {
        output::aside(|out| check::print(out, &faulty));
    }
    Ok(CANNOT)
}

fn status(decision: Decision, expected: Option<Expected>) -> u8 {
    match (decision, expected) {
        (Decision::Undecided, _) => UNDECIDED,
        (Decision::Allow, Some(Expected::Deny)) | (Decision::Deny, Some(Expected::Allow)) => {
            UNEXPECTED
        }
        (Decision::Allow | Decision::Deny, _) => 0,
    }
}
