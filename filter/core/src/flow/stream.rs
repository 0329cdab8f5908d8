//! A request that has passed and may stay open: a WebSocket, a stream of events, a long upload.
//!
//! What let it pass has an end, and the request may outlive it. Kept is what its record says if it is cut, and the configuration under
//! which it was let through, which may have been replaced since; its headers, which may hold the token, are not.

use std::net::IpAddr;
use std::sync::Arc;

use super::{Gate, Route};
use crate::audit::{Record, Written};
use crate::bearer::Bearer;
use crate::config::Config;
use crate::decision::Permit;
use crate::denial::Reason;
use crate::ids::GrantId;
use crate::metrics::Counter;
use crate::time::UnixMillis;

/// A request that is cut if it is still open when its permission ends.
#[derive(Debug)]
pub struct Stream {
    pub(super) until: UnixMillis,
    pub(super) config: Arc<Config>,
    pub(super) route: Route,
    pub(super) bearer: Arc<Bearer>,
    pub(super) permit: Permit,
    pub(super) source_ip: Option<IpAddr>,
    pub(super) request_id: Option<Box<str>>,
}

impl Stream {
    /// When its permission ends. At this moment it is over.
    pub fn until(&self) -> UnixMillis {
        self.until
    }

    /// Notes that it was cut. Returns what is to be written down of it.
    pub fn cut(&self, gate: &mut Gate, now: UnixMillis) -> Written {
        let reason = Reason::StreamExpired;
        gate.count(Counter::Decision(reason));
        Written::of(&self.config, reason, now, || self.record(now))
    }

    fn record(&self, now: UnixMillis) -> Record<'_> {
        let record = Record::new(Reason::StreamExpired, &self.config.hash, now);
        let mut record = record.with_identity(&self.bearer.identity);
        self.route.tell(&mut record, &self.config);
        record.source_ip = self.source_ip;
        record.request_id = self.request_id.as_deref();
        record.grant_id = self.permit.grant_id().map(GrantId::as_str);
        record.grant_expires = self.permit.grant_until().map(UnixMillis::to_rfc3339);
        record
    }
}
