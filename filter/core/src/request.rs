//! The one canonical form of a request: which method, host and path everything else is about.
//!
//! Matching, the cache key, the audit line and what goes upstream must mean the same resource. A spelling of which two readers could
//! make two different paths is refused as [`Ambiguous`], never guessed at. The path comes from `:path` alone: headers such as
//! `x-original-url` are claims of the client.

mod authority;
mod path;

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::certificate::ClientCertificate;
use crate::headers::HeaderList;
use authority::canonical_authority;
use path::split_query;

pub(crate) use authority::LastAuthority;
pub(crate) use path::{canonical_path, normalise_escapes, with_reserved_decoded};

/// The longest method, of any that is registered (`UPDATEREDIRECTREF`) with room to spare.
const MAX_METHOD_BYTES: usize = 32;

/// The methods of RFC 9110, section 9.3, and RFC 5789: those of nearly every request.
pub(crate) const USUAL_METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE",
];

/// A request as it came: its headers, and who sent it.
#[derive(Debug, Clone, Default)]
pub struct RequestHead {
    /// All headers, pseudo-headers such as `:path` included.
    pub headers: HeaderList,
    /// The address of the peer, where the host told it.
    pub source_ip: Option<IpAddr>,
    /// Whether the headers are not all of it: a body follows, or trailers, or whatever an upgrade brings.
    pub more_follows: bool,
    /// What the host shows of the client's certificate, where it was asked and shows anything.
    pub certificate: Option<Box<ClientCertificate>>,
}

/// The form of the request that every decision is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanonicalRequest {
    /// The method, in upper case: methods are case-sensitive (RFC 9110, section 9.1), but not every upstream knows.
    pub method: Cow<'static, str>,
    /// The host in lower case, without its port.
    pub host: Arc<str>,
    /// The path without query: unreserved characters decoded, other escapes in upper case (RFC 3986, section 6.2.2).
    pub path: String,
    /// What `:path` must be upstream, where it differs from what came.
    pub rewritten_target: Option<String>,
    /// What `:authority` must be upstream, and `host` where there is one, where either differs from what came: the host in lower case, and
    /// its port, if there is one, without zeros before it.
    pub rewritten_authority: Option<String>,
}

impl CanonicalRequest {
    /// Whether anything must stand upstream in another spelling than it came.
    pub fn is_respelt(&self) -> bool {
        self.rewritten_target.is_some() || self.rewritten_authority.is_some()
    }

    /// Whether its path holds an escape.
    pub(crate) fn has_escapes(&self) -> bool {
        self.path.as_bytes().contains(&b'%')
    }

    /// The request as it is to whoever takes `%3A` for `:` and the like, if its path holds such an escape.
    pub(crate) fn other_reading(&self) -> Option<Self> {
        Some(Self {
            path: with_reserved_decoded(&self.path)?,
            ..self.clone()
        })
    }
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
    /// A `%` that no two hexadecimal digits follow, or an escape that hides `/`, `\`, `%`, `;`, `?`, `#`, a control, or bytes that are not
    /// UTF-8.
    PathEscape,
    /// An empty segment, or one that ends in a dot or a space: `.` and `..`, and names that some file systems take for shorter ones.
    PathSegment,
    /// One resource is for the path as it stands, and another, or none, for what it is to whoever decodes an escape that is not needed (`%3A`).
    PathReading,
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
            Self::PathSegment => {
                f.write_str("the path holds a dot segment, an empty segment, or one that ends in a dot or a space")
            }
            Self::PathReading => {
                f.write_str("what the path is for depends on whether its escapes are decoded")
            }
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
        self.canonical_with(&mut LastAuthority::default())
    }

    /// The same, and `last` is spared reading what it has read before.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn canonical_with(
        &self,
        last: &mut LastAuthority,
    ) -> Result<CanonicalRequest, Ambiguous> {
        let method = canonical_method(self.pseudo_header(":method")?)?;
        let authority = self.pseudo_header(":authority")?;
        let (host, rewritten_authority) = self.canonical_host(authority, last)?;
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
            rewritten_authority,
        })
    }

    /// The host's name for this request (`x-request-id`), if it can be repeated safely.
    pub fn request_id(&self) -> Option<&str> {
        let id = self.headers.all("x-request-id").next()?;
        let plain = (1..=128).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic);
        plain.then(|| std::str::from_utf8(id).ok()).flatten()
    }

    /// The host, and what must stand upstream if that is not what came. A `host` header beside `:authority` must mean the same (RFC 9113,
    /// section 8.3.1).
    fn canonical_host(
        &self,
        authority: &[u8],
        last: &mut LastAuthority,
    ) -> Result<(Arc<str>, Option<String>), Ambiguous> {
        let canonical = last.canonical(authority)?;
        let beside = match self.headers.single("host") {
            Ok(None) => return Ok((canonical.host, canonical.rewritten)),
            Ok(Some(value)) if canonical_authority(value)?.host == canonical.host => value,
            Ok(Some(_)) | Err(_) => return Err(Ambiguous::Host),
        };
        let one = match canonical.rewritten {
            None if beside != authority => Some(ascii(authority).ok_or(Ambiguous::Host)?),
            rewritten => rewritten,
        };
        Ok((canonical.host, one))
    }

    fn pseudo_header(&self, name: &'static str) -> Result<&[u8], Ambiguous> {
        match self.headers.single(name) {
            Ok(Some(value)) if !value.is_empty() => Ok(value),
            _ => Err(Ambiguous::PseudoHeader(name)),
        }
    }
}

pub(crate) fn canonical_method(method: &[u8]) -> Result<Cow<'static, str>, Ambiguous> {
    let mut usual = USUAL_METHODS.into_iter();
    if let Some(usual) = usual.find(|usual| usual.as_bytes() == method) {
        return Ok(Cow::Borrowed(usual));
    }
    let is_token = method.len() <= MAX_METHOD_BYTES
        && method
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"-_".contains(byte));
    is_token
        .then(|| ascii(method))
        .flatten()
        .map(Cow::Owned)
        .ok_or(Ambiguous::Method)
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
    fn the_upstream_gets_the_host_that_was_matched() {
        for (raw, rewritten) in [
            (&b"admin.example:8443"[..], None),
            (b"Admin.example:08443", Some("admin.example:8443")),
        ] {
            let canonical = request(b"GET", raw, b"/").canonical().unwrap();
            assert_eq!(&*canonical.host, "admin.example");
            assert_eq!(canonical.rewritten_authority.as_deref(), rewritten);
        }
    }

    #[test]
    fn a_host_header_that_says_otherwise_is_refused_and_one_that_says_it_otherwise_made_the_same() {
        let with_host = |host: &[u8]| {
            let mut head = request(b"GET", b"admin.example:8443", b"/");
            head.headers.push(b"host", host);
            head.canonical()
                .map(|canonical| canonical.rewritten_authority)
        };
        let one = Some("admin.example:8443".to_owned());
        assert_eq!(with_host(b"admin.example:8443"), Ok(None));
        assert_eq!(with_host(b"Admin.example:8443"), Ok(one.clone()));
        assert_eq!(with_host(b"admin.example"), Ok(one));
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
        assert_eq!(
            request(b"GET", b"h", b"").canonical(),
            Err(Ambiguous::PseudoHeader(":path"))
        );
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
