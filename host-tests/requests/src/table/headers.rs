//! Headers that claim another path, host or method. The first line of the request is the only one that says so.

use crate::{Outcome, Row};

/// Headers that some server or proxy takes for the path.
const PATHS: [&str; 8] = [
    "x-original-url",
    "x-original-uri",
    "x-rewrite-url",
    "x-envoy-original-path",
    "x-forwarded-uri",
    "x-forwarded-path",
    "x-forwarded-prefix",
    "x-http-path-override",
];
/// Headers that some take for the host, or for where a request came from.
const HOSTS: [&str; 5] = [
    "x-forwarded-host",
    "x-host",
    "x-original-host",
    "x-envoy-original-host",
    "forwarded",
];
/// Headers that some take for the method.
const METHODS: [&str; 3] = [
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
];

pub(super) fn rows() -> Vec<Row> {
    let guarded = |name: &'static str, value| {
        Row::get(format!("a guarded path and `{name}: {value}`"), "/admin/x")
            .with(name, value)
            .is(&Outcome::Guarded)
    };
    let open = |name: &'static str, value| {
        Row::get(format!("an open path and `{name}: {value}`"), "/public/x")
            .with(name, value)
            .goes_as("/public/x")
    };
    let paths = PATHS.map(|name| [guarded(name, "/public/x"), open(name, "/public/y")]);
    let hosts = HOSTS.map(|name| [guarded(name, "open.example"), open(name, "other.example")]);
    let methods = METHODS.map(|name| [guarded(name, "OPTIONS"), open(name, "DELETE")]);
    [paths.as_slice(), &hosts, &methods]
        .concat()
        .into_iter()
        .flatten()
        .collect()
}
