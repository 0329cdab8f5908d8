//! How a person must have signed in.

use std::time::Duration;

use super::super::fault::Place;
use super::super::field::{Field, elements};
use super::super::span::Span;
use super::{MAX_LISTED, Reader};
use crate::identity::StepUp;

/// The longest age that tells of anything.
const LONGEST: Duration = Duration::from_hours(24 * 365);

impl Reader<'_> {
    pub(super) fn signed_in(
        &mut self,
        acr_values: Field<Vec<Field<String>>>,
        max_auth_age: Field<Span>,
        place: &Place,
    ) -> Option<StepUp> {
        let acr_place = place.member("acr_values");
        let age_place = place.member("max_auth_age");
        let members = [
            (acr_values.is_absent(), &acr_place),
            (max_auth_age.is_absent(), &age_place),
        ];
        if self.is_public {
            for (is_absent, place) in members {
                if !is_absent {
                    self.refuse_identity(place);
                }
            }
            return None;
        }
        let classes = match self.listed(acr_values, MAX_LISTED, &acr_place) {
            Some(list) => elements(list, &acr_place, self.faults),
            None => Vec::new(),
        };
        let max_age = max_auth_age
            .optional(&age_place, self.faults)
            .and_then(|span| self.whole_seconds(span, &age_place));
        let classes: Vec<&str> = classes.iter().map(|(_, class)| class.as_str()).collect();
        if classes.is_empty() && max_age.is_none() {
            return None;
        }
        let demand = StepUp::new(&classes, &[], max_age);
        if demand.is_none() {
            let expected = "names of at most 512 bytes in all, of visible ASCII characters without `\"` and `\\`: clients are told them in a header";
            self.faults.push(&acr_place, "others", expected);
        }
        demand
    }

    fn whole_seconds(&mut self, age: Span, place: &Place) -> Option<u64> {
        let is_whole = age.duration.subsec_nanos() == 0;
        let seconds = age.duration.as_secs();
        if is_whole && (1..=LONGEST.as_secs()).contains(&seconds) {
            return Some(seconds);
        }
        let expected = "whole seconds from `1s` to `365d`: clients are told them in a header";
        self.faults
            .push_value(place, &age.to_string().into(), expected);
        None
    }
}
