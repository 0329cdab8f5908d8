//! One condition, or several combined: its verdict, how long that stands, and the reason that it gives for a refusal.

use std::fmt;

use super::{
    CertificateCondition, ClaimCondition, Facts, HeaderCondition, SourceNetworks, TimeWindows,
    Verdict, list,
};
use crate::denial::Reason;
use crate::time::UnixMillis;

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
    pub(super) fn judge(&self, facts: &Facts<'_>, now: UnixMillis) -> Verdict {
        match self {
            Self::Source(networks) => networks.judge(facts.head.source_ip),
            Self::Time(windows) => windows.judge(now),
            Self::Header(header) => header.judge(&facts.head.headers),
            Self::Certificate(certificate) => certificate.judge(facts.head.certificate.as_deref()),
            Self::Claim(claim) => claim.judge(facts.claims),
            Self::AllOf(all) => Verdict::all(all.iter().map(|one| one.judge(facts, now))),
            Self::AnyOf(any) => Verdict::any(any.iter().map(|one| one.judge(facts, now))),
            Self::Not(negated) => negated.judge(facts, now).negated(),
        }
    }

    /// Up to when the verdict of `now` stands at least, as far as it is for time to change it. `None` if it stands for ever.
    pub(super) fn stands_until(&self, facts: &Facts<'_>, now: UnixMillis) -> Option<UnixMillis> {
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
    pub(super) fn reason(&self, facts: &Facts<'_>, now: UnixMillis) -> Reason {
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
    pub(super) fn has(&self, is_sought: &dyn Fn(&Self) -> bool) -> bool {
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
    pub(super) const fn rank(&self) -> u8 {
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
