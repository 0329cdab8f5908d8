//! Which requests a resource is for: by host, method and path.

use super::HostPattern;
use crate::request::{CanonicalRequest, canonical_path, normalise_escapes, with_reserved_decoded};

/// Hosts, methods and paths; an empty list matches all.
#[derive(Debug, Default)]
pub struct Matcher {
    pub(super) hosts: Vec<HostPattern>,
    pub(super) methods: Vec<String>,
    pub(super) patterns: Vec<String>,
    /// One for each pattern. A router of several that are much alike may miss what one of them alone matches: with `/{a}.json/x` and `/{a}/y`
    /// it does not find `/1.json/y`.
    paths: Vec<matchit::Router<()>>,
    /// One of all patterns: it tells those that mean the same.
    together: matchit::Router<()>,
}

/// The first thing about a request for which a matcher does not match it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mismatch {
    /// The host.
    Host,
    /// The method.
    Method,
    /// The path.
    Path,
}

impl Matcher {
    /// Matches every request until something is added.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a host to those that it matches; the first one narrows it from all.
    pub fn add_host(&mut self, host: HostPattern) {
        self.hosts.push(host);
    }

    /// Adds a method to those that it matches; the first one narrows it from all.
    pub fn add_method(&mut self, method: &str) {
        self.methods.push(method.to_owned());
    }

    /// Adds a path pattern to those that it matches, in the syntax of `matchit`: `/a`, `/a/{id}`, `/a/{*rest}`. The first one narrows it from
    /// all.
    ///
    /// # Errors
    /// When the pattern is malformed, or this matcher has one that means the same.
    pub fn add_path(&mut self, pattern: &str) -> Result<(), String> {
        check_pattern(pattern)?;
        let mut alone = matchit::Router::new();
        for router in [&mut alone, &mut self.together] {
            router
                .insert(pattern, ())
                .map_err(|error| error.to_string())?;
        }
        self.paths.push(alone);
        self.patterns.push(pattern.to_owned());
        Ok(())
    }

    /// Why the request is not for this resource; `None` if it is.
    pub fn mismatch(&self, request: &CanonicalRequest) -> Option<Mismatch> {
        if !self.hosts.is_empty() && !self.hosts.iter().any(|host| host.matches(&request.host)) {
            return Some(Mismatch::Host);
        }
        if !self.is_for_method(&request.method) {
            return Some(Mismatch::Method);
        }
        let matches = self.patterns.is_empty() || self.matches_path(&request.path);
        (!matches).then_some(Mismatch::Path)
    }

    /// Whether one of the patterns matches.
    pub(super) fn matches_path(&self, path: &str) -> bool {
        self.paths.iter().any(|pattern| pattern.at(path).is_ok())
    }

    pub(super) fn matches(&self, request: &CanonicalRequest) -> bool {
        self.mismatch(request).is_none()
    }
}

/// More parameters than any path has; `matchit` allows 25.
const MAX_PARAMETERS: usize = 16;

/// A pattern must be able to match: what is literal in it must be spelt as canonical requests are.
fn check_pattern(pattern: &str) -> Result<(), String> {
    if pattern.contains(char::is_control) {
        return Err("it holds a control character".to_owned());
    }
    let mut sample = String::new();
    let mut parameters: usize = 0;
    for (index, piece) in pattern.split('{').enumerate() {
        let literal = if index == 0 {
            piece
        } else {
            parameters = parameters.saturating_add(1);
            sample.push('p');
            piece.split_once('}').map_or("", |(_, literal)| literal)
        };
        sample.push_str(literal);
    }
    if parameters > MAX_PARAMETERS {
        return Err(format!("at most {MAX_PARAMETERS} parameters"));
    }
    match canonical_path(sample.as_bytes()) {
        Ok(canonical) if *canonical == *sample => match with_reserved_decoded(pattern) {
            None => Ok(()),
            Some(other) => Err(format!(
                "write it `{other}`, which most servers take for the same"
            )),
        },
        // The parameters are as they are in the pattern, and only escapes are spelt otherwise.
        Ok(canonical) => {
            let spelt = normalise_escapes(pattern).unwrap_or_else(|_| canonical.into_owned());
            Err(format!("requests spell it `{spelt}`"))
        }
        Err(why) => Err(format!("no request matches it, since {why}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_pattern_in_another_spelling_is_told_in_its_own() {
        for (pattern, told) in [
            ("/%61dmin/{id}", "requests spell it `/admin/{id}`"),
            (
                "/{id}%3Acancel/{*rest}",
                "write it `/{id}:cancel/{*rest}`, which most servers take for the same",
            ),
        ] {
            assert_eq!(Matcher::new().add_path(pattern), Err(told.to_owned()));
        }
    }

    #[test]
    fn a_pattern_that_no_request_can_match_is_refused() {
        let add = |pattern: &str| Matcher::new().add_path(pattern);
        for pattern in [
            "/",
            "/a/{id}",
            "/a/{id}/b",
            "/a/{*rest}",
            "/a/{id}.json",
            "/caf%C3%A9",
        ] {
            assert_eq!(add(pattern), Ok(()), "{pattern}");
        }
        let many = "/{p}".repeat(MAX_PARAMETERS + 1);
        for pattern in [
            "",
            "a",
            "/a//b",
            "/a/../b",
            "/%61dmin",
            "/caf%c3%a9",
            "/{id}%3Acancel",
            "/caf\u{e9}",
            "/a;b",
            "/a b",
            "/{a",
            "/{a\n}",
            &many,
        ] {
            assert!(add(pattern).is_err(), "{pattern}");
        }
    }
}
