//! The resource that is found by index is the one that is found by trying all in their order, whatever the resources and the request.
//!
//! Random policies of hosts, methods and patterns that are much alike, so that many match the same request, each in its own way.
#![cfg(not(target_arch = "wasm32"))]

use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use hallpass_core::ids::ResourceName;
use hallpass_core::policy::{
    Access, HostPattern, Matcher, Mode, Policy, Preflight, Resource, Streams,
};
use hallpass_core::request::CanonicalRequest;

const HOST_PATTERNS: [&str; 8] = [
    "h", "a.h", "b.a.h", "[::1]", "*.h", "*.a.h", "*.b.a.h", "*.xh",
];
const HOSTS: [&str; 8] = ["h", "a.h", "b.a.h", "c.b.a.h", "xh", "a.xh", "[::1]", ".h"];
const METHODS: [&str; 3] = ["GET", "POST", "PUT"];
const PATTERN_SEGMENTS: [&str; 17] = [
    "a", "a", "b", "b", "ab", "a.j", "{p}", "{p}", "{q}", "a{p}", "ab{p}", "{p}.j", "{q}.j",
    "{p}b.j", "a{p}b", "{{{p}", "{{a",
];
const PATTERN_ENDS: [&str; 6] = ["", "/", "/{*p}", "/{*q}", "/a{*p}", "/a"];
const PATH_SEGMENTS: [&str; 10] = [
    "a", "a", "b", "b", "ab", "a.j", "ab.j", "aab", "b.j", "aab.j",
];

/// Random choices, the same on every machine.
struct Fate(ChaCha8Rng);

impl Fate {
    fn up_to(&mut self, end: usize) -> usize {
        let number = self.0.next_u64() % (end as u64);
        usize::try_from(number).expect("it is less than the end")
    }

    fn one(&mut self, choices: &[&'static str]) -> &'static str {
        choices[self.up_to(choices.len())]
    }

    fn segments(&mut self, choices: &[&'static str], end: usize) -> String {
        (0..self.up_to(end))
            .flat_map(|_| ["/", self.one(choices)])
            .collect()
    }

    fn pattern(&mut self) -> String {
        let segments = self.segments(&PATTERN_SEGMENTS, 4);
        segments + self.one(&PATTERN_ENDS)
    }

    fn path(&mut self) -> String {
        let mut path = self.segments(&PATH_SEGMENTS, 5);
        if path.is_empty() || self.up_to(5) == 0 {
            path.push('/');
        }
        path
    }

    fn matcher(&mut self) -> Matcher {
        let mut matcher = Matcher::new();
        for _ in 0..self.up_to(4).saturating_sub(1) {
            let host = HostPattern::parse(self.one(&HOST_PATTERNS));
            matcher.add_host(host.expect("a host pattern"));
        }
        for _ in 0..self.up_to(3) {
            matcher.add_method(self.one(&METHODS));
        }
        // Nearly every resource has one.
        for _ in 0..self.up_to(25).div_ceil(8) {
            // Some are no patterns, or mean the same as one before.
            while matcher.add_path(&self.pattern()).is_err() {}
        }
        matcher
    }

    fn policy(&mut self, size: usize) -> Policy {
        let resource = |matcher| Resource {
            name: ResourceName::new("r"),
            access: Access::Deny,
            action: None,
            max_grant_lifetime: None,
            conditions: None,
            streams: Streams::Cut,
            mode: Mode::Enforce,
            preflight: Preflight::Judged,
            matcher,
        };
        Policy::new((0..size).map(|_| resource(self.matcher())).collect())
    }

    fn request(&mut self) -> CanonicalRequest {
        CanonicalRequest {
            method: self.one(&METHODS).into(),
            host: self.one(&HOSTS).into(),
            path: self.path(),
            rewritten_target: None,
            rewritten_authority: None,
        }
    }
}

#[test]
fn what_is_found_by_index_is_what_is_found_by_trying_all_in_order() {
    let mut misses = 0;
    let mut later_matches = 0;
    for life in 0..150 {
        let mut fate = Fate(ChaCha8Rng::seed_from_u64(life));
        // Some have more patterns for one host than an index makes layers for.
        let most = [3, 12, 60, 300][fate.up_to(4)];
        let size = 1 + fate.up_to(most);
        let policy = fate.policy(size);
        for _ in 0..200 {
            let request = fate.request();
            let fits = |resource: &Resource| resource.matcher.mismatch(&request).is_none();
            let places: Vec<usize> = policy
                .iter()
                .enumerate()
                .filter_map(|(place, resource)| fits(resource).then_some(place))
                .collect();
            let found = policy.find(&request).map(|(place, _)| place);
            let tried = places.first().copied();
            assert_eq!(found, tried, "life {life}: {request:?} among {policy:?}");
            misses += usize::from(places.is_empty());
            later_matches += usize::from(places.len() > 1);
        }
    }
    assert!(misses > 2_000, "{misses}");
    assert!(later_matches > 10_000, "{later_matches}");
}
