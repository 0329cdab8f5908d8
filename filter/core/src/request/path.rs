//! The one canonical form of a path (RFC 3986, section 6.2.2), or the refusal of one of which two readers could make two paths.

use std::borrow::Cow;

use super::Ambiguous;

/// The path, and behind the first `?` the query.
pub(super) fn split_query(target: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut parts = target.splitn(2, |byte| *byte == b'?');
    (parts.next().unwrap_or_default(), parts.next())
}

/// The one spelling of a path without its query.
///
/// # Errors
/// [`Ambiguous`] when it has more than one reading.
pub(crate) fn canonical_path(path: &[u8]) -> Result<Cow<'_, str>, Ambiguous> {
    if path.first() != Some(&b'/') {
        return Err(Ambiguous::PathForm);
    }
    if !path.iter().all(|byte| is_literal(*byte)) {
        return Err(Ambiguous::PathCharacter);
    }
    let text = std::str::from_utf8(path).map_err(|_| Ambiguous::PathCharacter)?;
    let path = if path.contains(&b'%') {
        Cow::Owned(normalise_escapes(text)?)
    } else {
        Cow::Borrowed(text)
    };
    if segments_are_plain(path.as_bytes()) {
        Ok(path)
    } else {
        Err(Ambiguous::PathSegment)
    }
}

/// Whether a byte may stand in a path as it is.
fn is_literal(byte: u8) -> bool {
    let is_special = matches!(
        byte,
        b'#' | b';' | b'\\' | b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}'
    );
    byte.is_ascii_graphic() && !is_special
}

/// No empty segment but the last (a trailing slash), and none that ends in a dot or a space. These are the dot segments, and names that a
/// server on Windows takes for shorter ones: `admin.` and `admin%20` for `admin`, `..%20` for `..`.
fn segments_are_plain(path: &[u8]) -> bool {
    let cut_short = |text: &[u8]| text.ends_with(b".") || text.ends_with(b"%20");
    let places = path.iter().enumerate().skip(1);
    let mut slashes = places.filter(|(_, byte)| **byte == b'/');
    slashes.all(|(slash, _)| {
        let before = path.get(..slash).unwrap_or_default();
        !cut_short(before) && !before.ends_with(b"/")
    }) && !cut_short(path)
}

/// Decodes escapes of unreserved characters and writes the others in upper case (RFC 3986, section 6.2.2).
pub(crate) fn normalise_escapes(path: &str) -> Result<String, Ambiguous> {
    let decoded: Vec<u8> = percent_encoding::percent_decode_str(path).collect();
    std::str::from_utf8(&decoded).map_err(|_| Ambiguous::PathEscape)?;

    let mut normal = String::with_capacity(path.len());
    let mut pieces = path.split('%');
    normal.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2).ok_or(Ambiguous::PathEscape)?;
        let byte = hexadecimal(digits).ok_or(Ambiguous::PathEscape)?;
        match byte {
            // Whoever decodes before he looks for them sees another path, or decodes once more.
            b'/' | b'\\' | b'%' | b';' | b'?' | b'#' => return Err(Ambiguous::PathEscape),
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

/// A canonical path as it is to whoever takes an escaped character that may stand as itself for that character, if it holds such an escape.
/// To RFC 3986, section 2.2, `:` and `%3A` are two things, and to most servers one.
pub(crate) fn with_reserved_decoded(path: &str) -> Option<String> {
    let mut pieces = path.split('%');
    let mut decoded = pieces.next().unwrap_or_default().to_owned();
    let mut is_other = false;
    for piece in pieces {
        let escape = piece.split_at_checked(2);
        let escape = escape.and_then(|(digits, rest)| Some((hexadecimal(digits)?, rest)));
        if let Some((byte, rest)) = escape.filter(|(byte, _)| is_literal(*byte)) {
            decoded.push(char::from(byte));
            decoded.push_str(rest);
            is_other = true;
        } else {
            decoded.push('%');
            decoded.push_str(piece);
        }
    }
    is_other.then_some(decoded)
}

fn hexadecimal(digits: &str) -> Option<u8> {
    digits
        .bytes()
        .all(|digit| digit.is_ascii_hexdigit())
        .then(|| u8::from_str_radix(digits, 16).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_path_has_one_spelling() {
        for (raw, canonical) in [
            ("/", "/"),
            ("/orders/7", "/orders/7"),
            ("/orders/", "/orders/"),
            ("/.well-known/a.b", "/.well-known/a.b"),
            ("/%6Frders/7", "/orders/7"),
            ("/a%2db%7e", "/a-b~"),
            ("/caf%c3%a9", "/caf%C3%A9"),
            ("/a%20b%3d", "/a%20b%3D"),
        ] {
            let read = canonical_path(raw.as_bytes());
            assert_eq!(read.as_deref(), Ok(canonical), "{raw}");
        }
    }

    #[test]
    fn an_escaped_character_that_needs_none_has_another_reading() {
        for (canonical, other) in [
            ("/orders/7", None),
            ("/orders/7:cancel", None),
            ("/orders/7%3Acancel", Some("/orders/7:cancel")),
            ("/%40acme/%28x%29", Some("/@acme/(x)")),
            ("/a%2Bb%20c", Some("/a+b%20c")),
            ("/a%20b", None),
            ("/caf%C3%A9", None),
            ("/%7Bid%7D", None),
        ] {
            let read = canonical_path(canonical.as_bytes());
            assert_eq!(read.as_deref(), Ok(canonical));
            let decoded = with_reserved_decoded(canonical);
            assert_eq!(decoded.as_deref(), other, "{canonical}");
            if let Some(other) = other {
                let read = canonical_path(other.as_bytes());
                assert_eq!(read.as_deref(), Ok(other), "it is canonical, too");
                assert_eq!(with_reserved_decoded(other), None, "and has no other");
            }
        }
    }

    #[test]
    fn a_path_with_two_readings_is_refused() {
        for (raw, fault) in [
            (&b"*"[..], Ambiguous::PathForm),
            (b"http://admin.example/a", Ambiguous::PathForm),
            (b"orders", Ambiguous::PathForm),
            (b"", Ambiguous::PathForm),
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
            (b"/a%3fb", Ambiguous::PathEscape),
            (b"/a%23b", Ambiguous::PathEscape),
            (b"/a%00b", Ambiguous::PathEscape),
            (b"/a%252fb", Ambiguous::PathEscape),
            (b"/a%2", Ambiguous::PathEscape),
            (b"/a%+1b", Ambiguous::PathEscape),
            (b"/a%zz", Ambiguous::PathEscape),
            (b"/%c0%af", Ambiguous::PathEscape),
            (b"/%ff", Ambiguous::PathEscape),
            (b"//a", Ambiguous::PathSegment),
            (b"//", Ambiguous::PathSegment),
            (b"/a//b", Ambiguous::PathSegment),
            (b"/a//", Ambiguous::PathSegment),
            (b"/.", Ambiguous::PathSegment),
            (b"/a/./b", Ambiguous::PathSegment),
            (b"/a/../b", Ambiguous::PathSegment),
            (b"/a/%2e%2E/b", Ambiguous::PathSegment),
            (b"/a/..", Ambiguous::PathSegment),
            (b"/a/..%20/b", Ambiguous::PathSegment),
            (b"/a/...", Ambiguous::PathSegment),
            (b"/admin.", Ambiguous::PathSegment),
            (b"/admin%20", Ambiguous::PathSegment),
            (b"/admin%20/b", Ambiguous::PathSegment),
            (b"/admin%2e", Ambiguous::PathSegment),
        ] {
            assert_eq!(canonical_path(raw), Err(fault), "{}", raw.escape_ascii());
        }
    }
}
