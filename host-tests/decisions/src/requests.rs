//! Requests that are decided by what they are for, whoever asks.

use serde_json::json;

use crate::Case;
use crate::case::alice;

pub(crate) fn cases() -> Vec<Case> {
    [
        opened(),
        closed(),
        ambiguous(),
        monitored(),
        preflights(),
        documents(),
    ]
    .concat()
}

fn opened() -> Vec<Case> {
    let mut respelt = Case::get("case and port do not make another host of it", "")
        .url("https://ADMIN.example:8443/healthz")
        .passes("public");
    respelt.expected.authority = Some("admin.example:8443");
    vec![
        Case::get("what is public needs no token", "/healthz").passes("public"),
        Case::get(
            "a token does not go upstream where it is not needed",
            "/healthz",
        )
        .by(alice())
        .passes("public"),
        Case::get("an identity header of the client's is removed", "/healthz")
            .header("x-hallpass-subject", "root")
            .header("x-other", "kept")
            .passes("public")
            .removed("x-hallpass-subject"),
        Case::get(
            "an identity header with underscores is removed too",
            "/healthz",
        )
        .header("x_hallpass_subject", "root")
        .passes("public")
        .removed("x_hallpass_subject"),
        Case::get("the query is no part of the path", "/healthz?a=/internal/x").passes("public"),
        respelt,
    ]
}

fn closed() -> Vec<Case> {
    vec![
        Case::get("what is closed is closed to everyone", "/internal/x")
            .by(alice())
            .refused_with_link("resource_closed", ("internal", "get")),
        Case::get("what no resource matches is refused", "/elsewhere")
            .by(alice())
            .refused(403, "resource_unknown"),
        Case::get("another host is another resource", "")
            .url("https://other.example/orders/7")
            .by(alice())
            .refused(403, "resource_unknown"),
        Case::get("another method is another resource", "/orders/7")
            .method("DELETE")
            .by(alice())
            .refused(403, "resource_unknown"),
        Case::get("a trailing slash is another path", "/me/").refused(403, "resource_unknown"),
    ]
}

fn ambiguous() -> Vec<Case> {
    let path = |name, path| Case::get(name, path).refused(400, "request_ambiguous");
    vec![
        path("a dot segment is ambiguous", "/internal/../me"),
        path("an encoded dot segment is ambiguous", "/orders/%2e%2e/me"),
        path("an empty segment is ambiguous", "//me"),
        path("an encoded slash is ambiguous", "/me%2Fx"),
        path("an encoded percent sign is ambiguous", "/me/%252e"),
        path("a parameter in the path is ambiguous", "/me;a=b"),
        path("a fragment in the path is ambiguous", "/me#x"),
        path("a method in lower case is ambiguous", "/me").method("get"),
        path("a user in the authority is ambiguous", "").url("https://root@admin.example/me"),
        path("another host in the host header is ambiguous", "/me").header("host", "other.example"),
        path(
            "a connection header that names an identity header is ambiguous",
            "/me",
        )
        .header("connection", "close, X-Hallpass-Subject"),
    ]
}

fn monitored() -> Vec<Case> {
    let under = |case: Case| case.under("/mode", json!("monitor"));
    vec![
        under(Case::get(
            "in monitor mode what is refused passes, and nobody speaks for the filter",
            "/internal/x",
        ))
        .by(alice())
        .header("x-hallpass-subject", "root")
        .passes_monitored(403, "resource_closed")
        .removed("x-hallpass-subject"),
        under(Case::get(
            "in monitor mode an ambiguous request passes as it came",
            "/me;a",
        ))
        .passes_monitored(400, "request_ambiguous"),
        Case::get("a resource may be watched by itself", "/internal/x")
            .under("/resources/2/mode", json!("monitor"))
            .passes_monitored(403, "resource_closed"),
        under(Case::get(
            "a resource may be held to while others are watched",
            "/internal/x",
        ))
        .under("/resources/2/mode", json!("enforce"))
        .refused_with_link("resource_closed", ("internal", "get")),
    ]
}

fn preflights() -> Vec<Case> {
    let preflight = |name, method: &str| {
        Case::get(name, "/orders/7")
            .method("OPTIONS")
            .header("origin", "https://shop.example")
            .header("access-control-request-method", method)
    };
    vec![
        preflight("a preflight passes where the resource lets it", "GET")
            .under("/resources/3/preflight", json!("public"))
            .passes("public"),
        preflight("a preflight is judged where nothing else is said", "GET")
            .refused(403, "resource_unknown"),
        preflight("a preflight for another resource is judged", "POST")
            .under("/resources/3/preflight", json!("public"))
            .refused(403, "resource_unknown"),
    ]
}

fn documents() -> Vec<Case> {
    let at = |name, path: &str| {
        let resource = json!({
            "resource": "https://admin.example/orders",
            "authorization_servers": ["https://idp.example"],
        });
        Case::get(name, path).under("/protected_resource", resource)
    };
    vec![
        at(
            "the document for clients is answered whoever asks",
            "/.well-known/oauth-protected-resource",
        )
        .answered_by_the_filter(200),
        at(
            "the document is there to be read only",
            "/.well-known/oauth-protected-resource/orders",
        )
        .method("DELETE")
        .answered_by_the_filter(405),
        at("another host has no such document", "")
            .url("https://other.example/.well-known/oauth-protected-resource")
            .refused(403, "resource_unknown"),
    ]
}
