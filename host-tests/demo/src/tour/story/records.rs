//! What is on record afterwards: in the proxy's log each decision, at the grant service what led to it.

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use super::Tour;
use crate::tour::narrator::Step;

/// How long an audit line may take into the log.
const LOGGED: Duration = Duration::from_secs(2);
/// What the story leaves in the proxy's log, but for decisions that were at hand: how often alice passed before the revocation reached the
/// filter is nobody's to tell.
const DECISIONS: [&str; 7] = [
    "401 token_missing",
    "403 grant_denied",
    "200 grant_service",
    "200 grant_embedded",
    "403 grant_denied",
    "200 grant_service",
    "403 grant_denied",
];

impl Tour<'_> {
    pub(super) fn audit_lines(&self, mut step: Step) {
        step.command(format!(
            "grep -o 'hallpass.audit .*' {}",
            self.stage.log_file().display()
        ));
        let log = self.stage.log();
        let refusals = DECISIONS.iter().filter(|told| !told.starts_with("200"));
        log.await_audit(refusals.count(), LOGGED, |line| line["status"] != 200);
        let lines = log.await_audit(0, Duration::ZERO, |_| true);
        let mut before = String::new();
        for line in &lines {
            let verdict = verdict(line);
            if verdict != before {
                step.line(in_brief(line));
            }
            before = verdict;
        }
        if let Some(last) = lines.last() {
            step.line(format!("the last one in full: {last}"));
        }
        let recorded: Vec<_> = lines
            .iter()
            .map(verdict)
            .filter(|verdict| verdict != "200 grant_cached")
            .collect();
        step.expect_text(
            "audit lines",
            Some(&recorded.join(", ")),
            &DECISIONS.join(", "),
        );
        let log = log.so_far();
        let with_token = log.iter().filter(|line| line.contains("eyJ"));
        step.expect_count("lines with a token", with_token.count(), 0);
        step.tell("One line of JSON for each decision in Envoy's log, without tokens, cookies or query strings.");
    }

    pub(super) fn chained_record(&self, step: Step) -> Result<()> {
        step.tell("");
        Ok(())
    }
}

fn verdict(line: &Value) -> String {
    format!("{} {}", line["status"], text(line, "reason"))
}

/// An audit line in brief.
fn in_brief(line: &Value) -> String {
    let cell = |name| text(line, name);
    format!(
        "{:<24} {:<5} {} {:<14} {:<6} {} {}",
        cell("time"),
        cell("decision"),
        line["status"],
        cell("reason"),
        cell("subject"),
        cell("method"),
        cell("path")
    )
}

fn text<'a>(line: &'a Value, name: &str) -> &'a str {
    line[name].as_str().unwrap_or("-")
}
