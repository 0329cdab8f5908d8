//! The conditions of a resource: read, bounded, and made into what is judged for each request.

mod operator;
mod sign_in;
mod tested;
mod time;

use std::collections::BTreeMap;

use serde_json::Value;

use super::fault::{Faults, Place};
use super::field::{Field, elements};
use super::headers::TrustedHeaders;
use super::raw::{RawCondition, RawConditions};
use crate::policy::Access;
use crate::policy::conditions::{
    ClaimPath, ClaimTest, ClaimTests, Condition, Conditions, SourceNetworks, ValueTest, network,
};

/// How many conditions a resource may have, those inside of others included.
const MAX_CONDITIONS: usize = 64;
/// How deeply they may lie inside of each other.
const MAX_DEPTH: usize = 8;
/// How many networks, days or values one of them may list.
const MAX_LISTED: usize = 256;
/// How many windows: the next change of their verdict is looked for among all of them.
const MAX_WINDOWS: usize = 32;
/// How many tests of claims there may be in all: each is made with each token, and kept with it.
const MAX_CLAIM_TESTS: usize = 1_024;

/// Reads the conditions of a resource with this access.
pub(super) fn validate(
    raw: RawConditions,
    access: Option<Access>,
    headers: &TrustedHeaders,
    claim_tests: &mut ClaimTests,
    place: &Place,
    faults: &mut Faults,
) -> Conditions {
    raw.refuse_unknown(place, faults);
    let mut reader = Reader {
        is_public: access == Some(Access::Public),
        headers,
        claim_tests,
        conditions: 0,
        faults,
    };
    let members = [
        raw.source_cidrs.is_absent(),
        raw.time_windows.is_absent(),
        raw.claims.is_absent(),
        raw.acr_values.is_absent(),
        raw.max_auth_age.is_absent(),
        raw.all_of.is_absent(),
        raw.any_of.is_absent(),
        raw.not.is_absent(),
    ];
    if members.iter().all(|is_absent| *is_absent) {
        let expected = "at least one condition; leave `conditions` out where there is none";
        reader.faults.push(place, "none", expected);
    }
    let signed_in = reader.signed_in(raw.acr_values, raw.max_auth_age, place);
    let mut conditions: Vec<Condition> = [
        reader.source(raw.source_cidrs, &place.member("source_cidrs")),
        reader.time(raw.time_windows, &place.member("time_windows")),
    ]
    .into_iter()
    .flatten()
    .collect();
    conditions.extend(reader.claims(raw.claims, &place.member("claims")));
    let all_of = reader.several(raw.all_of, &place.member("all_of"), 1);
    conditions.extend(all_of.map(Condition::AllOf));
    let any_of = reader.several(raw.any_of, &place.member("any_of"), 1);
    conditions.extend(any_of.map(Condition::AnyOf));
    let place = place.member("not");
    let not = raw.not.optional(&place, reader.faults);
    let not = not.and_then(|raw| reader.condition(raw, &place, 1));
    conditions.extend(not.map(|one| Condition::Not(Box::new(one))));
    Conditions::new(conditions, signed_in)
}

struct Reader<'a> {
    is_public: bool,
    headers: &'a TrustedHeaders,
    claim_tests: &'a mut ClaimTests,
    /// How many were read.
    conditions: usize,
    faults: &'a mut Faults,
}

impl Reader<'_> {
    /// One condition inside of others.
    fn condition(&mut self, raw: RawCondition, place: &Place, depth: usize) -> Option<Condition> {
        raw.refuse_unknown(place, self.faults);
        if !self.has_room(place, depth) {
            return None;
        }
        let subjects = [
            raw.source_cidrs.is_absent(),
            raw.time_windows.is_absent(),
            raw.claim.is_absent(),
            raw.header.is_absent(),
            raw.certificate.is_absent(),
            raw.all_of.is_absent(),
            raw.any_of.is_absent(),
            raw.not.is_absent(),
        ];
        if subjects.iter().filter(|is_absent| !*is_absent).count() != 1 {
            let expected = "exactly one of `source_cidrs`, `time_windows`, `claim`, `header`, `certificate`, `all_of`, `any_of`, `not`";
            self.faults.push(place, "none or several", expected);
            return None;
        }
        let operators = [
            ("present", raw.present.is_absent()),
            ("equals", raw.equals.is_absent()),
            ("one_of", raw.one_of.is_absent()),
            ("contains", raw.contains.is_absent()),
            ("prefix", raw.prefix.is_absent()),
        ];
        let is_tested =
            !(raw.claim.is_absent() && raw.header.is_absent() && raw.certificate.is_absent());
        let given = operators.iter().filter(|(_, is_absent)| !is_absent);
        if given.clone().count() != usize::from(is_tested) {
            let expected = if is_tested {
                "exactly one of `present`, `equals`, `one_of`, `contains`, `prefix`"
            } else {
                "no test: only `claim`, `header` and `certificate` have one"
            };
            let found = given.map(|(name, _)| format!("`{name}`"));
            let found: Vec<String> = found.collect();
            let found = if found.is_empty() {
                "none".to_owned()
            } else {
                found.join(" and ")
            };
            self.faults.push(place, &found, expected);
            return None;
        }
        if !raw.source_cidrs.is_absent() {
            return self.source(raw.source_cidrs, &place.member("source_cidrs"));
        }
        if !raw.time_windows.is_absent() {
            return self.time(raw.time_windows, &place.member("time_windows"));
        }
        let depth = depth.saturating_add(1);
        if !raw.all_of.is_absent() {
            let several = self.several(raw.all_of, &place.member("all_of"), depth)?;
            return Some(Condition::AllOf(several));
        }
        if !raw.any_of.is_absent() {
            let several = self.several(raw.any_of, &place.member("any_of"), depth)?;
            return Some(Condition::AnyOf(several));
        }
        if !raw.not.is_absent() {
            let place = place.member("not");
            let negated = raw.not.required(&place, self.faults)?;
            let negated = self.condition(*negated, &place, depth)?;
            return Some(Condition::Not(Box::new(negated)));
        }
        self.tested(raw, place)
    }

    fn several(
        &mut self,
        field: Field<Vec<Field<RawCondition>>>,
        place: &Place,
        depth: usize,
    ) -> Option<Box<[Condition]>> {
        let list = self.listed(field, MAX_LISTED, place)?;
        let mut conditions = Vec::new();
        for (index, element) in list.into_iter().enumerate() {
            let place = place.element(index);
            let raw = element.required(&place, self.faults);
            conditions.extend(raw.and_then(|raw| self.condition(raw, &place, depth)));
        }
        Some(conditions.into())
    }

    fn source(&mut self, field: Field<Vec<Field<String>>>, place: &Place) -> Option<Condition> {
        let list = self.listed(field, MAX_LISTED, place)?;
        let mut networks = Vec::new();
        for (place, text) in elements(list, place, self.faults) {
            match network(&text) {
                Ok(network) => networks.push(network),
                Err(expected) => self.faults.push_value(&place, &text.into(), &expected),
            }
        }
        Some(Condition::Source(SourceNetworks::new(networks)))
    }

    /// `{"groups": ["oncall"]}`: each claim has one of the values, or is an array that holds one.
    fn claims(&mut self, field: Field<BTreeMap<String, Value>>, place: &Place) -> Vec<Condition> {
        let Some(claims) = field.optional(place, self.faults) else {
            return Vec::new();
        };
        if claims.is_empty() {
            self.faults
                .push(place, "an empty object", "at least one claim");
        }
        let mut conditions = Vec::new();
        for (name, value) in claims {
            let place = place.member(&name);
            if !self.has_room(&place, 1) {
                break;
            }
            let path = self.path(&name, &place);
            let values = match value {
                Value::Array(values) => values,
                single => vec![single],
            };
            let values = operator::scalars(values, &place, self.faults);
            let condition = path
                .zip(values)
                .and_then(|(path, values)| self.claim(path, ValueTest::AnyOf(values), &place));
            conditions.extend(condition);
        }
        conditions
    }

    fn path(&mut self, name: &str, place: &Place) -> Option<ClaimPath> {
        match ClaimPath::parse(name) {
            Ok(path) => Some(path),
            Err(expected) => {
                self.faults.push_value(place, &name.into(), expected);
                None
            }
        }
    }

    fn claim(&mut self, path: ClaimPath, test: ValueTest, place: &Place) -> Option<Condition> {
        if self.is_public {
            self.refuse_identity(place);
            return None;
        }
        if self.claim_tests.len() >= MAX_CLAIM_TESTS {
            let expected = format!("at most {MAX_CLAIM_TESTS} different tests of claims in all");
            self.faults.push(place, "one test more", &expected);
            return None;
        }
        let condition = self.claim_tests.add(ClaimTest { path, test });
        Some(Condition::Claim(condition))
    }

    fn refuse_identity(&mut self, place: &Place) {
        let expected =
            "nothing about who asks: nobody is asked on a `public` resource, but with `identity`";
        self.faults.push(place, "a condition", expected);
    }

    /// A list that is written down must hold something, and not too much.
    fn listed<T>(&mut self, field: Field<Vec<T>>, most: usize, place: &Place) -> Option<Vec<T>>
    where
        Vec<T>: super::field::Expected,
        T: serde::de::DeserializeOwned,
    {
        let list = field.optional(place, self.faults)?;
        if (1..=most).contains(&list.len()) {
            return Some(list);
        }
        let found = format!("{} elements", list.len());
        let expected = format!("1 to {most} elements");
        self.faults.push(place, &found, &expected);
        None
    }

    fn has_room(&mut self, place: &Place, depth: usize) -> bool {
        self.conditions = self.conditions.saturating_add(1);
        let is_too_deep = depth > MAX_DEPTH;
        if is_too_deep {
            let expected = format!("conditions inside of each other up to {MAX_DEPTH} deep");
            self.faults.push(place, "a deeper one", &expected);
        } else if self.conditions == MAX_CONDITIONS.saturating_add(1) {
            let expected = format!("at most {MAX_CONDITIONS} conditions in a resource");
            self.faults.push(place, "one more", &expected);
        }
        !is_too_deep && self.conditions <= MAX_CONDITIONS
    }
}
