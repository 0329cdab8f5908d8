//! What a request's headers must be. They are the client's word, unless a proxy before this one sees to them.

use std::fmt;

use super::Verdict;
use super::text::TextTest;
use crate::headers::HeaderList;

/// One header, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderCondition {
    /// In lower case.
    name: Box<str>,
    /// Without one the header's mere presence is asked for.
    test: Option<TextTest>,
}

impl HeaderCondition {
    /// The header `name`, which must be in lower case, is there.
    pub fn present(name: &str) -> Self {
        Self {
            name: name.into(),
            test: None,
        }
    }

    /// The header `name`, which must be in lower case, passes `test`.
    pub fn new(name: &str, test: TextTest) -> Self {
        Self {
            name: name.into(),
            test: Some(test),
        }
    }

    /// A header that stands twice, is absent or is no text has no value that could be tested: of two, nobody knows which the upstream
    /// takes.
    pub(super) fn judge(&self, headers: &HeaderList) -> Verdict {
        let Some(test) = &self.test else {
            return Verdict::of(headers.all(&self.name).next().is_some());
        };
        let value = headers.single(&self.name).ok().flatten();
        let value = value.and_then(|value| std::str::from_utf8(value).ok());
        value
            .and_then(|value| test.judge(value))
            .map_or(Verdict::Unknown, Verdict::of)
    }
}

impl fmt::Display for HeaderCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.test {
            None => write!(f, "header {} is present", self.name),
            Some(test) => write!(f, "header {} {test}", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict::{Fails, Holds, Unknown};
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn judged(test: Option<TextTest>, values: &[&[u8]]) -> Verdict {
        let mut headers = HeaderList::default();
        headers.push(b"x-other", b"eu");
        for value in values {
            headers.push(b"X-Region", value);
        }
        let condition = match test {
            Some(test) => HeaderCondition::new("x-region", test),
            None => HeaderCondition::present("x-region"),
        };
        condition.judge(&headers)
    }

    #[test]
    fn each_test_judges_the_one_value() {
        let equals = || Some(TextTest::Equals("eu".into()));
        let one_of = || Some(TextTest::OneOf(["us".into(), "eu".into()].into()));
        let prefix = || Some(TextTest::Prefix("eu-".into()));
        let contains = || Some(TextTest::Contains("eu".into()));
        for (test, value, expected) in [
            (equals(), &b"eu"[..], Holds),
            (equals(), b"EU", Fails),
            (equals(), b"eu ", Fails),
            (equals(), b"", Fails),
            (one_of(), b"eu", Holds),
            (one_of(), b"ap", Fails),
            (prefix(), b"eu-west", Holds),
            (prefix(), b"eu", Fails),
            (contains(), b"eu", Holds),
            (contains(), b"us ,\teu,", Holds),
            (contains(), b"us, eu-west", Fails),
            (contains(), b"\"us, eu\"", Unknown),
            (equals(), b"eu\xff", Unknown),
            (prefix(), b"eu-\xff", Unknown),
            (None, b"", Holds),
            (None, b"\xff", Holds),
        ] {
            let shown = value.escape_ascii();
            assert_eq!(
                judged(test.clone(), &[value]),
                expected,
                "{test:?} of {shown}"
            );
        }
    }

    #[test]
    fn a_header_that_is_absent_or_stands_twice_has_no_value() {
        let equals = || Some(TextTest::Equals("eu".into()));
        assert_eq!(judged(equals(), &[]), Unknown);
        assert_eq!(judged(equals(), &[b"eu", b"eu"]), Unknown);
        assert_eq!(judged(equals(), &[b"eu", b"us"]), Unknown);
        assert_eq!(judged(None, &[]), Fails);
        assert_eq!(judged(None, &[b"eu", b"us"]), Holds);
    }
}
