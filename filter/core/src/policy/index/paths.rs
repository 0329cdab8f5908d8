//! Which resources a path may be for, by the patterns that match it.
//!
//! A router of `matchit` answers with its most specific pattern alone and takes no two of one shape, where here each pattern that matches counts. So
//! patterns of one shape (`/a/{id}`, `/a/{name}`) are one entry, with all resources that have it, and the others are put into layers, each a
//! router. Within a layer no path can be matched by two patterns: where two of them part, both go on with a segment of plain text, or one
//! ends. So a router never has more than one way to go, and never goes back; it allocates nothing but room for more than three parameters. A
//! look-up asks each layer. Usual policies have one to four, whatever the number of their patterns: one for each kind of segment that stands in the same
//! place, such as `/a/new`, `/a/{id}` and `/a/{*rest}`.
//!
//! A thousand patterns that all overlap (`/{*rest}`, `/a/{*rest}`, `/a/a/{*rest}`) would need a thousand layers. There are never more than
//! [`MAX_LAYERS`]: what fits into none of them is tried one by one, which costs as much. So the time that it takes to make them grows with the
//! number of patterns, and not with its square.

use std::collections::{BTreeMap, HashMap};

use super::super::Matcher;
use super::Search;

/// More than patterns need that were not written to need more.
const MAX_LAYERS: usize = 32;

/// The resources of one group, by path.
#[derive(Debug, Default)]
pub(super) struct Paths {
    layers: Vec<Layer>,
    /// Places of those that are tried one by one: resources without a pattern, and with one that is in no layer.
    others: Vec<usize>,
}

/// Patterns of which no two match the same path.
#[derive(Debug)]
struct Layer {
    /// The first place in it.
    first: usize,
    /// For each pattern the places of its resources, which ascend.
    router: matchit::Router<Vec<usize>>,
}

impl Paths {
    /// The paths of these resources, each with its place; the places ascend.
    pub(super) fn of(resources: &[(usize, &Matcher)]) -> Self {
        let mut forks = Forks::default();
        let mut drafts: Vec<Draft<'_>> = Vec::new();
        let mut others = Vec::new();
        for (place, matcher) in resources {
            let mut all_fit = !matcher.patterns.is_empty();
            for pattern in &matcher.patterns {
                let route = forks.route(pattern);
                let layer = drafts.iter().position(|draft| draft.admits(&route));
                let layer = layer.unwrap_or(drafts.len());
                if layer == drafts.len() && layer < MAX_LAYERS {
                    drafts.push(Draft::default());
                }
                match drafts.get_mut(layer) {
                    Some(draft) => draft.add(pattern, &route, *place),
                    None => all_fit = false,
                }
            }
            if !all_fit {
                others.push(*place);
            }
        }
        let layers = drafts
            .into_iter()
            .map(|draft| draft.build(&mut others))
            .collect();
        others.sort_unstable();
        others.dedup();
        Self { layers, others }
    }

    /// Looks for a resource before the one that was found.
    pub(super) fn search(&self, search: &mut Search<'_>) {
        for layer in &self.layers {
            if search.is_open_to(layer.first)
                && let Ok(matched) = layer.router.at(&search.request.path)
            {
                search.offer(matched.value, |matcher, request| {
                    matcher.is_for_method(&request.method)
                });
            }
        }
        search.offer(&self.others, Matcher::matches);
    }
}

/// Where patterns part: a tree of their segments, each place in it with a number.
#[derive(Debug, Default)]
struct Forks {
    next: HashMap<(usize, String), usize>,
}

/// A pattern's way through the tree.
#[derive(Debug)]
struct Route {
    ways: Vec<(usize, Way)>,
    /// Where it ends: the same for all of its shape.
    end: usize,
}

/// How a pattern goes on from some place in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// By a segment of plain text, of which any number go together.
    Text,
    /// By one with a parameter, which goes with its like alone, and leads there.
    Parameter(usize),
}

impl Forks {
    fn route(&mut self, pattern: &str) -> Route {
        let mut ways = Vec::new();
        let mut end = 0;
        for segment in pattern.split('/').skip(1) {
            let from = end;
            let number = self.next.len().saturating_add(1);
            end = *self.next.entry((from, shape(segment))).or_insert(number);
            let way = if segment.contains('{') {
                Way::Parameter(end)
            } else {
                Way::Text
            };
            ways.push((from, way));
        }
        Route { ways, end }
    }
}

/// A segment without the name of its parameter, which has no meaning here.
fn shape(segment: &str) -> String {
    let inner = segment.split_once('{').and_then(|(before, rest)| {
        let (name, after) = rest.split_once('}')?;
        Some((before, name, after))
    });
    match inner {
        // Two braces stand for one as it is, and only the router tells which are which.
        Some((before, name, after)) if !segment.contains("{{") => {
            let star = if name.starts_with('*') { "*" } else { "" };
            format!("{before}{{{star}}}{after}")
        }
        _ => segment.to_owned(),
    }
}

/// A layer that is being made.
#[derive(Debug, Default)]
struct Draft<'a> {
    ways: HashMap<usize, Way>,
    /// Patterns with their places, by where they end: in the order in which they were added.
    entries: BTreeMap<usize, (&'a str, Vec<usize>)>,
}

impl<'a> Draft<'a> {
    fn admits(&self, route: &Route) -> bool {
        let mut ways = route.ways.iter();
        ways.all(|(from, way)| self.ways.get(from).is_none_or(|known| known == way))
    }

    fn add(&mut self, pattern: &'a str, route: &Route, place: usize) {
        self.ways.extend(route.ways.iter().copied());
        let entry = self.entries.entry(route.end);
        let (_, places) = entry.or_insert_with(|| (pattern, Vec::new()));
        places.push(place);
    }

    /// The layer. What the router refuses all the same is left to `others`.
    fn build(self, others: &mut Vec<usize>) -> Layer {
        let mut router = matchit::Router::new();
        let mut first = usize::MAX;
        for (pattern, places) in self.entries.into_values() {
            if router.insert(pattern, places.clone()).is_err() {
                others.extend(places);
                continue;
            }
            first = places.first().copied().unwrap_or(first).min(first);
        }
        Layer { first, router }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn paths(patterns: &[String]) -> Paths {
        let matchers: Vec<Matcher> = patterns
            .iter()
            .map(|pattern| {
                let mut matcher = Matcher::new();
                matcher.add_path(pattern).unwrap();
                matcher
            })
            .collect();
        let places: Vec<(usize, &Matcher)> = matchers.iter().enumerate().collect();
        Paths::of(&places)
    }

    #[test]
    fn a_thousand_usual_patterns_need_few_layers() {
        let mut patterns = Vec::new();
        for number in 0..250 {
            for tail in ["new", "{id}", "{name}/items/{item}", "{*rest}"] {
                patterns.push(format!("/service-{number}/{tail}"));
            }
        }
        patterns.push("/{*rest}".to_owned());
        let paths = paths(&patterns);
        assert_eq!((paths.layers.len(), paths.others.len()), (4, 0));
    }

    #[test]
    fn there_are_never_more_layers_than_a_few_and_what_fits_into_none_is_among_the_others() {
        let patterns: Vec<String> = (0..100)
            .map(|depth| "/a".repeat(depth) + "/{*rest}")
            .collect();
        let paths = paths(&patterns);
        assert_eq!(paths.layers.len(), MAX_LAYERS);
        assert_eq!(paths.layers.len() + paths.others.len(), patterns.len());
    }

    #[test]
    fn patterns_go_together_unless_a_path_could_go_two_ways() {
        for (one, other, layers) in [
            ("/a", "/b", 1),
            ("/a", "/a/b", 1),
            ("/a/{id}", "/a/{name}", 1),
            ("/a/{id}", "/a/{id}/b", 1),
            ("/a/{id}", "/a", 1),
            ("/a/{id}.json", "/a/{name}.json/b", 1),
            ("/a/{*rest}", "/b/{id}", 1),
            ("/a/{id}", "/a/b", 2),
            ("/a/{id}", "/a/", 2),
            ("/a/{id}", "/a/{id}.json", 2),
            ("/a/{id}", "/a/{*id}", 2),
            ("/a/x{id}", "/a/xy", 2),
            ("/a/{id}", "/a/{{{id}", 2),
        ] {
            let paths = paths(&[one.to_owned(), other.to_owned()]);
            assert_eq!(paths.layers.len(), layers, "{one}, {other}");
        }
    }
}
