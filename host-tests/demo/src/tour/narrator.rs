//! What the visitor reads: steps with their request, answer and meaning, and whether the answer was as told.
//!
//! Colour appears on a terminal only, and not with `NO_COLOR`.

use std::fmt::Display;
use std::io::{Stdout, Write};
use std::thread;
use std::time::{Duration, Instant};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use anyhow::Result;
use ureq::http::StatusCode;

use super::ask::{Answer, Ask};
use super::stage::Stage;

const HEADLINE: Style = Style::new().bold();
const QUIET: Style = Style::new().dimmed();
const COMMAND: Style = AnsiColor::Cyan.on_default();
const GOOD: Style = AnsiColor::Green.on_default();
const REFUSED: Style = AnsiColor::Yellow.on_default();
const WRONG: Style = AnsiColor::Red.on_default().bold();

/// So long a visitor pauses who asks again and again.
const AGAIN: Duration = Duration::from_millis(100);

/// Tells the story and keeps the score.
pub(super) struct Narrator {
    out: AutoStream<Stdout>,
    steps: usize,
    not_as_told: usize,
}

impl Narrator {
    /// Tells it on standard output.
    pub(super) fn new() -> Self {
        Self {
            out: anstream::stdout(),
            steps: 0,
            not_as_told: 0,
        }
    }

    /// The title.
    pub(super) fn open(&mut self, stage: &Stage) {
        self.say("");
        self.say(styled(
            HEADLINE,
            format!(
                "Hallpass in real Envoy, on http://{}",
                stage.addresses.proxy
            ),
        ));
        self.say(styled(
            QUIET,
            "Each line after a `$` can be pasted into another terminal while this runs.",
        ));
    }

    /// Begins a step.
    pub(super) fn step(&mut self, headline: &str) -> Step<'_> {
        self.steps += 1;
        self.say("");
        self.say(styled(HEADLINE, format!("{}. {headline}", self.steps)));
        Step {
            narrator: self,
            faults: Vec::new(),
        }
    }

    /// The result of the whole tour: whether every step answered as told.
    pub(super) fn sum_up(&mut self) -> bool {
        self.say("");
        self.say(match self.not_as_told {
            0 => styled(GOOD, format!("All {} steps answered as told.", self.steps)),
            wrong => styled(
                WRONG,
                format!("{wrong} of {} steps did not answer as told.", self.steps),
            ),
        });
        self.not_as_told == 0
    }

    /// What to do after the tour.
    pub(super) fn invite(&mut self, stage: &Stage) {
        let (proxy, admin) = (stage.addresses.proxy, stage.addresses.admin);
        let (upstream, idp, grants) = (
            stage.upstream.address(),
            stage.idp.address(),
            stage.grants.address(),
        );
        let files = stage.directory.display();
        self.say("");
        self.say(styled(HEADLINE, "Everything stays up until Ctrl-C."));
        for (name, place, remark) in [
            (
                "a protected page",
                format!("http://{proxy}/orders/7"),
                "also try /healthz, /me, /internal/x",
            ),
            (
                "sign in",
                format!("http://{idp}/sign-in"),
                "as alice, bob, lena or ada; /token?user=alice gives a token to scripts",
            ),
            (
                "request access",
                format!("http://{grants}/request?resource=orders&action=read"),
                "as alice or bob",
            ),
            (
                "approve, revoke",
                format!("http://{grants}/approvals"),
                "as lena; /grants/all and /record as ada",
            ),
            (
                "upstream",
                format!("http://{upstream}"),
                "echoes; in production only Envoy may reach it",
            ),
            (
                "Envoy's admin page",
                format!("http://{admin}"),
                "statistics, configuration",
            ),
            (
                "files",
                format!("{files}"),
                "envoy.log has the audit lines; grants.json, grants.db and grants.log are the grant service's",
            ),
        ] {
            self.say(format!(
                "   {name:<18} {}  {}",
                styled(COMMAND, place),
                styled(QUIET, remark)
            ));
        }
        self.say("");
        self.say(styled(HEADLINE, "The whole loop in a browser:"));
        for step in [
            format!(
                "sign in as alice at http://{idp}/sign-in?return_to=http://{proxy}/orders/7, and follow the link of the refusal"
            ),
            format!(
                "in a private window, sign in as lena at http://{idp}/sign-in?return_to=http://{grants}/approvals, and approve"
            ),
            "reload alice's page: she is in, until her grant ends, or until ada revokes it"
                .to_owned(),
        ] {
            self.say(format!("   {}", styled(QUIET, step)));
        }
        self.say("");
    }

    fn say(&mut self, line: impl Display) {
        // A visitor who closes the pipe has heard enough; the tour goes on to its end all the same.
        let _ = writeln!(self.out, "{line}");
    }
}

/// A step in the telling.
pub(super) struct Step<'a> {
    narrator: &'a mut Narrator,
    faults: Vec<String>,
}

impl Step<'_> {
    /// Shows the request's `curl` line, sends it, and shows the status and reason of the answer.
    pub(super) fn ask(&mut self, ask: &Ask) -> Result<Answer> {
        self.ask_until(ask, Duration::ZERO, |_| true)
    }

    /// The same, but sends it again and again until `wanted` takes the answer or `patience` is over, and shows the last answer.
    pub(super) fn ask_until(
        &mut self,
        ask: &Ask,
        patience: Duration,
        wanted: impl Fn(&Answer) -> bool,
    ) -> Result<Answer> {
        self.command(ask);
        let deadline = Instant::now() + patience;
        let mut answer = ask.send()?;
        while !wanted(&answer) && Instant::now() < deadline {
            thread::sleep(AGAIN);
            answer = ask.send()?;
        }
        let style = if answer.status.is_success() {
            GOOD
        } else {
            REFUSED
        };
        let reason = answer
            .member("/reason")
            .map(|reason| format!(", {reason}"))
            .unwrap_or_default();
        self.line(styled(style, format!("{}{reason}", answer.status)));
        Ok(answer)
    }

    /// Shows a command that a person can paste.
    pub(super) fn command(&mut self, command: impl Display) {
        self.line(format!(
            "{} {}",
            styled(QUIET, "$"),
            styled(COMMAND, command)
        ));
    }

    /// Shows one thing that came back.
    pub(super) fn show(&mut self, name: &str, value: Option<&str>) {
        let label = styled(QUIET, format!("{name:<26}"));
        self.line(format!(
            "{label} {}",
            value.map_or_else(|| styled(QUIET, "(absent)"), str::to_owned)
        ));
    }

    /// Says that the tour pauses, and for what.
    pub(super) fn wait_for(&mut self, what: &str) {
        self.line(styled(QUIET, format!("… {what}")));
    }

    /// Shows a line as it is.
    pub(super) fn line(&mut self, line: impl Display) {
        self.narrator.say(format!("   {line}"));
    }

    /// The answer must be a refusal with this status and reason.
    pub(super) fn expect_refused(&mut self, answer: &Answer, status: StatusCode, reason: &str) {
        self.expect_status(answer, status);
        self.expect_text("reason", answer.member("/reason"), reason);
    }

    /// The answer must have this status.
    pub(super) fn expect_status(&mut self, answer: &Answer, status: StatusCode) {
        self.expect_text("status", Some(answer.status.as_str()), status.as_str());
    }

    /// Something must be there, and read so.
    pub(super) fn expect_text(&mut self, what: &str, actual: Option<&str>, expected: &str) {
        if actual != Some(expected) {
            let actual = actual.unwrap_or("nothing");
            self.faults
                .push(format!("{what}: expected {expected}, got {actual}"));
        }
    }

    /// Something must have happened this often.
    pub(super) fn expect_count<N: Display>(&mut self, what: &str, actual: N, expected: N) {
        self.expect_text(what, Some(&actual.to_string()), &expected.to_string());
    }

    /// Ends the step with its meaning in one sentence.
    pub(super) fn tell(self, sentence: &str) {
        let Self { narrator, faults } = self;
        if faults.is_empty() {
            narrator.say(format!(" {} {sentence}", styled(GOOD, "✔")));
            return;
        }
        narrator.not_as_told += 1;
        narrator.say(format!(" {} {sentence}", styled(WRONG, "✘")));
        for fault in faults {
            narrator.say(format!(
                "   {}",
                styled(WRONG, format!("not as told: {fault}"))
            ));
        }
    }
}

fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}
