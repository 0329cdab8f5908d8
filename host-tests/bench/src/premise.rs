//! What must have been so for a figure to mean what its row says. Nothing is shown that fails it.

use std::time::Duration;

use crate::counters::Counters;

/// What a row takes for granted, beyond that no user is refused.
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
    /// Strangers came, and Hallpass refused each of them for this reason.
    StrangersRefused(&'static str),
    /// The keys were fetched at most once in each cool-down.
    FetchesBounded {
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
    /// How long it took.
    pub(crate) elapsed: Duration,
    /// How often the keys were fetched.
    pub(crate) key_fetches: usize,
}

impl Seen<'_> {
    /// Holds for every row: each user was let through, and the proxy refused nobody else than strangers.
    pub(crate) fn nobody_was_refused(&self) -> Result<(), String> {
        let failed = self.grown.answers(self.listener, "5xx");
        let refused = self.grown.answers(self.listener, "4xx");
        if self.answered == 0 || self.refused > 0 || self.broken > 0 || failed > 0 {
            return Err(format!(
                "of {} answers to users {} were refusals, {} connections broke, and the proxy failed {failed} times",
                self.answered, self.refused, self.broken
            ));
        }
        if refused > 0 && !self.with_strangers {
            return Err(format!("the proxy refused {refused} requests"));
        }
        Ok(())
    }

    fn strangers(&self) -> u64 {
        self.grown.answers(self.listener, "4xx")
    }

    fn native(&self, name: &str) -> u64 {
        let name = format!("http.{}.jwt_authn.{name}", self.listener);
        self.grown.get(&name)
    }
}

impl Premise {
    /// Whether it held; if not, what was seen instead.
    pub(crate) fn check(self, seen: &Seen<'_>) -> Result<(), String> {
        let hits = seen.grown.hallpass("tokens.hit");
        let misses = seen.grown.hallpass("tokens.miss");
        let native_hits = seen.native("jwt_cache_hit");
        match self {
            Self::Verified => demand(
                hits == 0 && misses >= seen.answered,
                "every token is verified",
                &format!("{hits} were remembered, {misses} verified"),
            ),
            Self::Remembered => demand(
                hits * 100 >= seen.answered * 99,
                "the users' tokens are remembered",
                &format!("{hits} of {} were", seen.answered),
            ),
            Self::NativelyVerified => demand(
                native_hits == 0 && seen.native("allowed") >= seen.answered,
                "every token is verified",
                &format!("{native_hits} were remembered"),
            ),
            Self::NativelyRemembered => demand(
                native_hits * 100 >= seen.answered * 99,
                "the users' tokens are remembered",
                &format!("{native_hits} of {} were", seen.answered),
            ),
            Self::StrangersRefused(reason) => {
                let strangers = seen.strangers();
                let refused = seen.grown.hallpass(&format!("decisions.deny.{reason}"));
                demand(
                    refused > 0 && refused.abs_diff(strangers) <= IN_FLIGHT,
                    &format!("each stranger is refused for {reason}"),
                    &format!("{refused} of {strangers} were"),
                )
            }
            Self::FetchesBounded { cool_down } => {
                let allowed = 1 + seen.elapsed.as_millis() / cool_down.as_millis().max(1);
                demand(
                    seen.key_fetches as u128 <= allowed,
                    &format!("the keys are fetched at most once in {cool_down:?}"),
                    &format!("{} fetches in {:?}", seen.key_fetches, seen.elapsed),
                )
            }
        }
    }
}

/// How many requests two counters may differ by that are not read at the same moment.
const IN_FLIGHT: u64 = 64;

fn demand(holds: bool, premise: &str, instead: &str) -> Result<(), String> {
    if holds {
        Ok(())
    } else {
        Err(format!(
            "the premise that {premise} did not hold: {instead}"
        ))
    }
}
