//! Where the records of decisions are exported to, and how much of them may lie in wait for that.

use std::time::Duration;

use serde_json::Value;

use super::fault::{Faults, Place};
use super::field::{Field, filled};
use super::grants::{headers, service_path};
use super::raw::RawOtlp;
use super::words::Word;
use super::{AuditLog, CALL_TIMEOUTS};
use crate::cache::Bounds;

/// A collector that takes logs by OTLP/HTTP in JSON.
#[derive(Debug, Clone)]
pub struct OtlpSettings {
    /// The host's cluster.
    pub cluster: String,
    /// `:authority` of the request.
    pub authority: String,
    /// `:path` of the request.
    pub path: String,
    /// Headers of the request, for example to authenticate.
    pub headers: Vec<(String, String)>,
    /// How long to wait for the answer.
    pub timeout: Duration,
    /// Which decisions are exported.
    pub decisions: AuditLog,
    /// How many records leave together at most; so many are due at once.
    pub batch: usize,
    /// After how long a record is due that is not one of so many.
    pub interval: Duration,
    /// How many records wait or are under way at most, in each worker.
    pub bounds: Bounds,
}

/// Which decisions are exported; a collector that gets none need not be named.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exported(pub(super) AuditLog);

const INTERVALS: (Duration, Duration) = (Duration::from_millis(250), Duration::from_mins(1));
const MAX_BATCH: u64 = 1_000;
const MAX_QUEUED: u64 = 100_000;
const MAX_QUEUED_BYTES: u64 = 64 << 20;

pub(super) fn validate(
    field: Field<RawOtlp>,
    place: &Place,
    faults: &mut Faults,
) -> Option<OtlpSettings> {
    let raw = field.optional(place, faults)?;
    raw.refuse_unknown(place, faults);
    let cluster = filled(raw.cluster, &place.member("cluster"), faults);
    let authority = match raw.authority {
        Field::Absent => cluster.clone(),
        authority => filled(authority, &place.member("authority"), faults),
    };
    let path = service_path(raw.path, "/v1/logs", &place.member("path"), faults);
    let headers = headers(raw.headers, &place.member("headers"), faults);
    let timeout = raw.timeout.within(
        CALL_TIMEOUTS,
        Duration::from_secs(5),
        &place.member("timeout"),
        faults,
    );
    let decisions = raw.decisions.or(
        Word(Exported(AuditLog::All)),
        &place.member("decisions"),
        faults,
    );
    let batch = raw
        .batch
        .within(1..=MAX_BATCH, 100, &place.member("batch"), faults);
    let interval = raw.interval.within(
        INTERVALS,
        Duration::from_secs(1),
        &place.member("interval"),
        faults,
    );
    let bounds = Bounds {
        max_entries: raw.max_queued.within(
            1..=MAX_QUEUED,
            10_000,
            &place.member("max_queued"),
            faults,
        ),
        max_bytes: raw.max_queued_bytes.within(
            64 << 10..=MAX_QUEUED_BYTES,
            8 << 20,
            &place.member("max_queued_bytes"),
            faults,
        ),
    };
    if bounds.max_entries < batch {
        let expected = "at least as many as `batch`";
        let found = Value::from(bounds.max_entries);
        faults.push_value(&place.member("max_queued"), &found, expected);
    }
    Some(OtlpSettings {
        cluster: cluster?,
        authority: authority?,
        path,
        headers,
        timeout,
        decisions: decisions.0.0,
        batch,
        interval,
        bounds,
    })
}
