//! A member of a configuration that remembers what is wrong with it, so that the rest can still be read. The grant service reads its own
//! configuration with it too.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};
use serde_json::{Map, Value};

use super::fault::{Faults, Place};
use super::span::Span;

/// What a type of value looks like, in words for an error.
pub trait Expected {
    /// The words.
    const EXPECTED: &'static str;

    /// The same, where the words must be put together first.
    fn expected() -> Cow<'static, str> {
        Self::EXPECTED.into()
    }
}

/// One member: absent, read, or something else than it should be.
#[derive(Debug, Clone, Default)]
pub enum Field<T> {
    #[default]
    /// It is not there.
    Absent,
    /// It is what it should be.
    Read(T),
    /// It is something else.
    Faulty(Value),
}

impl<T: DeserializeOwned> Field<T> {
    /// A member that is there.
    pub fn read(value: Value) -> Self {
        match T::deserialize(&value) {
            Ok(read) => Self::Read(read),
            Err(_) => Self::Faulty(value),
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::read)
    }
}

impl<T> Field<T> {
    /// Whether it is not there.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

impl<T> Field<Vec<T>> {
    /// Whether there is no list, or nothing in it.
    pub const fn is_absent_or_empty(&self) -> bool {
        match self {
            Self::Absent => true,
            Self::Read(list) => list.is_empty(),
            Self::Faulty(_) => false,
        }
    }
}

impl<T: Expected> Field<T> {
    /// The value; a fault where it is something else.
    pub fn optional(self, place: &Place, faults: &mut Faults) -> Option<T> {
        match self {
            Self::Absent => None,
            Self::Read(value) => Some(value),
            Self::Faulty(value) => {
                faults.push_value(place, &value, &T::expected());
                None
            }
        }
    }

    /// The value; a fault where it is absent or something else.
    pub fn required(self, place: &Place, faults: &mut Faults) -> Option<T> {
        if matches!(self, Self::Absent) {
            faults.push(place, "nothing", &T::expected());
        }
        self.optional(place, faults)
    }

    /// The value, or `default` where it is absent; a fault where it is something else.
    pub fn or(self, default: T, place: &Place, faults: &mut Faults) -> T {
        self.optional(place, faults).unwrap_or(default)
    }
}

/// A string that is not empty.
pub fn filled(field: Field<String>, place: &Place, faults: &mut Faults) -> Option<String> {
    let text = field.required(place, faults)?;
    if text.is_empty() {
        faults.push(place, "an empty string", "a string that is not empty");
        return None;
    }
    Some(text)
}

/// The sound elements of a list, each with its place; a fault for every other.
pub fn elements<T: Expected>(
    list: Vec<Field<T>>,
    place: &Place,
    faults: &mut Faults,
) -> Vec<(Place, T)> {
    list.into_iter()
        .enumerate()
        .filter_map(|(index, element)| {
            let place = place.element(index);
            let value = element.required(&place, faults)?;
            Some((place, value))
        })
        .collect()
}

/// Members that no version of the configuration knows.
pub type Unknown = Map<String, Value>;

/// Declares the shape of one object: every member a [`Field`](crate::config::field::Field), unknown ones kept to be refused by name.
#[macro_export]
macro_rules! shape {
    ($(#[$doc:meta])* $visibility:vis $name:ident {
        $($(#[$member_doc:meta])* $member:ident: $type:ty,)*
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, serde::Deserialize)]
        #[serde(default)]
        $visibility struct $name {
            $($(#[$member_doc])* $visibility $member: $crate::config::field::Field<$type>,)*
            #[serde(flatten)]
            unknown: $crate::config::field::Unknown,
        }

        impl $crate::config::field::Expected for $name {
            const EXPECTED: &'static str = "an object";
        }

        impl $name {
            const MEMBERS: &'static [&'static str] = &[$(stringify!($member)),*];

            /// Notes a fault for every member that is not one.
            $visibility fn refuse_unknown(
                &self,
                place: &$crate::config::fault::Place,
                faults: &mut $crate::config::fault::Faults,
            ) {
                $crate::config::field::refuse_unknown(&self.unknown, Self::MEMBERS, place, faults);
            }
        }
    };
}

/// Declares the shape of one object as [`shape`](crate::shape) does. The comments and what stands behind `=` go into the JSON Schema.
macro_rules! object {
    ($(#[doc = $doc:literal])* $name:ident {
        $($(#[doc = $member_doc:literal])* $member:ident: $type:ty $(= $presence:tt)?,)*
    }) => {
        $crate::shape! {
            $(#[doc = $doc])*
            #[allow(clippy::doc_markdown, reason = "the text is the schema's, where names stand as they are")]
            pub(super) $name {
                $($(#[doc = $member_doc])* $member: $type,)*
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                crate::config::schema::name_of(stringify!($name))
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let members = vec![$({
                    let docs = &[$($member_doc),*];
                    let member = crate::config::schema::Member::of::<$type>(stringify!($member), docs, generator);
                    $(let member = crate::config::field::presence!(member, $presence);)?
                    member
                }),*];
                crate::config::schema::object(&[$($doc),*], members)
            }
        }
    };
}
pub(super) use object;

/// What the JSON Schema says of a member's absence.
#[cfg(feature = "schema")]
macro_rules! presence {
    ($member:ident, required) => {
        $member.required()
    };
    ($member:ident, $default:tt) => {
        $member.default(serde_json::json!($default))
    };
}
#[cfg(feature = "schema")]
pub(super) use presence;

/// Notes a fault for each of these, which are no `members`.
pub fn refuse_unknown(unknown: &Unknown, members: &[&str], place: &Place, faults: &mut Faults) {
    let members: Vec<String> = members
        .iter()
        .map(|member| format!("`{}`", member.trim_start_matches("r#")))
        .collect();
    for name in unknown.keys() {
        let expected = format!("one of {}", members.join(", "));
        faults.push(&place.member(name), "an unknown field", &expected);
    }
}

impl Field<Span> {
    /// The span, or `default`; a fault where it is outside `shortest..=longest`.
    pub fn within(
        self,
        (shortest, longest): (Duration, Duration),
        default: Duration,
        place: &Place,
        faults: &mut Faults,
    ) -> Duration {
        let span = self.or(default.into(), place, faults);
        if (shortest..=longest).contains(&span.duration) {
            return span.duration;
        }
        let [shortest, longest] = [shortest, longest].map(Span::from);
        let expected = format!("a duration from `{shortest}` to `{longest}`");
        faults.push_value(place, &span.to_string().into(), &expected);
        default
    }
}

impl Field<u64> {
    /// The number, or `default`; a fault where it is outside `bounds`.
    pub fn within(
        self,
        bounds: RangeInclusive<u64>,
        default: u64,
        place: &Place,
        faults: &mut Faults,
    ) -> usize {
        let number = self.or(default, place, faults);
        if !bounds.contains(&number) {
            let expected = format!("a number from `{}` to `{}`", bounds.start(), bounds.end());
            faults.push_value(place, &number.into(), &expected);
        }
        usize::try_from(number).unwrap_or_default()
    }
}

impl Expected for String {
    const EXPECTED: &'static str = "a string";
}

impl Expected for bool {
    const EXPECTED: &'static str = "`true` or `false`";
}

impl Expected for u64 {
    const EXPECTED: &'static str = "a whole number";
}

impl Expected for Value {
    const EXPECTED: &'static str = "a JSON value";
}

impl<T> Expected for Vec<T> {
    const EXPECTED: &'static str = "an array";
}

impl<T> Expected for BTreeMap<String, T> {
    const EXPECTED: &'static str = "an object";
}

impl<T: Expected> Expected for Box<T> {
    const EXPECTED: &'static str = T::EXPECTED;
}

impl Expected for Option<String> {
    const EXPECTED: &'static str = "a string, or `null`";
}
