//! The rules as they are written: who may request what, and who approves it.

use std::collections::BTreeSet;
use std::time::Duration;

use hallpass_core::config::fault::{Faults, Place};
use hallpass_core::config::field::{Field, elements, filled};
use hallpass_core::config::span::Span;
use regex::Regex;

use super::shape::{List, RawPolicy, RawRule, RawShortcut, RawWho};
use crate::life::{Policy, Rule, Shortcut, Who};

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_hours(365 * 24);
const USUAL_MAX: Duration = Duration::from_hours(8);
const USUAL: Duration = Duration::from_hours(1);
const USUAL_WAIT: Duration = Duration::from_hours(24);
/// Nobody finds more approvers than this.
const MAX_APPROVALS: u64 = 10;

/// Reads rules. With several issuers around, a name alone says not whose it is.
pub(super) struct Rules<'a> {
    pub(super) has_several_issuers: bool,
    pub(super) faults: &'a mut Faults,
}

impl Rules<'_> {
    pub(super) fn policy(&mut self, field: Field<RawPolicy>, place: &Place) -> Policy {
        let Some(raw) = field.required(place, self.faults) else {
            return Policy::default();
        };
        raw.refuse_unknown(place, self.faults);
        let administrators = self.who(raw.administrators, &place.member("administrators"));
        let auditors = self.who(raw.auditors, &place.member("auditors"));
        let place = place.member("resources");
        let list = raw
            .resources
            .optional(&place, self.faults)
            .unwrap_or_default();
        let rules = elements(list, &place, self.faults);
        Policy {
            rules: rules
                .into_iter()
                .filter_map(|(place, raw)| self.rule(raw, &place))
                .collect(),
            administrators,
            auditors,
        }
    }

    fn rule(&mut self, raw: RawRule, place: &Place) -> Option<Rule> {
        raw.refuse_unknown(place, self.faults);
        let resource = filled(raw.resource, &place.member("resource"), self.faults);
        let resource_type = raw
            .r#type
            .or("http".to_owned(), &place.member("type"), self.faults);
        let title = raw.title.optional(&place.member("title"), self.faults);
        let actions = self.actions(raw.actions, &place.member("actions"));
        let requesters = self.who(raw.requesters, &place.member("requesters"));
        let approvers = self.who(raw.approvers, &place.member("approvers"));
        let place_of = place.member("approvals");
        let approvals = raw
            .approvals
            .within(1..=MAX_APPROVALS, 1, &place_of, self.faults);
        let span = |field: Field<Span>, longest, default, member: &str, faults: &mut Faults| {
            field.within((SHORTEST, longest), default, &place.member(member), faults)
        };
        let max_duration = span(
            raw.max_duration,
            LONGEST,
            USUAL_MAX,
            "max_duration",
            self.faults,
        );
        let default_duration = span(
            raw.default_duration,
            max_duration,
            USUAL.min(max_duration),
            "default_duration",
            self.faults,
        );
        let pending_for = span(
            raw.pending_for,
            LONGEST,
            USUAL_WAIT,
            "pending_for",
            self.faults,
        );
        let reason = self.pattern(raw.reason_pattern, &place.member("reason_pattern"));
        let reason_hint = raw
            .reason_hint
            .optional(&place.member("reason_hint"), self.faults);
        let automatic = self.shortcut(raw.automatic, max_duration, &place.member("automatic"));
        let break_glass =
            self.shortcut(raw.break_glass, max_duration, &place.member("break_glass"));
        let resource = resource?;
        Some(Rule {
            resource_type,
            title: title.unwrap_or_else(|| resource.clone()),
            resource,
            actions,
            requesters,
            approvers,
            approvals: u32::try_from(approvals).unwrap_or(u32::MAX),
            max_duration,
            default_duration,
            pending_for,
            reason,
            reason_hint,
            automatic,
            break_glass,
        })
    }

    fn actions(&mut self, field: Field<List<String>>, place: &Place) -> BTreeSet<String> {
        let Some(list) = field.optional(place, self.faults) else {
            return BTreeSet::new();
        };
        if list.is_empty() {
            let expected = "at least one action, or no `actions` where the rule is about any";
            self.faults.push(place, "an empty list", expected);
        }
        names(list, place, self.faults)
    }

    fn pattern(&mut self, field: Field<String>, place: &Place) -> Option<Regex> {
        let text = field.optional(place, self.faults)?;
        match Regex::new(&text) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                // The library draws the place of the fault on several lines; the last says what it is.
                let told = error.to_string();
                let cause = told
                    .lines()
                    .last()
                    .unwrap_or_default()
                    .trim_start_matches("error: ");
                let expected = format!("a regular expression ({cause})");
                self.faults.push_value(place, &text.into(), &expected);
                None
            }
        }
    }

    fn shortcut(
        &mut self,
        field: Field<RawShortcut>,
        longest: Duration,
        place: &Place,
    ) -> Option<Shortcut> {
        let raw = field.optional(place, self.faults)?;
        raw.refuse_unknown(place, self.faults);
        let who_place = place.member("who");
        if raw.who.is_absent() {
            self.faults
                .push(&who_place, "nothing", "the people who may take this way");
        }
        Some(Shortcut {
            who: self.who(raw.who, &who_place),
            max_duration: raw.max_duration.within(
                (SHORTEST, longest),
                longest,
                &place.member("max_duration"),
                self.faults,
            ),
        })
    }

    /// Where there is nothing, it is nobody.
    fn who(&mut self, field: Field<RawWho>, place: &Place) -> Who {
        let Some(raw) = field.optional(place, self.faults) else {
            return Who::default();
        };
        raw.refuse_unknown(place, self.faults);
        let everyone = raw
            .everyone
            .or(false, &place.member("everyone"), self.faults);
        let mut list = |field: Field<List<String>>, member: &str| {
            let place = place.member(member);
            let list = field.optional(&place, self.faults).unwrap_or_default();
            names(list, &place, self.faults)
        };
        let who = Who {
            everyone,
            groups: list(raw.groups, "groups"),
            subjects: list(raw.subjects, "subjects"),
            issuers: list(raw.issuers, "issuers"),
        };
        let names_some = !who.groups.is_empty() || !who.subjects.is_empty();
        if everyone && names_some {
            let expected = "either `everyone`, or `groups` and `subjects`";
            self.faults.push(place, "both", expected);
        }
        if self.has_several_issuers && names_some && who.issuers.is_empty() {
            let expected = "the issuers whose `groups` and `subjects` these are, since there are several providers and the same name may be someone else's elsewhere";
            self.faults
                .push(&place.member("issuers"), "nothing", expected);
        }
        who
    }
}

/// Strings that are not empty.
fn names(list: List<String>, place: &Place, faults: &mut Faults) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (place, name) in elements(list, place, faults) {
        if name.is_empty() {
            faults.push(&place, "an empty string", "a string that is not empty");
        }
        names.insert(name);
    }
    names
}
