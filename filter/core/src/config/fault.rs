//! What is wrong with a configuration, and where.

use std::fmt;

use serde_json::Value;

/// The longest piece of a faulty text that is repeated.
const MAX_SHOWN_BYTES: usize = 80;

/// A place in the configuration: `providers[0].jwks.remote`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(String);

impl Place {
    /// The whole document.
    pub fn root() -> Self {
        Self(String::new())
    }

    /// A member of what is here. Its name may hold anything, and each fault is one line of the log.
    #[must_use]
    pub fn member(&self, name: &str) -> Self {
        let name = name.escape_debug();
        if self.0.is_empty() {
            Self(name.to_string())
        } else {
            Self(format!("{}.{name}", self.0))
        }
    }

    /// An element of the list that is here.
    #[must_use]
    pub fn element(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The JSON path, empty for the whole document.
    pub path: String,
    /// What stands there, shortened.
    pub found: String,
    /// What should.
    pub expected: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() {
            "(document)"
        } else {
            &self.path
        };
        write!(
            f,
            "`{path}`: found {}, expected {}",
            self.found, self.expected
        )
    }
}

/// All faults of one configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each fault, in the order found.
    pub fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.0.iter()
    }

    /// Takes over a fault of a part that was read on its own.
    pub fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// Notes a fault whose finding is described in words.
    pub fn push(&mut self, place: &Place, found: &str, expected: &str) {
        self.0.push(Fault {
            path: place.0.clone(),
            found: found.to_owned(),
            expected: expected.to_owned(),
        });
    }

    /// Notes a fault and repeats the value that stands there.
    pub fn push_value(&mut self, place: &Place, value: &Value, expected: &str) {
        let found = match value {
            // What is inside may be secret, and the place says enough.
            Value::Object(_) => "an object".to_owned(),
            Value::Array(_) => "an array".to_owned(),
            scalar => format!("`{}`", shown(scalar)),
        };
        self.push(place, &found, expected);
    }

    /// Notes a fault in a value that may be secret, and does not repeat it.
    pub fn push_secret(&mut self, place: &Place, expected: &str) {
        self.push(place, "a value that is not shown", expected);
    }
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.len() <= MAX_SHOWN_BYTES {
        return text;
    }
    let end = text.floor_char_boundary(MAX_SHOWN_BYTES);
    format!("{}…", text.get(..end).unwrap_or_default())
}
