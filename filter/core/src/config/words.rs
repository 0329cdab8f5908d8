//! Members that take one of a few words. The list of the words is here once: validation and the JSON Schema both read it.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use super::AuditLog;
use super::field::Expected;
use super::otlp::Exported;
use crate::decision::FailureMode;
use crate::grant::service::Fact;
use crate::policy::{Access, Mode, Preflight, Streams};
use crate::token::Algorithm;

/// What the words of a member mean.
pub(super) trait Words: Copy + 'static {
    /// Each word with its meaning.
    fn words() -> Vec<(&'static str, Self)>;
}

/// One of the words for a `T`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word<T>(pub(super) T);

impl<'de, T: Words> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut words = T::words().into_iter();
        let found = words.find(|(word, _)| *word == text);
        found
            .map(|(_, meaning)| Self(meaning))
            .ok_or_else(|| D::Error::custom("not one of the words"))
    }
}

impl<T: Words> Expected for Word<T> {
    const EXPECTED: &'static str = "a word";

    fn expected() -> Cow<'static, str> {
        let words = T::words().into_iter();
        let words: Vec<String> = words.map(|(word, _)| format!("`{word}`")).collect();
        match words.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => String::new(),
        }
        .into()
    }
}

impl Words for Access {
    fn words() -> Vec<(&'static str, Self)> {
        vec![
            ("public", Self::Public),
            ("identity", Self::Identity),
            ("grant", Self::Grant),
            ("deny", Self::Deny),
        ]
    }
}

impl Words for Mode {
    fn words() -> Vec<(&'static str, Self)> {
        vec![("enforce", Self::Enforce), ("monitor", Self::Monitor)]
    }
}

impl Words for Streams {
    fn words() -> Vec<(&'static str, Self)> {
        vec![("cut", Self::Cut), ("keep", Self::Keep)]
    }
}

impl Words for FailureMode {
    fn words() -> Vec<(&'static str, Self)> {
        vec![("deny", Self::Deny), ("allow", Self::Allow)]
    }
}

impl Words for AuditLog {
    fn words() -> Vec<(&'static str, Self)> {
        vec![
            ("all", Self::All),
            ("denied", Self::Denied),
            ("none", Self::None),
        ]
    }
}

impl Words for Exported {
    fn words() -> Vec<(&'static str, Self)> {
        vec![
            ("all", Self(AuditLog::All)),
            ("denied", Self(AuditLog::Denied)),
        ]
    }
}

impl Words for Preflight {
    fn words() -> Vec<(&'static str, Self)> {
        vec![("public", Self::Public), ("judged", Self::Judged)]
    }
}

impl Words for Fact {
    fn words() -> Vec<(&'static str, Self)> {
        Self::ALL.map(|fact| (fact.name(), fact)).into()
    }
}

impl Words for Algorithm {
    fn words() -> Vec<(&'static str, Self)> {
        Self::ALL
            .map(|algorithm| (algorithm.name(), algorithm))
            .into()
    }
}
