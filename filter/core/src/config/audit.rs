//! Where decisions are written down: in the proxy's log, with their requests, and at a collector.

use std::time::Duration;

use super::fault::{Faults, Place};
use super::field::Field;
use super::otlp::{self, OtlpSettings};
use super::raw::RawAudit;
use super::words::Word;
use crate::denial::Reason;

/// What becomes of the record of a decision.
#[derive(Debug, Clone)]
pub struct AuditSettings {
    /// Which decisions are written to the log.
    pub log: AuditLog,
    /// How long a line for the log may wait for others, to be written with them. `None` if each is written by itself, and at once.
    pub flush_interval: Option<Duration>,
    /// Whether each decision is left with its request, for the proxy's access log.
    pub filter_state: bool,
    /// Where records of decisions are exported to, if they are.
    pub otlp: Option<OtlpSettings>,
}

/// Which decisions are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditLog {
    /// All.
    All,
    /// Refusals.
    Denied,
    /// None.
    None,
}

impl AuditLog {
    /// Whether a decision for `reason` is one of them.
    pub fn takes(self, reason: Reason) -> bool {
        match self {
            Self::All => true,
            Self::Denied => !reason.allows(),
            Self::None => false,
        }
    }
}

/// What waits is lost if the proxy is killed, so it does not wait for long.
const FLUSH_INTERVALS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_secs(1));

pub(super) fn validate(
    field: Field<RawAudit>,
    place: &Place,
    faults: &mut Faults,
) -> AuditSettings {
    let raw = field.optional(place, faults).unwrap_or_default();
    raw.refuse_unknown(place, faults);
    let log = raw
        .log
        .or(Word(AuditLog::All), &place.member("log"), faults);
    let flush_interval = match raw.flush_interval {
        Field::Absent => None,
        interval => {
            let place = place.member("flush_interval");
            Some(interval.within(FLUSH_INTERVALS, FLUSH_INTERVALS.0, &place, faults))
        }
    };
    let filter_state = raw
        .filter_state
        .or(false, &place.member("filter_state"), faults);
    AuditSettings {
        log: log.0,
        flush_interval,
        filter_state,
        otlp: otlp::validate(raw.otlp, &place.member("otlp"), faults),
    }
}
