//! One request's way to its answer, as a state machine without input or output.
//!
//! [`Exchange`] is one request, [`Gate`] what a worker knows. A driver calls [`Exchange::start`], does what the [`Step`] says, and where
//! that was to wait, comes back with [`Exchange::on_keys`], [`Exchange::on_grant`] or [`Exchange::on_revocations`]. Each call judges the request anew at the time it is
//! given: a token or grant that ended during the wait does not pass.

mod asking;
mod attempt;
mod bearers;
mod conclusion;
mod gate;
mod monitor;
mod route;
mod stream;

use std::cell::OnceCell;
use std::sync::Arc;

use crate::audit::Written;
use crate::bearer::Bearer;
use crate::config::Config;
use crate::decision::{Caller, Decision, Service, decide};
use crate::denial::{Answer, Reason};
use crate::edits::Edits;
use crate::grant::{Asker, GrantOutcome, Query};
use crate::identity::Identity;
use crate::policy::Resource;
use crate::policy::conditions::Facts;
use crate::request::RequestHead;
use crate::time::UnixMillis;

pub use attempt::Attempt;
pub use gate::{Authenticated, FeedRequest, Gate, KeysReply, KeysRequest, Progress};
use route::{Route, Unrouted};
pub use stream::Stream;

/// What is to be done now.
#[derive(Debug)]
pub enum Step {
    /// Let the request pass with these changes.
    Continue(Box<Passage>),
    /// Answer in place of the upstream: with a refusal, or with a document of the filter's own.
    Respond(Box<Refusal>),
    /// Hold the request until this is there.
    Wait(Need),
}

/// A request that passes.
#[derive(Debug)]
pub struct Passage {
    /// What changes on its way.
    pub edits: Edits,
    /// Why it passes.
    pub reason: Reason,
    /// What is to be written down of it, if anything is.
    pub audit: Option<Box<Written>>,
    /// Whether the decision is held to. Where it is not, the reason may be one for which the request would be refused.
    pub enforced: bool,
    /// When its permission ends, if it does.
    pub until: Option<UnixMillis>,
    /// What is to be kept of it while it is open, if its permission has an end.
    pub stream: Option<Box<Stream>>,
}

/// A request that does not: refused, or answered with what everybody may know.
#[derive(Debug)]
pub struct Refusal {
    /// What the client gets.
    pub answer: Answer,
    /// Why.
    pub reason: Reason,
    /// What is to be written down of it, if anything is.
    pub audit: Option<Box<Written>>,
}

/// A request waits for keys twice at most: for a fetch that began before it came, and for one that began after.
const MAX_KEY_WAITS: u8 = 2;

/// What a request waits for.
#[derive(Debug)]
pub enum Need {
    /// The keys of the provider at this place in the configuration, of which there are none.
    Keys(usize),
    /// The keys of the provider at this place once more, since those at hand do not verify a token.
    NewKey(usize),
    /// The answer to this question.
    Grant(Box<Query>),
    /// What the grant service has taken back, of which nothing is known yet.
    Revocations,
}

/// One request.
#[derive(Debug)]
pub struct Exchange {
    head: RequestHead,
    attempt: Attempt,
    key_waits: u8,
    questions: u8,
    route: Option<Box<Route>>,
    bearer: Option<Arc<Bearer>>,
    /// The name that it was given, if it had to be.
    given_id: OnceCell<Box<str>>,
    /// It could be read in two ways.
    is_ambiguous: bool,
}

impl Exchange {
    /// A request that has just arrived.
    pub fn new(head: RequestHead) -> Self {
        Self {
            head,
            attempt: Attempt::new(UnixMillis::new(0)),
            is_ambiguous: false,
            key_waits: 0,
            questions: 0,
            route: None,
            bearer: None,
            given_id: OnceCell::new(),
        }
    }

    /// The host's name for this request, or one that `gate` gives it if that cannot be repeated safely.
    pub fn request_id(&self, gate: &mut Gate) -> &str {
        let given = || gate.new_request_id().into();
        let own = self.head.request_id();
        own.unwrap_or_else(|| self.given_id.get_or_init(given))
    }

    /// Who makes it, as far as that is known.
    pub fn asker(&self) -> Option<Asker> {
        let bearer = self.bearer.as_ref()?;
        Some(Asker::of(&bearer.identity))
    }

    /// Judges the request for the first time.
    pub fn start(&mut self, gate: &mut Gate, now: UnixMillis) -> Step {
        let config = gate.config();
        self.attempt = Attempt::new(now);
        self.head.source_ip = config.trusted_hops.source_ip(&self.head);
        match self.find_route(&config, gate.last_authority()) {
            Ok(route) => self.route = Some(route),
            Err(Unrouted::Refused(reason)) => {
                self.is_ambiguous = reason == Reason::RequestAmbiguous;
                return self.refuse(&config, gate, reason, now);
            }
            Err(Unrouted::Answered(answer)) => return self.publish(&config, gate, answer, now),
        }
        self.judge(&config, gate, now)
    }

    /// Judges again, now that the keys it waited for have come or will not come.
    pub fn on_keys(&mut self, gate: &mut Gate, now: UnixMillis) -> Step {
        let config = gate.config();
        self.judge(&config, gate, now)
    }

    /// Judges without the keys, since there is no room to hold the request until they come.
    pub fn without_keys(&mut self, gate: &mut Gate, now: UnixMillis) -> Step {
        let config = gate.config();
        let decision = self.decide(&config, gate, Caller::Unknowable, Service::Unasked, now);
        self.conclude(&config, gate, decision, now)
    }

    /// Judges again, now that it is known what was taken back, or cannot be known.
    pub fn on_revocations(&mut self, gate: &mut Gate, now: UnixMillis) -> Step {
        self.on_keys(gate, now)
    }

    /// Refuses the request, since there is no room to hold it until it is known what was taken back.
    pub fn without_revocations(&mut self, gate: &mut Gate, now: UnixMillis) -> Step {
        let config = gate.config();
        self.refuse(&config, gate, Reason::GrantServiceUnavailable, now)
    }

    /// Judges again, now that the grant service has answered or will not answer.
    pub fn on_grant(&mut self, gate: &mut Gate, outcome: &GrantOutcome, now: UnixMillis) -> Step {
        let config = gate.config();
        // The token or its key may have ended during the wait. A token that was verified before is not verified again.
        let caller = match gate.authenticate(&self.head, &mut self.attempt, now) {
            Authenticated::Known(bearer) => {
                self.bearer = Some(bearer);
                self.known_caller()
            }
            Authenticated::Refused(fault) => Caller::Refused(fault),
            Authenticated::KeysAwaited(_)
            | Authenticated::NewKeyAwaited(_)
            | Authenticated::KeysUnavailable => Caller::Unknowable,
        };
        let decision = match outcome {
            GrantOutcome::Decided(word) => {
                self.decide(&config, gate, caller, Service::Answered(word), now)
            }
            GrantOutcome::Failed(failure) => {
                self.decide_without_service(&config, gate, caller, *failure, now)
            }
            GrantOutcome::GivenUp => self.decide(&config, gate, caller, Service::GivenUp, now),
        };
        self.proceed(&config, gate, decision, now)
    }

    fn judge(&mut self, config: &Config, gate: &mut Gate, now: UnixMillis) -> Step {
        let needs_identity = self
            .resource(config)
            .is_some_and(|resource| resource.access.needs_identity());
        let is_preflight = self.route.as_ref().is_some_and(|route| route.is_preflight);
        let caller = if is_preflight {
            Caller::Preflight
        } else if needs_identity {
            match gate.authenticate(&self.head, &mut self.attempt, now) {
                Authenticated::Known(bearer) => {
                    self.bearer = Some(bearer);
                    self.known_caller()
                }
                Authenticated::Refused(fault) => Caller::Refused(fault),
                Authenticated::KeysAwaited(provider) if self.may_wait_for_keys() => {
                    return Step::Wait(Need::Keys(provider));
                }
                Authenticated::NewKeyAwaited(provider) if self.may_wait_for_keys() => {
                    return Step::Wait(Need::NewKey(provider));
                }
                Authenticated::KeysAwaited(_)
                | Authenticated::NewKeyAwaited(_)
                | Authenticated::KeysUnavailable => Caller::Unknowable,
            }
        } else {
            Caller::Unasked
        };
        let service = match config.grants.service {
            Some(_) => Service::Unasked,
            None => Service::Absent,
        };
        let decision = self.decide(config, gate, caller, service, now);
        self.proceed(config, gate, decision, now)
    }

    /// Does what a decision needs, or what it comes to.
    fn proceed(
        &mut self,
        config: &Config,
        gate: &mut Gate,
        decision: Decision,
        now: UnixMillis,
    ) -> Step {
        match decision {
            Decision::NeedGrant => self.ask(config, gate, now),
            Decision::NeedRevocations => Step::Wait(Need::Revocations),
            decided => self.conclude(config, gate, decided, now),
        }
    }

    fn may_wait_for_keys(&mut self) -> bool {
        let may = self.key_waits < MAX_KEY_WAITS;
        self.key_waits = self.key_waits.saturating_add(1);
        may
    }

    fn decide(
        &self,
        config: &Config,
        gate: &Gate,
        caller: Caller<'_>,
        service: Service<'_>,
        now: UnixMillis,
    ) -> Decision {
        let (Some(route), Some(resource)) = (&self.route, self.resource(config)) else {
            return Decision::Deny(Reason::ResourceUnknown);
        };
        let rules = config.grants.rules();
        let facts = self.facts();
        let action = &route.action;
        let revoked = gate.revoked();
        decide(
            resource, action, caller, &facts, service, rules, revoked, now,
        )
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            head: &self.head,
            identity: self.identity(),
            claims: self.bearer.as_ref().map(|bearer| &bearer.claims),
        }
    }

    fn known_caller(&self) -> Caller<'_> {
        match &self.bearer {
            Some(bearer) => Caller::Known(&bearer.identity, &bearer.grants),
            None => Caller::Unasked,
        }
    }

    fn resource<'a>(&self, config: &'a Config) -> Option<&'a Resource> {
        let route = self.route.as_ref()?;
        config.policy.get(route.resource)
    }

    fn identity(&self) -> Option<&Identity> {
        self.bearer.as_ref().map(|bearer| &bearer.identity)
    }
}

#[cfg(test)]
mod tests;
