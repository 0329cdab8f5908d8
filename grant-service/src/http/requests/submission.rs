//! An access request as it is sent (Access Request and Approval Profile, section "Access Request Submission").
//!
//! The rules decide on what is asked for, and not the denial that it answers: a denial is looked at only for its age.

use std::time::Duration;

use hallpass_core::time::UnixMillis;

use super::super::problem::{Kind, Problem};
use super::super::shape::{Misshapen, Node};
use crate::life::{Ask, PersonId, Target, Term};

/// The clocks of whoever sends the denial and of this service may differ by so much (section "Time and Clock Skew").
const CLOCKS_DIFFER: Duration = Duration::from_secs(30);

/// An access request.
pub(super) struct Submission {
    pub(super) ask: Ask,
    subject: Option<Subject>,
    denial_expires: Option<UnixMillis>,
}

struct Subject {
    kind: String,
    id: String,
    issuer: Option<String>,
}

impl Submission {
    /// Reads what was sent.
    pub(super) fn read(root: &Node<'_>) -> Result<Self, Misshapen> {
        Ok(Self {
            ask: Ask {
                target: target(root)?,
                term: term(root)?,
                reason: reason(root)?,
                emergency: match wanted(root, "emergency")? {
                    Some(emergency) => emergency.flag()?,
                    None => false,
                },
            },
            subject: root
                .member("subject")?
                .present()
                .as_ref()
                .map(subject)
                .transpose()?,
            denial_expires: denial(root)?,
        })
    }

    /// A person asks for themselves; whoever asks for another would get it approved under a wrong impression.
    pub(super) fn check_subject(&self, person: &PersonId) -> Result<(), Problem> {
        let is_own = self.subject.as_ref().is_none_or(|subject| {
            let issuer = subject.issuer.as_ref();
            subject.kind == "user"
                && subject.id == person.subject
                && issuer.is_none_or(|issuer| *issuer == person.issuer)
        });
        if is_own {
            return Ok(());
        }
        Err(Problem::new(
            Kind::Forbidden,
            "a person may ask for themselves only",
        ))
    }

    /// A denial counts for a while: what led to it may have changed.
    pub(super) fn check_denial(&self, now: UnixMillis) -> Result<(), Problem> {
        let last = self
            .denial_expires
            .map(|until| until.saturating_add(CLOCKS_DIFFER));
        if last.is_none_or(|last| now < last) {
            return Ok(());
        }
        let detail =
            "`denial.expires_at` is past: try to use the resource again, and answer the new denial";
        Err(Problem::new(Kind::ExpiredDenial, detail))
    }
}

fn subject(subject: &Node<'_>) -> Result<Subject, Misshapen> {
    let issuer = match subject.member("properties")?.present() {
        Some(properties) => properties.member("iss")?.present(),
        None => None,
    };
    Ok(Subject {
        kind: subject.member("type")?.name()?.to_owned(),
        id: subject.member("id")?.name()?.to_owned(),
        issuer: issuer
            .map(|issuer| issuer.name().map(str::to_owned))
            .transpose()?,
    })
}

/// What is asked for: at the top, or as the only one of the items.
fn target(root: &Node<'_>) -> Result<Target, Misshapen> {
    let Some(items) = root.member("items")?.present() else {
        return target_of(root);
    };
    let target = match items.elements()?.as_slice() {
        [item] => target_of(item)?,
        _ => return Err(items.expected("one element: send a request for each")),
    };
    for member in ["resource", "action"] {
        if let Some(beside) = root.member(member)?.present() {
            return Err(beside.expected("nothing beside `items`"));
        }
    }
    Ok(target)
}

fn target_of(item: &Node<'_>) -> Result<Target, Misshapen> {
    let resource = item.member("resource")?;
    Ok(Target {
        resource_type: resource.member("type")?.name()?.to_owned(),
        resource: resource.member("id")?.name()?.to_owned(),
        action: item.member("action")?.member("name")?.name()?.to_owned(),
    })
}

/// Why: the first of the places that has it. The last is called so in the profile's examples.
fn reason(root: &Node<'_>) -> Result<String, Misshapen> {
    let own = root.member("reason")?;
    let mut places = vec![own.clone()];
    if let Some(context) = root.member("context")?.present() {
        places.push(context.member("reason")?);
        places.push(context.member("business_justification")?);
    }
    match places.into_iter().find_map(Node::present) {
        Some(reason) => reason.text().map(str::to_owned),
        None => Err(own.expected("why you need it (`context.reason` counts too)")),
    }
}

fn term(root: &Node<'_>) -> Result<Option<Term>, Misshapen> {
    let until = wanted(root, "requested_until")?;
    match (wanted(root, "duration")?, until) {
        (None, None) => Ok(None),
        (Some(duration), None) => Ok(Some(Term::For(duration.duration()?))),
        (None, Some(until)) => Ok(Some(Term::Until(until.moment()?))),
        (Some(duration), Some(_)) => Err(duration.expected("nothing beside `requested_until`")),
    }
}

fn wanted<'a>(root: &Node<'a>, member: &str) -> Result<Option<Node<'a>>, Misshapen> {
    match root.member("requested_access")?.present() {
        Some(wanted) => Ok(wanted.member(member)?.present()),
        None => Ok(None),
    }
}

/// When the denial is too old to be answered.
fn denial(root: &Node<'_>) -> Result<Option<UnixMillis>, Misshapen> {
    let Some(denial) = root.member("denial")?.present() else {
        return Ok(None);
    };
    for member in ["evaluation_id", "binding_token", "reason", "template"] {
        if let Some(member) = denial.member(member)?.present() {
            member.string()?;
        }
    }
    if let Some(at) = denial.member("evaluated_at")?.present() {
        at.moment()?;
    }
    let expires = denial.member("expires_at")?;
    expires.moment().map(Some)
}
