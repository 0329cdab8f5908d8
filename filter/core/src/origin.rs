//! Whose address it is: scheme, host and port of a URL (RFC 6454), as a browser would find them.

use std::fmt;

use http::Uri;
use http::uri::{Authority, PathAndQuery};

/// Where a URL leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    scheme: Scheme,
    server: Server,
}

/// How its server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

/// A server: host and port, as far as they say which one it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    host: String,
    /// `None` for the port that the scheme has anyway.
    port: Option<u16>,
}

impl Origin {
    /// The origin of a URL, and what of the URL is left but for its fragment. `None` for what is not of the web, names a user, or holds a
    /// backslash or anything but visible ASCII: two readers could find two hosts in it.
    pub fn of(url: &str) -> Option<(Self, PathAndQuery)> {
        let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_plain || url.contains('\\') {
            return None;
        }
        let uri: Uri = url.parse().ok()?;
        let scheme = match uri.scheme_str()? {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return None,
        };
        let server = Server::of(uri.authority()?, scheme)?;
        Some((Self { scheme, server }, uri.path_and_query()?.clone()))
    }

    /// Whether nobody on the way can read or change what is said there.
    pub fn is_https(&self) -> bool {
        self.scheme == Scheme::Https
    }

    /// The server, however it is spoken to.
    pub fn server(&self) -> &Server {
        &self.server
    }
}

/// As a URL begins: `https://api.example`.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        write!(f, "{scheme}://{}", self.server.authority())
    }
}

impl Server {
    /// Its name or address, in lower case; addresses of version 6 in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    fn of(authority: &Authority, scheme: Scheme) -> Option<Self> {
        let host = authority.host();
        // Before the host there could only be a user.
        let port = match authority.as_str().strip_prefix(host)? {
            "" | ":" => None,
            port => Some(decimal(port.strip_prefix(':')?)?),
        };
        let usual = match scheme {
            Scheme::Http => 80,
            Scheme::Https => 443,
        };
        Some(Self {
            host: host.to_ascii_lowercase(),
            port: port.filter(|port| *port != usual),
        })
    }

    /// `:authority` of a request to it.
    pub fn authority(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }
}

fn decimal(port: &str) -> Option<u16> {
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| port.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn origin(url: &str) -> Option<Origin> {
        Origin::of(url).map(|(origin, _)| origin)
    }

    #[test]
    fn spellings_of_one_origin_are_one_origin() {
        let plain = origin("https://grants.example/request");
        assert!(plain.is_some());
        for url in [
            "https://grants.example",
            "HTTPS://Grants.EXAMPLE:443/form/7?x=1#top",
            "https://grants.example:/",
            "https://grants.example:0443/",
            "https://grants.example/@evil.example",
            "https://grants.example?@evil.example/",
            "https://grants.example#@evil.example/",
        ] {
            assert_eq!(origin(url), plain, "{url}");
        }
    }

    #[test]
    fn another_scheme_host_or_port_is_another_origin() {
        let plain = origin("https://grants.example/request");
        for url in [
            "http://grants.example/",
            "https://grants.example:80/",
            "https://grants.example:8443/",
            "https://evil.example/",
            "https://grants.example.evil.example/",
            "https://grants.example./",
            "https://xgrants.example/",
            "https://grants%2eexample/",
        ] {
            assert_ne!(origin(url), plain, "{url}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_or_leads_nowhere_has_no_origin() {
        for url in [
            "",
            "/form/7",
            "//grants.example/",
            "grants.example",
            "https:grants.example",
            "https:///grants.example/",
            "https://",
            "javascript:alert(1)",
            "javascript://grants.example/%0aalert(1)",
            "data:text/html,x",
            "ftp://grants.example/",
            "https://user@grants.example/",
            "https://@grants.example/",
            "https://grants.example@evil.example/",
            "https://grants.example:443@evil.example/",
            "https://evil.example\\@grants.example/",
            "https://grants.example\\@evil.example/",
            "https://grants.example/\\evil.example",
            "https://grants.example:99999/",
            "https://grants.example:+443/",
            "https://grants.example:4x/",
            "https://grants.example:443:443/",
            " https://grants.example/",
            "https://grants.example/a b",
            "https://grants.example/\r\nx: y",
            "https://grants.exa\tmple/",
            "https://grants.example/\u{0}",
            "https://gr\u{e4}nts.example/",
            "https://grants\u{3002}example/",
            "https://grants.example/\u{202e}",
        ] {
            assert_eq!(origin(url), None, "{url:?}");
        }
    }
}
