//! The decision: one total function with three answers.
//!
//! "Cannot know yet" is an answer, [`Decision::NeedGrant`]; an error is a denial, never a gap. [`Permit`] has no other maker than
//! [`decide`], and nothing lets a request through without one.

mod conditions;
mod grants;

use std::sync::Arc;

use crate::denial::Reason;
use crate::grant::{EmbeddedGrants, Failure, Grant, Word};
use crate::identity::{Identity, StepUp};
use crate::ids::{Action, GrantId};
use crate::policy::conditions::{Facts, Held};
use crate::policy::{Access, Preflight, Resource};
use crate::revocation::Revoked;
use crate::time::{Phase, UnixMillis};
use crate::token::TokenFault;
use conditions::under_conditions;
use grants::{Case, Given};

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub enum Caller<'a> {
    /// Nobody has looked: enough where identity does not matter.
    Unasked,
    /// A browser that asks whether a request may be made, and never says for whom.
    Preflight,
    /// A token was looked for, and none was found that holds.
    Refused(TokenFault),
    /// The issuer's keys cannot be had, so nobody can know.
    Unknowable,
    /// This is who it is, with the grants that the token carries.
    Known(&'a Identity, &'a EmbeddedGrants),
}

/// What the grant service says.
#[derive(Debug, Clone, Copy)]
pub enum Service<'a> {
    /// There is none.
    Absent,
    /// Nobody has asked.
    Unasked,
    /// It was asked before, and its word still counts.
    Remembered(&'a Word),
    /// It was asked for this request.
    Answered(&'a Word),
    /// It was asked and did not decide, and this is its word of before, which may stand in for it.
    Stale(&'a Word, Failure),
    /// It was asked and did not decide.
    Failed(Failure),
    /// The filter gave the question up, for want of room or with its configuration: that says nothing of the service, and opens nothing.
    GivenUp,
}

/// What the configuration says about grants, whatever the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrantRules {
    /// An allow of the service without an end is refused.
    pub require_expiry: bool,
    /// What follows when the service does not decide.
    pub failure_mode: FailureMode,
}

/// What follows when the grant service does not decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureMode {
    /// The request is refused.
    Deny,
    /// The request passes, loudly.
    Allow,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It may pass.
    Allow(Box<Permit>),
    /// It may not.
    Deny(Reason),
    /// It may not, and it is known what the client can do about it.
    DenyWithAdvice(Reason, Advice),
    /// It may not, since something is wrong with the grant that would allow it.
    DenyForGrant(Reason, GrantFacts),
    /// The grant service must be asked first.
    NeedGrant,
    /// It must be known first what was taken back, and that is on its way.
    NeedRevocations,
}

/// What records tell of a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantFacts {
    /// Its name, if it has one.
    pub id: Option<GrantId>,
    /// Its end, if it has one.
    pub until: Option<UnixMillis>,
}

impl GrantFacts {
    fn of(grant: &Grant) -> Self {
        Self {
            id: grant.id.clone(),
            until: Some(grant.window.until),
        }
    }
}

/// What a client can do about a denial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advice {
    /// Sign in like this.
    SignIn(Arc<StepUp>),
    /// Request access with this form.
    Request(Arc<str>),
}

/// Proof that a request may pass. Only [`decide`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    reason: Reason,
    given: Given,
    grant_id: Option<GrantId>,
    grant_until: Option<UnixMillis>,
    token_until: Option<UnixMillis>,
    conditions_until: Option<UnixMillis>,
}

impl Permit {
    /// Why.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// The grant that allowed it, if it has a name.
    pub fn grant_id(&self) -> Option<&GrantId> {
        self.grant_id.as_ref()
    }

    /// The end of the grant that allowed it.
    pub fn grant_until(&self) -> Option<UnixMillis> {
        self.grant_until
    }

    /// The moment at which a request that was let through by it is no longer allowed: the end of the token, of the grant, or of the
    /// conditions, whichever comes first. `None` where neither who asks nor the time matters.
    pub fn until(&self) -> Option<UnixMillis> {
        let ends = [self.token_until, self.grant_until, self.conditions_until];
        ends.into_iter().flatten().min()
    }

    /// It allows no longer than these conditions hold too.
    fn hold_to(&mut self, held: Held) {
        let before = Held {
            until: self.conditions_until,
        };
        self.conditions_until = before.and(held).until;
    }
}

impl Decision {
    /// The same for someone whose token ends then.
    fn by_token_until(mut self, end: UnixMillis) -> Self {
        if let Self::Allow(permit) = &mut self {
            permit.token_until = Some(end);
        }
        self
    }
}

/// Decides about `action` on `resource` at `now`.
#[allow(
    clippy::too_many_arguments,
    reason = "each is of a type of its own, and a decision depends on all of them"
)]
pub fn decide(
    resource: &Resource,
    action: &Action,
    caller: Caller<'_>,
    facts: &Facts<'_>,
    service: Service<'_>,
    rules: GrantRules,
    revoked: &Revoked,
    now: UnixMillis,
) -> Decision {
    match (resource.access, caller) {
        // Written down as open: nobody's identity is asked.
        (Access::Public, _) => under_conditions(resource, facts, now, || allow(Reason::Public)),
        // Closed: no identity opens it.
        (Access::Deny, _) => Decision::Deny(Reason::ResourceClosed),
        // The question whether a request may be made, which is not that request.
        (Access::Identity | Access::Grant, Caller::Preflight) => match resource.preflight {
            Preflight::Public => allow(Reason::Public),
            Preflight::Judged => Decision::Deny(Reason::TokenMissing),
        },
        // Without keys nobody can tell a good token from a bad one.
        (Access::Identity | Access::Grant, Caller::Unknowable) => {
            Decision::Deny(Reason::KeysUnavailable)
        }
        (Access::Identity | Access::Grant, Caller::Refused(fault)) => Decision::Deny(fault.into()),
        (Access::Identity | Access::Grant, Caller::Unasked) => Decision::Deny(Reason::TokenMissing),
        // The token may have ended while the request waited, or been verified before the clock was set back.
        (Access::Identity | Access::Grant, Caller::Known(identity, _))
            if !identity.window().is_open(now) =>
        {
            Decision::Deny(match identity.window().phase(now) {
                Phase::Before => Reason::TokenNotYetValid,
                Phase::Within | Phase::Over => Reason::TokenExpired,
            })
        }
        (Access::Identity, Caller::Known(identity, _)) => {
            let by_identity = || allow(Reason::Identity);
            under_conditions(resource, facts, now, by_identity)
                .by_token_until(identity.window().until)
        }
        (Access::Grant, Caller::Known(identity, grants)) => {
            let case = Case {
                resource,
                action,
                identity,
                rules,
                revoked,
                now,
            };
            under_conditions(resource, facts, now, || case.decide(grants, service))
                .by_token_until(identity.window().until)
        }
    }
}

fn allow(reason: Reason) -> Decision {
    Decision::Allow(Box::new(open(reason)))
}

/// The permit of a request of which nobody demands a grant.
fn open(reason: Reason) -> Permit {
    Permit {
        reason,
        given: Given::Openly,
        grant_id: None,
        grant_until: None,
        token_until: None,
        conditions_until: None,
    }
}
