//! A request's headers as bytes, in the order in which they came, repeated ones included.
//!
//! Names and values are never assumed to be UTF-8: what a client sends is not text until somebody has checked it.

use std::ops::Range;
use std::slice;

/// Headers in one buffer, which all names and values lie in.
#[derive(Debug, Clone, Default)]
pub struct HeaderList {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

/// Where a header's name and value lie.
#[derive(Debug, Clone)]
pub struct Entry {
    name: Range<usize>,
    value: Range<usize>,
    sketch: u32,
}

impl Entry {
    /// A header whose name and value lie there.
    pub fn new(name: Range<usize>, value: Range<usize>) -> Self {
        Self {
            name,
            value,
            sketch: 0,
        }
    }
}

/// What most names differ in: their lengths and their ends. Headers are looked for several times in each request, and most
/// are ruled out by this without a look at their names.
fn sketch_of(name: &[u8]) -> u32 {
    let [first, .., last] = name else {
        return name.first().map_or(0, |only| u32::from(*only));
    };
    let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
    u32::from_be_bytes([0, length, *first, *last])
}

/// What may stand in a header's name and is no letter or digit (RFC 9110, section 5.6.2).
pub(crate) fn is_sign(byte: u8) -> bool {
    b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Whether some server makes one variable of two names in lower case (RFC 3875, section 4.1.18): most take an underscore for a hyphen, and some for
/// whatever is no letter or digit.
pub(crate) fn are_one_variable(name: &[u8], other: &[u8]) -> bool {
    let mut letters = name.iter().zip(other);
    name.len() == other.len()
        && letters.all(|(letter, other)| {
            letter == other
                || !letter.is_ascii_alphanumeric() && is_sign(*letter) && is_sign(*other)
        })
}

impl HeaderList {
    /// The headers that lie at these places of a buffer. `None` if one lies outside.
    pub fn within(mut bytes: Vec<u8>, mut entries: Vec<Entry>) -> Option<Self> {
        for entry in &mut entries {
            bytes.get(entry.value.clone())?;
            let name = bytes.get_mut(entry.name.clone())?;
            // RFC 9110, section 5.1: names are case-insensitive.
            name.make_ascii_lowercase();
            entry.sketch = sketch_of(name);
        }
        Some(Self { bytes, entries })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Appends one header.
    pub fn push(&mut self, name: &[u8], value: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend(name.iter().map(u8::to_ascii_lowercase));
        let middle = self.bytes.len();
        self.bytes.extend_from_slice(value);
        let mut entry = Entry::new(start..middle, middle..self.bytes.len());
        entry.sketch = sketch_of(self.text(&entry.name));
        self.entries.push(entry);
    }

    fn text(&self, place: &Range<usize>) -> &[u8] {
        self.bytes.get(place.clone()).unwrap_or_default()
    }

    /// Every header: name in lower case, value as it came.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&[u8], &[u8])> {
        let entries = self.entries.iter();
        entries.map(|entry| (self.text(&entry.name), self.text(&entry.value)))
    }

    /// Every value of the header `name`, which must be in lower case.
    #[inline]
    pub fn all<'a, 'n>(&'a self, name: &'n str) -> Values<'a, 'n> {
        let name = name.as_bytes();
        Values {
            bytes: &self.bytes,
            entries: self.entries.iter(),
            name,
            sketch: sketch_of(name),
        }
    }

    /// The value of the header `name`, or `None` if it is absent.
    ///
    /// # Errors
    /// [`Repeated`] when it stands more than once: which of them counts would be a guess.
    pub fn single(&self, name: &str) -> Result<Option<&[u8]>, Repeated> {
        let mut values = self.all(name);
        let first = values.next();
        if values.next().is_some() {
            return Err(Repeated);
        }
        Ok(first)
    }
}

/// The values of one header, in their order.
#[derive(Debug)]
pub struct Values<'a, 'n> {
    bytes: &'a [u8],
    entries: slice::Iter<'a, Entry>,
    name: &'n [u8],
    sketch: u32,
}

impl<'a> Values<'a, '_> {
    fn value_of(&self, entry: &Entry) -> Option<&'a [u8]> {
        if entry.sketch != self.sketch || self.bytes.get(entry.name.clone())? != self.name {
            return None;
        }
        self.bytes.get(entry.value.clone())
    }
}

impl<'a> Iterator for Values<'a, '_> {
    type Item = &'a [u8];

    // One search for all who look for a header, however many they are: what each request runs through stays short.
    #[inline(never)]
    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let entry = self.entries.next()?;
            let value = self.value_of(entry);
            if value.is_some() {
                return value;
            }
        }
    }
}

impl DoubleEndedIterator for Values<'_, '_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        loop {
            let entry = self.entries.next_back()?;
            let value = self.value_of(entry);
            if value.is_some() {
                return value;
            }
        }
    }
}

/// A header that may stand only once stands more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeated;

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn names_are_matched_without_case_and_values_are_kept_as_bytes() {
        let mut headers = HeaderList::default();
        headers.push(b"X-Odd", b"\xff\x00");
        assert_eq!(headers.single("x-odd"), Ok(Some(&b"\xff\x00"[..])));
        assert_eq!(headers.single("x-other"), Ok(None));
    }

    #[test]
    fn a_repeated_header_has_no_single_value() {
        let mut headers = HeaderList::default();
        headers.push(b"host", b"a");
        headers.push(b"Host", b"b");
        assert_eq!(headers.single("host"), Err(Repeated));
        assert_eq!(headers.all("host").count(), 2);
    }
}
