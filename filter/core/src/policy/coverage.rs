//! Which requests a matcher takes from those that stand behind it: for warnings, not for decisions.
//!
//! "Covers" is only said where it is certain. Two resources that together cover a third one, each a part of its methods, are not seen.

use super::{HostPattern, Matcher};

impl HostPattern {
    /// Whether every host of `other` is one of this.
    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Exact(host)) => self.matches(host),
            (Self::Below(suffix), Self::Below(longer)) => longer.ends_with(suffix.as_str()),
            (Self::Exact(_), Self::Below(_)) => false,
        }
    }
}

impl Matcher {
    /// The path patterns, in the order written; none where every path matches.
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }

    /// Whether this matches requests to any host.
    pub fn is_for_any_host(&self) -> bool {
        self.hosts.is_empty()
    }

    /// Whether this matches requests of this method.
    pub fn is_for_method(&self, method: &str) -> bool {
        self.methods.is_empty() || self.methods.iter().any(|known| known == method)
    }

    /// Whether this matches every path but perhaps `/` itself.
    pub fn is_for_any_path(&self) -> bool {
        self.patterns.is_empty() || self.covers_path("/{*rest}")
    }

    /// Whether every host and method of `other` is one of this.
    pub fn covers_hosts_and_methods(&self, other: &Self) -> bool {
        let is_covered = |host| self.hosts.iter().any(|own| own.covers(host));
        let covers_hosts = self.hosts.is_empty()
            || (!other.hosts.is_empty() && other.hosts.iter().all(is_covered));
        let covers_methods = self.methods.is_empty()
            || (!other.methods.is_empty()
                && other.methods.iter().all(|m| self.methods.contains(m)));
        covers_hosts && covers_methods
    }

    /// Whether every path is one of this.
    pub fn covers_all_paths(&self) -> bool {
        self.patterns.is_empty() || (self.covers_path("/{*rest}") && self.covers_path("/"))
    }

    /// Whether every path of the pattern is one of this.
    pub fn covers_path(&self, pattern: &str) -> bool {
        // A path without parameters can be looked up like that of a request.
        let is_plain = !pattern.contains('{');
        self.patterns.is_empty()
            || (is_plain && self.matches_path(pattern))
            || self.patterns.iter().any(|own| is_wider(own, pattern))
    }
}

/// Whether every path of `narrow` is one of `wide`, segment by segment.
fn is_wider(wide: &str, narrow: &str) -> bool {
    let mut wide = wide.split('/').skip(1);
    let mut narrow = narrow.split('/').skip(1).peekable();
    loop {
        let other = narrow.peek().copied();
        match (wide.next().map(Segment::of), other.map(Segment::of)) {
            (None, None) => return true,
            // One or more characters: all that is left, unless that is nothing.
            (Some(Segment::Rest), Some(other)) => return other != Segment::Text(""),
            (Some(Segment::One), Some(Segment::One | Segment::Mixed(_))) => {}
            (Some(Segment::One), Some(Segment::Text(text))) if !text.is_empty() => {}
            (Some(Segment::Text(one)), Some(Segment::Text(other))) if one == other => {}
            (Some(Segment::Mixed(one)), Some(Segment::Mixed(other))) if one == other => {}
            _ => return false,
        }
        narrow.next();
    }
}

/// A segment of a pattern.
#[derive(PartialEq, Eq)]
enum Segment<'a> {
    /// Letters alone.
    Text(&'a str),
    /// `{id}`.
    One,
    /// `{*rest}`.
    Rest,
    /// `{id}.json`.
    Mixed(&'a str),
}

impl<'a> Segment<'a> {
    fn of(text: &'a str) -> Self {
        let inner = text.strip_prefix('{').and_then(|t| t.strip_suffix('}'));
        match inner {
            Some(name) if name.starts_with('*') => Self::Rest,
            Some(name) if !name.contains(['{', '}']) => Self::One,
            _ if text.contains('{') => Self::Mixed(text),
            _ => Self::Text(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_pattern_is_wider_only_where_it_takes_every_path() {
        for (wide, narrow, expected) in [
            ("/a", "/a", true),
            ("/a", "/a/", false),
            ("/a/{id}", "/a/7", true),
            ("/a/{id}", "/a/{name}", true),
            ("/a/{id}", "/a/{name}.json", true),
            ("/a/{id}", "/a/", false),
            ("/a/{id}", "/a/7/b", false),
            ("/a/{id}", "/a/{*rest}", false),
            ("/a/{id}.json", "/a/{name}", false),
            ("/a/{id}.json", "/a/7.json", true),
            ("/a/{*rest}", "/a/7", true),
            ("/a/{*rest}", "/a/7/", true),
            ("/a/{*rest}", "/a/{id}/b/{*more}", true),
            ("/a/{*rest}", "/a/{*other}", true),
            ("/a/{*rest}", "/a", false),
            ("/a/{*rest}", "/a/", false),
            ("/{*rest}", "/a/{id}", true),
            ("/{*rest}", "/", false),
            ("/a/{id}/c", "/a/b/c", true),
            ("/a/b", "/a/{id}", false),
        ] {
            let mut matcher = Matcher::new();
            matcher.add_path(wide).unwrap();
            assert_eq!(matcher.covers_path(narrow), expected, "{wide}, {narrow}");
        }
    }

    #[test]
    fn hosts_and_methods_are_covered_by_label_and_by_name() {
        let matcher = |hosts: &[&str], methods: &[&str]| {
            let mut matcher = Matcher::new();
            for host in hosts {
                matcher.add_host(HostPattern::parse(host).unwrap());
            }
            for method in methods {
                matcher.add_method(method);
            }
            matcher
        };
        let below = &["*.a.example"][..];
        for (wide, narrow, expected) in [
            (&[][..], &["a.example"][..], true),
            (below, &["x.a.example", "*.x.a.example"], true),
            (below, below, true),
            (below, &["a.example"], false),
            (below, &["x.a.example", "b.example"], false),
            (below, &["*.example"], false),
            (below, &[], false),
            (&["x.a.example"], below, false),
        ] {
            let covers = matcher(wide, &[]).covers_hosts_and_methods(&matcher(narrow, &[]));
            assert_eq!(covers, expected, "{wide:?}, {narrow:?}");
        }
        for (wide, narrow, expected) in [
            (&[][..], &["GET"][..], true),
            (&["GET", "HEAD"], &["HEAD"], true),
            (&["GET"], &["GET", "POST"], false),
            (&["GET"], &[], false),
        ] {
            let covers = matcher(&[], wide).covers_hosts_and_methods(&matcher(&[], narrow));
            assert_eq!(covers, expected, "{wide:?}, {narrow:?}");
        }
    }
}
