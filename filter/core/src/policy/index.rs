//! Where a request's resource is found without trying all: by host, then by path, then by method.
//!
//! The answer is the one of a search from the first resource to the last, since the smallest place wins among all that match, however specific
//! they are. Resources with the same hosts form a group. A request's groups are those that name its host, those of a suffix of it, and the one of the
//! resources that name no host; each knows its resources by their paths, see [`Paths`].
//!
//! What a look-up costs grows with the groups of one host and with the layers of one group, not with the resources. Both are few where policies are
//! usual. A policy whose lists of hosts all differ and share one host, or whose patterns all overlap, is searched through as before.

mod paths;

use std::collections::{BTreeSet, HashMap};

use hashlink::DefaultHashBuilder;

use super::{HostPattern, Matcher, Resource};
use crate::request::CanonicalRequest;
use paths::Paths;

/// By host, the places of groups, the group of the first resource first.
type Groups = HashMap<Box<str>, Vec<usize>, DefaultHashBuilder>;

/// The resources of one policy, by what they match.
#[derive(Debug)]
pub(super) struct Index {
    /// Those that name no host.
    of_any_host: Paths,
    /// Those that name the same hosts.
    groups: Vec<Paths>,
    exact: Groups,
    /// By suffix, with its dot.
    below: Groups,
}

impl Index {
    /// An index of these, by their places.
    pub(super) fn of(resources: &[Resource]) -> Self {
        let mut of_any_host = Vec::new();
        let mut numbers: HashMap<BTreeSet<&HostPattern>, usize> = HashMap::new();
        let mut members: Vec<Vec<(usize, &Matcher)>> = Vec::new();
        let mut index = Self {
            of_any_host: Paths::default(),
            groups: Vec::new(),
            exact: Groups::default(),
            below: Groups::default(),
        };
        for (place, resource) in resources.iter().enumerate() {
            let matcher = &resource.matcher;
            if matcher.hosts.is_empty() {
                of_any_host.push((place, matcher));
                continue;
            }
            let hosts = matcher.hosts.iter().collect();
            let number = *numbers.entry(hosts).or_insert_with_key(|hosts| {
                index.name_group(members.len(), hosts);
                members.push(Vec::new());
                members.len().saturating_sub(1)
            });
            if let Some(group) = members.get_mut(number) {
                group.push((place, matcher));
            }
        }
        index.of_any_host = Paths::of(&of_any_host);
        index.groups = members.iter().map(|group| Paths::of(group)).collect();
        index
    }

    fn name_group(&mut self, number: usize, hosts: &BTreeSet<&HostPattern>) {
        for host in hosts {
            let (groups, name) = match host {
                HostPattern::Exact(name) => (&mut self.exact, name),
                HostPattern::Below(suffix) => (&mut self.below, suffix),
            };
            groups.entry(name.as_str().into()).or_default().push(number);
        }
    }

    /// The place of the first of `resources`, those that this was made of, that the request is for.
    pub(super) fn find(&self, resources: &[Resource], request: &CanonicalRequest) -> Option<usize> {
        let mut search = Search {
            resources,
            request,
            found: None,
        };
        self.of_any_host.search(&mut search);
        let host = &*request.host;
        self.search_groups(self.exact.get(host), &mut search);
        if !self.below.is_empty() {
            // Something must stand before the dot.
            for (start, _) in host.match_indices('.').filter(|(start, _)| *start > 0) {
                let suffix = host.get(start..).unwrap_or_default();
                self.search_groups(self.below.get(suffix), &mut search);
            }
        }
        search.found
    }

    fn search_groups(&self, numbers: Option<&Vec<usize>>, search: &mut Search<'_>) {
        for number in numbers.into_iter().flatten() {
            if let Some(group) = self.groups.get(*number) {
                group.search(search);
            }
        }
    }
}

/// A request, and the first resource for it that was seen so far.
struct Search<'a> {
    resources: &'a [Resource],
    request: &'a CanonicalRequest,
    found: Option<usize>,
}

impl Search<'_> {
    /// Whether a resource at this place would come before what was found.
    fn is_open_to(&self, place: usize) -> bool {
        self.found.is_none_or(|found| place < found)
    }

    /// Takes the first of `places`, which ascend, that fits, if none before it was found.
    fn offer(&mut self, places: &[usize], fits: impl Fn(&Matcher, &CanonicalRequest) -> bool) {
        for place in places {
            if !self.is_open_to(*place) {
                return;
            }
            let resource = self.resources.get(*place);
            if resource.is_some_and(|resource| fits(&resource.matcher, self.request)) {
                self.found = Some(*place);
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Policy;
    use super::super::tests::{matched_by, request};
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// `METHODS HOSTS PATHS`, each a list with commas, or `-` for all.
    fn policy(resources: &[&str]) -> Policy {
        let resources = resources.iter().map(|text| {
            let mut lists = text
                .split(' ')
                .map(|list| list.split(',').filter(|one| *one != "-"));
            let mut matcher = Matcher::new();
            for method in lists.next().unwrap() {
                matcher.add_method(method);
            }
            for host in lists.next().unwrap() {
                matcher.add_host(HostPattern::parse(host).unwrap());
            }
            for path in lists.next().unwrap() {
                matcher.add_path(path).unwrap();
            }
            matched_by(matcher, text)
        });
        Policy::new(resources.collect())
    }

    /// Each request as `METHOD HOST PATH`.
    fn assert_found(resources: &[&str], requests: &[(&str, Option<usize>)]) {
        let policy = policy(resources);
        for (text, expected) in requests {
            let mut parts = text.split(' ');
            let mut part = || parts.next().unwrap();
            let found = policy.find(&request(part(), part(), part()));
            assert_eq!(found.map(|(place, _)| place), *expected, "{text}");
        }
    }

    #[test]
    fn the_first_pattern_in_order_counts_and_not_the_most_specific() {
        assert_found(
            &["- - /a/{id}", "- - /a/b", "- - /a/{*rest}", "- - /a/b/c"],
            &[
                ("GET h /a/b", Some(0)),
                ("GET h /a/b/c", Some(2)),
                ("GET h /a/", None),
            ],
        );
        assert_found(
            &["- - /a/b", "- - /{*rest}", "- - /a/{id}"],
            &[
                ("GET h /a/b", Some(0)),
                ("GET h /a/c", Some(1)),
                ("GET h /", None),
            ],
        );
    }

    #[test]
    fn patterns_of_one_shape_count_in_order_whatever_their_parameters_are_called() {
        assert_found(
            &["POST - /a/{id}", "GET - /a/{name}", "- - /a/{other}"],
            &[
                ("GET h /a/b", Some(1)),
                ("POST h /a/b", Some(0)),
                ("PUT h /a/b", Some(2)),
            ],
        );
    }

    #[test]
    fn the_first_host_pattern_in_order_counts_and_not_the_most_specific() {
        assert_found(
            &[
                "- *.b.example /x",
                "- a.b.example /{p}",
                "POST - -",
                "- *.example,a.b.example -",
            ],
            &[
                ("GET a.b.example /x", Some(0)),
                ("GET a.b.example /y", Some(1)),
                ("GET a.b.example /y/z", Some(3)),
                ("POST a.b.example /y/z", Some(2)),
                ("GET b.example /x", Some(3)),
                ("GET example /x", None),
                ("GET .b.example /x", Some(3)),
            ],
        );
    }

    #[test]
    fn a_pattern_that_matches_nothing_hides_none_that_does() {
        assert_found(
            &["- - /{{{a}", "- - /{b}", "- - /{{a"],
            &[("GET h /x", Some(1))],
        );
    }

    #[test]
    fn any_pattern_of_a_resource_is_enough_however_alike_they_are() {
        assert_found(
            &["- - /{a}.json/x,/{a}/y", "- - -"],
            &[("GET h /1.json/y", Some(0)), ("GET h /1/x", Some(1))],
        );
    }
}
