//! A request that has passed and may stay open: a WebSocket, a stream of events, a long upload.
//!
//! What let it pass has an end, and the request may outlive it. Kept is what its record says if it is cut, and the configuration under
//! which it was let through, which may have been replaced since; its headers, which may hold the token, are not.

use std::net::IpAddr;
use std::sync::Arc;

use super::{Gate, Passage, Refusal, Route, Step};
use crate::audit::{Record, Written};
use crate::bearer::Bearer;
use crate::config::Config;
use crate::decision::Permit;
use crate::denial::{Answer, AnswerContext, Reason};
use crate::metrics::Counter;
use crate::revocation::Revoked;
use crate::time::UnixMillis;

/// A request whose permission may end while it is open.
#[derive(Debug)]
pub struct Stream {
    pub(super) until: UnixMillis,
    pub(super) is_cut: bool,
    pub(super) enforced: bool,
    pub(super) config: Arc<Config>,
    pub(super) route: Box<Route>,
    /// Who sent it, where that mattered.
    pub(super) bearer: Option<Arc<Bearer>>,
    pub(super) permit: Box<Permit>,
    pub(super) source_ip: Option<IpAddr>,
    pub(super) request_id: Option<Box<str>>,
}

impl Stream {
    /// Whether its end is written down, if it is not its client's or upstream's. Refusals are recorded for all reasons or for none, so
    /// one speaks for each that it may have.
    pub(super) fn is_recorded(config: &Config) -> bool {
        Written::is_wanted(config, Reason::StreamExpired)
    }

    /// When its permission ends. At this moment it is over.
    pub fn until(&self) -> UnixMillis {
        self.until
    }

    /// Whether anything becomes of it then. Otherwise it goes on for as long as client and upstream like.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Whether it is cut then. In monitor mode it is only recorded.
    pub fn is_enforced(&self) -> bool {
        self.enforced
    }

    /// Whether its permission has been taken back.
    pub fn is_revoked(&self, revoked: &Revoked) -> bool {
        let resource = self.config.policy.get(self.route.resource);
        match (&self.bearer, resource) {
            (Some(bearer), Some(resource)) => {
                self.permit
                    .is_revoked(revoked, &bearer.identity, &resource.name)
            }
            // Who sent it did not matter.
            _ => false,
        }
    }

    /// Notes that its permission has ended while it was open. Before its end, it was taken back.
    pub fn ended(&self, gate: &mut Gate, now: UnixMillis) -> Option<Box<Written>> {
        let reason = if self.is_revoked(gate.revoked()) {
            Reason::GrantRevoked
        } else {
            Reason::StreamExpired
        };
        self.refused(reason, gate, now)
    }

    fn refused(&self, reason: Reason, gate: &mut Gate, now: UnixMillis) -> Option<Box<Written>> {
        gate.count(Counter::Decision(reason));
        if !self.enforced {
            gate.count(Counter::Monitored(reason));
        }
        Written::of(&self.config, reason, || self.record(reason, now))
    }

    fn record(&self, reason: Reason, now: UnixMillis) -> Record<'_> {
        let record = Record::new(reason, &self.config.hash, now);
        let mut record = record.with_grant(self.permit.grant_id(), self.permit.grant_until());
        if let Some(bearer) = &self.bearer {
            record = record.with_identity(&bearer.identity);
        }
        record.enforced = self.enforced;
        self.route.tell(&mut record, &self.config);
        record.source_ip = self.source_ip;
        record.request_id = self.request_id.as_deref();
        record
    }
}

impl Passage {
    /// What becomes of a request that was to pass, if its permission ended before the proxy could be told: it is refused, so that it may
    /// be sent again and judged anew, or passes without what its permission had allowed to tell.
    #[must_use]
    pub fn lapsed(mut self: Box<Self>, gate: &mut Gate, now: UnixMillis) -> Step {
        let reason = Reason::GrantServiceUnavailable;
        let stream = self.stream.take();
        let audit = stream.and_then(|stream| stream.refused(reason, gate, now));
        if self.enforced {
            return Step::Respond(Box::new(Refusal {
                answer: Answer::refusal(reason, &AnswerContext::default()),
                reason,
                audit,
            }));
        }
        self.edits = self.edits.without_permit();
        self.reason = reason;
        self.audit = audit;
        self.until = None;
        Step::Continue(self)
    }
}
