//! The schema as it is shipped, and what it says of configurations.

use hallpass_tokens::SigningKey;

use super::*;
use crate::config::Config;

/// The schema in the repository.
const SHIPPED: &str = include_str!("../../../../../envoy-config/hallpass.schema.json");

#[test]
fn the_shipped_schema_is_that_of_the_types() {
    let shipped: Value = serde_json::from_str(SHIPPED).unwrap_or_default();
    let is_same = shipped == schema();
    assert!(
        is_same,
        "the types have changed: `make schema` writes envoy-config/hallpass.schema.json anew"
    );
}

fn sound() -> Value {
    json!({
        "$schema": "hallpass.schema.json",
        "providers": [{
            "name": "corp",
            "issuer": "https://idp.example",
            "audiences": ["orders-api"],
            "jwks": { "inline": hallpass_tokens::jwks(&[&SigningKey::es256("e")]) },
            "clock_skew": "10s",
            "required_claims": { "tenant": ["acme"], "plan": "gold" },
        }],
        "resources": [
            { "name": "health", "match": { "paths": ["/healthz"], "methods": ["GET"] }, "access": "public" },
            { "name": "orders", "match": { "hosts": ["*.a.example"], "paths": ["/orders/{*rest}"] }, "access": "grant",
              "action": "read", "max_grant_lifetime": "8h", "streams": "keep" },
        ],
        "grants": {
            "service": { "cluster": "grants", "headers": { "x-caller": "hallpass" }, "context": ["source_ip", "path"] },
            "request_url": "https://grants.example/request?resource={resource}",
        },
        "identity_headers": { "email": null },
        "claim_headers": { "tenant": "x-tenant" },
    })
}

/// `sound()` with the value at a JSON pointer put in or replaced.
fn with(pointer: &str, value: Value) -> Value {
    let mut config = sound();
    let (parent, member) = pointer.rsplit_once('/').unwrap();
    match config.pointer_mut(parent).unwrap() {
        Value::Array(elements) => elements.push(value),
        members => members[member] = value,
    }
    config
}

fn is_accepted(config: &Value) -> bool {
    Config::parse(config.to_string().as_bytes()).is_ok()
}

#[test]
fn what_the_filter_accepts_fits_the_schema() {
    let documented = |path: &str| -> Value {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let document = std::fs::read_to_string(root.join(path)).unwrap();
        let (_, rest) = document.split_once("```json\n").unwrap();
        serde_json::from_str(rest.split_once("\n```").unwrap().0).unwrap()
    };
    for config in [
        sound(),
        documented("README.md"),
        documented("docs/configuration.md"),
        json!({ "resources": [{ "name": "a", "access": "deny" }] }),
        with(
            "/providers/0/jwks",
            json!({ "discovery": { "cluster": "idp" } }),
        ),
        with(
            "/providers/0/token_sources",
            json!([{ "cookie": "a" }, { "header": "x", "scheme": "" }]),
        ),
    ] {
        assert!(is_accepted(&config), "{config}");
        assert_eq!(misfit(&config), None, "{config}");
    }
}

#[test]
fn a_fault_of_shape_does_not_fit_the_schema() {
    for (pointer, value) in [
        ("/mode", json!("off")),
        ("/resources/0/mode", json!("watch")),
        ("/providers", json!({})),
        ("/providers/0/issuer", json!(7)),
        ("/providers/0/algorithms", json!(["none"])),
        ("/providers/0/audience", json!("x")),
        ("/providers/0/clock_skew", json!(30)),
        ("/providers/0/clock_skew", json!("-1s")),
        ("/providers/0/max_token_age", json!("1 moon")),
        ("/providers/0/max_token_age", json!("5M")),
        ("/providers/0/jwks", json!([])),
        ("/providers/0/token_sources", json!([{ "query": "x" }])),
        ("/resources/0", json!("orders")),
        ("/resources/0", json!({ "name": "a" })),
        ("/resources/0/access", json!("open")),
        ("/resources/0/streams", json!("drop")),
        ("/resources/0/match/paths", json!("/a")),
        ("/grants/service/timeout", json!("soon")),
        ("/grants/service/failure_mode", json!("open")),
        ("/grants/service/context", json!(["time"])),
        ("/grants/service/cache", json!({ "max_entries": -1 })),
        ("/grants/service/headers", json!({ "x": 7 })),
        ("/identity_headers/subject", json!(7)),
        ("/claim_headers/tenant", json!(null)),
        ("/trusted_hops", json!("one")),
        ("/audit", json!({ "log": "some" })),
        ("/forward_token", json!("no")),
        ("/$schema", json!(7)),
        ("/spare", json!(1)),
    ] {
        let config = with(pointer, value);
        assert!(!is_accepted(&config), "{config}");
        assert_ne!(misfit(&config), None, "{config}");
    }
}

#[test]
fn a_default_in_the_schema_is_what_counts_without_the_member() {
    let effective = |config: &Value| {
        let mut config = Config::parse(config.to_string().as_bytes()).unwrap();
        config.hash.clear();
        format!("{config:?}")
    };
    let schema = schema();
    let mut places = Vec::new();
    objects(&sound(), &schema, &schema, "", &mut places);
    let mut defaults = 0;
    for (place, name, default) in places {
        let mut written = sound();
        let object = written.pointer_mut(&place).unwrap();
        if object.get(&name).is_none() {
            object[&name] = default;
            defaults += 1;
            assert_eq!(effective(&written), effective(&sound()), "{place}/{name}");
        }
    }
    assert!(defaults > 15, "{defaults}");
}

/// Every member with a default of each object of `value`: where the object is, the name, the default.
fn objects(
    value: &Value,
    schema: &Value,
    root: &Value,
    place: &str,
    found: &mut Vec<(String, String, Value)>,
) {
    let schema = resolved(schema, root);
    if let Value::Array(elements) = value {
        for (index, element) in elements.iter().enumerate() {
            objects(
                element,
                &schema["items"],
                root,
                &format!("{place}/{index}"),
                found,
            );
        }
    }
    let (Value::Object(members), Some(properties)) = (value, schema["properties"].as_object())
    else {
        return;
    };
    for (name, property) in properties {
        if let Some(default) = property.get("default") {
            found.push((place.to_owned(), name.clone(), default.clone()));
        }
        if let Some(member) = members.get(name) {
            objects(member, property, root, &format!("{place}/{name}"), found);
        }
    }
}

#[test]
fn every_member_is_described() {
    let schema = schema();
    let definitions = schema["$defs"].as_object().unwrap().iter();
    for (name, object) in definitions.chain([(&"(document)".to_owned(), &schema)]) {
        for (member, described) in object["properties"].as_object().into_iter().flatten() {
            let description = described["description"].as_str().unwrap_or_default();
            assert!(
                description.ends_with(['.', '`']),
                "{name}.{member}: {description:?}"
            );
        }
    }
}

fn misfit(config: &Value) -> Option<String> {
    let schema = schema();
    first_misfit(config, &schema, &schema)
}

fn resolved<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => root.pointer(reference.trim_start_matches('#')).unwrap(),
        None => schema,
    }
}

/// A JSON Schema validator for the keywords that our schema uses, which refuses others. A library for all of them would take longer to
/// compile than everything else that the core's tests need.
fn first_misfit(value: &Value, schema: &Value, root: &Value) -> Option<String> {
    let members = match schema {
        Value::Bool(true) => return None,
        Value::Object(members) => members,
        _ => panic!("not a schema: {schema}"),
    };
    let because = |what: &str| Some(format!("{value}: {what}"));
    for (keyword, said) in members {
        let misfit = match keyword.as_str() {
            "$ref" => first_misfit(value, resolved(schema, root), root),
            "type" => (!is_of_type(value, said))
                .then(|| because("type"))
                .flatten(),
            "enum" => (!said.as_array().unwrap().contains(value))
                .then(|| because("enum"))
                .flatten(),
            "pattern" => (!is_duration(value)).then(|| because("pattern")).flatten(),
            "minimum" => value
                .as_f64()
                .filter(|n| *n < said.as_f64().unwrap())
                .and_then(|_| because("minimum")),
            "items" => value
                .as_array()
                .into_iter()
                .flatten()
                .find_map(|element| first_misfit(element, said, root)),
            "required" => said.as_array().unwrap().iter().find_map(|name| {
                let is_there = value.get(name.as_str().unwrap()).is_some();
                (!is_there).then(|| because("required")).flatten()
            }),
            "properties" => said
                .as_object()
                .unwrap()
                .iter()
                .find_map(|(name, property)| first_misfit(value.get(name)?, property, root)),
            "additionalProperties" => {
                value
                    .as_object()
                    .into_iter()
                    .flatten()
                    .find_map(|(name, member)| {
                        let is_named = schema["properties"].get(name).is_some();
                        match said {
                            _ if is_named => None,
                            Value::Bool(false) => because("additionalProperties"),
                            other => first_misfit(member, other, root),
                        }
                    })
            }
            "$schema" | "$defs" | "title" | "description" | "default" | "examples" | "format" => {
                None
            }
            other => panic!("an unknown keyword: {other}"),
        };
        if misfit.is_some() {
            return misfit;
        }
    }
    None
}

fn is_of_type(value: &Value, said: &Value) -> bool {
    let is = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "null" => value.is_null(),
        other => panic!("an unknown type: {other}"),
    };
    match said {
        Value::Array(names) => names.iter().any(|name| is(name.as_str().unwrap())),
        name => is(name.as_str().unwrap()),
    }
}

/// What the only pattern of the schema says.
fn is_duration(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    unit != text && ["ms", "s", "m", "h", "d"].contains(&unit)
}
