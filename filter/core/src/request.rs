//! The one canonical form of a request: which method, host and path everything else is about.
//!
//! Matching, the cache key, the audit line and what goes upstream must mean the same resource. A spelling of which two readers could
//! make two different paths is refused as [`Ambiguous`], never guessed at. The path comes from `:path` alone: headers such as
//! `x-original-url` are claims of the client.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use crate::certificate::ClientCertificate;
use crate::headers::HeaderList;

/// The longest method, of any that is registered (`UPDATEREDIRECTREF`) with room to spare.
const MAX_METHOD_BYTES: usize = 32;
/// The longest host name that DNS allows (RFC 1035, section 2.3.4), and more than any bracketed address.
const MAX_HOST_BYTES: usize = 255;

/// A request as it came: its headers, and who sent it.
#[derive(Debug, Clone, Default)]
pub struct RequestHead {
    /// All headers, pseudo-headers such as `:path` included.
    pub headers: HeaderList,
    /// The address of the peer, where the host told it.
    pub source_ip: Option<IpAddr>,
    /// What the host shows of the client's certificate, where it was asked.
    pub certificate: ClientCertificate,
}

/// The form of the request that every decision is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanonicalRequest {
    /// The method, in upper case: methods are case-sensitive (RFC 9110, section 9.1), but not every upstream knows.
    pub method: String,
    /// The host in lower case, without its port.
    pub host: String,
    /// The path without query: unreserved characters decoded, other escapes in upper case (RFC 3986, section 6.2.2).
    pub path: String,
    /// What `:path` must be upstream, where it differs from what came.
    pub rewritten_target: Option<String>,
}

/// Why a request has no certain meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ambiguous {
    /// A pseudo-header is absent, empty or repeated.
    PseudoHeader(&'static str),
    /// The method is not a word in upper case: some upstreams take `post` for `POST`, others do not.
    Method,
    /// The authority holds user information or characters that no host name has.
    Host,
    /// The path does not begin with `/` (`*`, an absolute URL, a CONNECT target).
    PathForm,
    /// The path holds a character that must be escaped (space, control, non-ASCII, `#`, `\`), or a `;`, behind which some servers see
    /// parameters that are no part of the path.
    PathCharacter,
    /// A `%` that no two hexadecimal digits follow, or an escape that hides `/`, `\`, `%`, `;`, a control, or bytes that are not UTF-8.
    PathEscape,
    /// A `.`, `..` or empty segment.
    PathSegment,
    /// The `connection` header asks the next proxy to remove a header that the upstream trusts.
    HopByHop,
}

impl fmt::Display for Ambiguous {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PseudoHeader(name) => write!(f, "`{name}` must be present exactly once"),
            Self::Method => f.write_str("the method is not a word in upper case"),
            Self::Host => f.write_str("the host is not a plain name or address"),
            Self::PathForm => f.write_str("the path must begin with `/`"),
            Self::PathCharacter => f.write_str("the path holds a character that must be escaped"),
            Self::PathEscape => {
                f.write_str("the path holds a percent escape with more than one reading")
            }
            Self::PathSegment => f.write_str("the path holds a dot segment or an empty segment"),
            Self::HopByHop => f.write_str("the connection header names a protected header"),
        }
    }
}

impl RequestHead {
    /// The canonical form.
    ///
    /// # Errors
    /// [`Ambiguous`] when the request could be read in two ways.
    pub fn canonical(&self) -> Result<CanonicalRequest, Ambiguous> {
        let method = canonical_method(self.pseudo_header(":method")?)?;
        let host = canonical_host(self.pseudo_header(":authority")?)?;
        self.check_host_header(&host)?;
        let target = self.pseudo_header(":path")?;
        let (raw_path, query) = split_query(target);
        let path = canonical_path(raw_path)?;
        let rewritten_target = (path.as_bytes() != raw_path)
            .then(|| rebuild(&path, query))
            .transpose()?;
        Ok(CanonicalRequest {
            method,
            host,
            path: path.into_owned(),
            rewritten_target,
        })
    }

    /// The host's name for this request (`x-request-id`), if it can be repeated safely.
    pub fn request_id(&self) -> Option<&str> {
        let id = self.headers.all("x-request-id").next()?;
        let plain = (1..=128).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic);
        plain.then(|| std::str::from_utf8(id).ok()).flatten()
    }

    /// A `host` header beside `:authority` must mean the same (RFC 9113, section 8.3.1).
    fn check_host_header(&self, host: &str) -> Result<(), Ambiguous> {
        match self.headers.single("host") {
            Ok(None) => Ok(()),
            Ok(Some(value)) if canonical_host(value)? == host => Ok(()),
            Ok(Some(_)) | Err(_) => Err(Ambiguous::Host),
        }
    }

    fn pseudo_header(&self, name: &'static str) -> Result<&[u8], Ambiguous> {
        match self.headers.single(name) {
            Ok(Some(value)) if !value.is_empty() => Ok(value),
            _ => Err(Ambiguous::PseudoHeader(name)),
        }
    }
}

fn canonical_method(method: &[u8]) -> Result<String, Ambiguous> {
    let is_token = method.len() <= MAX_METHOD_BYTES
        && method
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"-_".contains(byte));
    is_token
        .then(|| ascii(method))
        .flatten()
        .ok_or(Ambiguous::Method)
}

fn canonical_host(authority: &[u8]) -> Result<String, Ambiguous> {
    let authority = std::str::from_utf8(authority).map_err(|_| Ambiguous::Host)?;
    let (host, port) = split_port(authority);
    let digits = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let sound_port = port.is_none_or(|port| digits(port) && port.parse::<u16>().is_ok());
    if host.is_empty() || host.len() > MAX_HOST_BYTES || !sound_port {
        return Err(Ambiguous::Host);
    }
    if let Some(address) = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        let address: std::net::Ipv6Addr = address.parse().map_err(|_| Ambiguous::Host)?;
        return Ok(format!("[{address}]"));
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let labels_filled = host.split('.').all(|label| !label.is_empty());
    if labels_filled && host.bytes().all(plain) {
        Ok(host.to_ascii_lowercase())
    } else {
        Err(Ambiguous::Host)
    }
}

/// Splits `host:port`, `[v6]:port`, `host` or `[v6]`.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

fn split_query(target: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut parts = target.splitn(2, |byte| *byte == b'?');
    (parts.next().unwrap_or_default(), parts.next())
}

pub(crate) fn canonical_path(path: &[u8]) -> Result<Cow<'_, str>, Ambiguous> {
    if path.first() != Some(&b'/') {
        return Err(Ambiguous::PathForm);
    }
    let literal = |byte: &u8| byte.is_ascii_graphic() && !b"#;\\\"<>^`{|}".contains(byte);
    if !path.iter().all(literal) {
        return Err(Ambiguous::PathCharacter);
    }
    let text = std::str::from_utf8(path).map_err(|_| Ambiguous::PathCharacter)?;
    let path = if text.contains('%') {
        Cow::Owned(normalise_escapes(text)?)
    } else {
        Cow::Borrowed(text)
    };
    let segments = path.strip_prefix('/').unwrap_or(&path);
    if segments_are_plain(segments) {
        Ok(path)
    } else {
        Err(Ambiguous::PathSegment)
    }
}

/// No empty segment but the last (a trailing slash), and no dot segment.
fn segments_are_plain(path: &str) -> bool {
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        if segment == "." || segment == ".." || (segment.is_empty() && !last) {
            return false;
        }
    }
    true
}

/// Decodes escapes of unreserved characters and writes the others in upper case (RFC 3986, section 6.2.2).
fn normalise_escapes(path: &str) -> Result<String, Ambiguous> {
    let decoded: Vec<u8> = percent_encoding::percent_decode_str(path).collect();
    std::str::from_utf8(&decoded).map_err(|_| Ambiguous::PathEscape)?;

    let mut normal = String::with_capacity(path.len());
    let mut pieces = path.split('%');
    normal.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2).ok_or(Ambiguous::PathEscape)?;
        let byte = hexadecimal(digits).ok_or(Ambiguous::PathEscape)?;
        match byte {
            b'/' | b'\\' | b'%' | b';' => return Err(Ambiguous::PathEscape),
            byte if byte.is_ascii_control() => return Err(Ambiguous::PathEscape),
            byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                normal.push(char::from(byte));
            }
            _ => {
                normal.push('%');
                normal.push_str(&digits.to_ascii_uppercase());
            }
        }
        normal.push_str(rest);
    }
    Ok(normal)
}

fn hexadecimal(digits: &str) -> Option<u8> {
    digits
        .bytes()
        .all(|digit| digit.is_ascii_hexdigit())
        .then(|| u8::from_str_radix(digits, 16).ok())
        .flatten()
}

fn rebuild(path: &str, query: Option<&[u8]>) -> Result<String, Ambiguous> {
    let Some(query) = query else {
        return Ok(path.to_owned());
    };
    let query = std::str::from_utf8(query).map_err(|_| Ambiguous::PathCharacter)?;
    Ok(format!("{path}?{query}"))
}

fn ascii(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn request(method: &[u8], authority: &[u8], path: &[u8]) -> RequestHead {
        let mut head = RequestHead::default();
        head.headers.push(b":method", method);
        head.headers.push(b":authority", authority);
        head.headers.push(b":path", path);
        head
    }

    fn path(path: &[u8]) -> Result<String, Ambiguous> {
        request(b"GET", b"admin.example", path)
            .canonical()
            .map(|canonical| canonical.path)
    }

    fn host(authority: &[u8]) -> Result<String, Ambiguous> {
        request(b"GET", authority, b"/")
            .canonical()
            .map(|canonical| canonical.host)
    }

    #[test]
    fn a_path_has_one_spelling() {
        for (raw, canonical) in [
            ("/", "/"),
            ("/orders/7", "/orders/7"),
            ("/orders/", "/orders/"),
            ("/%6Frders/7", "/orders/7"),
            ("/a%2db%7e", "/a-b~"),
            ("/caf%c3%a9", "/caf%C3%A9"),
            ("/a%3fb", "/a%3Fb"),
            ("/orders/7?next=//evil/../", "/orders/7"),
        ] {
            assert_eq!(path(raw.as_bytes()).as_deref(), Ok(canonical), "{raw}");
        }
    }

    #[test]
    fn a_path_with_two_readings_is_refused() {
        for (raw, fault) in [
            (&b"*"[..], Ambiguous::PathForm),
            (b"http://admin.example/a", Ambiguous::PathForm),
            (b"orders", Ambiguous::PathForm),
            (b"/a b", Ambiguous::PathCharacter),
            (b"/a\x00b", Ambiguous::PathCharacter),
            (b"/a\\b", Ambiguous::PathCharacter),
            (b"/a#b", Ambiguous::PathCharacter),
            (b"/admin;x/users", Ambiguous::PathCharacter),
            (b"/a/..;x/b", Ambiguous::PathCharacter),
            (b"/admin%3Bx/users", Ambiguous::PathEscape),
            (b"/\xc3\xa9", Ambiguous::PathCharacter),
            (b"/a%2fb", Ambiguous::PathEscape),
            (b"/a%5Cb", Ambiguous::PathEscape),
            (b"/a%00b", Ambiguous::PathEscape),
            (b"/a%252fb", Ambiguous::PathEscape),
            (b"/a%2", Ambiguous::PathEscape),
            (b"/a%+1b", Ambiguous::PathEscape),
            (b"/a%zz", Ambiguous::PathEscape),
            (b"/%c0%af", Ambiguous::PathEscape),
            (b"/%ff", Ambiguous::PathEscape),
            (b"//a", Ambiguous::PathSegment),
            (b"/a//b", Ambiguous::PathSegment),
            (b"/a/./b", Ambiguous::PathSegment),
            (b"/a/../b", Ambiguous::PathSegment),
            (b"/a/%2e%2E/b", Ambiguous::PathSegment),
            (b"/a/..", Ambiguous::PathSegment),
        ] {
            assert_eq!(path(raw), Err(fault), "{}", raw.escape_ascii());
        }
    }

    #[test]
    fn the_upstream_gets_the_form_that_was_matched_with_the_query_untouched() {
        let canonical = request(b"GET", b"h", b"/%6Frders?q=%6f")
            .canonical()
            .unwrap();
        assert_eq!(canonical.rewritten_target.as_deref(), Some("/orders?q=%6f"));
        let canonical = request(b"GET", b"h", b"/orders?q=%6f").canonical().unwrap();
        assert_eq!(canonical.rewritten_target, None);
    }

    #[test]
    fn a_host_has_one_spelling() {
        for (raw, canonical) in [
            ("Admin.Example", "admin.example"),
            ("admin.example:8443", "admin.example"),
            ("127.0.0.1:10000", "127.0.0.1"),
            ("[::1]:10000", "[::1]"),
            ("[0:0:0:0:0:0:0:1]", "[::1]"),
        ] {
            assert_eq!(host(raw.as_bytes()).as_deref(), Ok(canonical), "{raw}");
        }
    }

    #[test]
    fn a_host_with_two_readings_is_refused() {
        for raw in [
            &b"user@admin.example"[..],
            b"admin..example",
            b"admin.example.",
            b"admin.example:+80",
            b"admin.example:",
            b".",
            b"a b",
            b"a/b",
            b"a,b",
            b"admin.example:x",
            b"admin.example:70000",
            b"[::1",
            b"::1",
            b"[admin.example]",
            b"\xff",
        ] {
            assert_eq!(host(raw), Err(Ambiguous::Host), "{}", raw.escape_ascii());
        }
    }

    #[test]
    fn a_host_header_that_says_otherwise_is_refused() {
        let with_host = |host: &[u8]| {
            let mut head = request(b"GET", b"admin.example:8443", b"/");
            head.headers.push(b"host", host);
            head.canonical().map(|canonical| canonical.host)
        };
        assert_eq!(with_host(b"Admin.example").as_deref(), Ok("admin.example"));
        assert_eq!(with_host(b"other.example"), Err(Ambiguous::Host));
        assert_eq!(with_host(b""), Err(Ambiguous::Host));
    }

    #[test]
    fn pseudo_headers_must_be_present_exactly_once() {
        for name in [":method", ":authority", ":path"] {
            let mut repeated = request(b"GET", b"h", b"/");
            repeated.headers.push(name.as_bytes(), b"x");
            assert_eq!(
                repeated.canonical(),
                Err(Ambiguous::PseudoHeader(name)),
                "{name} twice"
            );
        }
        let empty = RequestHead::default();
        assert_eq!(empty.canonical(), Err(Ambiguous::PseudoHeader(":method")));
        assert_eq!(path(b""), Err(Ambiguous::PseudoHeader(":path")));
    }

    #[test]
    fn a_method_is_a_word_in_upper_case() {
        for method in ["GET", "M-SEARCH", "VERSION-CONTROL"] {
            let canonical = request(method.as_bytes(), b"h", b"/").canonical();
            assert_eq!(canonical.unwrap().method, method);
        }
        for method in [&b"GE T"[..], b"GET\xff", b"post", b"Get", &[b'A'; 33]] {
            assert_eq!(
                request(method, b"h", b"/").canonical(),
                Err(Ambiguous::Method)
            );
        }
    }

    #[test]
    fn a_request_id_is_repeated_only_if_it_is_plain() {
        let with_id = |id: &[u8]| {
            let mut head = RequestHead::default();
            head.headers.push(b"x-request-id", id);
            head.request_id().map(str::to_owned)
        };
        assert_eq!(with_id(b"4f3c-1").as_deref(), Some("4f3c-1"));
        for id in [&b""[..], b"a b", b"\xff", b"a\nb", &[b'a'; 129]] {
            assert_eq!(with_id(id), None);
        }
    }
}
