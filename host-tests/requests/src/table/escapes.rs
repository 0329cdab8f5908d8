//! Percent escapes: of what needs none, of what means something, of nothing that is text.

use crate::row::upstream;
use crate::{Outcome, Row};

pub(super) fn rows() -> Vec<Row> {
    use Outcome::{Guarded, Unread};
    vec![
        Row::get("a letter escaped", "/public/%78").goes_as("/public/x"),
        Row::get("a letter of the open folder escaped", "/%70ublic/x").goes_as("/public/x"),
        Row::get("a letter of the guarded folder escaped", "/%61dmin/x").is(&Guarded),
        Row::get("all letters escaped", "/%61%64%6d%69%6e/%78").is(&Guarded),
        Row::get("a tilde escaped", "/public/%7ex").goes_as("/public/~x"),
        Row::get("an escape in lower case", "/public/caf%c3%a9").goes_as("/public/caf%C3%A9"),
        Row::get("an escape in upper case", "/public/caf%C3%A9").goes_as("/public/caf%C3%A9"),
        Row::get("a sign of a guarded folder", "/public/@/x").is(&Guarded),
        Row::get("a sign of a guarded folder escaped", "/public/%40/x"),
        Row::get("a sign in an open folder escaped", "/public/a%40b").goes_as("/public/a%40b"),
        Row::get("brackets escaped", "/public/%28x%29").goes_as("/public/%28x%29"),
        Row::get("a space escaped", "/public/a%20b").goes_as("/public/a%20b"),
        Row::get("a space at the end", "/admin%20"),
        Row::get("a space at the end of a folder", "/admin%20/x"),
        Row::get("dots and a space", "/public/..%20/admin/x"),
        Row::get("dots escaped", "/public/%2e%2e/admin/x").normalised(&Guarded),
        Row::get("dots escaped in upper case", "/public/%2E%2E/admin/x").normalised(&Guarded),
        Row::get("one dot of two escaped", "/public/.%2e/admin/x").normalised(&Guarded),
        Row::get("a dot escaped", "/public/%2e/x").normalised(&upstream("/public/x")),
        Row::get("a dot behind a name escaped", "/admin%2e"),
        Row::get("a slash escaped", "/public%2fx").normalised(&Unread),
        Row::get("a slash escaped in upper case", "/public%2Fx").normalised(&Unread),
        Row::get("dots and slashes escaped", "/public/..%2fadmin%2fx").normalised(&Unread),
        Row::get("everything escaped", "/public%2f%2e%2e%2fadmin").normalised(&Unread),
        Row::get("the first slash escaped", "/%2fadmin/x").normalised(&Unread),
        Row::get("a backslash escaped", "/public%5cx").normalised(&Unread),
        Row::get("dots and backslashes escaped", "/public/..%5cadmin%5Cx").normalised(&Unread),
        Row::get("a percent sign escaped", "/public/100%25"),
        Row::get("a slash escaped twice", "/public%252fx"),
        Row::get("dots escaped twice", "/public/%252e%252e/admin/x"),
        Row::get("a slash escaped three times", "/public/..%25252fadmin"),
        Row::get("a semicolon escaped", "/admin%3bx/y"),
        Row::get("dots with a parameter escaped", "/public/..%3b/admin/x"),
        Row::get("a question mark escaped", "/public/a%3fb"),
        Row::get(
            "a question mark escaped behind the guarded folder",
            "/admin%3f/../x",
        )
        .normalised(&Outcome::Unknown),
        Row::get("a number sign escaped", "/public/a%23b"),
        Row::get("NUL escaped", "/public/a%00b").normalised(&Unread),
        Row::get("NUL escaped behind the guarded folder", "/admin%00/x").normalised(&Unread),
        Row::get("a line break escaped", "/public/a%0d%0ab"),
        Row::get("DEL escaped", "/public/%7f"),
        Row::get("an overlong slash", "/public/..%c0%afadmin"),
        Row::get("an overlong dot", "/public/%c0%ae%c0%ae/admin"),
        Row::get(
            "an overlong slash of three bytes",
            "/public/..%e0%80%afadmin",
        ),
        Row::get("half a surrogate pair", "/public/%ed%a0%80"),
        Row::get("bytes that are no text", "/public/%ff%fe"),
        Row::get("a cut-off sequence", "/public/%c3"),
        Row::get("a wide slash", "/public/%ef%bc%8fx").goes_as("/public/%EF%BC%8Fx"),
        Row::get("an escape of no number", "/public/%zz"),
        Row::get("an escape of one digit", "/public/%2"),
        Row::get("an escape of none", "/public/%"),
        Row::get("an escape with a sign", "/public/%+2f"),
        Row::get("an escape of Microsoft's", "/public/..%u2215admin"),
        Row::get("bytes in UTF-8 that are not escaped", "/public/caf\u{e9}").in_envoy(&Unread),
        Row::get(
            "bytes that are no text and not escaped",
            b"/public/\xff\xfe",
        )
        .in_envoy(&Unread),
        Row::get(
            "an overlong slash that is not escaped",
            b"/public/..\xc0\xafadmin",
        )
        .in_envoy(&Unread),
        Row::get("NUL", b"/public/a\0b").in_envoy(&Unread),
    ]
}
