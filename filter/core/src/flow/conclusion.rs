//! What a decision comes to: a request that passes or an answer in its place, each with its record.

use super::{Exchange, Gate, Passage, Refusal, Route, Step, Stream};
use crate::audit::{Record, Trace, Written};
use crate::config::Config;
use crate::decision::{Advice, Decision, GrantFacts, Permit};
use crate::denial::{Answer, AnswerContext, Form, Kind, Reason};
use crate::edits::Edits;
use crate::metrics::Counter;
use crate::resource_metadata::ResourceMetadata;
use crate::time::UnixMillis;

impl Exchange {
    /// What a decision comes to.
    pub(super) fn conclude(
        &mut self,
        config: &Config,
        gate: &mut Gate,
        decision: Decision,
        now: UnixMillis,
    ) -> Step {
        match (decision, &self.route) {
            (Decision::Allow(permit), Some(route)) => {
                let mut passage = Box::new(self.permit(config, gate, &permit, route, now));
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
            (Decision::NeedGrant | Decision::NeedRevocations, _) => {
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
            let record = self.record(config, gate, reason, now);
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
    fn stream(
        &mut self,
        config: &Config,
        gate: &mut Gate,
        permit: Box<Permit>,
    ) -> Option<Box<Stream>> {
        let until = permit.until()?;
        let request_id = Stream::is_recorded(config).then(|| Box::from(self.request_id(gate)));
        Some(Box::new(Stream {
            until,
            is_cut: self.resource(config)?.cuts_streams(),
            enforced: self.is_enforced(config),
            config: gate.config(),
            route: self.route.take()?,
            bearer: self.bearer.clone(),
            permit,
            source_ip: self.head.source_ip,
            request_id,
        }))
    }

    pub(super) fn refuse(
        &self,
        config: &Config,
        gate: &mut Gate,
        reason: Reason,
        now: UnixMillis,
    ) -> Step {
        self.refuse_with(config, gate, reason, None, None, now)
    }

    #[cold]
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
            let record = self.record(config, gate, reason, now);
            match grant {
                Some(grant) => record.with_grant(grant.id.as_ref(), grant.until),
                None => record,
            }
        });
        if !self.is_enforced(config) {
            gate.count(Counter::Monitored(reason));
            return Step::Continue(Box::new(self.let_pass(config, reason, audit)));
        }
        let resource = self.resource(config).map(|resource| resource.name.as_str());
        let action = self.route.as_ref().map(|route| route.action.as_str());
        let method = self.head.headers.all(":method").next();
        let context = AnswerContext {
            method: method.and_then(|method| std::str::from_utf8(method).ok()),
            form: Form::wanted(&self.head.headers),
            request_id: Some(self.request_id(gate)),
            resource,
            action,
            request_url: match advice {
                _ if reason.kind() != Kind::Forbidden => None,
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
        Step::Respond(Box::new(Refusal {
            answer: Answer::refusal(reason, &context),
            reason,
            audit,
        }))
    }

    /// Answers with what everybody may know.
    pub(super) fn publish(
        &self,
        config: &Config,
        gate: &mut Gate,
        answer: Answer,
        now: UnixMillis,
    ) -> Step {
        let reason = Reason::Public;
        gate.count(Counter::Decision(reason));
        let audit = Written::of(config, reason, || {
            let mut record = self.record(config, gate, reason, now);
            record.enforced = true;
            record.with_status(answer.status)
        });
        Step::Respond(Box::new(Refusal {
            answer,
            reason,
            audit,
        }))
    }

    fn record<'a>(
        &'a self,
        config: &'a Config,
        gate: &mut Gate,
        reason: Reason,
        now: UnixMillis,
    ) -> Record<'a> {
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
        record.request_id = Some(self.request_id(gate));
        record.trace = config
            .audit
            .otlp
            .as_ref()
            .and_then(|_| Trace::of(&self.head.headers));
        record
    }
}
