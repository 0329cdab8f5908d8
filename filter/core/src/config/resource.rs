//! The resources, each with what it demands.

use super::conditions;
use super::fault::{Faults, Place};
use super::field::{Field, elements, filled};
use super::headers::TrustedHeaders;
use super::mode;
use super::raw::{RawMatch, RawResource};
use super::words::Word;
use crate::ids::{Action, ResourceName};
use crate::policy::conditions::ClaimTests;
use crate::policy::{HostPattern, Matcher, Mode, Policy, Preflight, Resource, Streams};
use crate::request::canonical_method;

pub(super) fn validate_all(
    raw: Field<Vec<Field<RawResource>>>,
    mode: Mode,
    headers: &TrustedHeaders,
    faults: &mut Faults,
) -> Option<Policy> {
    let mut claim_tests = ClaimTests::default();
    let place = Place::root().member("resources");
    let elements = raw.required(&place, faults)?;
    if elements.is_empty() {
        let expected = "at least one resource: a request that matches none is refused";
        faults.push(&place, "an empty list", expected);
    }
    let resources = elements
        .into_iter()
        .enumerate()
        .filter_map(|(index, element)| {
            let place = place.element(index);
            let raw = element.required(&place, faults)?;
            validate(raw, mode, headers, &mut claim_tests, &place, faults)
        })
        .collect();
    Some(Policy::new(resources).with_claim_tests(claim_tests))
}

fn validate(
    raw: RawResource,
    inherited: Mode,
    headers: &TrustedHeaders,
    claim_tests: &mut ClaimTests,
    place: &Place,
    faults: &mut Faults,
) -> Option<Resource> {
    raw.refuse_unknown(place, faults);
    let name = filled(raw.name, &place.member("name"), faults);
    let access = raw.access.required(&place.member("access"), faults);
    let action = match raw.action {
        Field::Absent => None,
        action => filled(action, &place.member("action"), faults),
    };
    let max_grant_lifetime = raw
        .max_grant_lifetime
        .optional(&place.member("max_grant_lifetime"), faults)
        .map(|span| span.duration);
    let conditions_place = place.member("conditions");
    let conditions = raw
        .conditions
        .optional(&conditions_place, faults)
        .map(|raw| {
            conditions::validate(
                raw,
                access.map(|access| access.0),
                headers,
                claim_tests,
                &conditions_place,
                faults,
            )
        });
    let streams = raw
        .streams
        .or(Word(Streams::Cut), &place.member("streams"), faults);
    let mode = mode::validate(raw.mode, inherited, &place.member("mode"), faults);
    let preflight = raw
        .preflight
        .or(Word(Preflight::Judged), &place.member("preflight"), faults);
    let matcher = matcher(raw.r#match, &place.member("match"), faults);
    Some(Resource {
        name: ResourceName::new(&name?),
        access: access?.0,
        action: action.as_deref().map(Action::new),
        max_grant_lifetime,
        conditions,
        streams: streams.0,
        mode,
        preflight: preflight.0,
        matcher,
    })
}

fn matcher(field: Field<RawMatch>, place: &Place, faults: &mut Faults) -> Matcher {
    let raw = field.optional(place, faults).unwrap_or_default();
    raw.refuse_unknown(place, faults);
    let mut matcher = Matcher::new();
    for (place, host) in listed(raw.hosts, &place.member("hosts"), faults) {
        match HostPattern::parse(&host) {
            Ok(pattern) => matcher.add_host(pattern),
            Err(expected) => faults.push_value(&place, &host.into(), expected),
        }
    }
    for (place, pattern) in listed(raw.paths, &place.member("paths"), faults) {
        if let Err(why) = matcher.add_path(&pattern) {
            let expected = format!("a path such as `/a`, `/a/{{id}}` or `/a/{{*rest}}`: {why}");
            faults.push_value(&place, &pattern.into(), &expected);
        }
    }
    for (place, method) in listed(raw.methods, &place.member("methods"), faults) {
        if !method.is_empty() && canonical_method(method.as_bytes()).is_ok() {
            matcher.add_method(&method);
        } else {
            let expected = "a method in upper case, such as `GET` or `M-SEARCH`";
            faults.push_value(&place, &method.into(), expected);
        }
    }
    matcher
}

/// A list that narrows: left out it matches all, but written down it must hold something.
fn listed(
    field: Field<Vec<Field<String>>>,
    place: &Place,
    faults: &mut Faults,
) -> Vec<(Place, String)> {
    let Some(list) = field.optional(place, faults) else {
        return Vec::new();
    };
    if list.is_empty() {
        let expected = "at least one element; leave the list out to match all";
        faults.push(place, "an empty list", expected);
    }
    elements(list, place, faults)
}
