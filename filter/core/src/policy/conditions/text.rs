//! Tests of a text that comes with a request: a header's value, a name in a certificate.

use std::fmt;

/// What a text must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextTest {
    /// This.
    Equals(Box<str>),
    /// One of these.
    OneOf(Box<[Box<str>]>),
    /// Something that begins with this.
    Prefix(Box<str>),
    /// A list with commas that holds this (RFC 9110, section 5.6.1).
    Contains(Box<str>),
}

impl TextTest {
    /// Whether `text` is that. `None` where it cannot be told.
    pub(super) fn judge(&self, text: &str) -> Option<bool> {
        match self {
            Self::Equals(expected) => Some(**expected == *text),
            Self::OneOf(expected) => Some(expected.iter().any(|one| **one == *text)),
            Self::Prefix(prefix) => Some(text.starts_with(&**prefix)),
            // A comma in quotes is no separator for those who know quotes, and one for the others.
            Self::Contains(_) if text.contains('"') => None,
            Self::Contains(expected) => {
                let mut elements = text.split(',').map(str::trim_ascii);
                Some(elements.any(|element| *element == **expected))
            }
        }
    }
}

impl fmt::Display for TextTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equals(text) => write!(f, "is {text:?}"),
            Self::OneOf(texts) => {
                f.write_str("is one of ")?;
                super::list(f, texts.iter().map(|text| format!("{text:?}")), ", ")
            }
            Self::Prefix(text) => write!(f, "begins with {text:?}"),
            Self::Contains(text) => write!(f, "contains {text:?}"),
        }
    }
}
