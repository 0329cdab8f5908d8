//! What becomes of a request that needs the grant service's word: what is remembered of it, what it says now, and what stands in for it.

use super::{Exchange, Gate, Need, Step};
use crate::config::Config;
use crate::decision::{Caller, Decision, Service};
use crate::denial::Reason;
use crate::grant::service::Context;
use crate::grant::{Failure, Question};
use crate::metrics::Counter;
use crate::time::UnixMillis;

/// A question is put again where its answer was overtaken by a revocation, so many times at most.
const MAX_QUESTIONS: u8 = 3;

impl Exchange {
    /// Looks for a remembered answer, and asks the service where there is none and it may be asked.
    pub(super) fn ask(&mut self, config: &Config, gate: &mut Gate, now: UnixMillis) -> Step {
        let Some(question) = self.question(config) else {
            return self.conclude(config, gate, Decision::Deny(Reason::GrantMissing), now);
        };
        if let Some(word) = gate.remembered(&question.key(), || question.to_query(), now) {
            let service = Service::Remembered(&word);
            match self.decide(config, gate, self.known_caller(), service, now) {
                // What is remembered was taken back, or may have been.
                Decision::NeedGrant => {}
                Decision::NeedRevocations => return Step::Wait(Need::Revocations),
                decided => {
                    gate.count(Counter::GrantHit);
                    return self.conclude(config, gate, decided, now);
                }
            }
        }
        gate.count(Counter::GrantMiss);
        if gate.may_ask(now) && self.questions < MAX_QUESTIONS {
            let query = Box::new(question.to_query());
            self.questions = self.questions.saturating_add(1);
            return Step::Wait(Need::Grant(query));
        }
        let caller = self.known_caller();
        let decision = self.decide_without_service(config, gate, caller, Failure::Service, now);
        self.conclude(config, gate, decision, now)
    }

    /// The service fails. Another worker may know its word by now; otherwise its word of before may stand in for it.
    pub(super) fn decide_without_service(
        &self,
        config: &Config,
        gate: &mut Gate,
        caller: Caller<'_>,
        failure: Failure,
        now: UnixMillis,
    ) -> Decision {
        let Some(question) = self.question(config) else {
            return self.decide(config, gate, caller, Service::Failed(failure), now);
        };
        let remembered = gate.remembered(&question.key(), || question.to_query(), now);
        if let Some(word) = &remembered {
            let service = Service::Remembered(word);
            let decision = self.decide(config, gate, caller, service, now);
            if decision != Decision::NeedGrant {
                return decision;
            }
        }
        // Where it was taken back, that is still known of it.
        let Some(word) = remembered.or_else(|| gate.stale(&question.key(), now)) else {
            return self.decide(config, gate, caller, Service::Failed(failure), now);
        };
        let decision = self.decide(config, gate, caller, Service::Stale(&word, failure), now);
        if matches!(decision, Decision::Allow(_)) {
            gate.count(Counter::GrantStale);
        }
        decision
    }

    fn question<'a>(&'a self, config: &'a Config) -> Option<Question<'a>> {
        let service = config.grants.service.as_ref()?;
        let route = self.route.as_ref()?;
        let resource = config.policy.get(route.resource)?;
        let identity = &self.bearer.as_ref()?.identity;
        let context = Context::of(&service.facts, &route.request, self.head.source_ip);
        Some(Question::new(
            identity,
            &resource.name,
            &service.resource_type,
            &route.action,
            context,
        ))
    }
}
