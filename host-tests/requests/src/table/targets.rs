//! Other forms of target, queries, fragments, and methods.

use crate::row::{upstream, upstream_at};
use crate::{Outcome, Row};

pub(super) fn rows() -> Vec<Row> {
    use Outcome::{Guarded, Unknown, Unread};
    vec![
        Row::get("a query", "/public/x?a=b").goes_as("/public/x?a=b"),
        Row::get("an empty query", "/public/x?").goes_as("/public/x?"),
        Row::get("two question marks", "/public/x??/../admin").goes_as("/public/x??/../admin"),
        Row::get("dots in a query", "/public/x?/../../admin").goes_as("/public/x?/../../admin"),
        Row::get("an escaped slash in a query", "/public/x?next=%2fadmin%00")
            .goes_as("/public/x?next=%2fadmin%00"),
        Row::get(
            "a query that stays when the path changes",
            "/%70ublic/x?%70=%2e",
        )
        .goes_as("/public/x?%70=%2e"),
        Row::get("a guarded path with a query", "/admin/x?/public/x").is(&Guarded),
        Row::get("a fragment", "/public/x#y").in_envoy(&Unread),
        Row::get(
            "a fragment behind the guarded folder",
            "/admin#/../public/x",
        )
        .in_envoy(&Unread),
        Row::get("a fragment that climbs", "/public/x#/../../admin").in_envoy(&Unread),
        Row::get("no target of a path", "public/x").in_envoy(&Unread),
        Row::get("a target of dots", "../admin/x").in_envoy(&Unread),
        Row::get("an absolute target", "http://open.example/public/x")
            .in_envoy(&upstream("/public/x")),
        Row::get(
            "an absolute target to the guarded folder",
            "http://open.example/admin/x",
        )
        .in_envoy(&Guarded),
        Row::get(
            "an absolute target to another host",
            "http://guarded.example/public/x",
        )
        .in_envoy(&Guarded),
        Row::get("an absolute target without a path", "http://open.example").in_envoy(&Unknown),
        Row::get(
            "an absolute target that names a user",
            "http://guarded.example@open.example/public/x",
        )
        .in_envoy(&upstream("/public/x")),
        Row::get(
            "an absolute target in capitals",
            "HTTP://Open.Example:0080/public/x",
        )
        .in_envoy(&upstream_at("open.example:80", "/public/x")),
        Row::get(
            "an absolute target of another scheme",
            "ftp://open.example/public/x",
        )
        .in_envoy(&Unread),
        Row::get("an asterisk", "*").by("OPTIONS").in_envoy(&Unread),
        Row::get("an asterisk to be got", "*").in_envoy(&Unread),
        Row::get("a tunnel", "open.example:443").by("CONNECT"),
        Row::get("a tunnel with a path", "/public/x")
            .by("CONNECT")
            .in_envoy(&Unread)
            .alone(&upstream("/public/x")),
        Row::get("a method in lower case", "/public/x")
            .by("get")
            .in_envoy(&Unread),
        Row::get("a method of no word", "/public/x")
            .by("GE(T")
            .in_envoy(&Unread),
        Row::get("a method that nobody knows", "/public/x")
            .by("BREW")
            .in_envoy(&Unread)
            .alone(&upstream("/public/x")),
    ]
}
