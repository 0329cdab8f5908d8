//! The one canonical form of an authority: the host in lower case, and its port as a number is usually written.

use std::net::Ipv6Addr;
use std::sync::Arc;

use super::Ambiguous;

/// The longest host name that DNS allows (RFC 1035, section 2.3.4), and more than any bracketed address.
const MAX_HOST_BYTES: usize = 255;

/// An authority that can be read in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Authority {
    /// The host in lower case, without its port.
    pub(super) host: Arc<str>,
    /// What must stand upstream, where it differs from what came.
    pub(super) rewritten: Option<String>,
}

/// Reads `host`, `host:port`, `[v6]` or `[v6]:port`.
///
/// # Errors
/// [`Ambiguous::Host`] when it is anything else: user information, a name that ends in a dot, a port that is no number.
pub(super) fn canonical_authority(authority: &[u8]) -> Result<Authority, Ambiguous> {
    let authority = std::str::from_utf8(authority).map_err(|_| Ambiguous::Host)?;
    let (name, digits) = split_port(authority);
    let host = canonical_host(name).ok_or(Ambiguous::Host)?;
    let port = digits.map(port_number).transpose()?;
    let usual = |digits: &str| digits == "0" || !digits.starts_with('0');
    let rewritten = match port {
        _ if name == host && digits.is_none_or(usual) => None,
        Some(port) => Some(format!("{host}:{port}")),
        None => Some(host.clone()),
    };
    Ok(Authority {
        host: host.into(),
        rewritten,
    })
}

/// The last authority that could be read, as it came: most of what a proxy is sent is for few hosts, and need not be read anew each time.
#[derive(Debug, Default)]
pub(crate) struct LastAuthority(Option<(Box<[u8]>, Authority)>);

impl LastAuthority {
    /// As [`canonical_authority`].
    ///
    /// # Errors
    /// As there.
    pub(super) fn canonical(&mut self, authority: &[u8]) -> Result<Authority, Ambiguous> {
        if let Some((last, canonical)) = &self.0
            && **last == *authority
        {
            return Ok(canonical.clone());
        }
        let canonical = canonical_authority(authority)?;
        self.0 = Some((authority.into(), canonical.clone()));
        Ok(canonical)
    }
}

fn canonical_host(name: &str) -> Option<String> {
    if name.is_empty() || name.len() > MAX_HOST_BYTES {
        return None;
    }
    if let Some(address) = name.strip_prefix('[').and_then(|n| n.strip_suffix(']')) {
        let address: Ipv6Addr = address.parse().ok()?;
        return Some(format!("[{address}]"));
    }
    is_plain(name).then(|| name.to_ascii_lowercase())
}

/// Letters, digits, `-` and `_`, in labels of which none is empty.
fn is_plain(name: &str) -> bool {
    let mut before = b'.';
    let labels_filled = name.bytes().all(|byte| {
        let last = std::mem::replace(&mut before, byte);
        match byte {
            b'.' => last != b'.',
            b'-' | b'_' => true,
            other => other.is_ascii_alphanumeric(),
        }
    });
    labels_filled && before != b'.'
}

/// Splits `host:port`, `[v6]:port`, `host` or `[v6]`.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    let colon = authority.bytes().rposition(|byte| byte == b':');
    let parts = colon.and_then(|colon| authority.split_at_checked(colon));
    match parts {
        Some((host, port)) if !port.ends_with(']') => (host, port.strip_prefix(':')),
        _ => (authority, None),
    }
}

fn port_number(digits: &str) -> Result<u16, Ambiguous> {
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    all_digits
        .then(|| digits.parse().ok())
        .flatten()
        .ok_or(Ambiguous::Host)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_host_has_one_spelling() {
        for (raw, host, upstream) in [
            ("admin.example", "admin.example", None),
            ("Admin.Example", "admin.example", Some("admin.example")),
            ("admin.example:8443", "admin.example", None),
            ("admin.example:0", "admin.example", None),
            (
                "admin.example:0443",
                "admin.example",
                Some("admin.example:443"),
            ),
            (
                "ADMIN.example:443",
                "admin.example",
                Some("admin.example:443"),
            ),
            ("127.0.0.1:10000", "127.0.0.1", None),
            ("[::1]:10000", "[::1]", None),
            ("[0:0:0:0:0:0:0:1]", "[::1]", Some("[::1]")),
            ("[::A]:080", "[::a]", Some("[::a]:80")),
        ] {
            let expected = Authority {
                host: host.into(),
                rewritten: upstream.map(str::to_owned),
            };
            assert_eq!(canonical_authority(raw.as_bytes()), Ok(expected), "{raw}");
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
            b"",
            b":80",
            b".",
            b"a b",
            b"a/b",
            b"a,b",
            b"admin.example:x",
            b"admin.example:70000",
            b"admin%2eexample",
            b"[::1",
            b"::1",
            b"[::1%25eth0]",
            b"[admin.example]",
            b"\xff",
        ] {
            let shown = raw.escape_ascii();
            assert_eq!(canonical_authority(raw), Err(Ambiguous::Host), "{shown}");
        }
    }

    #[test]
    fn what_was_read_last_is_the_answer_for_itself_alone() {
        let mut last = LastAuthority::default();
        for raw in [
            "admin.example:8443",
            "admin.example:8443",
            "Admin.example:8443",
            "admin.example:844",
            "admin.example:84433",
            "admin.example",
            "other.example",
            "",
            "other.example",
            "admin.example:8443",
        ] {
            let expected = canonical_authority(raw.as_bytes());
            assert_eq!(last.canonical(raw.as_bytes()), expected, "{raw}");
        }
    }
}
