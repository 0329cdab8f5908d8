//! A request that has passed and may stay open: a WebSocket, a stream of events, a long upload.
//!
//! What let it pass has an end, and the request may outlive it. Kept is what its record says if it is cut, and the configuration under
//! which it was let through, which may have been replaced since; its headers, which may hold the token, are not.

use std::net::IpAddr;
use std::sync::Arc;

use super::{Gate, Route};
use crate::audit::Record;
use crate::bearer::Bearer;
use crate::config::{AuditLog, Config};
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
    /// Who sent it, where that mattered.
    pub(super) bearer: Option<Arc<Bearer>>,
    pub(super) permit: Permit,
    pub(super) source_ip: Option<IpAddr>,
    pub(super) request_id: Option<Box<str>>,
}

impl Stream {
    /// When its permission ends. At this moment it is over.
    pub fn until(&self) -> UnixMillis {
        self.until
    }

    /// Notes that it was cut. Returns the line for the log, if it is to be written.
    pub fn cut(&self, gate: &mut Gate, now: UnixMillis) -> Option<String> {
        gate.count(Counter::Decision(Reason::StreamExpired));
        (self.config.audit != AuditLog::None).then(|| self.record(now).to_line())
    }

    fn record(&self, now: UnixMillis) -> Record<'_> {
        let mut record = Record::new(Reason::StreamExpired, &self.config.hash, now);
        if let Some(bearer) = &self.bearer {
            record = record.with_identity(&bearer.identity);
        }
        self.route.tell(&mut record, &self.config);
        record.source_ip = self.source_ip;
        record.request_id = self.request_id.as_deref();
        record.grant_id = self.permit.grant_id().map(GrantId::as_str);
        record.grant_expires = self.permit.grant_until().map(UnixMillis::to_rfc3339);
        record
    }
}
