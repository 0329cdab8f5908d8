//! Which resource a request is for, and what that resource demands.
//!
//! The first resource, in the order in which they are written, whose host, method and path match decides. No match is no permission.

pub mod conditions;
mod coverage;
mod index;
mod mode;

use std::net::Ipv6Addr;
use std::time::Duration;

use crate::ids::{Action, ResourceName};
use crate::preflight;
use crate::request::{CanonicalRequest, RequestHead, USUAL_METHODS, canonical_path};
use conditions::{ClaimTests, Conditions};
use index::Index;

pub use mode::Mode;

/// What a resource demands of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    Public,
    /// A valid identity.
    Identity,
    /// A valid identity and a live grant.
    Grant,
    /// The impossible: it is closed.
    Deny,
}

impl Access {
    /// Whether it matters who asks.
    pub const fn needs_identity(self) -> bool {
        matches!(self, Self::Identity | Self::Grant)
    }
}

/// What becomes of a request that is still open when its permission ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Streams {
    /// It is cut.
    Cut,
    /// It goes on for as long as client and upstream like.
    Keep,
}

/// What becomes of a browser's question whether a request may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preflight {
    /// It passes: the upstream answers it.
    Public,
    /// It is judged like any other request.
    Judged,
}

/// A named part of what is behind the proxy.
#[derive(Debug)]
pub struct Resource {
    /// The name that grants and records use. Several resources may share it.
    pub name: ResourceName,
    /// What it demands.
    pub access: Access,
    /// What a grant must allow; the method in lower case where the configuration does not say.
    pub action: Option<Action>,
    /// A grant with more than this left is refused.
    pub max_grant_lifetime: Option<Duration>,
    /// Under which circumstances it may be used.
    pub conditions: Option<Conditions>,
    /// What becomes of requests that stay open.
    pub streams: Streams,
    /// Whether what is decided about it is held to.
    pub mode: Mode,
    /// What becomes of preflights for requests that are for it.
    pub preflight: Preflight,
    /// Which requests are for it.
    pub matcher: Matcher,
}

impl Resource {
    /// Whether a request for it is cut when its permission ends. Where neither who asks nor the time matters, permission has no end.
    pub fn cuts_streams(&self) -> bool {
        let may_end = self.access.needs_identity() || self.has(Conditions::may_end);
        self.streams == Streams::Cut && may_end
    }

    fn has(&self, property: impl Fn(&Conditions) -> bool) -> bool {
        self.conditions.as_ref().is_some_and(property)
    }
}

/// Hosts, methods and paths; an empty list matches all.
#[derive(Debug, Default)]
pub struct Matcher {
    hosts: Vec<HostPattern>,
    methods: Vec<String>,
    patterns: Vec<String>,
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

/// One host or all below it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostPattern {
    /// This host.
    Exact(String),
    /// Every host that ends with this suffix, which begins with a dot: whole labels only, and never the bare domain itself.
    Below(String),
}

impl HostPattern {
    /// Reads `admin.example` or `*.admin.example`.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let host = text.to_ascii_lowercase();
        let (name, below) = match host.strip_prefix("*.") {
            Some(suffix) => (suffix, true),
            None => (host.as_str(), false),
        };
        let plain = |label: &str| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        let address = name.strip_prefix('[').and_then(|n| n.strip_suffix(']'));
        let canonical = |text: &str| text.parse().is_ok_and(|a: Ipv6Addr| a.to_string() == text);
        let is_address = !below && address.is_some_and(canonical);
        if !is_address && !name.split('.').all(plain) {
            return Err("a host name without port, or `*.` and a host name");
        }
        Ok(if below {
            Self::Below(format!(".{name}"))
        } else {
            Self::Exact(name.to_owned())
        })
    }

    pub(crate) fn matches(&self, host: &str) -> bool {
        match self {
            Self::Exact(name) => name == host,
            Self::Below(suffix) => host.len() > suffix.len() && host.ends_with(suffix.as_str()),
        }
    }
}

impl Matcher {
    /// Matches every request until narrowed.
    pub fn new() -> Self {
        Self::default()
    }

    /// Narrows to one host pattern more.
    pub fn add_host(&mut self, host: HostPattern) {
        self.hosts.push(host);
    }

    /// Narrows to one method more.
    pub fn add_method(&mut self, method: &str) {
        self.methods.push(method.to_owned());
    }

    /// Narrows to one path pattern more, in the syntax of `matchit`: `/a`, `/a/{id}`, `/a/{*rest}`.
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
    fn matches_path(&self, path: &str) -> bool {
        self.paths.iter().any(|pattern| pattern.at(path).is_ok())
    }

    fn matches(&self, request: &CanonicalRequest) -> bool {
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
        Ok(canonical) if *canonical == *sample => Ok(()),
        Ok(canonical) => Err(format!("requests spell it `{canonical}`")),
        Err(why) => Err(format!("no request matches it, since {why}")),
    }
}

/// All resources, in order.
#[derive(Debug)]
pub struct Policy {
    resources: Vec<Resource>,
    index: Index,
    /// What the usual methods do where a resource does not say, made once.
    usual_actions: Vec<(&'static str, Action)>,
    has_public_preflights: bool,
    claim_tests: ClaimTests,
}

fn action_for(method: &str) -> Action {
    Action::new(&method.to_ascii_lowercase())
}

impl Policy {
    /// A policy of these resources.
    pub fn new(resources: Vec<Resource>) -> Self {
        let usual_actions = USUAL_METHODS.map(|method| (method, action_for(method)));
        let is_public = |resource: &Resource| resource.preflight == Preflight::Public;
        Self {
            has_public_preflights: resources.iter().any(is_public),
            index: Index::of(&resources),
            resources,
            usual_actions: usual_actions.into(),
            claim_tests: ClaimTests::default(),
        }
    }

    /// The same, with the tests of claims that the resources' conditions are made of.
    #[must_use]
    pub fn with_claim_tests(self, claim_tests: ClaimTests) -> Self {
        Self {
            claim_tests,
            ..self
        }
    }

    /// What is to be found out about each token.
    pub fn claim_tests(&self) -> &ClaimTests {
        &self.claim_tests
    }

    /// What `method` does to a resource.
    pub fn action(&self, resource: &Resource, method: &str) -> Action {
        let usual = || {
            let mut usual = self.usual_actions.iter();
            let (_, action) = usual.find(|(name, _)| *name == method)?;
            Some(action.clone())
        };
        let configured = resource.action.clone();
        configured
            .or_else(usual)
            .unwrap_or_else(|| action_for(method))
    }

    /// The first resource that the request is for, with its place in the list.
    pub fn find(&self, request: &CanonicalRequest) -> Option<(usize, &Resource)> {
        let place = self.index.find(&self.resources, request)?;
        Some((place, self.resources.get(place)?))
    }

    /// The resource that the announced request is for, if `request` is its preflight and that resource lets preflights pass.
    pub fn find_preflighted(
        &self,
        request: &CanonicalRequest,
        head: &RequestHead,
    ) -> Option<(usize, &Resource)> {
        if !self.has_public_preflights {
            return None;
        }
        let found = self.find(&preflight::announced(request, head)?);
        found.filter(|(_, resource)| resource.preflight == Preflight::Public)
    }

    /// The resource at a place that [`Policy::find`] told.
    pub fn get(&self, index: usize) -> Option<&Resource> {
        self.resources.get(index)
    }

    /// Every resource, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Resource> {
        self.resources.iter()
    }

    /// Whether some condition is about where a request comes from.
    pub fn needs_source(&self) -> bool {
        self.iter().any(|one| one.has(Conditions::need_source))
    }

    /// Whether some condition is about the client's certificate.
    pub fn needs_certificate(&self) -> bool {
        self.iter().any(|one| one.has(Conditions::need_certificate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    pub(super) fn request(method: &str, host: &str, path: &str) -> CanonicalRequest {
        CanonicalRequest {
            method: method.to_owned().into(),
            host: host.into(),
            path: path.into(),
            rewritten_target: None,
            rewritten_authority: None,
        }
    }

    fn resource(name: &str, paths: &[&str]) -> Resource {
        let mut matcher = Matcher::new();
        for path in paths {
            matcher.add_path(path).unwrap();
        }
        matched_by(matcher, name)
    }

    pub(super) fn matched_by(matcher: Matcher, name: &str) -> Resource {
        Resource {
            name: ResourceName::new(name),
            access: Access::Grant,
            action: None,
            max_grant_lifetime: None,
            conditions: None,
            streams: Streams::Cut,
            mode: Mode::Enforce,
            preflight: Preflight::Judged,
            matcher,
        }
    }

    #[test]
    fn the_first_resource_in_the_order_written_decides() {
        let policy = Policy::new(vec![
            resource("any", &["/orders/{*rest}"]),
            resource("exact", &["/orders/7"]),
        ]);
        let (index, found) = policy.find(&request("GET", "h", "/orders/7")).unwrap();
        assert_eq!((index, found.name.as_str()), (0, "any"));
        assert!(policy.find(&request("GET", "h", "/other")).is_none());
    }

    #[test]
    fn paths_match_by_segment() {
        let policy = Policy::new(vec![resource("r", &["/a/{id}", "/b/{*rest}", "/c"])]);
        for (path, expected) in [
            ("/a/1", true),
            ("/a/", false),
            ("/a/1/2", false),
            ("/b/1/2", true),
            ("/b/", false),
            ("/b", false),
            ("/c", true),
            ("/c/", false),
            ("/C", false),
        ] {
            let found = policy.find(&request("GET", "h", path)).is_some();
            assert_eq!(found, expected, "{path}");
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

    #[test]
    fn hosts_match_by_label() {
        let exact = HostPattern::parse("Admin.Example").unwrap();
        let below = HostPattern::parse("*.admin.example").unwrap();
        for (host, is_exact, is_below) in [
            ("admin.example", true, false),
            ("eu.admin.example", false, true),
            ("a.eu.admin.example", false, true),
            ("eviladmin.example", false, false),
            ("admin.example.evil", false, false),
            (".admin.example", false, false),
        ] {
            assert_eq!(exact.matches(host), is_exact, "{host}");
            assert_eq!(below.matches(host), is_below, "{host}");
        }
        for bad in [
            "",
            "*",
            "a..b",
            "a.",
            "[0:0:0:0:0:0:0:1]",
            "[x]",
            "a:80",
            "*.*.a",
            "a.*",
            "http://a",
            "*.",
        ] {
            assert!(HostPattern::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn methods_are_compared_exactly_and_name_the_action_in_lower_case() {
        let mut matcher = Matcher::new();
        matcher.add_method("GET");
        assert!(matcher.matches(&request("GET", "h", "/")));
        assert!(!matcher.matches(&request("get", "h", "/")));
        assert!(!matcher.matches(&request("POST", "h", "/")));
        let policy = Policy::new(Vec::new());
        for (method, action) in [("DELETE", "delete"), ("M-SEARCH", "m-search")] {
            let done = policy.action(&resource("r", &[]), method);
            assert_eq!(done.as_str(), action);
        }
    }
}
