//! Which resource a request is for, and what that resource demands.
//!
//! The first resource, in the order in which they are written, whose host, method and path match decides. No match is no permission.

pub mod conditions;
mod coverage;
mod host_pattern;
mod index;
mod matcher;
mod mode;

use std::time::Duration;

use crate::ids::{Action, ResourceName};
use crate::preflight;
use crate::request::{CanonicalRequest, RequestHead, USUAL_METHODS};
use conditions::{ClaimTests, Conditions};
use index::Index;

pub use host_pattern::HostPattern;
pub use matcher::{Matcher, Mismatch};
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

    /// Whether it depends on who reads the path what the request is for: whoever takes `%3A` for `:` and the like may see another resource's.
    #[inline]
    pub fn is_read_in_two_ways(&self, request: &CanonicalRequest, head: &RequestHead) -> bool {
        request.has_escapes() && self.is_otherwise_decoded(request, head)
    }

    /// It is enough to look at all escapes decoded and at none. A pattern holds no such escape, and its parameters match any text, so that whatever
    /// matches also matches with more of them decoded: the first that matches does not come later then. If it is the same at both ends, it is
    /// for those too who decode some.
    #[inline(never)]
    fn is_otherwise_decoded(&self, request: &CanonicalRequest, head: &RequestHead) -> bool {
        let places = |request: &CanonicalRequest| {
            let found = [self.find_preflighted(request, head), self.find(request)];
            found.map(|found| found.map(|(place, _)| place))
        };
        let other = request.other_reading();
        other.is_some_and(|other| places(&other) != places(request))
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

    /// The path with those of its escapes decoded whose bits are set.
    fn partly_decoded(path: &str, which: u32) -> String {
        let mut pieces = path.split('%');
        let mut decoded = pieces.next().unwrap().to_owned();
        for (index, piece) in pieces.enumerate() {
            if which >> index & 1 == 0 {
                decoded.push('%');
                decoded.push_str(piece);
            } else {
                let (digits, rest) = piece.split_at(2);
                decoded.push(u8::from_str_radix(digits, 16).unwrap().into());
                decoded.push_str(rest);
            }
        }
        decoded
    }

    #[test]
    fn a_path_is_read_in_one_way_if_however_many_of_its_escapes_are_decoded_it_is_one_resources() {
        let policy = Policy::new(vec![
            resource("colon", &["/x:{rest}"]),
            resource("both", &["/w:y@{rest}"]),
            resource("at", &["/{id}@z"]),
            resource("any", &["/{id}"]),
        ]);
        let place = |path: &str| {
            let found = policy.find(&request("GET", "h", path));
            found.map(|(place, _)| place)
        };
        for (path, is_one) in [
            ("/v%3Ay%40y%2C", true),
            ("/v%3Ay@z", true),
            ("/x:y%40z%2C", true),
            ("/x%3Ay%40y", false),
            ("/w%3Ay%40z", false),
            ("/v%3Ay%40z", false),
            ("/%5B%5D/%40", true),
        ] {
            let asked = request("GET", "h", path);
            let head = RequestHead::default();
            assert_eq!(policy.is_read_in_two_ways(&asked, &head), !is_one, "{path}");
            let mut all = (0..8).map(|which| place(&partly_decoded(path, which)));
            assert_eq!(all.all(|other| other == place(path)), is_one, "{path}");
        }
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
