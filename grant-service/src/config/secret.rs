//! What only two may know: it stands in the configuration, or better in the environment or a file that the configuration names.

use std::env::{self, VarError};
use std::fmt;
use std::fs;

use hallpass_core::config::fault::{Faults, Place};
use hallpass_core::config::field::Field;
use serde_json::Value;

/// A shorter secret can be guessed.
const MIN_BYTES: usize = 16;
const EXPECTED: &str = "a text, `{\"env\": NAME}` or `{\"file\": PATH}`";

/// A secret. It is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// This text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// What it is.
    pub fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Reads a secret, from where the configuration says that it is.
pub(super) fn validate(field: Field<Value>, place: &Place, faults: &mut Faults) -> Option<Secret> {
    let text = match field {
        Field::Absent => {
            faults.push(place, "nothing", EXPECTED);
            return None;
        }
        Field::Read(Value::String(text)) => text,
        Field::Read(Value::Object(members)) => {
            let mut members = members.into_iter();
            match (members.next(), members.next()) {
                (Some((kind, Value::String(name))), None) if kind == "env" => {
                    from_environment(&name, &place.member("env"), faults)?
                }
                (Some((kind, Value::String(path))), None) if kind == "file" => {
                    from_file(&path, &place.member("file"), faults)?
                }
                _ => {
                    faults.push_secret(place, EXPECTED);
                    return None;
                }
            }
        }
        Field::Read(_) | Field::Faulty(_) => {
            faults.push_secret(place, EXPECTED);
            return None;
        }
    };
    if text.len() < MIN_BYTES {
        let expected = format!("a secret of at least {MIN_BYTES} bytes");
        faults.push(place, &format!("{} bytes", text.len()), &expected);
        return None;
    }
    Some(Secret(text))
}

fn from_environment(name: &str, place: &Place, faults: &mut Faults) -> Option<String> {
    let is_name = !name.is_empty() && !name.contains(['=', '\0']);
    let expected = match is_name.then(|| env::var(name)) {
        Some(Ok(secret)) => return Some(secret),
        Some(Err(VarError::NotPresent)) => {
            "a variable of the environment that holds the secret (this one is not set)"
        }
        // Its own words would show the secret.
        Some(Err(VarError::NotUnicode(_))) => {
            "a variable of the environment that holds the secret (this one is not UTF-8)"
        }
        None => "the name of a variable of the environment that holds the secret",
    };
    faults.push_value(place, &name.into(), expected);
    None
}

/// The line break that editors leave at the end is no part of it.
fn from_file(path: &str, place: &Place, faults: &mut Faults) -> Option<String> {
    match fs::read_to_string(path) {
        Ok(text) => Some(text.trim_end_matches(['\r', '\n']).to_owned()),
        Err(error) => {
            let expected = format!("a file that holds the secret ({error})");
            faults.push_value(place, &path.into(), &expected);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use serde_json::json;

    use super::*;

    fn read(value: Value) -> Result<Secret, String> {
        let mut faults = Faults::default();
        let secret = validate(
            Field::Read(value),
            &Place::root().member("token"),
            &mut faults,
        );
        let told = faults.iter().map(ToString::to_string).collect();
        secret.ok_or(told)
    }

    #[test]
    fn a_secret_is_a_text_or_lies_in_a_file_or_the_environment() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"a secret in a file\n").unwrap();
        let secret = read(json!({ "file": file.path() })).unwrap();
        assert_eq!(secret.bytes(), b"a secret in a file");
        assert_eq!(
            read(json!("sixteen bytes ok")),
            Ok(Secret::new("sixteen bytes ok"))
        );
        // cargo sets it for each test.
        let found = read(json!({ "env": "CARGO_MANIFEST_DIR" })).unwrap();
        assert_eq!(found.bytes(), env!("CARGO_MANIFEST_DIR").as_bytes());
    }

    #[test]
    fn what_is_no_secret_is_a_fault_that_does_not_tell_it() {
        for value in [
            json!("too short, by 1"),
            json!(7),
            json!(null),
            json!({ "env": "HALLPASS_NO_SUCH_VARIABLE" }),
            json!({ "env": "" }),
            json!({ "file": "/nowhere/secret" }),
            json!({ "text": "sixteen bytes ok" }),
            json!({ "env": "PATH", "file": "/nowhere" }),
            json!({}),
        ] {
            let told = read(value.clone()).unwrap_err();
            assert!(told.contains("`token"), "{value}: {told}");
            assert!(
                !told.contains("too short") && !told.contains("sixteen"),
                "{told}"
            );
        }
    }

    #[test]
    fn a_variable_that_is_not_set_is_told_to_be_so() {
        let told = read(json!({ "env": "HALLPASS_NO_SUCH_VARIABLE" })).unwrap_err();
        assert!(
            told.contains("HALLPASS_NO_SUCH_VARIABLE") && told.contains("is not set"),
            "{told}"
        );
        let told = read(json!({ "env": "A=B" })).unwrap_err();
        assert!(!told.contains("is not set"), "no name: {told}");
    }

    #[test]
    fn a_secret_is_not_printed() {
        assert_eq!(
            format!("{:?}", Secret::new("sixteen bytes ok")),
            "Secret(..)"
        );
    }
}
