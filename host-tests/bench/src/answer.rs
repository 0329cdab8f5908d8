//! One answer of the proxy's, looked at closely.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Context, Result};

/// What a client without a token gets, but for what differs from request to request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    status: u16,
    headers: BTreeMap<String, String>,
    body_bytes: usize,
}

impl Answer {
    /// Asks for `path`.
    pub(crate) fn of(proxy: SocketAddr, path: &str) -> Result<Self> {
        let mut answer = ureq::get(format!("http://{proxy}{path}"))
            .config()
            .http_status_as_error(false)
            .build()
            .call()
            .with_context(|| format!("{proxy} does not answer"))?;
        let header = |(name, value): (_, &ureq::http::HeaderValue)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (ureq::http::HeaderName::to_string(name), value)
        };
        let mut headers: BTreeMap<_, _> = answer.headers().iter().map(header).collect();
        headers.remove("date");
        Ok(Self {
            status: answer.status().as_u16(),
            headers,
            body_bytes: answer.body_mut().read_to_vec()?.len(),
        })
    }

    /// In what it differs from another, if it does.
    pub(crate) fn difference(&self, other: &Self) -> Option<String> {
        (self != other).then(|| format!("the answers differ: {self:?} and {other:?}"))
    }
}
