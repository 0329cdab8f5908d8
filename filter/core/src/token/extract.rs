//! Where a token sits in a request, and how to take it out of what goes upstream.
//!
//! A request that carries two tokens has no certain identity: which one an upstream would believe is unknown, so it is ambiguous,
//! also when both would be valid.

use std::fmt;
use std::sync::Arc;

use crate::headers::HeaderList;

/// A place where a provider's tokens may sit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSource {
    /// A header `name` (lower case) with an authentication scheme (RFC 9110, section 11.1); an empty scheme means the whole value.
    Header {
        /// The header's name in lower case.
        name: Arc<str>,
        /// The scheme, compared without case.
        scheme: String,
    },
    /// A cookie (RFC 6265).
    Cookie {
        /// The cookie's name, compared exactly.
        name: String,
    },
}

impl TokenSource {
    /// Whether it is the header that RFC 6750, section 2.1, has for bearer tokens.
    pub fn is_bearer_header(&self) -> bool {
        match self {
            Self::Header { name, scheme } => {
                **name == *"authorization" && scheme.eq_ignore_ascii_case("bearer")
            }
            Self::Cookie { .. } => false,
        }
    }
}

impl fmt::Display for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header { name, .. } => write!(f, "header {name}"),
            Self::Cookie { name } => write!(f, "cookie {name}"),
        }
    }
}

/// A token's text and its sources, by their places in the list that was searched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundToken<'a> {
    /// The compact serialization, not looked into.
    pub text: &'a [u8],
    /// The first source that holds it.
    pub source: usize,
    /// The others.
    pub also: Vec<usize>,
}

impl FoundToken<'_> {
    /// Whether it may be two, which a proxy joined with a comma: there is none in any token.
    pub(crate) fn is_joined(&self) -> bool {
        memchr::memchr(b',', self.text).is_some()
    }

    /// Whether one of these sources holds it.
    pub fn is_in_one_of(&self, sources: &[usize]) -> bool {
        sources.contains(&self.source) || sources.iter().any(|source| self.also.contains(source))
    }
}

/// What a search of all sources found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extracted<'a> {
    /// No source holds a token.
    Missing,
    /// Exactly one token is there.
    One(FoundToken<'a>),
    /// Several are.
    Ambiguous,
}

/// Searches every source; a header with another scheme, such as `Basic`, holds no token.
///
/// One and the same token in two sources, a header and a cookie, is one token.
pub fn extract<'a>(headers: &'a HeaderList, sources: &[TokenSource]) -> Extracted<'a> {
    match find(headers, sources) {
        Extracted::One(found) if found.is_joined() => Extracted::Ambiguous,
        extracted => extracted,
    }
}

/// The same for those who know many tokens by heart: what is found may still be [joined](FoundToken::is_joined), which the long look at
/// it need only settle where it is not known.
pub(crate) fn find<'a>(headers: &'a HeaderList, sources: &[TokenSource]) -> Extracted<'a> {
    let mut found: Option<FoundToken<'a>> = None;
    for (place, source) in sources.iter().enumerate() {
        let text = match tokens_in(headers, source) {
            Held::None => continue,
            Held::One(text) => text,
            Held::Several => return Extracted::Ambiguous,
        };
        match &mut found {
            None => {
                found = Some(FoundToken {
                    text,
                    source: place,
                    also: Vec::new(),
                });
            }
            Some(found) if found.text == text => found.also.push(place),
            Some(_) => return Extracted::Ambiguous,
        }
    }
    found.map_or(Extracted::Missing, Extracted::One)
}

/// The tokens in one source.
enum Held<'a> {
    None,
    One(&'a [u8]),
    Several,
}

impl<'a> Held<'a> {
    fn of(mut tokens: impl Iterator<Item = &'a [u8]>) -> Self {
        match (tokens.next(), tokens.next()) {
            (None, _) => Self::None,
            (Some(token), None) => Self::One(token),
            (Some(_), Some(_)) => Self::Several,
        }
    }
}

fn tokens_in<'a>(headers: &'a HeaderList, source: &TokenSource) -> Held<'a> {
    match source {
        TokenSource::Header { name, scheme } => Held::of(
            headers
                .all(name)
                .filter_map(|value| credentials(value, scheme)),
        ),
        TokenSource::Cookie { name } => Held::of(
            headers
                .all("cookie")
                .flat_map(cookies)
                .filter(|cookie| cookie.name == name.as_bytes())
                .map(|cookie| cookie.value),
        ),
    }
}

/// What follows the scheme and a space (RFC 9110, section 11.4); `None` for another scheme and for an empty credential.
fn credentials<'a>(value: &'a [u8], scheme: &str) -> Option<&'a [u8]> {
    let value = value.trim_ascii();
    let token = if scheme.is_empty() {
        value
    } else {
        let (candidate, rest) = value.split_at_checked(scheme.len())?;
        if rest.first() != Some(&b' ') || !candidate.eq_ignore_ascii_case(scheme.as_bytes()) {
            return None;
        }
        rest.trim_ascii()
    };
    (!token.is_empty()).then_some(token)
}

struct Cookie<'a> {
    name: &'a [u8],
    value: &'a [u8],
}

fn cookies(header: &[u8]) -> impl Iterator<Item = Cookie<'_>> {
    header.split(|byte| *byte == b';').filter_map(|pair| {
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        let (name, value) = pair.split_at_checked(equals)?;
        let value = value.strip_prefix(b"=")?.trim_ascii();
        Some(Cookie {
            name: name.trim_ascii(),
            value,
        })
    })
}

/// A change to one header on its way upstream that takes tokens out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    /// The header held nothing but a token.
    Header(Arc<str>),
    /// The cookies that are left, joined into one header as RFC 9113, section 8.2.3 allows.
    Cookies(Vec<u8>),
}

/// Whether anyone could find a token in this value: wider than [`extract`], which must find one without doubt. A proxy may have joined
/// two headers with a comma.
fn may_hold_token(value: &[u8], scheme: &str) -> bool {
    let begins = |part: &[u8]| {
        let part = part.trim_ascii();
        let has_scheme = part
            .split_at_checked(scheme.len())
            .is_some_and(|(start, rest)| {
                start.eq_ignore_ascii_case(scheme.as_bytes())
                    && (scheme.is_empty() || rest.first().is_none_or(u8::is_ascii_whitespace))
            });
        has_scheme && !part.is_empty()
    };
    // The usual value need not be searched for commas.
    begins(value) || value.split(|byte| *byte == b',').any(begins)
}

/// How to remove every token of `sources` from the request. A header that may hold one goes as a whole; other cookies stay.
pub fn removals(headers: &HeaderList, sources: &[TokenSource]) -> impl Iterator<Item = Removal> {
    let of_headers = sources.iter().filter_map(|source| match source {
        TokenSource::Header { name, scheme } => headers
            .all(name)
            .any(|value| may_hold_token(value, scheme))
            .then(|| Removal::Header(name.clone())),
        TokenSource::Cookie { .. } => None,
    });
    of_headers.chain(cookie_removal(headers, sources))
}

fn cookie_removal(headers: &HeaderList, sources: &[TokenSource]) -> Option<Removal> {
    let is_cookie = |source: &TokenSource| matches!(source, TokenSource::Cookie { .. });
    let may_hold_tokens = sources.iter().any(is_cookie) && headers.all("cookie").next().is_some();
    may_hold_tokens
        .then(|| removal_from_cookies(headers, sources))
        .flatten()
}

#[inline(never)]
fn removal_from_cookies(headers: &HeaderList, sources: &[TokenSource]) -> Option<Removal> {
    // RFC 2965, section 3.3 let a comma separate cookies, and some servers still read them so.
    let is_token = |pair: &[u8]| {
        let mut parts = pair.split(|byte| *byte == b',').flat_map(cookies);
        parts.any(|cookie| {
            sources.iter().any(|source| {
                matches!(source, TokenSource::Cookie { name } if cookie.name == name.as_bytes())
            })
        })
    };
    let pairs = || {
        headers
            .all("cookie")
            .flat_map(|header| header.split(|byte| *byte == b';'))
    };
    if !pairs().any(is_token) {
        return None;
    }
    let kept: Vec<&[u8]> = pairs()
        .filter(|pair| !is_token(pair))
        .map(<[u8]>::trim_ascii)
        .filter(|pair| !pair.is_empty())
        .collect();
    if kept.is_empty() {
        Some(Removal::Header("cookie".into()))
    } else {
        Some(Removal::Cookies(kept.join(&b"; "[..])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn sources() -> Vec<TokenSource> {
        vec![
            TokenSource::Header {
                name: "authorization".into(),
                scheme: "Bearer".into(),
            },
            TokenSource::Cookie {
                name: "hallpass".into(),
            },
        ]
    }

    fn headers(pairs: &[(&str, &str)]) -> HeaderList {
        let mut headers = HeaderList::default();
        for (name, value) in pairs {
            headers.push(name.as_bytes(), value.as_bytes());
        }
        headers
    }

    fn removed(headers: &HeaderList) -> Vec<Removal> {
        removals(headers, &sources()).collect()
    }

    fn found(pairs: &[(&str, &str)]) -> String {
        match extract(&headers(pairs), &sources()) {
            Extracted::Missing => "missing".into(),
            Extracted::Ambiguous => "ambiguous".into(),
            Extracted::One(token) => String::from_utf8_lossy(token.text).into_owned(),
        }
    }

    #[test]
    fn a_token_is_found_in_its_header_or_its_cookie() {
        for (name, value) in [
            ("authorization", "Bearer a.b.c"),
            ("authorization", "bEARER  a.b.c "),
            ("cookie", "hallpass=a.b.c"),
            ("cookie", "theme=dark; hallpass=a.b.c;x=y"),
        ] {
            assert_eq!(found(&[(name, value)]), "a.b.c", "{name}: {value}");
        }
    }

    #[test]
    fn another_scheme_or_cookie_is_no_token() {
        for (name, value) in [
            ("authorization", "Basic YTpi"),
            ("authorization", "Bearer"),
            ("authorization", "Bearer "),
            ("authorization", "Bearera.b.c"),
            ("authorization", "Bearer\ta.b.c"),
            ("authorization", ""),
            ("cookie", "Hallpass=a.b.c"),
            ("cookie", "hallpass"),
            ("x-token", "Bearer a.b.c"),
        ] {
            assert_eq!(found(&[(name, value)]), "missing", "{name}: {value}");
        }
    }

    #[test]
    fn more_than_one_token_is_ambiguous() {
        for pairs in [
            &[("authorization", "Bearer a"), ("authorization", "Bearer a")][..],
            &[("authorization", "Bearer a"), ("cookie", "hallpass=b")],
            &[("cookie", "hallpass=a; hallpass=a")],
            &[("cookie", "hallpass=a"), ("cookie", "hallpass=b")],
            &[("authorization", "Bearer a, Bearer b")],
            &[("authorization", "Bearer a,"), ("cookie", "hallpass=a,")],
        ] {
            assert_eq!(found(pairs), "ambiguous", "{pairs:?}");
        }
    }

    #[test]
    fn the_same_token_in_a_header_and_a_cookie_is_one_token() {
        let request = headers(&[("cookie", "hallpass=a"), ("authorization", "Bearer a")]);
        let token = FoundToken {
            text: b"a",
            source: 0,
            also: vec![1],
        };
        assert!(token.is_in_one_of(&[0]) && token.is_in_one_of(&[1]));
        assert!(!token.is_in_one_of(&[]) && !token.is_in_one_of(&[2]));
        assert_eq!(extract(&request, &sources()), Extracted::One(token));
    }

    #[test]
    fn only_the_token_is_removed() {
        let request = headers(&[
            ("authorization", "Bearer a"),
            ("cookie", "theme=dark; hallpass=a"),
            ("cookie", "lang=en"),
        ]);
        assert_eq!(
            removed(&request),
            [
                Removal::Header("authorization".into()),
                Removal::Cookies(b"theme=dark; lang=en".to_vec()),
            ]
        );
        let only_token = headers(&[("cookie", "hallpass=a")]);
        assert_eq!(removed(&only_token), [Removal::Header("cookie".into())]);
        for value in ["Bearer\ta", "Basic x,Bearer a", "bearer"] {
            let odd = headers(&[("authorization", value)]);
            let header = [Removal::Header("authorization".into())];
            assert_eq!(removed(&odd), header, "{value}");
        }
        let joined = headers(&[("cookie", "theme=dark, hallpass=a; lang=en,de")]);
        let kept = Removal::Cookies(b"lang=en,de".to_vec());
        assert_eq!(removed(&joined), [kept]);
        let none = headers(&[("authorization", "Basic x"), ("cookie", "theme=dark")]);
        assert_eq!(removed(&none), []);
    }
}
