//! Out, and what is done about it: a request, and its approval.

use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use chrono::DateTime;
use serde_json::json;
use ureq::http::StatusCode;

use super::{REFUSAL_FORGOTTEN, Tour};
use crate::tour::ask::{Answer, Ask};
use crate::tour::narrator::Step;

/// How long alice's first grant lasts, in seconds: enough for the steps between, short enough to wait for its end.
const SHORT: u32 = 5;
/// How long her second one would last: it is not its end that ends it.
const LONG: u32 = 600;

impl Tour<'_> {
    pub(super) fn no_token(&self, mut step: Step) -> Result<()> {
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

    pub(super) fn no_grant(&self, mut step: Step) -> Result<()> {
        let answer = step.ask(&self.order_by("alice"))?;
        step.show("detail", answer.member("/detail"));
        step.show("request_url", answer.member("/request_url"));
        step.expect_refused(&answer, StatusCode::FORBIDDEN, "grant_denied");
        let link = self.service("/request?resource=orders&action=read");
        step.expect_text("request_url", answer.member("/request_url"), &link);
        step.expect_count("requests at the upstream", self.served(), 0);
        step.tell("Alice is known, but may not read orders now. The refusal says where to ask; a browser gets a page with the link.");
        Ok(())
    }

    /// Alice asks for a short grant. Returns the name of her request.
    pub(super) fn request(&self, mut step: Step) -> Result<String> {
        let request = self.ask_for_access(&mut step, SHORT)?;
        step.tell(&format!(
            "Her request for {SHORT} seconds waits for an approver. The page behind the link does the same; this is the API for programs."
        ));
        Ok(request)
    }

    /// Lena approves. Returns when the grant ends.
    pub(super) fn approve(&self, mut step: Step, request: &str) -> Result<SystemTime> {
        let answer = self.approve_request(&mut step, request)?;
        let end = answer.member("/result/approval/approved_until");
        let end = end.and_then(unix_time);
        let end = end.context("the grant service does not say when the grant ends")?;
        step.wait_for("one second, for which the refusal is remembered");
        thread::sleep(REFUSAL_FORGOTTEN);
        step.tell("Alice may now read orders. Nobody approves a request of their own, and nothing in the proxy had to be told.");
        Ok(end)
    }

    /// Alice gets a long grant, and uses it. Returns the grant's name.
    pub(super) fn in_again(&self, mut step: Step) -> Result<String> {
        let request = self.ask_for_access(&mut step, LONG)?;
        let approved = self.approve_request(&mut step, &request)?;
        let grant = approved.member("/result/approval/id");
        let grant = grant.context("the grant service does not say which grant it gave")?;
        step.wait_for("one second, for which the refusal is remembered");
        thread::sleep(REFUSAL_FORGOTTEN);
        let answer = step.ask(&self.order_by("alice"))?;
        step.show(
            "x-hallpass-grant-id",
            answer.received("x-hallpass-grant-id"),
        );
        step.expect_status(&answer, StatusCode::OK);
        step.expect_text(
            "x-hallpass-grant-id",
            answer.received("x-hallpass-grant-id"),
            grant,
        );
        step.tell(&format!(
            "In again, for {} minutes, if nobody minds.",
            LONG / 60
        ));
        Ok(grant.to_owned())
    }

    fn ask_for_access(&self, step: &mut Step, seconds: u32) -> Result<String> {
        let wish = json!({
            "resource": { "type": "http", "id": "orders" },
            "action": { "name": "read" },
            "requested_access": { "duration": format!("{seconds}s") },
            "reason": "customer asks about order 7",
        });
        let ask = Ask::post(self.service("/access/v1/requests"), Some(wish));
        let answer = step.ask(&ask.with_token_from(self.token_url("alice")))?;
        step.show("status", answer.member("/task/status"));
        step.expect_status(&answer, StatusCode::ACCEPTED);
        step.expect_text("status", answer.member("/task/status"), "pending");
        let request = answer.member("/task/id");
        let request = request.context("the grant service does not name the request")?;
        Ok(request.to_owned())
    }

    fn approve_request(&self, step: &mut Step, request: &str) -> Result<Answer> {
        let url = self.service(&format!("/access/v1/requests/{request}/approve"));
        let ask = Ask::post(url, None);
        let answer = step.ask(&ask.with_token_from(self.token_url("lena")))?;
        for (name, place) in [
            ("grant", "/result/approval/id"),
            ("approved_until", "/result/approval/approved_until"),
        ] {
            step.show(name, answer.member(place));
        }
        step.expect_status(&answer, StatusCode::OK);
        step.expect_text("status", answer.member("/task/status"), "approved");
        Ok(answer)
    }
}

fn unix_time(text: &str) -> Option<SystemTime> {
    let at = DateTime::parse_from_rfc3339(text).ok()?;
    let since = u64::try_from(at.timestamp_millis()).ok()?;
    Some(UNIX_EPOCH + Duration::from_millis(since))
}
