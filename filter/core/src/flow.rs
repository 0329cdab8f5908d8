//! One request's way to its answer, as a state machine without input or output.
//!
//! [`Exchange`] is one request, [`Gate`] what a worker knows. A driver calls [`Exchange::start`], does what the [`Step`] says, and where
//! that was to wait, comes back with [`Exchange::on_keys`] or [`Exchange::on_grant`]. Each call judges the request anew at the time it is
//! given: a token or grant that ended during the wait does not pass.

mod attempt;
mod bearers;
mod gate;
mod monitor;
mod stream;

use std::sync::Arc;

use crate::audit::{Record, Trace, Written};
use crate::bearer::Bearer;
use crate::config::Config;
use crate::decision::{Advice, Caller, Decision, GrantFacts, Permit, Service, decide};
use crate::denial::{Answer, AnswerContext, Form, Reason};
use crate::edits::Edits;
use crate::grant::{GrantOutcome, Query};
use crate::identity::Identity;
use crate::ids::Action;
use crate::metrics::Counter;
use crate::policy::Resource;
use crate::policy::conditions::Facts;
use crate::request::{Ambiguous, CanonicalRequest, RequestHead};
use crate::resource_metadata::ResourceMetadata;
use crate::time::UnixMillis;

pub use attempt::Attempt;
pub use gate::{Authenticated, Gate, KeysReply, KeysRequest, Progress};
pub use stream::Stream;

/// What is to be done now.
#[derive(Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "nearly every request comes to the large one, and a box would cost each an allocation"
)]
pub enum Step {
    /// Let the request pass with these changes.
    Continue(Passage),
    /// Answer in place of the upstream: with a refusal, or with a document of the filter's own.
    Respond(Refusal),
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
    /// What is to be written down of it.
    pub audit: Written,
    /// Whether the decision is held to. Where it is not, the reason may be one for which the request would be refused.
    pub enforced: bool,
    /// When its permission ends, if it does.
    pub until: Option<UnixMillis>,
    /// What is to be kept of it while it is open, if it is cut when its permission ends.
    pub stream: Option<Stream>,
}

/// A request that does not: refused, or answered with what everybody may know.
#[derive(Debug)]
pub struct Refusal {
    /// What the client gets.
    pub answer: Answer,
    /// Why.
    pub reason: Reason,
    /// What is to be written down of it.
    pub audit: Written,
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
}

/// One request.
#[derive(Debug)]
pub struct Exchange {
    head: RequestHead,
    attempt: Attempt,
    key_waits: u8,
    route: Option<Route>,
    bearer: Option<Arc<Bearer>>,
    /// It could be read in two ways.
    is_ambiguous: bool,
}

/// What a request is for.
#[derive(Debug)]
struct Route {
    request: CanonicalRequest,
    resource: usize,
    action: Action,
    is_preflight: bool,
}

/// What becomes of a request that no resource decides about.
enum Unrouted {
    Refused(Reason),
    /// The filter itself has what was asked for.
    Answered(Answer),
}

impl Route {
    /// Adds to a record what was asked for.
    fn tell<'a>(&'a self, record: &mut Record<'a>, config: &'a Config) {
        record.method = Some((&self.request.method).into());
        record.host = Some((&self.request.host).into());
        record.path = Some((&self.request.path).into());
        record.action = Some(self.action.as_str());
        let resource = config.policy.get(self.resource);
        record.resource = resource.map(|resource| resource.name.as_str());
    }
}

impl Exchange {
    /// A request that has just arrived.
    pub fn new(head: RequestHead) -> Self {
        Self {
            head,
            attempt: Attempt::new(UnixMillis::new(0)),
            is_ambiguous: false,
            key_waits: 0,
            route: None,
            bearer: None,
        }
    }

    /// The host's name for this request, if it can be repeated safely.
    pub fn request_id(&self) -> Option<&str> {
        self.head.request_id()
    }

    /// Judges the request for the first time.
    pub fn start(&mut self, gate: &mut Gate, now: UnixMillis) -> Step {
        let config = gate.config();
        self.attempt = Attempt::new(now);
        self.head.source_ip = config.trusted_hops.source_ip(&self.head);
        match self.find_route(&config) {
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
        let decision = self.decide(&config, Caller::Unknowable, Service::Unasked, now);
        self.conclude(&config, gate, decision, now)
    }

    /// Judges again, now that the grant service has answered or will not answer.
    pub fn on_grant(&mut self, gate: &mut Gate, outcome: &GrantOutcome, now: UnixMillis) -> Step {
        let config = gate.config();
        // The token or its key may have ended during the wait. A token that was remembered meanwhile is recognized.
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
            GrantOutcome::Decided(ruling) => {
                self.decide(&config, caller, Service::Answered(ruling), now)
            }
            GrantOutcome::Failed => self.decide_without_service(&config, gate, caller, now),
            GrantOutcome::GivenUp => self.decide(&config, caller, Service::GivenUp, now),
        };
        self.conclude(&config, gate, decision, now)
    }

    fn find_route(&self, config: &Config) -> Result<Route, Unrouted> {
        let request = self
            .canonical(config)
            .map_err(|_| Unrouted::Refused(Reason::RequestAmbiguous))?;
        if let Some(metadata) = &config.resource_metadata
            && let Some(answer) = metadata.answer(&request)
        {
            return Err(Unrouted::Answered(answer));
        }
        let policy = &config.policy;
        if let Some((resource, _)) = policy.find_preflighted(&request, &self.head) {
            return Ok(Route {
                // Nothing of what is asked about is done, whatever a grant for it is called.
                action: Action::new("options"),
                resource,
                request,
                is_preflight: true,
            });
        }
        let found = policy.find(&request);
        let (resource, found) = found.ok_or(Unrouted::Refused(Reason::ResourceUnknown))?;
        Ok(Route {
            action: policy.action(found, &request.method),
            resource,
            request,
            is_preflight: false,
        })
    }

    /// The one reading of the request that every decision is about.
    ///
    /// # Errors
    /// [`Ambiguous`] when there is more than one.
    pub fn canonical(&self, config: &Config) -> Result<CanonicalRequest, Ambiguous> {
        // RFC 9110, section 7.6.1: the next proxy removes what `connection` names, so a client could have our own headers removed.
        let names_protected = self.head.headers.all("connection").any(|value| {
            value.split(|byte| *byte == b',').any(|name| {
                config
                    .headers
                    .protects(&name.trim_ascii().to_ascii_lowercase())
            })
        });
        if names_protected {
            return Err(Ambiguous::HopByHop);
        }
        self.head.canonical()
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
        match self.decide(config, caller, service, now) {
            Decision::NeedGrant => self.ask(config, gate, now),
            decided => self.conclude(config, gate, decided, now),
        }
    }

    fn may_wait_for_keys(&mut self) -> bool {
        let may = self.key_waits < MAX_KEY_WAITS;
        self.key_waits = self.key_waits.saturating_add(1);
        may
    }

    /// Looks for a remembered answer, and asks the service where there is none and it may be asked.
    fn ask(&mut self, config: &Config, gate: &mut Gate, now: UnixMillis) -> Step {
        let Some(query) = self.query(config) else {
            return self.conclude(config, gate, Decision::Deny(Reason::GrantMissing), now);
        };
        if let Some(ruling) = gate.remembered(&query, now) {
            gate.count(Counter::GrantHit);
            let service = Service::Remembered(&ruling);
            let decision = self.decide(config, self.known_caller(), service, now);
            return self.conclude(config, gate, decision, now);
        }
        gate.count(Counter::GrantMiss);
        if gate.may_ask(now) {
            return Step::Wait(Need::Grant(Box::new(query)));
        }
        let decision = self.decide_without_service(config, gate, self.known_caller(), now);
        self.conclude(config, gate, decision, now)
    }

    /// The service fails. Another worker may know its word by now; otherwise its word of before may stand in for it.
    fn decide_without_service(
        &self,
        config: &Config,
        gate: &mut Gate,
        caller: Caller<'_>,
        now: UnixMillis,
    ) -> Decision {
        let Some(query) = self.query(config) else {
            return self.decide(config, caller, Service::Failed, now);
        };
        if let Some(ruling) = gate.remembered(&query, now) {
            return self.decide(config, caller, Service::Remembered(&ruling), now);
        }
        let Some(ruling) = gate.stale(&query, now) else {
            return self.decide(config, caller, Service::Failed, now);
        };
        let decision = self.decide(config, caller, Service::Stale(&ruling), now);
        if matches!(decision, Decision::Allow(_)) {
            gate.count(Counter::GrantStale);
        }
        decision
    }

    fn query(&self, config: &Config) -> Option<Query> {
        let service = config.grants.service.as_ref()?;
        let route = self.route.as_ref()?;
        let resource = config.policy.get(route.resource)?;
        let identity = &self.bearer.as_ref()?.identity;
        let query = Query::new(
            identity,
            &resource.name,
            &service.resource_type,
            &route.action,
        );
        Some(query.with_facts(&service.facts, &route.request, self.head.source_ip))
    }

    fn decide(
        &self,
        config: &Config,
        caller: Caller<'_>,
        service: Service<'_>,
        now: UnixMillis,
    ) -> Decision {
        let (Some(route), Some(resource)) = (&self.route, self.resource(config)) else {
            return Decision::Deny(Reason::ResourceUnknown);
        };
        let rules = config.grants.rules();
        let facts = self.facts();
        decide(resource, &route.action, caller, &facts, service, rules, now)
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

    fn conclude(
        &mut self,
        config: &Config,
        gate: &mut Gate,
        decision: Decision,
        now: UnixMillis,
    ) -> Step {
        match (decision, &self.route) {
            (Decision::Allow(permit), Some(route)) => {
                let mut passage = self.permit(config, gate, &permit, route, now);
                passage.stream = self.stream(config, gate, permit);
                Step::Continue(passage)
            }
            (Decision::Allow(_), None) => self.refuse(config, gate, Reason::ResourceUnknown, now),
            (Decision::Deny(reason), _) => self.refuse(config, gate, reason, now),
            (Decision::DenyWithAdvice(reason, advice), _) => {
                self.refuse_with(config, gate, reason, Some(&advice), None, now)
            }
            (Decision::DenyForGrant(reason, grant), _) => {
                self.refuse_with(config, gate, reason, None, Some(&grant), now)
            }
            // Asked and answered, and still no answer: nothing that could follow is an allow.
            (Decision::NeedGrant, _) => {
                self.refuse(config, gate, Reason::GrantServiceUnavailable, now)
            }
        }
    }

    fn permit(
        &self,
        config: &Config,
        gate: &mut Gate,
        permit: &Permit,
        route: &Route,
        now: UnixMillis,
    ) -> Passage {
        let reason = permit.reason();
        gate.count(Counter::Decision(reason));
        let audit = Written::of(config, reason, || {
            let record = self.record(config, reason, now);
            record.with_grant(permit.grant_id(), permit.grant_until())
        });
        let edits = Edits::for_permit(
            permit,
            self.bearer.as_ref(),
            &self.head,
            &route.request,
            config,
        );
        Passage {
            edits,
            reason,
            audit,
            enforced: self.is_enforced(config),
            until: permit.until(),
            stream: None,
        }
    }

    /// What must be known of the request while it is open. The request has passed, so its route is not needed here any longer.
    fn stream(&mut self, config: &Config, gate: &Gate, permit: Permit) -> Option<Stream> {
        let until = permit.until()?;
        Some(Stream {
            until,
            is_cut: self.resource(config)?.cuts_streams(),
            enforced: self.is_enforced(config),
            config: gate.config(),
            route: self.route.take()?,
            bearer: self.bearer.clone(),
            permit,
            source_ip: self.head.source_ip,
            request_id: self.head.request_id().map(Box::from),
        })
    }

    fn refuse(&self, config: &Config, gate: &mut Gate, reason: Reason, now: UnixMillis) -> Step {
        self.refuse_with(config, gate, reason, None, None, now)
    }

    fn refuse_with(
        &self,
        config: &Config,
        gate: &mut Gate,
        reason: Reason,
        advice: Option<&Advice>,
        grant: Option<&GrantFacts>,
        now: UnixMillis,
    ) -> Step {
        gate.count(Counter::Decision(reason));
        let audit = Written::of(config, reason, || {
            let record = self.record(config, reason, now);
            match grant {
                Some(grant) => record.with_grant(grant.id.as_ref(), grant.until),
                None => record,
            }
        });
        if !self.is_enforced(config) {
            gate.count(Counter::Monitored(reason));
            return Step::Continue(self.let_pass(config, reason, audit));
        }
        let resource = self.resource(config).map(|resource| resource.name.as_str());
        let action = self.route.as_ref().map(|route| route.action.as_str());
        let method = self.head.headers.all(":method").next();
        let context = AnswerContext {
            method: method.and_then(|method| std::str::from_utf8(method).ok()),
            form: Form::wanted(&self.head.headers),
            request_id: self.head.request_id(),
            resource,
            action,
            request_url: match advice {
                _ if !reason.may_be_requested() => None,
                Some(Advice::Request(form)) => Some(form.to_string()),
                Some(Advice::SignIn(_)) | None => config
                    .grants
                    .request_url
                    .as_ref()
                    .and_then(|url| Some(url.fill(resource?, action?))),
            },
            step_up: match advice {
                Some(Advice::SignIn(step_up)) => Some(step_up),
                Some(Advice::Request(_)) | None => None,
            },
            resource_metadata: config.resource_metadata.as_ref().map(ResourceMetadata::url),
        };
        Step::Respond(Refusal {
            answer: Answer::refusal(reason, &context),
            reason,
            audit,
        })
    }

    /// Answers with what everybody may know.
    fn publish(&self, config: &Config, gate: &mut Gate, answer: Answer, now: UnixMillis) -> Step {
        let reason = Reason::Public;
        gate.count(Counter::Decision(reason));
        let audit = Written::of(config, reason, || {
            let mut record = self.record(config, reason, now);
            record.enforced = true;
            record.with_status(answer.status)
        });
        Step::Respond(Refusal {
            answer,
            reason,
            audit,
        })
    }

    fn record<'a>(&'a self, config: &'a Config, reason: Reason, now: UnixMillis) -> Record<'a> {
        let mut record = Record::new(reason, &config.hash, now);
        record.enforced = self.is_enforced(config);
        match &self.route {
            Some(route) => route.tell(&mut record, config),
            None => record = record.with_raw_request(&self.head.headers),
        }
        if let Some(identity) = self.identity() {
            record = record.with_identity(identity);
        }
        record.source_ip = self.head.source_ip;
        record.request_id = self.head.request_id();
        record.trace = config
            .otlp
            .as_ref()
            .and_then(|_| Trace::of(&self.head.headers));
        record
    }
}

#[cfg(test)]
mod tests;
