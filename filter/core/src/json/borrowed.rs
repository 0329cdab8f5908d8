//! JSON that stays where it lies: names and texts are borrowed from the document, so reading one costs few allocations.
//!
//! For what comes with requests and for them: tokens, and the grant service's replies. Strict like the rest of [`super`]: no object names a member twice, at any depth.

pub use serde_json_borrow::{ObjectAsVec as Members, Value};

/// Reads one document, which must be an object. `None` if it is not, is no JSON or no UTF-8, repeats a member, or nests too deeply.
pub fn object(document: &[u8]) -> Option<Members<'_>> {
    let text = std::str::from_utf8(document).ok()?;
    match serde_json::from_str(text) {
        Ok(Value::Object(members)) if is_strict(&members) => Some(members),
        _ => None,
    }
}

/// The depth is that of the document, which `serde_json` has bounded.
fn is_strict(members: &Members<'_>) -> bool {
    let mut names: Vec<&str> = members.keys().collect();
    names.sort_unstable();
    let repeated = names.windows(2).any(|pair| match pair {
        [one, next] => one == next,
        _ => false,
    });
    !repeated && members.values().all(holds_strict_objects)
}

fn holds_strict_objects(value: &Value<'_>) -> bool {
    match value {
        Value::Object(members) => is_strict(members),
        Value::Array(elements) => elements.iter().all(holds_strict_objects),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Str(_) => true,
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
            r#"{"a":1,"b":2,"a":1}"#,
            r#"{"b":{"a":1,"a":1}}"#,
            r#"{"b":[[{"a":1,"\u0061":2}]]}"#,
        ] {
            assert_eq!(object(text.as_bytes()), None, "{text}");
        }
        assert!(object(br#"{"a":{"a":[{"a":1},{"a":1}]}}"#).is_some());
    }

    #[test]
    fn sound_json_is_read_as_serde_json_reads_it() {
        let text = r#"{"a":[1,-2,3.5,"\u00e9\n",null,true,{}],"\"":{"a":18446744073709551615}}"#;
        let members = object(text.as_bytes()).unwrap();
        assert_eq!(
            serde_json::Value::from(Value::Object(members)),
            serde_json::from_str::<serde_json::Value>(text).unwrap()
        );
    }

    #[test]
    fn what_is_not_one_object_is_refused() {
        for text in [
            &b"[]"[..],
            b"1",
            b"null",
            b"",
            b"{} {}",
            b"{\"a\":\"\xff\"}",
            b"\xef\xbb\xbf{}",
        ] {
            assert_eq!(object(text), None, "{}", text.escape_ascii());
        }
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(200), "]".repeat(200));
        assert_eq!(object(deep.as_bytes()), None);
    }
}
