//! How questions to the grant service are put together.

use super::fault::{Faults, Place};
use super::field::Field;
use super::grants::service_path;
use super::raw::RawBatch;
use crate::grant::gathering::GatheringRules;

/// Where questions are put together, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchSettings {
    /// `:path` of the request.
    pub path: String,
    /// Which questions leave when.
    pub rules: GatheringRules,
}

const MOST_CALLS: u64 = 64;
/// Services bound what they answer at once, and time counts for all of it together.
const MOST_QUESTIONS: u64 = 100;

pub(super) fn validate(
    field: Field<RawBatch>,
    place: &Place,
    faults: &mut Faults,
) -> Option<BatchSettings> {
    let raw = field.optional(place, faults)?;
    raw.refuse_unknown(place, faults);
    let path = service_path(
        raw.path,
        "/access/v1/evaluations",
        &place.member("path"),
        faults,
    );
    let calls = raw
        .calls
        .within(1..=MOST_CALLS, 2, &place.member("calls"), faults);
    let max_questions = raw.max_questions.within(
        2..=MOST_QUESTIONS,
        32,
        &place.member("max_questions"),
        faults,
    );
    Some(BatchSettings {
        path,
        rules: GatheringRules {
            calls,
            max_questions,
        },
    })
}
