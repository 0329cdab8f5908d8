//! JSON from strangers: like `serde_json::Value`, but an object that names a member twice is refused. [`borrowed`] reads what comes with
//! requests and for them, faster.
//!
//! Two readers of one document must not see two meanings: RFC 8259, section 4 leaves the meaning of repeated members open, and RFC
//! 7519, section 4 lets a JWT be refused for them. Nesting is bounded by `serde_json` (128 levels), and no text is read as JSON in its turn.

pub mod borrowed;

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::line::one_line;

/// Members whose names begin so mean something to `serde_json` itself, by the features that it is built with: the text of such a one may be read
/// as JSON in its turn, when nobody looks any longer.
const RESERVED: &str = "$serde_json::private::";

/// A JSON value in which no object names a member twice.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StrictValue(pub Value);

/// A struct that was read from a JSON object.
///
/// serde reads a struct from an array just as well, member by member; what is specified as an object must not come in another shape.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Object<T>(pub T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let members = Map::<String, Value>::deserialize(deserializer)?;
        T::deserialize(Value::Object(members))
            .map(Self)
            .map_err(D::Error::custom)
    }
}

/// Reads one JSON document.
///
/// # Errors
/// When the bytes are not JSON, repeat a member, nest too deeply, or do not have the shape of `T`.
pub fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    let StrictValue(value) = serde_json::from_slice(bytes)?;
    serde_json::from_value(value)
}

/// What is wrong with a document, for the log.
pub fn told(error: &serde_json::Error) -> String {
    one_line(&error.to_string())
}

impl<'de> Deserialize<'de> for StrictValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Strict.deserialize(deserializer).map(Self)
    }
}

struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(element) = elements.next_element_seed(Strict)? {
            array.push(element);
        }
        Ok(array.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if name.starts_with(RESERVED) {
                return Err(A::Error::custom("a member has a reserved name"));
            }
            let value = members.next_value_seed(Strict)?;
            if object.contains_key(&name) {
                return Err(A::Error::custom(format_args!(
                    "member `{name}` stands twice"
                )));
            }
            object.insert(name, value);
        }
        Ok(object.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_member_that_stands_twice_is_refused_at_every_depth() {
        for text in [
            r#"{"a":1,"a":2}"#,
            r#"{"b":{"a":1,"a":1}}"#,
            r#"[{"a":1,"\u0061":2}]"#,
        ] {
            assert!(from_slice::<Value>(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn no_text_is_read_as_json_that_stands_within_json() {
        type Any = Object<Map<String, Value>>;
        for text in [
            r#"{"$serde_json::private::RawValue":"{\"a\":1,\"a\":2}"}"#,
            r#"{"b":[{"$serde_json::private::RawValue":"[]"}]}"#,
            r#"{"b":{"$serde_json::private::Number":"1"}}"#,
            r#"{"b":{"\u0024serde_json::private::RawValue":"[]"}}"#,
        ] {
            assert!(from_slice::<Value>(text.as_bytes()).is_err(), "{text}");
            let within = format!(r#"{{"c":{text}}}"#);
            assert!(from_slice::<Any>(within.as_bytes()).is_err(), "{within}");
        }
    }

    #[test]
    fn sound_json_is_read_as_serde_json_reads_it() {
        let text = r#"{"a":[1,-2,3.5,"x",null,true,{}],"b":{"a":18446744073709551615}}"#;
        assert_eq!(
            from_slice::<Value>(text.as_bytes()).unwrap(),
            serde_json::from_str::<Value>(text).unwrap()
        );
    }

    #[test]
    fn a_struct_is_read_from_an_object_and_from_nothing_else() {
        #[derive(Deserialize, Debug, PartialEq)]
        struct Point {
            x: i32,
        }
        let read = |text: &str| from_slice::<Object<Point>>(text.as_bytes()).ok();
        assert_eq!(read(r#"{"x":1}"#), Some(Object(Point { x: 1 })));
        for text in ["[1]", "1", "null", "{}", r#"{"x":1,"x":1}"#] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_document_is_told_in_one_line() {
        let repeated = r#"{"a\nhallpass.audit {}":1,"a\nhallpass.audit {}":2}"#;
        let error = from_slice::<Value>(repeated.as_bytes()).unwrap_err();
        assert_eq!(
            told(&error),
            r"member `a\nhallpass.audit {}` stands twice at line 1 column 51"
        );
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = "[".repeat(10_000);
        assert!(from_slice::<Value>(deep.as_bytes()).is_err());
    }
}
