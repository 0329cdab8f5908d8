//! What clients send and the grant service answers, as the host hands them to a module: "Serialized maps" of the proxy-wasm ABI 0.2.1.

use std::fmt;

/// What has become of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It went on to the upstream.
    Passed,
    /// It got an answer with this status.
    Answered(u32),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => f.write_str("let through"),
            Self::Answered(status) => write!(f, "answered {status}"),
        }
    }
}

/// How a request went, for all that the proxy sees of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Course {
    pub(crate) outcome: Outcome,
    /// How often the grant service was asked.
    pub(crate) questions: u32,
    /// How many signatures the proxy verified.
    pub(crate) verifications: u32,
}

impl Course {
    /// It went on by what was known already.
    pub(crate) const KNOWN: Self = Self {
        outcome: Outcome::Passed,
        questions: 0,
        verifications: 0,
    };
}

impl fmt::Display for Course {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            outcome,
            questions,
            verifications,
        } = self;
        write!(
            f,
            "{outcome} (questions to the grant service: {questions}, signatures verified by the proxy: {verifications})"
        )
    }
}

/// A request without a body, as a proxy knows it that has given it an id.
#[derive(Debug)]
pub(crate) struct Request {
    headers: Vec<(&'static str, String)>,
}

impl Request {
    pub(crate) fn get(path: &str) -> Self {
        let headers = [
            (":authority", "internal.example"),
            (":path", path),
            (":method", "GET"),
            (":scheme", "https"),
            (
                "user-agent",
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            ),
            ("accept", "application/json"),
            ("accept-encoding", "gzip, br"),
            ("x-forwarded-for", "192.0.2.7"),
            ("x-forwarded-proto", "https"),
            ("x-envoy-external-address", "192.0.2.7"),
        ];
        Self {
            headers: headers
                .map(|(name, value)| (name, value.to_owned()))
                .to_vec(),
        }
    }

    pub(crate) fn with_token(mut self, token: &str) -> Self {
        self.headers
            .push(("authorization", format!("Bearer {token}")));
        self
    }

    /// How many headers it has, its id among them.
    pub(super) fn number_of_headers(&self) -> u32 {
        u32::try_from(self.headers.len() + 1).unwrap_or(u32::MAX)
    }

    /// Its headers; its id is made of this number.
    pub(super) fn encoded(&self, number: u32) -> Vec<u8> {
        let id = format!("5b3b2a0e-4c7e-4f0a-9a3e-{number:012}");
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        encoded(
            &headers
                .chain([("x-request-id", id.as_str())])
                .collect::<Vec<_>>(),
        )
    }
}

/// The grant service allows it: how many headers its answer has, the headers, and the body.
pub(super) fn reply() -> (u32, Vec<u8>, Vec<u8>) {
    const BODY: &str = r#"{"decision":true,"context":{"approval":{"id":"grant-7","approved_until":"9999-01-01T00:00:00Z"}}}"#;
    let length = BODY.len().to_string();
    let headers = [
        (":status", "200"),
        ("content-type", "application/json"),
        ("content-length", &length),
        ("date", "Mon, 21 Sep 2026 14:13:20 GMT"),
        ("x-envoy-upstream-service-time", "1"),
    ];
    let number = u32::try_from(headers.len()).unwrap_or(u32::MAX);
    (number, encoded(&headers), BODY.as_bytes().to_vec())
}

/// The number of pairs, the sizes of each name and value, and then these, each with a zero after it.
fn encoded(pairs: &[(&str, &str)]) -> Vec<u8> {
    let size = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    let mut bytes = size(pairs.len()).to_vec();
    for (name, value) in pairs {
        bytes.extend(size(name.len()));
        bytes.extend(size(value.len()));
    }
    for (name, value) in pairs {
        for text in [name, value] {
            bytes.extend(text.as_bytes());
            bytes.push(0);
        }
    }
    bytes
}
