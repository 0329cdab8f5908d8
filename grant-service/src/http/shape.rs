//! Walking through JSON from strangers: each step says where it stands and what it expected, so that a refusal tells both.

use std::fmt;
use std::time::Duration;

use hallpass_core::time::UnixMillis;
use serde_json::{Map, Value};

use crate::life::{MAX_NAME_BYTES, is_name};

/// A longer text is nobody's to read.
const MAX_TEXT_CHARS: usize = 1_000;

/// A place in a document, with or without a value.
#[derive(Debug, Clone)]
pub(super) struct Node<'a> {
    value: Option<&'a Value>,
    at: String,
}

/// What is not as it must be, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misshapen {
    at: String,
    expected: String,
}

impl<'a> Node<'a> {
    /// The whole document.
    pub(super) fn root(value: &'a Value) -> Self {
        Self {
            value: Some(value),
            at: String::new(),
        }
    }

    /// Whether there is nothing here.
    pub(super) fn is_absent(&self) -> bool {
        self.value.is_none_or(Value::is_null)
    }

    /// This place, unless there is nothing.
    pub(super) fn present(self) -> Option<Self> {
        (!self.is_absent()).then_some(self)
    }

    /// What is here, of whatever shape.
    pub(super) fn value(&self) -> Option<&'a Value> {
        self.value
    }

    /// A member of the object here; it may be absent.
    pub(super) fn member(&self, name: &str) -> Result<Self, Misshapen> {
        let at = if self.at.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.at)
        };
        Ok(Self {
            value: self.object()?.get(name),
            at,
        })
    }

    /// That a member of the object here is an object, if it is there.
    pub(super) fn may_have_object(&self, name: &str) -> Result<(), Misshapen> {
        let member = self.member(name)?.present();
        member.map_or(Ok(()), |member| member.object().map(drop))
    }

    /// The elements of the array here.
    pub(super) fn elements(&self) -> Result<Vec<Self>, Misshapen> {
        let Some(Value::Array(elements)) = self.value else {
            return Err(self.expected("an array"));
        };
        let element = |(index, value)| Self {
            value: Some(value),
            at: format!("{}[{index}]", self.at),
        };
        Ok(elements.iter().enumerate().map(element).collect())
    }

    fn object(&self) -> Result<&'a Map<String, Value>, Misshapen> {
        match self.value {
            Some(Value::Object(members)) => Ok(members),
            _ => Err(self.expected("an object")),
        }
    }

    /// A name: short, and without control characters.
    pub(super) fn name(&self) -> Result<&'a str, Misshapen> {
        self.value
            .and_then(Value::as_str)
            .filter(|text| is_name(text))
            .ok_or_else(|| {
                self.expected(format!(
                    "a string of 1 to {MAX_NAME_BYTES} bytes without control characters"
                ))
            })
    }

    /// A text that people write: line breaks are allowed.
    pub(super) fn text(&self) -> Result<&'a str, Misshapen> {
        let fits = |text: &&str| {
            let is_odd = |char: char| char.is_control() && !matches!(char, '\n' | '\r' | '\t');
            !text.trim().is_empty()
                && text.chars().count() <= MAX_TEXT_CHARS
                && !text.contains(is_odd)
        };
        self.value
            .and_then(Value::as_str)
            .filter(fits)
            .ok_or_else(|| self.expected(format!("a text of 1 to {MAX_TEXT_CHARS} characters")))
    }

    /// Any string.
    pub(super) fn string(&self) -> Result<&'a str, Misshapen> {
        let string = self.value.and_then(Value::as_str);
        string.ok_or_else(|| self.expected("a string"))
    }

    /// `true` or `false`.
    pub(super) fn flag(&self) -> Result<bool, Misshapen> {
        let flag = self.value.and_then(Value::as_bool);
        flag.ok_or_else(|| self.expected("`true` or `false`"))
    }

    /// A date and time (RFC 3339).
    pub(super) fn moment(&self) -> Result<UnixMillis, Misshapen> {
        self.string()
            .ok()
            .and_then(UnixMillis::from_rfc3339)
            .ok_or_else(|| self.expected("a date and time such as `2026-11-23T21:00:00Z`"))
    }

    /// A duration with its unit.
    pub(super) fn duration(&self) -> Result<Duration, Misshapen> {
        self.string()
            .ok()
            .and_then(|text| humantime::parse_duration(text).ok())
            .ok_or_else(|| self.expected("a duration such as `30m` or `8h`"))
    }

    /// That something else should be here.
    pub(super) fn expected(&self, expected: impl Into<String>) -> Misshapen {
        Misshapen {
            at: self.at.clone(),
            expected: expected.into(),
        }
    }
}

impl fmt::Display for Misshapen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.at.is_empty() {
            write!(f, "the body: expected {}", self.expected)
        } else {
            write!(f, "`{}`: expected {}", self.at, self.expected)
        }
    }
}
