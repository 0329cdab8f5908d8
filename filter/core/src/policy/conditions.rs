//! Under which circumstances a resource may be used: where from, when, with what, as whom, and how signed in.
//!
//! All conditions of a resource must hold. One that cannot be evaluated does not, and neither does its negation, see [`Verdict`]. They are
//! judged by what the proxy saw of this very request, at this time, also where a grant is a remembered one.

mod certificate;
mod claims;
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

/// One condition, or several of them combined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Where from.
    Source(SourceNetworks),
    /// When.
    Time(TimeWindows),
    /// With what header.
    Header(HeaderCondition),
    /// With what certificate.
    Certificate(CertificateCondition),
    /// With what claim.
    Claim(ClaimCondition),
    /// All of these hold.
    AllOf(Box<[Condition]>),
    /// One of these holds.
    AnyOf(Box<[Condition]>),
    /// This certainly does not hold.
    Not(Box<Condition>),
}

impl Condition {
    fn judge(&self, facts: &Facts<'_>, now: UnixMillis) -> Verdict {
        match self {
            Self::Source(networks) => networks.judge(facts.head.source_ip),
            Self::Time(windows) => windows.judge(now),
            Self::Header(header) => header.judge(&facts.head.headers),
            Self::Certificate(certificate) => certificate.judge(&facts.head.certificate),
            Self::Claim(claim) => claim.judge(facts.claims),
            Self::AllOf(all) => Verdict::all(all.iter().map(|one| one.judge(facts, now))),
            Self::AnyOf(any) => Verdict::any(any.iter().map(|one| one.judge(facts, now))),
            Self::Not(negated) => negated.judge(facts, now).negated(),
        }
    }

    /// Up to when the verdict of `now` stands at least, as far as it is for time to change it. `None` if it stands for ever.
    fn stands_until(&self, facts: &Facts<'_>, now: UnixMillis) -> Option<UnixMillis> {
        // One of them is enough for the verdict, so the one that stands longest counts.
        let longest = |conditions: &[Self], verdict| {
            let mut deciding = conditions.iter().filter(|c| c.judge(facts, now) == verdict);
            let first = deciding.next()?.stands_until(facts, now)?;
            deciding.try_fold(first, |longest, one| {
                Some(one.stands_until(facts, now)?.max(longest))
            })
        };
        let shortest = |conditions: &[Self]| {
            let ends = conditions.iter();
            ends.filter_map(|one| one.stands_until(facts, now)).min()
        };
        match self {
            Self::Time(windows) => windows.next_change(now),
            Self::Source(_) | Self::Header(_) | Self::Certificate(_) | Self::Claim(_) => None,
            Self::Not(negated) => negated.stands_until(facts, now),
            Self::AllOf(all) => match self.judge(facts, now) {
                Verdict::Fails => longest(all, Verdict::Fails),
                Verdict::Holds | Verdict::Unknown => shortest(all),
            },
            Self::AnyOf(any) => match self.judge(facts, now) {
                Verdict::Holds => longest(any, Verdict::Holds),
                Verdict::Fails | Verdict::Unknown => shortest(any),
            },
        }
    }

    /// The reason for a refusal because of it. Of several together: the first that does not hold where all must, and otherwise the one
    /// that all of them have.
    fn reason(&self, facts: &Facts<'_>, now: UnixMillis) -> Reason {
        match self {
            Self::Source(_) => Reason::ConditionSourceIp,
            Self::Time(_) => Reason::ConditionTime,
            Self::Header(_) | Self::Certificate(_) => Reason::ConditionRequest,
            Self::Claim(_) => Reason::ConditionClaims,
            Self::AllOf(all) => all
                .iter()
                .find(|one| one.judge(facts, now) != Verdict::Holds)
                .map_or(Reason::ConditionRequest, |one| one.reason(facts, now)),
            Self::AnyOf(any) => common(any.iter().map(|one| one.reason(facts, now))),
            Self::Not(negated) => match &**negated {
                Self::AllOf(all) => common(all.iter().map(|one| one.reason(facts, now))),
                one => one.reason(facts, now),
            },
        }
    }

    /// Whether it, or one in it, is what is looked for.
    fn has(&self, is_sought: &dyn Fn(&Self) -> bool) -> bool {
        is_sought(self)
            || match self {
                Self::AllOf(several) | Self::AnyOf(several) => {
                    several.iter().any(|one| one.has(is_sought))
                }
                Self::Not(one) => one.has(is_sought),
                Self::Source(_)
                | Self::Time(_)
                | Self::Header(_)
                | Self::Certificate(_)
                | Self::Claim(_) => false,
            }
    }

    /// In which order they are judged: cheap ones first.
    const fn rank(&self) -> u8 {
        match self {
            Self::Source(_) => 0,
            Self::Time(_) => 1,
            Self::Certificate(_) => 2,
            Self::Header(_) => 3,
            Self::Claim(_) => 4,
            Self::AllOf(_) | Self::AnyOf(_) | Self::Not(_) => 5,
        }
    }
}

/// The reason that all have, if there is one; otherwise it is the request as a whole.
fn common(mut reasons: impl Iterator<Item = Reason>) -> Reason {
    let first = reasons.next();
    first
        .filter(|first| reasons.all(|reason| reason == *first))
        .unwrap_or(Reason::ConditionRequest)
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(networks) => networks.fmt(f),
            Self::Time(windows) => windows.fmt(f),
            Self::Header(header) => header.fmt(f),
            Self::Certificate(certificate) => certificate.fmt(f),
            Self::Claim(claim) => claim.fmt(f),
            Self::AllOf(all) => {
                f.write_str("all of (")?;
                list(f, &**all, "; ")?;
                f.write_str(")")
            }
            Self::AnyOf(any) => {
                f.write_str("any of (")?;
                list(f, &**any, "; ")?;
                f.write_str(")")
            }
            Self::Not(negated) => write!(f, "not ({negated})"),
        }
    }
}

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

    /// Whether they are about who asks.
    pub fn need_identity(&self) -> bool {
        self.sign_in.is_some() || self.has(&|condition| matches!(condition, Condition::Claim(_)))
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

#[cfg(test)]
mod tests;
