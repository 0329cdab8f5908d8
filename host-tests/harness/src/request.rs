//! A client's request in the making.

use crate::Headers;

/// A request as it reaches the proxy. It may be as malformed as a test needs.
#[derive(Clone, Debug)]
pub struct Request {
    pub(crate) headers: Headers,
    pub(crate) peer: Option<String>,
    pub(crate) end_of_stream: bool,
}

impl Request {
    /// A request without any header, not even `:method` and `:path`.
    pub fn empty() -> Self {
        Self {
            headers: Headers::new(),
            peer: None,
            end_of_stream: true,
        }
    }

    /// A request for an absolute URL, which is split and never corrected: `https://admin.example/orders/7?page=2`. Every method but GET and HEAD
    /// announces a body.
    ///
    /// # Panics
    /// When `url` has no `://`.
    pub fn new(method: &str, url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").expect("an absolute URL");
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let path = if path.is_empty() { "/" } else { path };
        let headers = [
            (":method", method),
            (":scheme", scheme),
            (":authority", authority),
            (":path", path),
        ];
        Self {
            headers: headers.into_iter().collect(),
            peer: None,
            end_of_stream: matches!(method, "GET" | "HEAD" | "OPTIONS"),
        }
    }

    /// A GET request; see [`new`](Self::new).
    pub fn get(url: &str) -> Self {
        Self::new("GET", url)
    }

    /// Appends `authorization: Bearer <token>`.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// Appends a header.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        self.header_bytes(name, value)
    }

    /// Appends a header of any bytes.
    #[must_use]
    pub fn header_bytes(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.headers.append(name.as_ref(), value.as_ref());
        self
    }

    /// Gives a header, pseudo-headers included, this one value.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.replace(name.as_bytes(), value.as_ref());
        self
    }

    /// Leaves a header out, pseudo-headers included.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.discard(name.as_bytes());
        self
    }

    /// The headers as they are so far.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// Has headers that the proxy will not let the module change.
    #[must_use]
    pub fn unchangeable(mut self) -> Self {
        self.headers.freeze();
        self
    }

    /// Comes from this address and port (`10.1.2.3:41234`), which the proxy offers as the property `source.address`.
    #[must_use]
    pub fn from_peer(mut self, address: &str) -> Self {
        self.peer = Some(address.to_owned());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_split_into_the_pseudo_headers() {
        let request = Request::get("https://admin.example:8443/orders/7?page=2");
        let expected = [
            (":method", "GET"),
            (":scheme", "https"),
            (":authority", "admin.example:8443"),
            (":path", "/orders/7?page=2"),
        ];
        assert_eq!(request.headers, expected.into_iter().collect());
    }
}
