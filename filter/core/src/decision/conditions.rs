//! The place of a resource's conditions in a decision.

use super::{Advice, Decision};
use crate::policy::Resource;
use crate::policy::conditions::{Facts, Unmet};
use crate::time::UnixMillis;

/// What `decide` says, where the resource's conditions hold. The circumstances come first: nobody is asked about a request that is refused
/// anyway. The sign-in comes after what can be told without asking: nobody is sent to sign in for what would be refused then too.
pub(super) fn under_conditions(
    resource: &Resource,
    facts: &Facts<'_>,
    now: UnixMillis,
    decide: impl FnOnce() -> Decision,
) -> Decision {
    let Some(conditions) = &resource.conditions else {
        return decide();
    };
    let circumstances = match conditions.judge_circumstances(facts, now) {
        Ok(held) => held,
        Err(unmet) => return unmet.into(),
    };
    let decision = decide();
    let sign_in = || conditions.judge_sign_in(facts.identity, now);
    match decision {
        Decision::Allow(mut permit) => match sign_in() {
            Ok(held) => {
                permit.hold_to(circumstances.and(held));
                Decision::Allow(permit)
            }
            Err(unmet) => unmet.into(),
        },
        Decision::NeedGrant | Decision::NeedRevocations => {
            sign_in().map_or_else(Decision::from, |_| decision)
        }
        Decision::Deny(_) | Decision::DenyWithAdvice(..) | Decision::DenyForGrant(..) => decision,
    }
}

impl From<Unmet<'_>> for Decision {
    fn from(unmet: Unmet<'_>) -> Self {
        let reason = unmet.reason();
        match unmet {
            Unmet::Circumstance { .. } => Self::Deny(reason),
            Unmet::SignIn(demanded) => {
                Self::DenyWithAdvice(reason, Advice::SignIn(demanded.clone()))
            }
        }
    }
}
