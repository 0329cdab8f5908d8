//! What a claim, a header or a part of a certificate is tested for.

use serde_json::Value;

use super::super::fault::{Faults, Place};
use super::super::field::Field;
use super::MAX_LISTED;
use crate::policy::conditions::{Scalar, TextTest, ValueTest};

const SCALAR: &str = "a string, a number, `true` or `false`";
const FINGERPRINT: &str = "a SHA-256 fingerprint: 64 hexadecimal digits, with or without colons";

/// A test, and the place at which it is written.
pub(super) struct Operator {
    test: Test,
    place: Place,
}

enum Test {
    Present(bool),
    Equals(Value),
    OneOf(Vec<Value>),
    Contains(Value),
    Prefix(String),
}

type Members = (
    Field<bool>,
    Field<Value>,
    Field<Vec<Field<Value>>>,
    Field<Value>,
    Field<String>,
);

impl Operator {
    /// The one of the members that is there.
    pub(super) fn read(
        (present, equals, one_of, contains, prefix): Members,
        place: &Place,
        faults: &mut Faults,
    ) -> Option<Self> {
        let at = |name: &str| place.member(name);
        let (test, place) = if !present.is_absent() {
            let place = at("present");
            (Test::Present(present.required(&place, faults)?), place)
        } else if !equals.is_absent() {
            let place = at("equals");
            (Test::Equals(equals.required(&place, faults)?), place)
        } else if !one_of.is_absent() {
            let place = at("one_of");
            let elements = one_of.required(&place, faults)?.into_iter().enumerate();
            let values = elements.filter_map(|(index, element)| {
                let place = place.element(index);
                element.required(&place, faults)
            });
            (Test::OneOf(values.collect()), place)
        } else if !contains.is_absent() {
            let place = at("contains");
            (Test::Contains(contains.required(&place, faults)?), place)
        } else {
            let place = at("prefix");
            (Test::Prefix(prefix.required(&place, faults)?), place)
        };
        Some(Self { test, place })
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Whether it is asked for presence or absence, if that is asked for.
    pub(super) fn presence(&self) -> Option<bool> {
        match self.test {
            Test::Present(is_present) => Some(is_present),
            Test::Equals(_) | Test::OneOf(_) | Test::Contains(_) | Test::Prefix(_) => None,
        }
    }

    /// The test of a claim's value.
    pub(super) fn of_value(self, faults: &mut Faults) -> Option<ValueTest> {
        let place = &self.place;
        Some(match self.test {
            Test::Present(is_present) => ValueTest::Present(is_present),
            Test::Equals(value) => ValueTest::Equals(scalar(value, place, faults)?),
            Test::OneOf(values) => ValueTest::OneOf(scalars(values, place, faults)?),
            Test::Contains(value) => ValueTest::Contains(scalar(value, place, faults)?),
            Test::Prefix(prefix) => ValueTest::Prefix(filled(prefix, place, faults)?.into()),
        })
    }

    /// The test of a text.
    pub(super) fn of_text(self, faults: &mut Faults) -> Option<TextTest> {
        self.of(faults, |value| match value {
            Value::String(text) => Ok(text.as_str().into()),
            _ => Err("a string"),
        })
    }

    /// The test of a fingerprint, which is spelt as the proxy spells it.
    pub(super) fn of_fingerprint(self, faults: &mut Faults) -> Option<TextTest> {
        if matches!(self.test, Test::Prefix(_) | Test::Contains(_)) {
            let expected = "`equals`, `one_of` or `present` for a fingerprint";
            faults.push(&self.place, "another test", expected);
            return None;
        }
        self.of(faults, |value| {
            let digits = value.as_str().unwrap_or_default().replace(':', "");
            let is_digest = digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit());
            let digest = is_digest.then(|| digits.to_ascii_lowercase().into());
            digest.ok_or(FINGERPRINT)
        })
    }

    fn of(
        self,
        faults: &mut Faults,
        read: impl Fn(&Value) -> Result<Box<str>, &'static str>,
    ) -> Option<TextTest> {
        let place = &self.place;
        let read = |value: &Value, faults: &mut Faults| match read(value) {
            Ok(text) => Some(text),
            Err(expected) => {
                faults.push_value(place, value, expected);
                None
            }
        };
        Some(match self.test {
            Test::Equals(value) => TextTest::Equals(read(&value, faults)?),
            Test::Contains(value) => TextTest::Contains(read(&value, faults)?),
            Test::OneOf(values) if !is_bounded(&values, place, faults) => return None,
            Test::OneOf(values) => {
                let texts = values.iter().map(|value| read(value, faults));
                TextTest::OneOf(texts.collect::<Option<_>>()?)
            }
            Test::Prefix(prefix) => TextTest::Prefix(filled(prefix, place, faults)?.into()),
            Test::Present(_) => return None,
        })
    }
}

fn scalar(value: Value, place: &Place, faults: &mut Faults) -> Option<Scalar> {
    let found = value.clone();
    let scalar = Scalar::new(value);
    if scalar.is_none() {
        faults.push_value(place, &found, SCALAR);
    }
    scalar
}

/// Some values, each of a kind that can be compared.
pub(super) fn scalars(
    values: Vec<Value>,
    place: &Place,
    faults: &mut Faults,
) -> Option<Box<[Scalar]>> {
    if !is_bounded(&values, place, faults) {
        return None;
    }
    let scalars = values.into_iter().map(|value| scalar(value, place, faults));
    scalars.collect()
}

fn is_bounded(values: &[Value], place: &Place, faults: &mut Faults) -> bool {
    let is_bounded = (1..=MAX_LISTED).contains(&values.len());
    if !is_bounded {
        let expected = format!("1 to {MAX_LISTED} values");
        faults.push(place, &format!("{} values", values.len()), &expected);
    }
    is_bounded
}

/// Everything begins with nothing.
fn filled(prefix: String, place: &Place, faults: &mut Faults) -> Option<String> {
    if prefix.is_empty() {
        faults.push(place, "an empty string", "a string that is not empty");
        return None;
    }
    Some(prefix)
}
