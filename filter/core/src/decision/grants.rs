//! The decision where a grant is demanded: what the token carries, what the service says, and what of both was taken back.

use std::sync::Arc;
use std::time::Duration;

use super::{Advice, Decision, FailureMode, GrantFacts, GrantRules, Permit, Service, open};
use crate::denial::Reason;
use crate::grant::embedded::Coverage;
use crate::grant::{EmbeddedGrants, Failure, Grant, Ruling, Word};
use crate::identity::{Identity, SignIn, StepUp};
use crate::ids::{Action, GrantId, ResourceName};
use crate::policy::Resource;
use crate::policy::conditions::Held;
use crate::revocation::{Revoked, Standing};
use crate::time::{UnixMillis, Window};

/// By whose word a request may pass: what it takes to take that back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Given {
    /// By nobody's: no grant was demanded.
    Openly,
    /// By the token's, as far as it goes: a grant in it, or that it is one, where nobody could say more.
    ByToken,
    /// By the service's, which was asked then.
    ByService { asked: UnixMillis },
}

/// What a decision about a grant depends on, besides the words that are given for it.
pub(super) struct Case<'a> {
    pub(super) resource: &'a Resource,
    pub(super) action: &'a Action,
    pub(super) identity: &'a Identity,
    pub(super) rules: GrantRules,
    pub(super) revoked: &'a Revoked,
    pub(super) now: UnixMillis,
}

impl Permit {
    /// Whether what let `who` use `resource` has been taken back since.
    pub fn is_revoked(&self, revoked: &Revoked, who: &Identity, resource: &ResourceName) -> bool {
        match self.given {
            Given::Openly => false,
            Given::ByToken => {
                revoked.takes_grant(self.grant_id()) || revoked.takes_token(who, resource)
            }
            Given::ByService { asked } => {
                revoked.takes_grant(self.grant_id()) || revoked.takes_answer(who, resource, asked)
            }
        }
    }
}

impl Case<'_> {
    pub(super) fn decide(&self, grants: &EmbeddedGrants, service: Service<'_>) -> Decision {
        let embedded = self.embedded(grants);
        match (embedded, self.revoked.standing(self.now)) {
            // The token carries the grant: nobody needs to be asked.
            (Coverage::Live(grant), Standing::Current) => by_embedded(grant),
            (Coverage::Live(_), Standing::Awaited) => Decision::NeedRevocations,
            // It may have been taken back, so the service decides. If it knows nothing of this grant, that says nothing against it.
            (Coverage::Live(_), Standing::Unknown) => match self.by_service(embedded, service) {
                Decision::Deny(_)
                | Decision::DenyWithAdvice(Reason::GrantDenied, _)
                | Decision::DenyForGrant(..) => Decision::Deny(Reason::GrantServiceUnavailable),
                decided => decided,
            },
            // What it carries does not count, so the service decides, if there is one.
            (
                Coverage::TooLong(_) | Coverage::Revoked(_) | Coverage::Over(_) | Coverage::None,
                _,
            ) => self.by_service(embedded, service),
        }
    }

    fn embedded<'a>(&self, grants: &'a EmbeddedGrants) -> Coverage<'a> {
        let resource = &self.resource.name;
        let token_is_taken = self.takes_token();
        grants.coverage_without(
            |grant| token_is_taken || self.revoked.takes_grant(grant.id.as_ref()),
            resource,
            self.action,
            self.resource.max_grant_lifetime,
            self.now,
        )
    }

    fn by_service(&self, embedded: Coverage<'_>, service: Service<'_>) -> Decision {
        match service {
            Service::Unasked => Decision::NeedGrant,
            Service::Remembered(word) => match self.standing(word) {
                Counts::Yes => self.by_ruling(word, Reason::GrantCached),
                Counts::Awaited => Decision::NeedRevocations,
                // As if it were not remembered.
                Counts::Unknown | Counts::Revoked => Decision::NeedGrant,
            },
            Service::Answered(word) => match &word.ruling {
                // It was asked before that was taken back, and may not have known.
                Ruling::Allow { .. } if self.is_taken(word) => Decision::NeedGrant,
                // Whatever it says: this grant was taken back, by its own word.
                Ruling::Allow { id, until, .. } if self.revoked.takes_grant(id.as_ref()) => {
                    let (id, until) = (id.clone(), *until);
                    Decision::DenyForGrant(Reason::GrantRevoked, GrantFacts { id, until })
                }
                Ruling::Allow { .. } | Ruling::Deny { .. } | Ruling::Obliged => {
                    self.by_ruling(word, Reason::GrantService)
                }
            },
            Service::Stale(word, failure) => match self.standing(word) {
                Counts::Yes => self.by_ruling(word, Reason::GrantStale),
                Counts::Awaited | Counts::Unknown => self.by_nobody(embedded, failure, false),
                Counts::Revoked => self.by_nobody(embedded, failure, true),
            },
            Service::Failed(failure) => self.by_nobody(embedded, failure, false),
            Service::GivenUp => Decision::Deny(Reason::GrantServiceUnavailable),
            Service::Absent => match embedded {
                Coverage::TooLong(grant) => denied_for(Reason::GrantLifetimeExceeded, grant),
                Coverage::Revoked(grant) => denied_for(Reason::GrantRevoked, grant),
                Coverage::Over(grant) => denied_for(Reason::GrantExpired, grant),
                Coverage::Live(_) => Decision::Deny(Reason::GrantServiceUnavailable),
                Coverage::None => Decision::Deny(Reason::GrantMissing),
            },
        }
    }

    /// The service does not decide. That opens nothing to those who are known to have lost what they had.
    fn by_nobody(
        &self,
        embedded: Coverage<'_>,
        failure: Failure,
        word_is_revoked: bool,
    ) -> Decision {
        if let Coverage::Revoked(grant) = embedded {
            return denied_for(Reason::GrantRevoked, grant);
        }
        match (self.rules.failure_mode, failure) {
            (FailureMode::Deny, _) | (_, Failure::Question) => {
                Decision::Deny(Reason::GrantServiceUnavailable)
            }
            (FailureMode::Allow, Failure::Service) if word_is_revoked || self.takes_token() => {
                Decision::Deny(Reason::GrantRevoked)
            }
            (FailureMode::Allow, Failure::Service) => Decision::Allow(Box::new(Permit {
                given: Given::ByToken,
                ..open(Reason::GrantServiceFailedOpen)
            })),
        }
    }

    /// Whether a word of before still counts. Only permission is taken back, never a denial.
    fn standing(&self, word: &Word) -> Counts {
        let Ruling::Allow { id, .. } = &word.ruling else {
            return Counts::Yes;
        };
        if self.revoked.takes_grant(id.as_ref()) || self.is_taken(word) {
            return Counts::Revoked;
        }
        match self.revoked.standing(self.now) {
            Standing::Current => Counts::Yes,
            Standing::Awaited => Counts::Awaited,
            Standing::Unknown => Counts::Unknown,
        }
    }

    fn takes_token(&self) -> bool {
        self.revoked.takes_token(self.identity, &self.resource.name)
    }

    fn is_taken(&self, word: &Word) -> bool {
        let resource = &self.resource.name;
        self.revoked
            .takes_answer(self.identity, resource, word.asked)
    }

    fn by_ruling(&self, word: &Word, allowed: Reason) -> Decision {
        let longest = self.resource.max_grant_lifetime;
        let deny = |reason, id: &Option<GrantId>, until: Option<UnixMillis>| {
            let id = id.clone();
            Decision::DenyForGrant(reason, GrantFacts { id, until })
        };
        match &word.ruling {
            Ruling::Deny { form_url: None } => Decision::Deny(Reason::GrantDenied),
            Ruling::Deny {
                form_url: Some(url),
            } => Decision::DenyWithAdvice(Reason::GrantDenied, Advice::Request(url.clone())),
            Ruling::Obliged => Decision::Deny(Reason::GrantObligationUnsupported),
            Ruling::Allow { id, until, .. } if until.is_none() && self.rules.require_expiry => {
                deny(Reason::GrantWithoutExpiry, id, *until)
            }
            // Without an end it lasts longer than any limit.
            Ruling::Allow { id, until, .. } if until.is_none() && longest.is_some() => {
                deny(Reason::GrantLifetimeExceeded, id, *until)
            }
            Ruling::Allow {
                id,
                until: Some(until),
                ..
            } if !is_open_until(*until, self.now) => deny(Reason::GrantExpired, id, Some(*until)),
            Ruling::Allow {
                id,
                until: Some(until),
                ..
            } if !lifetime_allowed(*until, longest, self.now) => {
                deny(Reason::GrantLifetimeExceeded, id, Some(*until))
            }
            // Last: nobody is sent to sign in for a grant that would not count then either.
            Ruling::Allow { id, until, step_up } => {
                let permit = Box::new(Permit {
                    given: Given::ByService { asked: word.asked },
                    grant_id: id.clone(),
                    grant_until: *until,
                    ..open(allowed)
                });
                if_signed_in(permit, step_up.as_ref(), self.identity, self.now)
            }
        }
    }
}

/// Whether a word of before counts.
enum Counts {
    Yes,
    /// That is on its way to be known.
    Awaited,
    /// Nobody can know.
    Unknown,
    Revoked,
}

fn denied_for(reason: Reason, grant: &Grant) -> Decision {
    Decision::DenyForGrant(reason, GrantFacts::of(grant))
}

fn by_embedded(grant: &Grant) -> Decision {
    Decision::Allow(Box::new(Permit {
        given: Given::ByToken,
        grant_id: grant.id.clone(),
        grant_until: Some(grant.window.until),
        ..open(Reason::GrantEmbedded)
    }))
}

/// The permit, for someone who signed in as it demands: each token is judged by itself, also where the decision is a remembered one.
fn if_signed_in(
    mut permit: Box<Permit>,
    step_up: Option<&Arc<StepUp>>,
    identity: &Identity,
    now: UnixMillis,
) -> Decision {
    let Some(step_up) = step_up else {
        return Decision::Allow(permit);
    };
    match step_up.judge(identity, now) {
        SignIn::Suffices { until } => {
            permit.hold_to(Held { until });
            Decision::Allow(permit)
        }
        SignIn::FallsShort => {
            Decision::DenyWithAdvice(Reason::StepUpRequired, Advice::SignIn(step_up.clone()))
        }
        SignIn::FallsShortUntellably => {
            let facts = GrantFacts {
                id: permit.grant_id,
                until: permit.grant_until,
            };
            Decision::DenyForGrant(Reason::GrantObligationUnsupported, facts)
        }
    }
}

fn is_open_until(until: UnixMillis, now: UnixMillis) -> bool {
    let from = UnixMillis::new(0);
    Window { from, until }.is_open(now)
}

fn lifetime_allowed(until: UnixMillis, longest: Option<Duration>, now: UnixMillis) -> bool {
    longest.is_none_or(|longest| until.since(now) <= longest)
}
