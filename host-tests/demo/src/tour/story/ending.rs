//! Out again: at the grant's end, and before it.

use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Result;
use serde_json::json;
use ureq::http::StatusCode;

use super::Tour;
use crate::tour::ask::{Answer, Ask};
use crate::tour::narrator::Step;

/// How often the filter asks for revocations (`revocations.interval` in Envoy's configuration), and what asking and answering may take.
const REVOKED_WITHIN: Duration = Duration::from_millis(1500);

impl Tour<'_> {
    pub(super) fn the_end(&self, mut step: Step, end: SystemTime) -> Result<()> {
        let before = self.served();
        let left = end.duration_since(SystemTime::now()).unwrap_or_default();
        step.wait_for(&format!(
            "{:.1} seconds, until alice's grant ends",
            left.as_secs_f64()
        ));
        thread::sleep(left);
        let answer = step.ask(&self.order_by("alice"))?;
        step.show("request_url", answer.member("/request_url"));
        step.expect_refused(&answer, StatusCode::FORBIDDEN, "grant_denied");
        step.expect_count("requests at the upstream", self.served(), before);
        step.tell("To the second: what was remembered ends with the grant, and nothing passes after its end.");
        Ok(())
    }

    pub(super) fn revoke(&self, mut step: Step, grant: &str) -> Result<()> {
        let wish = json!({ "grant": grant, "why": "the laptop was stolen" });
        let ask = Ask::post(self.service("/access/v1/revocations"), Some(wish));
        let answer = step.ask(&ask.with_token_from(self.token_url("ada")))?;
        step.expect_status(&answer, StatusCode::OK);
        let revoked = Instant::now();
        step.wait_for("at most one second, until the filter asks what was revoked");
        let order = self.order_by("alice");
        let is_refused = |answer: &Answer| !answer.status.is_success();
        let answer = step.ask_until(&order, REVOKED_WITHIN, is_refused)?;
        let took = format!("{:.1} seconds", revoked.elapsed().as_secs_f64());
        step.show("out after", Some(&took));
        step.expect_refused(&answer, StatusCode::FORBIDDEN, "grant_denied");
        step.tell("The filter follows the service's feed of revocations: what it remembered, minutes before its end, counts no longer.");
        Ok(())
    }
}
