//! What is on record afterwards: in the proxy's log each decision, at the grant service what led to it.

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;
use ureq::http::StatusCode;

use super::Tour;
use crate::tour::ask::{Answer, Ask};
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

/// What it leaves in the record of the grant service, beside [`EXPIRED`].
const EVENTS: [&str; 7] = [
    "request_opened",
    "request_approved",
    "grant_given",
    "request_opened",
    "request_approved",
    "grant_given",
    "grant_revoked",
];

/// The end of the first grant is on record a little after it, whatever else goes on.
const EXPIRED: &str = "grant_expired";

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

    pub(super) fn chained_record(&self, mut step: Step) -> Result<()> {
        let ask = Ask::get(self.service("/audit"));
        let ask = ask.with_token_from(self.token_url("ada"));
        let answer = step.ask_until(&ask, LOGGED, |answer| events(answer).contains(&EXPIRED))?;
        step.expect_status(&answer, StatusCode::OK);
        for told in answer.list("/entries") {
            step.line(event_in_brief(&told["entry"]));
        }
        let events = events(&answer);
        let expired = events.iter().filter(|event| **event == EXPIRED);
        step.expect_count("ends on record", expired.count(), 1);
        let others = events.into_iter().filter(|event| *event != EXPIRED);
        let others: Vec<_> = others.collect();
        step.expect_text("entries", Some(&others.join(", ")), &EVENTS.join(", "));

        let (verify, outcome) = self.stage.grants.verify_record()?;
        step.command(verify);
        step.line(outcome.said.trim());
        step.expect_count("status of the verification", outcome.status, 0);
        step.tell("Who, what, when, why and from where: each entry holds the hash of the one before, so that none can be changed or left out.");
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

/// What is on record at the grant service, oldest first.
fn events(answer: &Answer) -> Vec<&str> {
    let entries = answer.list("/entries").iter();
    entries.map(|told| text(&told["entry"], "event")).collect()
}

/// An entry of the grant service's record in brief.
fn event_in_brief(entry: &Value) -> String {
    let by = entry["actor"]["person"]["subject"].as_str();
    format!(
        "{:<24} {:<16} {:<14} {:<6} {}",
        text(entry, "time"),
        text(entry, "event"),
        by.map_or_else(|| "by itself".to_owned(), |by| format!("by {by}")),
        entry["subject"]["subject"].as_str().unwrap_or("-"),
        entry["why"].as_str().unwrap_or_default()
    )
}

fn text<'a>(line: &'a Value, name: &str) -> &'a str {
    line[name].as_str().unwrap_or("-")
}
