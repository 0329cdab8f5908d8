//! The answer to a question, and whose question it may be.

use hallpass_core::time::UnixMillis;

use super::super::problem::{Kind, Problem};
use super::question::Question;
use crate::app::App;
use crate::desk::{Evaluation, Fault};
use crate::identity::Caller;
use crate::life::{Active, Person, PersonId, Rule, Target};

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Under this grant.
    Allowed(Active),
    /// Not now.
    Denied {
        why: Denial,
        /// What can be requested, if it can be.
        offer: Option<Offer>,
    },
}

/// Why something is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Denial {
    /// It can be requested.
    ApprovalRequired,
    /// It has been requested, and waits for its decision.
    GrantPending,
    /// It cannot be requested.
    PolicyDenied,
    /// The subject is no person.
    SubjectUnsupported,
    /// The subject's issuer is not told, and there is more than one.
    IssuerMissing,
}

/// Access that can be requested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) target: Target,
    pub(super) title: String,
    /// Whether the person would get it at once.
    pub(super) is_automatic: bool,
    pub(super) until: UnixMillis,
}

impl Denial {
    /// As `context.reason` has it; the first three are of the Access Request and Approval Profile.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::ApprovalRequired => "approval_required",
            Self::GrantPending => "grant_pending",
            Self::PolicyDenied => "policy_denied",
            Self::SubjectUnsupported => "subject_unsupported",
            Self::IssuerMissing => "issuer_missing",
        }
    }
}

/// Answers a question of this caller.
///
/// # Errors
/// When a person asks about someone else, or the database fails.
pub(super) async fn judge(
    app: &App,
    caller: &Caller,
    question: Question,
) -> Result<Verdict, Problem> {
    let denied = |why| Ok(Verdict::Denied { why, offer: None });
    if question.subject_type != "user" {
        return denied(Denial::SubjectUnsupported);
    }
    let (who, groups) = match caller {
        Caller::Person(person) => (person.id.clone(), Some(person.groups.clone())),
        Caller::Service(_) => match question.issuer.clone().or(app.default_issuer.clone()) {
            Some(issuer) => {
                let subject = question.subject.clone();
                (PersonId { issuer, subject }, question.groups.clone())
            }
            None => return denied(Denial::IssuerMissing),
        },
    };
    if who.subject != question.subject || question.issuer.is_some_and(|iss| iss != who.issuer) {
        return Err(Problem::new(
            Kind::Forbidden,
            "a person may ask about themselves only",
        ));
    }
    match app.desk.evaluate(&who, &question.target).await? {
        Evaluation::Allowed(grant) => Ok(Verdict::Allowed(grant)),
        Evaluation::Denied => Ok(deny(app, who, groups, question.target).await?),
    }
}

async fn deny(
    app: &App,
    who: PersonId,
    groups: Option<Vec<String>>,
    target: Target,
) -> Result<Verdict, Fault> {
    // Groups that are not told may be those that it takes: the request itself will show.
    let is_certain = groups.is_some();
    let person = Person {
        id: who,
        email: None,
        groups: groups.unwrap_or_default(),
    };
    let rule = app.desk.policy().rule(&target);
    let Some(rule) = rule.filter(|rule| !is_certain || may_request(rule, &person)) else {
        return Ok(Verdict::Denied {
            why: Denial::PolicyDenied,
            offer: None,
        });
    };
    let now = app.desk.clock().now();
    let is_pending = app
        .desk
        .store()
        .is_pending(&person.id, &target, now)
        .await?;
    let automatic = rule.automatic.as_ref();
    Ok(Verdict::Denied {
        why: if is_pending {
            Denial::GrantPending
        } else {
            Denial::ApprovalRequired
        },
        offer: Some(Offer {
            title: rule.title.clone(),
            is_automatic: automatic.is_some_and(|shortcut| shortcut.who.includes(&person)),
            until: now.saturating_add(super::answer::OFFER_COUNTS_FOR),
            target,
        }),
    })
}

fn may_request(rule: &Rule, person: &Person) -> bool {
    let glass = rule.break_glass.as_ref();
    rule.requesters.includes(person) || glass.is_some_and(|shortcut| shortcut.who.includes(person))
}
