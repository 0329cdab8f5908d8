//! What must have been so for a figure to mean what its row says. Nothing is shown that fails it.

use std::time::Duration;

use crate::contender::GRANT_CLUSTER;
use crate::counters::Counters;

/// What users get, all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// They are let through.
    Served,
    /// They are refused, and not for a failure of the proxy's.
    Refused,
}

/// What a row takes for granted, beyond what its users get.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Premise {
    /// Hallpass verified every token: none was remembered.
    Verified,
    /// Hallpass remembered the tokens, once it had seen each of them.
    Remembered,
    /// `jwt_authn` verified every token.
    NativelyVerified,
    /// `jwt_authn` remembered the tokens, likewise.
    NativelyRemembered,
    /// `jwt_authn` refused everyone.
    NativelyDenied,
    /// `ext_authz` asked the service about every request, and was answered that it may pass.
    ExternallyAllowed,
    /// The script in Lua ran for every request, and never failed.
    ScriptRan,
    /// Hallpass let every user through for this reason.
    Allowed(&'static str),
    /// Hallpass refused some, and each of them for this reason: strangers, or the users where they are to be refused.
    RefusedFor(&'static str),
    /// The grant service was asked once about every request, and answered.
    AskedEachTime,
    /// The grant service was asked anew about every request, and answered in fewer calls.
    AskedTogether,
    /// Hallpass wrote a line to the proxy's log for every request.
    Audited,
    /// Each of two workers had half of the connections.
    WorkersShare,
    /// The grant service was asked as often as arithmetic says: each of so many questions once in each period.
    Asked {
        /// How many questions there are.
        questions: u32,
        /// How long it is from one answer to the next time that it is asked for.
        period: Duration,
    },
    /// The keys were fetched because of the strangers, at most once in each cool-down.
    KeysSought {
        /// How long no second fetch may come.
        cool_down: Duration,
    },
}

/// What was seen during a measurement.
#[derive(Debug)]
pub(crate) struct Seen<'a> {
    /// The contender's listener.
    pub(crate) listener: &'a str,
    /// How many of the users' requests were answered.
    pub(crate) answered: u64,
    /// How many of these answers were refusals.
    pub(crate) refused: u64,
    /// How many of the users' connections broke.
    pub(crate) broken: u64,
    /// Whether strangers were there, too.
    pub(crate) with_strangers: bool,
    /// How much the proxy's counters grew.
    pub(crate) grown: &'a Counters,
    /// How many audit lines the proxy's log grew by.
    pub(crate) audit_lines: u64,
    /// How often the keys were fetched since the first stranger came.
    pub(crate) key_fetches: usize,
    /// How long ago that was.
    pub(crate) since_strangers: Duration,
    /// How long the measurement took.
    pub(crate) lasted: Duration,
}

impl Seen<'_> {
    /// Holds for every row: each user got what the row is about, and the proxy refused nobody else than them and strangers.
    pub(crate) fn everyone_was(&self, outcome: Outcome) -> Result<(), String> {
        let failed = self.grown.answers(self.listener, "5xx");
        let refused = self.refusals();
        let expected = match outcome {
            Outcome::Served => 0,
            Outcome::Refused => self.answered,
        };
        if self.answered == 0 || self.refused != expected || self.broken > 0 || failed > 0 {
            return Err(format!(
                "of {} answers to users {} were refusals, {} connections broke, and the proxy failed {failed} times",
                self.answered, self.refused, self.broken
            ));
        }
        if refused.abs_diff(expected) > in_flight(outcome) && !self.with_strangers {
            return Err(format!("the proxy refused {refused} requests"));
        }
        Ok(())
    }

    /// How many the proxy refused, whoever they were.
    fn refusals(&self) -> u64 {
        self.grown.answers(self.listener, "4xx")
    }

    fn filter(&self, name: &str) -> u64 {
        self.grown.get(&format!("http.{}.{name}", self.listener))
    }

    /// Whether so many are all the users' requests, of which a hundredth may have been in another case.
    fn are_nearly_all(&self, count: u64) -> bool {
        count * 100 >= self.answered * 99
    }
}

impl Premise {
    /// Whether it can hold only once every token has been seen.
    pub(crate) const fn is_of_memory(self) -> bool {
        matches!(self, Self::Remembered | Self::NativelyRemembered)
    }

    /// Whether it held; if not, what was seen instead.
    pub(crate) fn check(self, seen: &Seen<'_>) -> Result<(), String> {
        match self {
            Self::Verified => seen.tokens_were_verified(),
            Self::Remembered => seen.tokens_were_remembered(seen.grown.hallpass("tokens.hit")),
            Self::NativelyVerified => seen.tokens_were_natively_verified(),
            Self::NativelyRemembered => {
                seen.tokens_were_remembered(seen.filter("jwt_authn.jwt_cache_hit"))
            }
            Self::NativelyDenied => {
                let denied = seen.filter("jwt_authn.denied");
                demand(
                    denied >= seen.answered,
                    "jwt_authn refuses everyone",
                    &format!("{denied} of {} were", seen.answered),
                )
            }
            Self::ExternallyAllowed => seen.service_let_all_pass(),
            Self::ScriptRan => {
                let [ran, failed] =
                    ["executions", "errors"].map(|name| seen.filter(&format!("lua.{name}")));
                demand(
                    ran >= seen.answered && failed == 0,
                    "the script runs for every request",
                    &format!("it ran {ran} times and failed {failed} times"),
                )
            }
            Self::Allowed(reason) => {
                let allowed = seen.grown.hallpass(&format!("decisions.allow.{reason}"));
                demand(
                    seen.are_nearly_all(allowed),
                    &format!("everyone is let through for {reason}"),
                    &format!("{allowed} of {} were", seen.answered),
                )
            }
            Self::RefusedFor(reason) => {
                let all = seen.refusals();
                let refused = seen.grown.hallpass(&format!("decisions.deny.{reason}"));
                demand(
                    refused > 0 && refused.abs_diff(all) <= IN_FLIGHT,
                    &format!("whoever is refused is refused for {reason}"),
                    &format!("{refused} of {all} were"),
                )
            }
            Self::AskedEachTime => {
                let asked = seen.answers_of_service();
                demand(
                    asked.abs_diff(seen.answered) <= IN_FLIGHT,
                    "the grant service is asked once about each request",
                    &format!("{asked} times about {}", seen.answered),
                )
            }
            Self::AskedTogether => seen.questions_were_asked_together(),
            Self::Audited => demand(
                seen.audit_lines.abs_diff(seen.answered) <= IN_FLIGHT,
                "each request has its line in the log",
                &format!("{} lines for {}", seen.audit_lines, seen.answered),
            ),
            Self::WorkersShare => seen.workers_had_as_many_connections(),
            Self::Asked { questions, period } => seen.service_was_asked(questions, period),
            Self::KeysSought { cool_down } => seen.keys_were_fetched(cool_down),
        }
    }
}

impl Seen<'_> {
    fn tokens_were_verified(&self) -> Result<(), String> {
        let hits = self.grown.hallpass("tokens.hit");
        let misses = self.grown.hallpass("tokens.miss");
        demand(
            hits * 100 <= self.answered && hits + misses >= self.answered,
            "all tokens but a hundredth are verified",
            &format!("{hits} were remembered, {misses} verified"),
        )
    }

    fn tokens_were_natively_verified(&self) -> Result<(), String> {
        let hits = self.filter("jwt_authn.jwt_cache_hit");
        demand(
            hits == 0 && self.filter("jwt_authn.allowed") >= self.answered,
            "every token is verified",
            &format!("{hits} were remembered"),
        )
    }

    fn tokens_were_remembered(&self, hits: u64) -> Result<(), String> {
        demand(
            self.are_nearly_all(hits),
            "the users' tokens are remembered",
            &format!("{hits} of {} were", self.answered),
        )
    }

    fn service_let_all_pass(&self) -> Result<(), String> {
        let [ok, denied, failed] =
            ["ok", "denied", "error"].map(|name| self.filter(&format!("ext_authz.{name}")));
        demand(
            ok >= self.answered && denied + failed == 0,
            "the service is asked about every request and lets it pass",
            &format!(
                "of {} it let {ok} pass and {denied} not, and {failed} times it failed",
                self.answered
            ),
        )
    }

    fn workers_had_as_many_connections(&self) -> Result<(), String> {
        let [first, second] = [0, 1].map(|worker| {
            let name = format!("worker_{worker}.downstream_cx_total");
            self.grown
                .get(&format!("listener.{}.{name}", self.listener))
        });
        demand(
            first > 0 && first.abs_diff(second) <= LOOKS,
            "each worker has half of the connections",
            &format!("they had {first} and {second}"),
        )
    }

    /// How often the service answered that decides.
    fn answers_of_service(&self) -> u64 {
        let name = format!("cluster.{GRANT_CLUSTER}.upstream_rq_200");
        self.grown.get(&name)
    }

    fn questions_were_asked_together(&self) -> Result<(), String> {
        // A request that joined the question of another was a miss, too, and put no question of its own.
        let joined = self.grown.hallpass("grants.coalesced");
        let questions = self.grown.hallpass("grants.miss").saturating_sub(joined);
        let calls = self.answers_of_service();
        let each_was_asked = questions.abs_diff(self.answered) <= IN_FLIGHT;
        // What is in flight does not make them fewer.
        let calls_were_fewer = calls + IN_FLIGHT < self.answered;
        demand(
            each_was_asked && calls_were_fewer,
            "the grant service is asked anew about each request, and in fewer calls",
            &format!(
                "{questions} questions about {} in {calls} calls",
                self.answered
            ),
        )
    }

    fn service_was_asked(&self, questions: u32, period: Duration) -> Result<(), String> {
        let asked = self.grown.hallpass("callouts.ok");
        let times = u32::try_from(asked).map_or(f64::INFINITY, f64::from);
        let reckoned = f64::from(questions) * self.lasted.as_secs_f64() / period.as_secs_f64();
        let deviation = (times / reckoned - 1.0).abs();
        demand(
            deviation <= 0.1,
            &format!("the grant service is asked some {reckoned:.0} times"),
            &format!("it was asked {asked} times"),
        )
    }

    fn keys_were_fetched(&self, cool_down: Duration) -> Result<(), String> {
        let allowed = 1 + self.since_strangers.as_millis() / cool_down.as_millis().max(1);
        demand(
            (1..=allowed).contains(&(self.key_fetches as u128)),
            &format!("the keys are fetched, and at most once in {cool_down:?}"),
            &format!("{} fetches in {:?}", self.key_fetches, self.since_strangers),
        )
    }
}

/// How many connections the load makes only to see whether somebody listens.
const LOOKS: u64 = 1;
/// How many requests two counters may differ by that are not read at the same moment.
const IN_FLIGHT: u64 = 64;

/// How many of the proxy's refusals may be in flight, and so missing in what the users saw.
const fn in_flight(outcome: Outcome) -> u64 {
    match outcome {
        Outcome::Served => 0,
        Outcome::Refused => IN_FLIGHT,
    }
}

fn demand(holds: bool, premise: &str, instead: &str) -> Result<(), String> {
    if holds {
        Ok(())
    } else {
        Err(format!(
            "the premise that {premise} did not hold: {instead}"
        ))
    }
}

#[cfg(test)]
mod tests;
