//! What a refused client is told, and what it is not told.

use hallpass_harness::{Answer, Cluster, Exchange, Harness, Reply, Request};
use serde_json::{Value, json};

use crate::setup::{GRANTS, alice, config_with, deny, order, start, start_with};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// One refusal of each status, with its name. The requests carry an id, as every request does that a proxy serves.
fn refusals(harness: &Harness) -> Vec<(&'static str, Exchange)> {
    let send = |request: Request| harness.request(request.header("x-request-id", "f3b1-77"));
    let get = |path: &str| Request::get(&format!("https://admin.example{path}"));
    harness.set_cluster(GRANTS, Cluster::answers(|_| Reply::failed_like_envoy(503)));
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
