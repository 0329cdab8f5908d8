//! The feed of what the grant service takes back.

use std::time::Duration;

use serde_json::Value;

use super::fault::{Faults, Place};
use super::field::Field;
use super::grants::service_path;
use super::raw::RawRevocations;
use super::span::Span;
use crate::revocation::FollowRules;

/// Where the feed is, and how closely it is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationSettings {
    /// `:path` of the request, without the cursor.
    pub path: String,
    /// How closely it is followed.
    pub rules: FollowRules,
}

pub(super) fn validate(
    field: Field<RawRevocations>,
    place: &Place,
    faults: &mut Faults,
) -> Option<RevocationSettings> {
    let raw = field.optional(place, faults)?;
    raw.refuse_unknown(place, faults);
    let path = service_path(raw.path, "/revocations", &place.member("path"), faults);
    let interval = raw.interval.within(
        (Duration::from_millis(500), Duration::from_mins(5)),
        Duration::from_secs(5),
        &place.member("interval"),
        faults,
    );
    let stale_place = place.member("max_stale");
    let longest = Duration::from_hours(1);
    let usual = Duration::from_mins(1).max(interval.saturating_mul(2));
    let max_stale = raw.max_stale.within(
        (Duration::from_secs(1), longest),
        usual,
        &stale_place,
        faults,
    );
    // A single reply that is late must not shut everyone out.
    if max_stale < interval.saturating_mul(2) {
        let found = Value::from(Span::from(max_stale).to_string());
        faults.push_value(&stale_place, &found, "at least twice `interval`");
    }
    let rules = FollowRules {
        interval,
        max_stale,
    };
    Some(RevocationSettings { path, rules })
}
