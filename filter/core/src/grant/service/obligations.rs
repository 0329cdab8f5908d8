//! What an allow obliges the filter to (`AuthZEN` Obligations Profile, draft 1): an allow with an obligation that it does not understand
//! as a whole is none.

use serde_json::{Map, Value};

use crate::identity::StepUp;

/// Reads `context.obligations`: all of them together, as one demand on the sign-in.
///
/// # Errors
/// What is wrong with the first that the filter cannot meet, for the log.
pub(super) fn read(obligations: &[Value]) -> Result<Option<StepUp>, String> {
    let mut demanded: Option<StepUp> = None;
    for obligation in obligations {
        let step_up = step_up(obligation)?;
        demanded =
            match demanded {
                None => Some(step_up),
                Some(others) => Some(others.and(&step_up).ok_or(
                    "several obligations of type `step-up` that no sign-in meets together",
                )?),
            };
    }
    Ok(demanded)
}

/// The draft has the members of `step-up` beside `type` and `id`, others have them in `properties`.
fn step_up(obligation: &Value) -> Result<StepUp, String> {
    let members = obligation
        .as_object()
        .ok_or("an obligation that is no object")?;
    let text = |name| members.get(name).and_then(Value::as_str);
    let id = text("id").ok_or("an obligation without an `id`")?;
    match text("type").ok_or("an obligation without a `type`")? {
        "step-up" => demand(members)
            .ok_or_else(|| format!("obligation {id:?}, a `step-up` that is not understood")),
        other => Err(format!("obligation {id:?} of the unknown type {other:?}")),
    }
}

/// `None` for whatever else it says: a member that is not known may be a demand too.
fn demand(members: &Map<String, Value>) -> Option<StepUp> {
    let mut classes: Option<Vec<&str>> = None;
    let mut methods: Option<Vec<&str>> = None;
    let mut max_age = None;
    let properties = match members.get("properties") {
        None => None,
        Some(properties) => Some(properties.as_object()?),
    };
    let own = members
        .iter()
        .filter(|(name, _)| !["type", "id", "properties"].contains(&name.as_str()));
    for (name, value) in own.chain(properties.into_iter().flatten()) {
        let is_first = match name.as_str() {
            "acr_value" => classes.replace(vec![value.as_str()?]).is_none(),
            "acr_values" => classes.replace(names(value)?).is_none(),
            "amr_values" => methods.replace(names(value)?).is_none(),
            "max_age" => max_age.replace(value.as_u64()?).is_none(),
            _ => false,
        };
        if !is_first {
            return None;
        }
    }
    // The draft's `step-up` is about the class; without one it is something that is not known.
    let classes = classes.filter(|classes| !classes.is_empty())?;
    StepUp::new(&classes, &methods.unwrap_or_default(), max_age)
}

/// A list, or one text with spaces between the names.
fn names(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(text) => Some(text.split(' ').filter(|name| !name.is_empty()).collect()),
        Value::Array(list) => list.iter().map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}
