//! The story: alice wants to read an order, and the orders need a grant.

use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use chrono::DateTime;
use serde_json::{Value, json};
use ureq::http::StatusCode;

use super::ask::Ask;
use super::narrator::{Narrator, Step};
use super::stage::Stage;

/// What everyone asks for.
const ORDER: &str = "/orders/7";
/// How long alice's grant lasts, in seconds: enough for the steps between, short enough to wait for its end.
const GRANT: i64 = 6;
/// How long a refusal is remembered (`deny_ttl` in Envoy's configuration), and a little more.
const REFUSAL_FORGOTTEN: Duration = Duration::from_millis(1100);
/// How long an audit line may take into the log.
const LOGGED: Duration = Duration::from_secs(2);

pub(super) fn walk(stage: &Stage, narrator: &mut Narrator) -> Result<()> {
    let tour = Tour { stage };
    narrator.open(stage);
    tour.no_token(narrator.step("No token"))?;
    tour.no_grant(narrator.step("A token, but no grant"))?;
    let end = tour.a_grant(narrator.step("A grant, just in time"))?;
    tour.one_call(narrator.step("The same request passes"))?;
    tour.no_call(narrator.step("And again, without a call"))?;
    tour.spoofed_identity(narrator.step("A spoofed identity"))?;
    tour.embedded_grant(narrator.step("A grant inside the token"))?;
    tour.the_end(narrator.step("The grant ends"), end)?;
    tour.audit_lines(narrator.step("Every decision is on record"));
    Ok(())
}

/// The visit, step by step.
struct Tour<'a> {
    stage: &'a Stage,
}

impl Tour<'_> {
    fn no_token(&self, mut step: Step) -> Result<()> {
        let answer = step.ask(&self.order())?;
        step.show("www-authenticate", answer.header("www-authenticate"));
        step.expect_refused(&answer, StatusCode::UNAUTHORIZED, "token_missing");
        step.expect_text(
            "www-authenticate",
            answer.header("www-authenticate"),
            "Bearer realm=\"hallpass\"",
        );
        step.expect_count("requests at the upstream", self.served(), 0);
        step.tell("Nobody passes unnamed: Envoy answered by itself, and the upstream never saw the request.");
        Ok(())
    }

    fn no_grant(&self, mut step: Step) -> Result<()> {
        let answer = step.ask(&self.order_by("alice"))?;
        step.show("detail", answer.member("detail"));
        step.show("request_url", answer.member("request_url"));
        step.expect_refused(&answer, StatusCode::FORBIDDEN, "grant_denied");
        let link = format!(
            "http://{}/request?resource=orders&action=read",
            self.stage.grants.address()
        );
        step.expect_text("request_url", answer.member("request_url"), &link);
        step.expect_count("requests at the upstream", self.served(), 0);
        step.tell("Alice is known, but may not read orders now. The refusal says where to ask; a browser gets a page with the link.");
        Ok(())
    }

    /// Gives alice her grant, and returns when it ends.
    fn a_grant(&self, mut step: Step) -> Result<SystemTime> {
        let wish =
            json!({ "subject": "alice", "resource": "orders", "action": "read", "seconds": GRANT });
        let answer = step.ask(&Ask::post(
            format!("http://{}/grants", self.stage.grants.address()),
            wish,
        ))?;
        step.show("approved_until", answer.member("approved_until"));
        step.expect_status(&answer, StatusCode::CREATED);
        let end = answer.member("approved_until").and_then(unix_seconds);
        let end = end.context("the grant service does not say when the grant ends")?;
        step.wait_for("one second, for which the refusal is remembered");
        thread::sleep(REFUSAL_FORGOTTEN);
        step.tell(&format!(
            "Alice may now read orders, for {GRANT} seconds. Nothing in the proxy had to be told."
        ));
        Ok(UNIX_EPOCH + Duration::from_secs(end))
    }

    fn one_call(&self, mut step: Step) -> Result<()> {
        let before = self.calls();
        let answer = step.ask(&self.order_by("alice"))?;
        for name in [
            "x-hallpass-subject",
            "x-hallpass-grant-id",
            "x-hallpass-grant-expires",
        ] {
            step.show(name, answer.received(name));
        }
        let made = self.calls() - before;
        step.show("calls to the service", Some(&made.to_string()));
        step.expect_status(&answer, StatusCode::OK);
        step.expect_text(
            "x-hallpass-subject",
            answer.received("x-hallpass-subject"),
            "alice",
        );
        step.expect_count("calls to the service", made, 1);
        step.tell("Hallpass asked the grant service once, and told the upstream who asks and under which grant.");
        Ok(())
    }

    fn no_call(&self, mut step: Step) -> Result<()> {
        let before = self.calls();
        let answer = step.ask(&self.order_by("alice"))?;
        let made = self.calls() - before;
        step.show("calls to the service", Some(&made.to_string()));
        step.expect_status(&answer, StatusCode::OK);
        step.expect_text(
            "x-hallpass-subject",
            answer.received("x-hallpass-subject"),
            "alice",
        );
        step.expect_count("calls to the service", made, 0);
        step.tell("The decision was still at hand: no call, no wait.");
        Ok(())
    }

    fn spoofed_identity(&self, mut step: Step) -> Result<()> {
        let ask = self
            .order_by("alice")
            .header("x-hallpass-subject", "root")
            .header("x-tenant", "globex");
        let answer = step.ask(&ask)?;
        for name in ["x-hallpass-subject", "x-tenant", "authorization"] {
            step.show(name, answer.received(name));
        }
        step.expect_status(&answer, StatusCode::OK);
        step.expect_text(
            "x-hallpass-subject",
            answer.received("x-hallpass-subject"),
            "alice",
        );
        step.expect_text("x-tenant", answer.received("x-tenant"), "acme");
        step.expect_count(
            "tokens at the upstream",
            usize::from(answer.received("authorization").is_some()),
            0,
        );
        step.tell("As the upstream received them: what the client claimed is gone, what its token says is there, the token itself is not.");
        Ok(())
    }

    fn embedded_grant(&self, mut step: Step) -> Result<()> {
        let before = self.calls();
        let ask = self
            .order()
            .with_token_from(self.token_url("bob&grant=orders:read:60"));
        let answer = step.ask(&ask)?;
        for name in ["x-hallpass-subject", "x-hallpass-grant-id"] {
            step.show(name, answer.received(name));
        }
        let made = self.calls() - before;
        step.show("calls to the service", Some(&made.to_string()));
        step.expect_status(&answer, StatusCode::OK);
        step.expect_text(
            "x-hallpass-grant-id",
            answer.received("x-hallpass-grant-id"),
            "embedded-1",
        );
        step.expect_count("calls to the service", made, 0);
        step.tell("Bob's token carries a grant of its own: it is judged in the proxy, and nobody is asked.");
        Ok(())
    }

    fn the_end(&self, mut step: Step, end: SystemTime) -> Result<()> {
        let before = self.served();
        let left = end.duration_since(SystemTime::now()).unwrap_or_default();
        step.wait_for(&format!(
            "{:.1} seconds, until alice's grant ends",
            left.as_secs_f64()
        ));
        thread::sleep(left);
        let answer = step.ask(&self.order_by("alice"))?;
        step.show("request_url", answer.member("request_url"));
        step.expect_refused(&answer, StatusCode::FORBIDDEN, "grant_denied");
        step.expect_count("requests at the upstream", self.served(), before);
        step.tell("To the second: what was remembered ends with the grant, and nothing passes after its end.");
        Ok(())
    }

    fn audit_lines(&self, mut step: Step) {
        let told = [
            "401 token_missing",
            "403 grant_denied",
            "200 grant_service",
            "200 grant_cached",
            "200 grant_cached",
            "200 grant_embedded",
            "403 grant_denied",
        ];
        step.command(format!(
            "grep -o 'hallpass.audit .*' {}",
            self.stage.log_file.display()
        ));
        let lines = self.stage.log().await_audit(told.len(), LOGGED, |_| true);
        for line in &lines {
            step.line(in_brief(line));
        }
        if let Some(last) = lines.last() {
            step.line(format!("the last one in full: {last}"));
        }
        let recorded: Vec<_> = lines
            .iter()
            .map(|line| format!("{} {}", line["status"], text(line, "reason")))
            .collect();
        step.expect_text("audit lines", Some(&recorded.join(", ")), &told.join(", "));
        let with_token = self
            .stage
            .log()
            .so_far()
            .iter()
            .filter(|line| line.contains("eyJ"))
            .count();
        step.expect_count("lines with a token", with_token, 0);
        step.tell("One line of JSON for each decision in Envoy's log, without tokens, cookies or query strings.");
    }

    fn order(&self) -> Ask {
        Ask::get(format!("http://{}{ORDER}", self.stage.addresses.proxy))
    }

    fn order_by(&self, user: &str) -> Ask {
        self.order().with_token_from(self.token_url(user))
    }

    fn token_url(&self, user: &str) -> String {
        format!("http://{}/token?user={user}", self.stage.idp.address())
    }

    fn calls(&self) -> usize {
        self.stage.grants.calls()
    }

    fn served(&self) -> usize {
        self.stage.upstream.served(ORDER)
    }
}

fn unix_seconds(text: &str) -> Option<u64> {
    DateTime::parse_from_rfc3339(text)
        .ok()?
        .timestamp()
        .try_into()
        .ok()
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
