//! The JSON Schema of the configuration, made from the types that read it.
//!
//! It tells the shape: members, kinds of values, words, defaults. What depends on more than one place, such as names that must differ,
//! only [`Config::parse`](super::Config::parse) knows.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::field::Field;
use super::raw::RawConfig;
use super::span::{Span, UNIT_NAMES};
use super::words::{Word, Words};

/// The schema, in draft 2020-12.
pub fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<RawConfig>();
    schema.insert("title".to_owned(), json!("Hallpass configuration"));
    if let Some(Value::Object(members)) = schema.get_mut("properties") {
        let pointer = json!({
            "type": "string",
            "description": "Where this schema is, for editors; Hallpass ignores it.",
        });
        members.insert("$schema".to_owned(), pointer);
    }
    schema.to_value()
}

/// One member of an object.
pub(super) struct Member {
    name: &'static str,
    is_required: bool,
    schema: Map<String, Value>,
}

impl Member {
    pub(super) fn of<T: JsonSchema>(
        name: &'static str,
        description: &[&str],
        generator: &mut SchemaGenerator,
    ) -> Self {
        let schema = generator.subschema_for::<T>().to_value();
        let mut schema = match schema {
            Value::Object(schema) => schema,
            _ => Map::new(),
        };
        schema.insert("description".to_owned(), told(description));
        Self {
            name: name.trim_start_matches("r#"),
            is_required: false,
            schema,
        }
    }

    pub(super) fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    pub(super) fn default(mut self, value: Value) -> Self {
        self.schema.insert("default".to_owned(), value);
        self
    }
}

/// An object of these members and no others.
pub(super) fn object(description: &[&str], members: Vec<Member>) -> Schema {
    let required: Vec<&str> = members
        .iter()
        .filter(|member| member.is_required)
        .map(|member| member.name)
        .collect();
    let mut schema = json_schema!({
        "type": "object",
        "description": told(description),
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    let properties: Map<String, Value> = members
        .into_iter()
        .map(|member| (member.name.to_owned(), Value::Object(member.schema)))
        .collect();
    schema.insert("properties".to_owned(), Value::Object(properties));
    schema
}

/// The lines of a doc comment as one text.
fn told(description: &[&str]) -> Value {
    let lines: Vec<&str> = description.iter().map(|line| line.trim()).collect();
    Value::from(lines.join(" "))
}

impl<T: JsonSchema> JsonSchema for Field<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "One number and one unit.",
            "pattern": format!("^[0-9]+({})$", UNIT_NAMES.join("|")),
            "examples": ["500ms", "30s", "5m", "8h", "7d"],
        })
    }
}

impl<T: Words> JsonSchema for Word<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Word".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words: Vec<&str> = T::words().into_iter().map(|(word, _)| word).collect();
        json_schema!({ "type": "string", "enum": words })
    }
}

/// What `object!` declares, by its name in the schema.
pub(super) fn name_of(raw: &'static str) -> Cow<'static, str> {
    raw.trim_start_matches("Raw").into()
}

#[cfg(test)]
mod tests;
