//! What a refused client is told, and what it is not told.

use hallpass_harness::{Answer, Cluster, Exchange, Harness, Reply, Request};
use serde_json::{Value, json};

use crate::setup::{GRANTS, alice, config_with, deny, fails, order, start, start_with};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// One refusal of each status, with its name. The requests carry an id, as every request does that a proxy serves.
fn refusals(harness: &Harness) -> Vec<(&'static str, Exchange)> {
    let send = |request: Request| harness.request(request.header("x-request-id", "f3b1-77"));
    let get = |path: &str| Request::get(&format!("https://admin.example{path}"));
    fails(harness);
    let unavailable = send(order(&alice()));
    harness.set_cluster(GRANTS, Cluster::answers(|_| Reply::json(200, &deny())));
    vec![
        ("no token", send(get("/me"))),
        ("bad token", send(get("/me").bearer("nonsense"))),
        ("denied", send(order(&alice()))),
        ("unknown", send(get("/elsewhere").bearer(&alice()))),
        ("ambiguous", send(get("//me").bearer(&alice()))),
        ("unavailable", unavailable),
    ]
}

fn denied(harness: &Harness, request: Request) -> Answer {
    harness.set_cluster(GRANTS, Cluster::answers(|_| Reply::json(200, &deny())));
    harness.request(request).answer()
}

#[test]
fn a_refusal_is_a_problem_document_that_nobody_may_store() {
    for (name, exchange) in refusals(&start()) {
        let answer = exchange.answer();
        assert_eq!(
            answer.headers.all("content-type"),
            ["application/problem+json"],
            "{name}"
        );
        assert_eq!(answer.headers.all("cache-control"), ["no-store"], "{name}");
        let body = answer.json();
        assert_eq!(body["status"], answer.status, "{name}");
        for member in ["type", "title", "detail", "reason", "request_id"] {
            assert!(
                body[member].as_str().is_some_and(|text| !text.is_empty()),
                "{name}: {member} in {body}"
            );
        }
    }
}

#[test]
fn the_request_id_of_the_proxy_is_repeated() {
    let request = Request::get("https://admin.example/me").header("x-request-id", "f3b1-77");
    assert_eq!(
        start().request(request).answer().json()["request_id"],
        "f3b1-77"
    );
}

#[test]
fn a_browser_gets_a_page_with_the_same_facts_and_a_link() {
    let answer = denied(
        &start(),
        order(&alice())
            .header("accept", BROWSER)
            .header("x-request-id", "f3b1-77"),
    );
    assert_eq!(answer.status, 403);
    assert!(
        answer
            .headers
            .all("content-type")
            .concat()
            .starts_with("text/html")
    );
    assert_eq!(answer.headers.all("cache-control"), ["no-store"]);
    let page = answer.text();
    for fact in [
        "orders",
        "read",
        "grant_denied",
        "f3b1-77",
        "Request access",
    ] {
        assert!(page.contains(fact), "{fact} is missing from {page}");
    }
    assert!(
        page.contains("https://grants.example/request?resource=orders&amp;action=read"),
        "{page}"
    );
}

#[test]
fn the_page_needs_nothing_from_elsewhere() {
    let page = denied(&start(), order(&alice()).header("accept", BROWSER))
        .text()
        .to_lowercase();
    for reference in ["<script", "src=", "<link", "@import", "url("] {
        assert!(!page.contains(reference), "{reference} in {page}");
    }
}

#[test]
fn what_a_stranger_sends_is_escaped_in_the_page() {
    let attack = r#""><script>alert(1)</script>&'"#;
    let request = order(&alice())
        .header("accept", BROWSER)
        .header("x-request-id", attack);
    let page = denied(&start(), request).text();
    assert!(!page.contains("<script"), "{page}");

    let method = Request::new("<IMG>", "https://admin.example/orders/7")
        .bearer(&alice())
        .header("accept", BROWSER);
    let page = denied(&start(), method).text();
    assert!(!page.to_lowercase().contains("<img"), "{page}");
}

#[test]
fn what_the_service_sends_is_escaped_in_the_page() {
    let harness = start();
    let context = json!({
        "reason": "<script>alert(1)</script>",
        "access_request": { "form_url": "https://grants.example/form?a=\"><script>", "display": { "title": "<b>Ask</b>" } },
    });
    harness.set_cluster(
        GRANTS,
        Cluster::answers(move |_| {
            Reply::json(200, &json!({ "decision": false, "context": context }))
        }),
    );
    let page = harness
        .request(order(&alice()).header("accept", BROWSER))
        .answer()
        .text();
    assert!(
        !page.contains("<script") && !page.contains("<b>Ask"),
        "{page}"
    );
}

#[test]
fn a_link_that_runs_a_script_is_never_offered() {
    for url in [
        "javascript:alert(1)",
        "data:text/html,x",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "http://grants.example/form",
    ] {
        let harness = start();
        let context = json!({ "access_request": { "form_url": url } });
        harness.set_cluster(
            GRANTS,
            Cluster::answers(move |_| {
                Reply::json(200, &json!({ "decision": false, "context": context }))
            }),
        );
        let page = harness
            .request(order(&alice()).header("accept", BROWSER))
            .answer()
            .text()
            .to_lowercase();
        assert!(
            !page.contains("script:") && !page.contains("data:"),
            "{url}: {page}"
        );
    }
}

#[test]
fn the_link_carries_resource_and_action_as_values() {
    let harness = start_with(&config_with(|config| {
        config["resources"][3]["name"] = json!("orders & more");
        config["resources"][3]["action"] = json!("read/all?");
    }));
    let url = denied(&harness, order(&alice())).json()["request_url"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert_eq!(
        url,
        "https://grants.example/request?resource=orders%20%26%20more&action=read%2Fall%3F"
    );
}

#[test]
fn a_program_gets_json_even_when_it_takes_anything() {
    for accept in ["*/*", "application/json", "text/plain"] {
        let answer = denied(&start(), order(&alice()).header("accept", accept));
        let content_type = answer.headers.all("content-type");
        assert_eq!(content_type, ["application/problem+json"], "{accept}");
    }
}

#[test]
fn a_program_that_rules_pages_out_gets_none() {
    let accept = "application/problem+json, text/html;q=0";
    let answer = denied(&start(), order(&alice()).header("accept", accept));
    let content_type = answer.headers.all("content-type");
    assert_eq!(content_type, ["application/problem+json"]);
}

#[test]
fn an_answer_to_head_has_no_body() {
    for accept in [BROWSER, "*/*"] {
        let request = Request::new("HEAD", "https://admin.example/orders/7")
            .bearer(&alice())
            .header("accept", accept);
        let answer = denied(&start(), request);
        assert_eq!((answer.status, answer.body.len()), (403, 0));
        assert!(answer.headers.has("content-type"));
    }
}

#[test]
fn an_answer_names_nothing_inside() {
    let harness = start_with(&config_with(|config| {
        config["grants"]["service"]["headers"] =
            json!({ "authorization": "Bearer service-secret" });
    }));
    for (name, exchange) in refusals(&harness) {
        let answer = exchange.answer();
        let told = format!("{:?} {}", answer.headers, answer.text());
        for inside in [
            "kid-1",
            "grants.internal",
            "evaluation",
            "service-secret",
            "corp",
            "upstream connect error",
        ] {
            assert!(!told.contains(inside), "{name} tells {inside}: {told}");
        }
    }
}

#[test]
fn only_a_missing_or_bad_token_is_challenged() {
    for (name, exchange) in refusals(&start()) {
        let answer = exchange.answer();
        assert_eq!(
            answer.headers.has("www-authenticate"),
            answer.status == 401,
            "{name}"
        );
        assert_eq!(
            answer.headers.has("retry-after"),
            answer.status == 503,
            "{name}"
        );
    }
}

#[test]
fn an_answer_carries_no_header_of_the_request() {
    let request = Request::get("https://admin.example/me")
        .header("x-secret", "s3cret")
        .header("x-hallpass-subject", "root");
    let answer = start().request(request).answer();
    assert!(!format!("{:?} {}", answer.headers, answer.text()).contains("s3cret"));
    assert!(!answer.headers.has("x-hallpass-subject"));
}

#[test]
fn a_page_promises_only_what_a_request_for_access_brings() {
    let page = |request: Request| denied(&start(), request.header("accept", BROWSER)).text();
    let promise = "Once your request is approved";
    let without_grant = page(order(&alice()));
    assert!(without_grant.contains(promise), "{without_grant}");
    let closed = page(Request::get("https://admin.example/internal/x").bearer(&alice()));
    assert!(closed.contains("resource=internal"), "{closed}");
    assert!(!closed.contains(promise), "{closed}");
}

#[test]
fn a_refusal_without_a_known_way_to_ask_offers_none() {
    let harness = start_with(&config_with(|config| {
        config["grants"]
            .as_object_mut()
            .expect("an object")
            .remove("request_url");
    }));
    let body = denied(&harness, order(&alice())).json();
    assert_eq!(body.get("request_url"), None::<&Value>);
    let page = denied(&harness, order(&alice()).header("accept", BROWSER)).text();
    assert!(!page.contains("<a "), "{page}");
}

#[test]
fn a_grpc_client_gets_one_line_of_text() {
    let request = order(&alice()).header("content-type", "application/grpc+proto");
    let answer = denied(&start(), request);
    assert_eq!(answer.status, 403);
    assert_eq!(
        answer.text(),
        "You have no grant for this. Request access. (grant_denied)"
    );
    assert!(!answer.headers.has("content-type"));
}

#[test]
fn a_page_runs_nothing_loads_nothing_and_tells_nobody_where_it_was() {
    for (name, request) in [
        ("denied", order(&alice())),
        ("no token", Request::get("https://admin.example/me")),
    ] {
        let answer = denied(&start(), request.header("accept", BROWSER));
        let policy = answer.headers.all("content-security-policy").concat();
        assert!(
            policy.starts_with("default-src 'none'; style-src 'sha256-"),
            "{name}: {policy}"
        );
        assert!(!policy.contains("unsafe"), "{name}: {policy}");
        assert_eq!(
            answer.headers.all("x-content-type-options"),
            ["nosniff"],
            "{name}"
        );
        assert_eq!(
            answer.headers.all("referrer-policy"),
            ["no-referrer"],
            "{name}"
        );
        assert!(!answer.text().contains("style=\""), "{name}");
    }
}

/// The default configuration, for clients of OAuth, and for the scripts of other origins.
fn open() -> Harness {
    start_with(&config_with(|config| {
        config["protected_resource"] = json!({
            "resource": "https://admin.example/mcp",
            "authorization_servers": ["https://idp.example"],
        });
        config["resources"][3]["preflight"] = json!("public");
    }))
}

fn document(method: &str, host: &str, path: &str) -> Request {
    Request::new(
        method,
        &format!("https://{host}/.well-known/oauth-protected-resource{path}"),
    )
}

#[test]
fn an_oauth_client_is_told_where_to_sign_in_and_reads_it_there() {
    let harness = open();
    let refused = harness
        .request(Request::get("https://admin.example/me"))
        .answer();
    assert_eq!(
        refused.headers.all("www-authenticate"),
        [
            r#"Bearer realm="hallpass", resource_metadata="https://admin.example/.well-known/oauth-protected-resource/mcp""#
        ]
    );
    for path in ["", "/mcp"] {
        let answer = harness
            .request(document("GET", "admin.example", path))
            .answer();
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.json(),
            json!({
                "resource": "https://admin.example/mcp",
                "authorization_servers": ["https://idp.example"],
                "bearer_methods_supported": ["header"],
            })
        );
    }
    assert_eq!(harness.metric("hallpass.decisions.allow.public"), 2);
    let record = &harness.audit()[1];
    assert_eq!(
        (&record["decision"], &record["reason"]),
        (&json!("allow"), &json!("public"))
    );
    assert_eq!(record["path"], "/.well-known/oauth-protected-resource");
    assert!(harness.callouts().is_empty());
}

#[test]
fn the_document_belongs_to_its_host_and_to_reading() {
    let harness = open();
    let answer = |method, host| harness.request(document(method, host, "/mcp")).answer();
    assert_eq!(answer("GET", "other.example").status, 403);
    assert_eq!(answer("HEAD", "admin.example").body.len(), 0);
    let preflight = answer("OPTIONS", "admin.example");
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.headers.all("access-control-allow-origin"), ["*"]);
    let refused = answer("POST", "admin.example");
    assert_eq!(refused.status, 405);
    assert_eq!(refused.headers.all("allow"), ["GET, HEAD, OPTIONS"]);
}

#[test]
fn a_preflight_passes_where_its_resource_lets_it_and_carries_nobody_s_name() {
    let harness = open();
    let preflight = |path: &str, asks_about: &str| {
        let request = Request::new("OPTIONS", &format!("https://admin.example{path}"))
            .header("origin", "https://app.example")
            .header("access-control-request-method", asks_about)
            .header("x-hallpass-subject", "root")
            .bearer(&alice());
        harness.request(request)
    };
    let upstream = preflight("/orders/7", "GET").forwarded();
    for name in ["authorization", "x-hallpass-subject", "x-hallpass-issuer"] {
        assert!(!upstream.has(name), "{name}");
    }
    assert!(harness.callouts().is_empty());
    harness.set_cluster(GRANTS, Cluster::answers(|_| Reply::json(200, &deny())));
    // Asks about another resource, and is judged as what it is.
    let judged = preflight("/orders/7", "DELETE").answer();
    assert_eq!(judged.reason(), "grant_denied");
    assert_eq!(harness.audit()[0]["reason"], "public");
}

#[test]
fn a_request_that_only_claims_to_be_a_preflight_is_judged() {
    let harness = open();
    for method in ["GET", "POST", "DELETE"] {
        let request = Request::new(method, "https://admin.example/orders/7")
            .header("origin", "https://app.example")
            .header("access-control-request-method", "GET");
        let answer = harness.request(request).answer();
        assert_eq!(answer.reason(), "token_missing", "{method}");
    }
}
