//! Headers as a proxy holds them: an ordered list of byte strings, names compared without regard to case.

use std::borrow::Cow;
use std::fmt;
use std::ops::ControlFlow;

use proxy_wasm_host::{HeaderMap, NotAllowed, PairVisitor};

/// An ordered list of headers. Names keep the case that they arrived with; values may be any bytes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers {
    pairs: Vec<(Vec<u8>, Vec<u8>)>,
    frozen: bool,
}

impl Headers {
    /// No headers.
    pub fn new() -> Self {
        Self::default()
    }

    /// The first value of `name`, or `None` when it is absent. Bytes that are not UTF-8 are replaced.
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        self.get_bytes(name).map(String::from_utf8_lossy)
    }

    /// The bytes of the first value of `name`.
    pub fn get_bytes(&self, name: &str) -> Option<&[u8]> {
        self.values(name.as_bytes()).next()
    }

    /// Every value of `name`, in order. Bytes that are not UTF-8 are replaced.
    pub fn all(&self, name: &str) -> Vec<Cow<'_, str>> {
        self.values(name.as_bytes())
            .map(String::from_utf8_lossy)
            .collect()
    }

    /// Whether there is a header of this name.
    pub fn has(&self, name: &str) -> bool {
        self.get_bytes(name).is_some()
    }

    /// Every pair, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.pairs
            .iter()
            .map(|(name, value)| (name.as_slice(), value.as_slice()))
    }

    /// How many headers there are.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there is no header.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// From now on the module cannot change them.
    pub(crate) fn freeze(&mut self) {
        self.frozen = true;
    }

    fn changed(&mut self, change: impl FnOnce(&mut Self)) -> Result<(), NotAllowed> {
        if self.frozen {
            return Err(NotAllowed);
        }
        change(self);
        Ok(())
    }

    pub(crate) fn append(&mut self, name: &[u8], value: &[u8]) {
        self.pairs.push((name.to_vec(), value.to_vec()));
    }

    pub(crate) fn replace(&mut self, name: &[u8], value: &[u8]) {
        match self
            .pairs
            .iter()
            .position(|(held, _)| held.eq_ignore_ascii_case(name))
        {
            None => self.append(name, value),
            Some(first) => {
                self.pairs[first].1 = value.to_vec();
                let mut index = 0;
                self.pairs.retain(|(held, _)| {
                    index += 1;
                    index - 1 <= first || !held.eq_ignore_ascii_case(name)
                });
            }
        }
    }

    pub(crate) fn discard(&mut self, name: &[u8]) {
        self.pairs
            .retain(|(held, _)| !held.eq_ignore_ascii_case(name));
    }

    fn values<'a, 'n>(&'a self, name: &'n [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        self.iter()
            .filter(move |(held, _)| held.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let readable = |bytes: &[u8]| bytes.escape_ascii().to_string();
        formatter
            .debug_map()
            .entries(
                self.iter()
                    .map(|(name, value)| (readable(name), readable(value))),
            )
            .finish()
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let pairs = pairs.into_iter();
        Self {
            pairs: pairs
                .map(|(name, value)| (name.as_ref().to_vec(), value.as_ref().to_vec()))
                .collect(),
            frozen: false,
        }
    }
}

impl HeaderMap for Headers {
    fn get(&self, name: &[u8]) -> Option<Cow<'_, [u8]>> {
        self.iter()
            .find(|(held, _)| held.eq_ignore_ascii_case(name))
            .map(|(_, value)| Cow::Borrowed(value))
    }

    fn for_each_pair(&self, visit: &mut PairVisitor<'_>) -> ControlFlow<()> {
        self.iter().try_for_each(|(name, value)| visit(name, value))
    }

    fn set(&mut self, name: &[u8], value: &[u8]) -> Result<(), NotAllowed> {
        self.changed(|headers| headers.replace(name, value))
    }

    fn add(&mut self, name: &[u8], value: &[u8]) -> Result<(), NotAllowed> {
        self.changed(|headers| headers.append(name, value))
    }

    fn remove(&mut self, name: &[u8]) -> Result<(), NotAllowed> {
        self.changed(|headers| headers.discard(name))
    }

    fn replace_all(&mut self, pairs: &[(&[u8], &[u8])]) -> Result<(), NotAllowed> {
        self.changed(|headers| *headers = pairs.iter().copied().collect())
    }

    fn len(&self) -> usize {
        self.pairs.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_whatever_its_case() {
        let headers: Headers = [("X-Thing", "1"), ("x-thing", "2")].into_iter().collect();
        assert_eq!(headers.all("x-THING"), ["1", "2"]);
        assert_eq!(headers.get("x-thing").as_deref(), Some("1"));
    }

    #[test]
    fn replacing_leaves_one_value_in_the_first_place() {
        let mut headers: Headers = [("A", "1"), ("b", "2"), ("a", "3")].into_iter().collect();
        headers.replace(b"a", b"4");
        let expected: Headers = [("A", "4"), ("b", "2")].into_iter().collect();
        assert_eq!(headers, expected);
    }
}
