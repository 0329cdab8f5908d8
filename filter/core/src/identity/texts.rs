//! Several texts in one piece of memory. What is kept of a token lies in a cache among thousands of others: each piece of memory more is
//! one more to fetch, to allocate and to free, with each token that comes for the first time.

use std::ops::Range;

/// Texts, one after the other.
#[derive(Debug, Clone)]
pub(super) struct Texts(Box<str>);

/// Texts in the making.
#[derive(Debug, Default)]
pub(super) struct TextsBuilder(String);

/// Where one of them lies.
#[derive(Debug, Clone)]
pub(super) struct Span(Range<usize>);

impl TextsBuilder {
    /// Room for texts of `bytes` bytes in all.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    /// Adds a text.
    pub(super) fn add(&mut self, text: &str) -> Span {
        self.write(|texts| texts.push_str(text))
    }

    /// Adds the text that `write` appends.
    pub(super) fn write(&mut self, write: impl FnOnce(&mut String)) -> Span {
        let start = self.0.len();
        write(&mut self.0);
        Span(start..self.0.len())
    }

    /// A text that was added.
    pub(super) fn get(&self, span: &Span) -> &str {
        self.0.get(span.0.clone()).unwrap_or_default()
    }

    /// No more will come.
    pub(super) fn finish(self) -> Texts {
        Texts(self.0.into())
    }
}

impl Texts {
    /// A text that was added.
    pub(super) fn get(&self, span: &Span) -> &str {
        self.0.get(span.0.clone()).unwrap_or_default()
    }
}
