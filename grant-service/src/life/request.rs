//! A request for access, from the wish to its end.

use std::time::Duration;

use hallpass_core::config::span::Span;
use hallpass_core::time::{UnixMillis, Window};

use super::{Active, GrantId, Person, PersonId, Policy, Refusal, Rule, Target};

/// A longer reason is nobody's to read.
const MAX_REASON_CHARS: usize = 1_000;
/// The shortest grant that can be asked for.
const MIN_DURATION: Duration = Duration::from_secs(1);

/// A request's name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestId(pub String);

/// How long access is wished for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term {
    /// So long, counted from the approval.
    For(Duration),
    /// Until this moment, however late the approval comes.
    Until(UnixMillis),
}

/// What someone asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Which access.
    pub target: Target,
    /// How long; nothing leaves it to the rule.
    pub term: Option<Term>,
    /// Why.
    pub reason: String,
    /// Whether it cannot wait. Only who may break the glass gets anything by this.
    pub emergency: bool,
}

/// A request in whichever state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// It waits for its decision.
    Pending(Pending),
    /// It was decided, or will not be.
    Closed(Closed),
}

/// A request that waits for its decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Its name.
    pub id: RequestId,
    /// Who asks.
    pub requester: PersonId,
    /// The requester's e-mail address, if known, for those who decide.
    pub email: Option<String>,
    /// Which access.
    pub target: Target,
    /// How long.
    pub term: Term,
    /// Why.
    pub reason: String,
    /// Whether it cannot wait.
    pub emergency: bool,
    /// When it came.
    pub at: UnixMillis,
    /// When it is too late for a decision.
    pub until: UnixMillis,
    /// Those who have approved so far.
    pub approvals: Vec<Approval>,
}

/// One approver's yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Who.
    pub by: PersonId,
    /// When.
    pub at: UnixMillis,
}

/// A request that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// What it was.
    pub request: Pending,
    /// How it ended.
    pub closing: Closing,
    /// When.
    pub at: UnixMillis,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closing {
    /// With this grant.
    Approved(GrantId),
    /// Without one: someone said no, or what it asks for was revoked meanwhile.
    Denied {
        /// Who, unless it was a revocation.
        by: Option<PersonId>,
        /// Why.
        why: String,
    },
    /// The one who asked took it back.
    Withdrawn,
    /// Nobody decided in time.
    Expired,
}

/// What comes of asking, or of an approval.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    clippy::large_enum_variant,
    reason = "it is taken apart where it is made"
)]
pub enum Outcome {
    /// It waits for approvers, or for more of them.
    Waits(Pending),
    /// It has come to a grant.
    Granted(Granted),
}

/// A request that came to a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// The request.
    pub request: Closed,
    /// The grant.
    pub grant: Active,
}

/// Judges a wish by the rules.
///
/// # Errors
/// When no rule lets this person ask for it, or a field is not as the rule wants it.
pub fn open(
    policy: &Policy,
    person: &Person,
    ask: Ask,
    ids: (RequestId, GrantId),
    now: UnixMillis,
) -> Result<Outcome, Refusal> {
    let rule = policy.rule(&ask.target).ok_or(Refusal::NotRequestable)?;
    let shortcut = rule.break_glass.as_ref().filter(|_| ask.emergency);
    let breaks_glass = shortcut.is_some_and(|shortcut| shortcut.who.includes(person));
    if !breaks_glass && !rule.requesters.includes(person) {
        return Err(Refusal::NotRequestable);
    }
    check_reason(rule, &ask.reason)?;
    let longest = match shortcut {
        Some(shortcut) if breaks_glass => shortcut.max_duration,
        _ => rule.max_duration,
    };
    let wanted = wanted(rule, longest, ask.term, now)?;
    let automatic = rule
        .automatic
        .as_ref()
        .is_some_and(|shortcut| shortcut.who.includes(person) && wanted <= shortcut.max_duration);
    let (request_id, grant_id) = ids;
    let pending = Pending {
        id: request_id,
        requester: person.id.clone(),
        email: person.email.clone(),
        target: ask.target,
        term: ask.term.unwrap_or(Term::For(wanted)),
        reason: ask.reason,
        emergency: ask.emergency,
        at: now,
        until: decide_by(rule, ask.term, now),
        approvals: Vec::new(),
    };
    if breaks_glass || automatic {
        let granted = pending.grant(grant_id, longest, breaks_glass, now);
        return Ok(Outcome::Granted(granted));
    }
    Ok(Outcome::Waits(pending))
}

/// When it is too late for a decision: nobody needs one past the time that is asked for.
fn decide_by(rule: &Rule, term: Option<Term>, now: UnixMillis) -> UnixMillis {
    let patience = now.saturating_add(rule.pending_for);
    match term {
        Some(Term::Until(until)) => until.min(patience),
        Some(Term::For(_)) | None => patience,
    }
}

fn check_reason(rule: &Rule, reason: &str) -> Result<(), Refusal> {
    let expected = || {
        let hint = rule.reason_hint.clone();
        hint.unwrap_or_else(|| format!("a reason of 1 to {MAX_REASON_CHARS} characters"))
    };
    let fits = !reason.trim().is_empty()
        && is_kept_as_it_is(reason)
        && rule
            .reason
            .as_ref()
            .is_none_or(|pattern| pattern.is_match(reason));
    if fits {
        Ok(())
    } else {
        Err(Refusal::invalid("reason", expected()))
    }
}

/// Checks why someone says no, or takes something back. It may be left empty.
///
/// # Errors
/// When it is too long, or no text.
pub fn check_why(why: &str) -> Result<(), Refusal> {
    if is_kept_as_it_is(why) {
        return Ok(());
    }
    let expected = format!("at most {MAX_REASON_CHARS} characters of text");
    Err(Refusal::invalid("reason", expected))
}

/// `PostgreSQL` keeps no text with a NUL in it, and a longer one is nobody's to read.
fn is_kept_as_it_is(text: &str) -> bool {
    text.chars().count() <= MAX_REASON_CHARS && !text.contains('\0')
}

fn wanted(
    rule: &Rule,
    longest: Duration,
    term: Option<Term>,
    now: UnixMillis,
) -> Result<Duration, Refusal> {
    let (field, wanted) = match term {
        None => ("duration", rule.default_duration.min(longest)),
        Some(Term::For(duration)) => ("duration", duration),
        Some(Term::Until(until)) => ("requested_until", until.since(now)),
    };
    if wanted < MIN_DURATION || wanted > longest {
        let longest = Span::from(longest);
        return Err(Refusal::invalid(field, format!("between 1s and {longest}")));
    }
    Ok(wanted)
}

impl Pending {
    /// One more approver says yes. Whoever has said so before says nothing new.
    ///
    /// # Errors
    /// When this person may not decide on it, or it is too late.
    pub fn approve(
        mut self,
        policy: &Policy,
        approver: &Person,
        grant_id: GrantId,
        now: UnixMillis,
    ) -> Result<Outcome, Refusal> {
        let rule = self.decidable_by(policy, approver, now)?;
        if !self.approvals.iter().any(|given| given.by == approver.id) {
            self.approvals.push(Approval {
                by: approver.id.clone(),
                at: now,
            });
        }
        if u32::try_from(self.approvals.len()).unwrap_or(u32::MAX) < rule.approvals {
            return Ok(Outcome::Waits(self));
        }
        let granted = self.grant(grant_id, rule.max_duration, false, now);
        Ok(Outcome::Granted(granted))
    }

    /// An approver says no.
    ///
    /// # Errors
    /// When this person may not decide on it, or it is too late.
    pub fn deny(
        self,
        policy: &Policy,
        approver: &Person,
        why: String,
        now: UnixMillis,
    ) -> Result<Closed, Refusal> {
        self.decidable_by(policy, approver, now)?;
        let by = Some(approver.id.clone());
        Ok(self.close(Closing::Denied { by, why }, now))
    }

    /// The one who asked takes it back.
    ///
    /// # Errors
    /// When it is someone else.
    pub fn withdraw(self, person: &PersonId, now: UnixMillis) -> Result<Closed, Refusal> {
        if self.requester != *person {
            return Err(Refusal::NotTheRequester);
        }
        Ok(self.close(Closing::Withdrawn, now))
    }

    /// What it asks for was revoked meanwhile.
    #[must_use]
    pub fn overtake(self, why: String, now: UnixMillis) -> Closed {
        self.close(Closing::Denied { by: None, why }, now)
    }

    /// Ends it if nobody decided in time.
    pub fn expire(self, now: UnixMillis) -> Option<Closed> {
        (self.until <= now).then(|| self.close(Closing::Expired, now))
    }

    /// Whether this person could decide on it now.
    pub fn awaits(&self, policy: &Policy, person: &Person, now: UnixMillis) -> bool {
        self.decidable_by(policy, person, now).is_ok()
            && !self.approvals.iter().any(|given| given.by == person.id)
    }

    fn decidable_by<'a>(
        &self,
        policy: &'a Policy,
        approver: &Person,
        now: UnixMillis,
    ) -> Result<&'a Rule, Refusal> {
        let rule = policy.rule(&self.target);
        let rule = rule
            .filter(|rule| rule.approvers.includes(approver))
            .ok_or(Refusal::NotAnApprover)?;
        if self.requester == approver.id {
            return Err(Refusal::OwnRequest);
        }
        if self.until <= now {
            return Err(Refusal::Over("expired"));
        }
        Ok(rule)
    }

    fn grant(self, id: GrantId, longest: Duration, emergency: bool, now: UnixMillis) -> Granted {
        let latest = now.saturating_add(longest);
        let until = match self.term {
            Term::For(duration) => now.saturating_add(duration).min(latest),
            Term::Until(until) => until.min(latest),
        };
        let grant = Active {
            id: id.clone(),
            request: self.id.clone(),
            holder: self.requester.clone(),
            target: self.target.clone(),
            window: Window { from: now, until },
            emergency,
        };
        Granted {
            request: self.close(Closing::Approved(id), now),
            grant,
        }
    }

    fn close(self, closing: Closing, at: UnixMillis) -> Closed {
        Closed {
            request: self,
            closing,
            at,
        }
    }
}

impl Request {
    /// What it is about, in whichever state.
    pub fn facts(&self) -> &Pending {
        match self {
            Self::Pending(pending) => pending,
            Self::Closed(closed) => &closed.request,
        }
    }

    /// Its state in one word.
    pub fn state(&self) -> &'static str {
        match self {
            Self::Pending(_) => "pending",
            Self::Closed(closed) => closed.closing.word(),
        }
    }
}

impl Closing {
    /// In one word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Approved(_) => "approved",
            Self::Denied { .. } => "denied",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
        }
    }
}

#[cfg(test)]
mod tests;
