//! Dots, doubled and trailing slashes, backslashes, parameters, and names that some take for others.

use crate::row::upstream;
use crate::{Outcome, Row};

pub(super) fn rows() -> Vec<Row> {
    use Outcome::{Ambiguous, Guarded, Unknown, Unread};
    vec![
        Row::get("a plain path", "/public/x").goes_as("/public/x"),
        Row::get("a guarded path", "/admin/x").is(&Guarded),
        Row::get("a guarded folder", "/admin").is(&Guarded),
        Row::get("the root", "/").is(&Unknown),
        Row::get("a dot segment", "/public/./x").normalised(&upstream("/public/x")),
        Row::get("a dot at the end", "/public/x/.").normalised(&upstream("/public/x/")),
        Row::get("two dots", "/public/a/../x").normalised(&upstream("/public/x")),
        Row::get("two dots at the end", "/public/a/..").normalised(&upstream("/public/")),
        Row::get("out of the open folder", "/public/../admin/x").normalised(&Guarded),
        Row::get("into the open folder", "/admin/../public/x").normalised(&upstream("/public/x")),
        Row::get("out of everything", "/public/../../../admin/x").normalised(&Guarded),
        Row::get("three dots", "/public/.../admin"),
        Row::get("slashes doubled", "/public//x").normalised(&upstream("/public/x")),
        Row::get("slashes doubled in front", "//admin/x").normalised(&Guarded),
        Row::get("a host behind two slashes", "//open.example/admin/x").normalised(&Unknown),
        Row::get("slashes doubled at the end", "/public/x//").normalised(&upstream("/public/x/")),
        Row::get("dots behind two slashes", "/public//../admin/x")
            .normalised(&upstream("/public/admin/x")),
        Row::get("a backslash", "/public\\x").normalised(&upstream("/public/x")),
        Row::get("backslashes and dots", "/public\\..\\admin\\x").normalised(&Guarded),
        Row::get("dots and a backslash", "/public/..\\admin/x").normalised(&Guarded),
        Row::get("a slash at the end", "/public/x/").goes_as("/public/x/"),
        Row::get("a slash behind the guarded folder", "/admin/").is(&Guarded),
        Row::get("a dot behind a name", "/admin."),
        Row::get("a dot behind a name within", "/admin./x"),
        Row::get("a parameter", "/public/x;jsessionid=1"),
        Row::get("a parameter of the guarded folder", "/admin;jsessionid=1/x"),
        Row::get("an empty parameter", "/admin;/x"),
        Row::get("dots with a parameter", "/public/..;/admin/x").normalised(&Guarded),
        Row::get(
            "dots with a parameter that has a value",
            "/public/..;a=b/admin/x",
        )
        .normalised(&Guarded),
        Row::get("a dot with a parameter", "/public/.;/admin/x")
            .normalised(&upstream("/public/admin/x")),
        Row::get("another case", "/ADMIN/x").is(&Unknown),
        Row::get("another case of the open folder", "/Public/x").is(&Unknown),
        Row::get(
            "a name that only begins like the guarded one",
            "/administrator",
        )
        .is(&Unknown),
        Row::get("a name that only ends like it", "/public/admin").goes_as("/public/admin"),
        Row::get("a space", "/public/a b")
            .alone(&Ambiguous)
            .in_envoy(&Unread),
        Row::get("a tab", "/public/a\tb").in_envoy(&Unread),
        Row::get("brackets", "/public/[x]").goes_as("/public/[x]"),
        Row::get("braces", "/public/{x}").normalised(&upstream("/public/%7Bx%7D")),
        Row::get("a bar", "/public/a|b").normalised(&upstream("/public/a%7Cb")),
        Row::get("a circumflex", "/public/^").normalised(&upstream("/public/%5E")),
        Row::get("quotes", "/public/\"x\"").normalised(&upstream("/public/%22x%22")),
        Row::get("a backtick", "/public/`x`").normalised(&upstream("/public/%60x%60")),
        Row::get("angles", "/public/<x>").normalised(&upstream("/public/%3Cx%3E")),
        Row::get("what needs no escape", "/public/-._~!$&'()*+,:@=x")
            .goes_as("/public/-._~!$&'()*+,:@=x"),
        Row::get(
            "a very long path",
            format!("/public/{}", "a".repeat(20_000)),
        )
        .goes_as(&format!("/public/{}", "a".repeat(20_000))),
        Row::get("a very deep path", format!("/public{}", "/a".repeat(5_000)))
            .goes_as(&format!("/public{}", "/a".repeat(5_000))),
        Row::get(
            "a very long climb",
            format!("/public{}/admin/x", "/..".repeat(5_000)),
        )
        .normalised(&Guarded),
        Row::get(
            "longer than the proxy takes",
            format!("/public/{}", "a".repeat(70_000)),
        )
        .alone(&upstream(&format!("/public/{}", "a".repeat(70_000))))
        .in_envoy(&Unread),
    ]
}
