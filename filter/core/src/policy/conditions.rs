//! Under which circumstances a resource may be used: where from, when, with what, as whom, and how signed in.
//!
//! All conditions of a resource must hold. One that cannot be evaluated does not, and neither does its negation, see [`Verdict`]. They are
//! judged by what the proxy saw of this very request, at this time, also where a grant is a remembered one.

mod certificate;
mod claims;
mod condition;
mod header;
mod source;
mod text;
mod time;
mod verdict;

use std::fmt;
use std::sync::Arc;

use crate::denial::Reason;
use crate::identity::{Identity, SignIn, StepUp};
use crate::request::RequestHead;
use crate::time::UnixMillis;

pub use certificate::{CertificateCondition, CertificateField};
pub use claims::{
    ClaimCondition, ClaimPath, ClaimTest, ClaimTests, ClaimVerdicts, Scalar, ValueTest,
};
pub use condition::Condition;
pub use header::HeaderCondition;
pub use source::{SourceNetworks, network};
pub use text::TextTest;
pub use time::{DAY_NAMES, Days, TimeWindow, TimeWindows, time_of_day, time_zone};
pub use verdict::Verdict;

/// What conditions are judged by.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The request as it came, and the address from which it did.
    pub head: &'a RequestHead,
    /// Who sent it.
    pub identity: Option<&'a Identity>,
    /// What the claims of their token came to.
    pub claims: Option<&'a ClaimVerdicts>,
}

/// All conditions of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conditions {
    circumstances: Box<[Condition]>,
    sign_in: Option<Arc<StepUp>>,
}

/// All conditions hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Up to when at least, if it is for time to change that. At this moment they no longer do.
    pub until: Option<UnixMillis>,
}

impl Held {
    /// Both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let ends = [self.until, other.until];
        Self {
            until: ends.into_iter().flatten().min(),
        }
    }
}

/// The first condition that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unmet<'a> {
    /// One of the circumstances.
    Circumstance {
        /// Which one.
        condition: &'a Condition,
        /// It fails, or is not known.
        verdict: Verdict,
        /// What records and the client are told.
        reason: Reason,
    },
    /// How the person signed in.
    SignIn(&'a Arc<StepUp>),
}

impl Unmet<'_> {
    /// The reason for the refusal.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Circumstance { reason, .. } => *reason,
            Self::SignIn(_) => Reason::StepUpRequired,
        }
    }
}

impl fmt::Display for Unmet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Circumstance {
                condition,
                verdict: Verdict::Unknown,
                ..
            } => write!(f, "cannot be told: {condition}"),
            Self::Circumstance { condition, .. } => write!(f, "does not hold: {condition}"),
            Self::SignIn(step_up) => write!(f, "does not hold: the sign-in is {step_up}"),
        }
    }
}

impl Conditions {
    /// These, and a sign-in like that.
    pub fn new(mut circumstances: Vec<Condition>, sign_in: Option<StepUp>) -> Self {
        circumstances.sort_by_key(Condition::rank);
        Self {
            circumstances: circumstances.into(),
            sign_in: sign_in.map(Arc::new),
        }
    }

    /// Judges all of them.
    ///
    /// # Errors
    /// The first that does not hold, the sign-in last.
    pub fn judge(&self, facts: &Facts<'_>, now: UnixMillis) -> Result<Held, Unmet<'_>> {
        let held = self.judge_circumstances(facts, now)?;
        Ok(held.and(self.judge_sign_in(facts.identity, now)?))
    }

    /// Judges all but the sign-in.
    ///
    /// # Errors
    /// The first that does not hold.
    pub fn judge_circumstances(
        &self,
        facts: &Facts<'_>,
        now: UnixMillis,
    ) -> Result<Held, Unmet<'_>> {
        for condition in &self.circumstances {
            let verdict = condition.judge(facts, now);
            if verdict != Verdict::Holds {
                return Err(Unmet::Circumstance {
                    condition,
                    verdict,
                    reason: condition.reason(facts, now),
                });
            }
        }
        let ends = self.circumstances.iter();
        let until = ends.filter_map(|one| one.stands_until(facts, now)).min();
        Ok(Held { until })
    }

    /// Judges the sign-in.
    ///
    /// # Errors
    /// When it is too weak or too long ago.
    pub fn judge_sign_in(
        &self,
        identity: Option<&Identity>,
        now: UnixMillis,
    ) -> Result<Held, Unmet<'_>> {
        let Some(demanded) = &self.sign_in else {
            return Ok(Held { until: None });
        };
        match identity.map(|identity| demanded.judge(identity, now)) {
            Some(SignIn::Suffices { until }) => Ok(Held { until }),
            Some(SignIn::FallsShort | SignIn::FallsShortUntellably) | None => {
                Err(Unmet::SignIn(demanded))
            }
        }
    }

    /// Whether they may hold now and not a moment later.
    pub fn may_end(&self) -> bool {
        self.has(&|condition| matches!(condition, Condition::Time(_)))
            || self.sign_in.as_ref().is_some_and(|one| one.may_end())
    }

    /// Whether they are about where a request comes from.
    pub fn need_source(&self) -> bool {
        self.has(&|condition| matches!(condition, Condition::Source(_)))
    }

    /// Whether they are about the client's certificate.
    pub fn need_certificate(&self) -> bool {
        self.has(&|condition| matches!(condition, Condition::Certificate(_)))
    }

    fn has(&self, is_sought: &dyn Fn(&Condition) -> bool) -> bool {
        self.circumstances.iter().any(|one| one.has(is_sought))
    }
}

/// Writes several elements, with a separator between them.
fn list<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    elements: impl IntoIterator<Item = T>,
    separator: &str,
) -> fmt::Result {
    for (index, element) in elements.into_iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        element.fmt(f)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
