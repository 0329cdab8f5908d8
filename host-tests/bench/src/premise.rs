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
    /// How often the keys were fetched since the first stranger came.
    pub(crate) key_fetches: usize,
    /// How long ago that was.
    pub(crate) since_strangers: Duration,
    /// How long the measurement took.
    pub(crate) lasted: Duration,
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
                hits * 100 <= seen.answered && hits + misses >= seen.answered,
                "all tokens but a hundredth are verified",
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
            Self::Asked { questions, period } => {
                let asked = seen.grown.hallpass("callouts.ok");
                let times = u32::try_from(asked).map_or(f64::INFINITY, f64::from);
                let reckoned =
                    f64::from(questions) * seen.lasted.as_secs_f64() / period.as_secs_f64();
                let deviation = (times / reckoned - 1.0).abs();
                demand(
                    deviation <= 0.1,
                    &format!("the grant service is asked some {reckoned:.0} times"),
                    &format!("it was asked {asked} times"),
                )
            }
            Self::KeysSought { cool_down } => {
                let allowed = 1 + seen.since_strangers.as_millis() / cool_down.as_millis().max(1);
                demand(
                    (1..=allowed).contains(&(seen.key_fetches as u128)),
                    &format!("the keys are fetched, and at most once in {cool_down:?}"),
                    &format!("{} fetches in {:?}", seen.key_fetches, seen.since_strangers),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a premise holds after 100 answers to users, when the counters grew as `grown` says.
    fn holds(premise: Premise, grown: &str, key_fetches: usize) -> bool {
        let grown = Counters::parse(grown);
        let seen = Seen {
            listener: "l",
            answered: 100,
            refused: 0,
            broken: 0,
            with_strangers: true,
            grown: &grown,
            key_fetches,
            since_strangers: Duration::from_millis(2_500),
            lasted: Duration::from_secs(20),
        };
        premise.check(&seen).is_ok()
    }

    #[test]
    fn tokens_that_should_be_new_may_not_be_remembered_and_the_other_way_round() {
        let verified = "wasmcustom.hallpass.tokens.hit: 1\nwasmcustom.hallpass.tokens.miss: 99";
        let remembered = "wasmcustom.hallpass.tokens.hit: 99\nwasmcustom.hallpass.tokens.miss: 1";
        assert!(holds(Premise::Verified, verified, 0));
        assert!(!holds(Premise::Verified, remembered, 0));
        assert!(holds(Premise::Remembered, remembered, 0));
        assert!(!holds(Premise::Remembered, verified, 0));

        let verified = "http.l.jwt_authn.allowed: 100\nhttp.l.jwt_authn.jwt_cache_hit: 0";
        let remembered = "http.l.jwt_authn.allowed: 100\nhttp.l.jwt_authn.jwt_cache_hit: 100";
        assert!(holds(Premise::NativelyVerified, verified, 0));
        assert!(!holds(Premise::NativelyVerified, remembered, 0));
        assert!(holds(Premise::NativelyRemembered, remembered, 0));
        assert!(!holds(Premise::NativelyRemembered, verified, 0));
    }

    #[test]
    fn strangers_must_come_and_be_refused_for_the_reason_that_is_measured() {
        let premise = Premise::StrangersRefused("token_key_unknown");
        let refused = "http.l.downstream_rq_4xx: 900\nwasmcustom.hallpass.decisions.deny.";
        assert!(holds(
            premise,
            &format!("{refused}token_key_unknown: 890"),
            0
        ));
        assert!(!holds(premise, &format!("{refused}token_expired: 900"), 0));
        assert!(!holds(premise, "", 0));
    }

    #[test]
    fn keys_must_be_fetched_and_not_more_than_once_in_a_cool_down() {
        let premise = Premise::KeysSought {
            cool_down: Duration::from_secs(1),
        };
        let fetched = [0, 1, 3, 4].map(|fetches| holds(premise, "", fetches));
        assert_eq!(fetched, [false, true, true, false]);
    }

    #[test]
    fn the_service_must_be_asked_about_as_often_as_is_reckoned() {
        let premise = Premise::Asked {
            questions: 100,
            period: Duration::from_secs(4),
        };
        let asked = |times| {
            let grown = format!("wasmcustom.hallpass.callouts.ok: {times}");
            holds(premise, &grown, 0)
        };
        assert_eq!(
            [440, 460, 500, 540, 560].map(asked),
            [false, true, true, true, false]
        );
    }

    #[test]
    fn a_refused_user_spoils_the_figure_and_so_does_a_refusal_without_strangers() {
        let refusals = Counters::parse("http.l.downstream_rq_4xx: 1");
        let seen = |refused, with_strangers| Seen {
            listener: "l",
            answered: 100,
            refused,
            broken: 0,
            with_strangers,
            grown: &refusals,
            key_fetches: 0,
            since_strangers: Duration::ZERO,
            lasted: Duration::ZERO,
        };
        assert!(seen(0, true).nobody_was_refused().is_ok());
        assert!(seen(1, true).nobody_was_refused().is_err());
        assert!(seen(0, false).nobody_was_refused().is_err());
    }
}
