//! In: what a grant costs, what the upstream sees, and what nobody can pretend.

use anyhow::Result;
use ureq::http::StatusCode;

use super::Tour;
use crate::tour::ask::{Answer, Ask};
use crate::tour::narrator::Step;

impl Tour<'_> {
    pub(super) fn one_call(&self, mut step: Step) -> Result<()> {
        let answer = self.ask_and_count(&mut step, &self.order_by("alice"), 1)?;
        for name in [
            "x-hallpass-subject",
            "x-hallpass-grant-id",
            "x-hallpass-grant-expires",
        ] {
            step.show(name, answer.received(name));
        }
        step.expect_text(
            "x-hallpass-subject",
            answer.received("x-hallpass-subject"),
            "alice",
        );
        step.tell("Hallpass asked the grant service once, and told the upstream who asks and under which grant.");
        Ok(())
    }

    pub(super) fn no_call(&self, mut step: Step) -> Result<()> {
        let answer = self.ask_and_count(&mut step, &self.order_by("alice"), 0)?;
        step.expect_text(
            "x-hallpass-subject",
            answer.received("x-hallpass-subject"),
            "alice",
        );
        step.tell("The decision was still at hand: no call, no wait.");
        Ok(())
    }

    pub(super) fn spoofed_identity(&self, mut step: Step) -> Result<()> {
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

    pub(super) fn embedded_grant(&self, mut step: Step) -> Result<()> {
        let ask = self
            .order()
            .with_token_from(self.token_url("bob&grant=orders:read:60"));
        let answer = self.ask_and_count(&mut step, &ask, 0)?;
        for name in ["x-hallpass-subject", "x-hallpass-grant-id"] {
            step.show(name, answer.received(name));
        }
        step.expect_text(
            "x-hallpass-grant-id",
            answer.received("x-hallpass-grant-id"),
            "embedded-1",
        );
        step.tell("Bob's token carries a grant of its own: it is judged in the proxy, and nobody is asked.");
        Ok(())
    }

    /// Sends what must pass, at the price of so many calls.
    fn ask_and_count(&self, step: &mut Step, ask: &Ask, calls: u64) -> Result<Answer> {
        let before = self.calls()?;
        let answer = step.ask(ask)?;
        let made = self.calls()? - before;
        step.show("calls to the service", Some(&made.to_string()));
        step.expect_status(&answer, StatusCode::OK);
        step.expect_count("calls to the service", made, calls);
        Ok(answer)
    }
}
