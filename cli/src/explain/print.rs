//! The explanation for a person.

use std::io::{Result, Write};

use serde_json::Value;

use super::{Decision, Explanation, Verdict};
use crate::paint::{bad, faint, good, odd, place, printable};

pub(super) fn print(out: &mut impl Write, told: &Explanation) -> Result<()> {
    let mut last = "";
    for step in &told.steps {
        let mark = match step.verdict {
            Verdict::Yes => good("✓"),
            Verdict::No => bad("✗"),
            Verdict::Note => faint("·"),
        };
        let about = if step.about == last { "" } else { step.about };
        last = step.about;
        writeln!(
            out,
            "{} {mark} {}",
            place(&format!("{about:>9}")),
            printable(&step.text)
        )?;
    }
    if let Some(question) = &told.question {
        writeln!(
            out,
            "{} {}",
            place(" question"),
            printable(&question.to_string())
        )?;
    }
    decision(out, told)?;
    if let Some(until) = &told.until {
        writeln!(out, "{} {until}", place("    until"))?;
    }
    if let Some(upstream) = &told.upstream {
        for name in &upstream.removed {
            writeln!(
                out,
                "{} {} {}",
                place(" upstream"),
                bad("-"),
                printable(name)
            )?;
        }
        for name in &upstream.stripped {
            writeln!(
                out,
                "{} {} the token in {}",
                place(" upstream"),
                bad("-"),
                printable(name)
            )?;
        }
        for (name, value) in &upstream.set {
            let header = format!("{name}: {value}");
            writeln!(
                out,
                "{} {} {}",
                place(" upstream"),
                good("+"),
                printable(&header)
            )?;
        }
        if let Some(authority) = &upstream.authority {
            writeln!(
                out,
                "{} the authority goes on as {}",
                place(" upstream"),
                printable(authority)
            )?;
        }
        if let Some(path) = &upstream.path {
            writeln!(
                out,
                "{} the path goes on as {}",
                place(" upstream"),
                printable(path)
            )?;
        }
    }
    if let Some(answer) = &told.answer {
        for (name, value) in &answer.headers {
            let header = format!("{name}: {value}");
            writeln!(out, "{} {}", place("   answer"), printable(&header))?;
        }
        let body = match &answer.body {
            Value::String(text) => text.clone(),
            json => json.to_string(),
        };
        for line in body.lines() {
            writeln!(out, "{} {}", place("   answer"), printable(line))?;
        }
    }
    Ok(())
}

fn decision(out: &mut impl Write, told: &Explanation) -> Result<()> {
    let word = match told.decision {
        Decision::Allow => good("allow"),
        Decision::Deny => bad("deny"),
        Decision::Undecided => odd("undecided"),
    };
    let reason = told
        .reason
        .map_or(String::new(), |reason| format!(" {reason}"));
    let status = match (told.decision, told.status) {
        (Decision::Deny, Some(status)) => format!(" ({status})"),
        _ => String::new(),
    };
    let detail = faint(&told.detail);
    writeln!(
        out,
        "{} {word}{reason}{status} {detail}",
        place(" decision")
    )?;
    if !told.enforced {
        let monitored = odd("monitor mode");
        writeln!(
            out,
            "{} {monitored}: it is recorded, and the request passes",
            place(" decision")
        )?;
    }
    Ok(())
}
