//! Who does not get in, and what they are told.

use hallpass_demo::idp::{now, signing_key, token_for};
use hallpass_envoy_tests::Answer;
use hallpass_tokens::{SigningKey, unsigned, with_flipped_signature};
use serde_json::json;

use crate::world::{token, world};

fn assert_problem(answer: &Answer, status: u16, reason: &str) {
    assert_eq!(
        answer.verdict(),
        (status, Some(reason.to_owned())),
        "{answer:?}"
    );
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.json();
    assert_eq!(body["status"], status);
    for member in ["type", "title", "detail", "request_id"] {
        assert!(
            body[member].as_str().is_some_and(|text| !text.is_empty()),
            "no `{member}` in {body}"
        );
    }
}

#[test]
fn a_request_without_a_token_is_refused_with_a_bare_challenge() {
    let world = world();
    let answer = world.proxy.get("/orders/no-token").send();
    assert_problem(&answer, 401, "token_missing");
    assert_eq!(
        answer.header("www-authenticate"),
        Some("Bearer realm=\"hallpass\"")
    );
    assert_eq!(world.upstream.served("/orders/no-token"), 0);
}

#[test]
fn the_answer_names_the_request_as_the_proxy_does_and_not_as_the_client_says() {
    let answer = world()
        .proxy
        .get("/orders/named")
        .header("x-request-id", "mine")
        .send();
    let named = answer.json()["request_id"].clone();
    assert_eq!(named.as_str(), answer.header("x-request-id"));
    assert_ne!(named, "mine");
}

#[test]
fn a_token_that_does_not_hold_is_refused_by_its_flaw() {
    let world = world();
    let sound = || token_for("mallory");
    let key = signing_key();
    let cases = [
        ("token_malformed", "not-a-token".to_owned()),
        (
            "token_algorithm_not_allowed",
            unsigned(&sound().signed_by(key)),
        ),
        (
            "token_signature_invalid",
            with_flipped_signature(&sound().signed_by(key)),
        ),
        (
            "token_key_unknown",
            sound().signed_by(&SigningKey::ed25519("unpublished")),
        ),
        (
            "token_type_not_allowed",
            sound().header("typ", json!("dpop+jwt")).signed_by(key),
        ),
        (
            "token_issuer_unknown",
            sound().issuer("https://idp.example.evil").signed_by(key),
        ),
        (
            "token_audience_mismatch",
            sound().audience("other-api").signed_by(key),
        ),
        (
            "token_expired",
            sound()
                .issued_at(now() - 200)
                .expires_at(now() - 100)
                .signed_by(key),
        ),
        (
            "token_not_yet_valid",
            sound().not_before(now() + 100).signed_by(key),
        ),
        (
            "token_too_old",
            sound()
                .issued_at(now() - 90_000)
                .expires_at(now() + 100)
                .signed_by(key),
        ),
        (
            "token_claim_mismatch",
            sound().claim("tenant", json!("globex")).signed_by(key),
        ),
    ];
    for (reason, token) in cases {
        let answer = world.proxy.get("/me/flawed").token(&token).send();
        assert_problem(&answer, 401, reason);
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        assert!(
            challenge.starts_with("Bearer realm=\"hallpass\", error=\"invalid_token\""),
            "{reason}: {challenge}"
        );
    }
    assert_eq!(world.upstream.served("/me/flawed"), 0);
}

#[test]
fn two_tokens_in_one_request_are_refused() {
    let world = world();
    let (one, other) = (token("alice"), token("bob"));
    let twice = world
        .proxy
        .get("/me/twice")
        .token(&one)
        .token(&other)
        .send();
    assert_problem(&twice, 400, "token_ambiguous");
    let header_and_cookie = world
        .proxy
        .get("/me/twice")
        .token(&one)
        .header("cookie", &format!("hallpass={other}"))
        .send();
    assert_problem(&header_and_cookie, 400, "token_ambiguous");
    assert_eq!(world.upstream.served("/me/twice"), 0);
}

#[test]
fn a_user_without_a_grant_is_refused_with_a_request_link() {
    let world = world();
    let answer = world
        .proxy
        .get("/orders/refused?secret=1")
        .token(&token("nobody"))
        .send();
    assert_problem(&answer, 403, "grant_denied");
    let body = answer.json();
    assert_eq!(body["resource"], "orders");
    assert_eq!(body["action"], "read");
    assert_eq!(
        body["request_url"],
        "http://127.0.0.1:10003/request?resource=orders&action=read"
    );
    assert_eq!(answer.header("www-authenticate"), None);
    assert!(!answer.body.contains("secret"), "{}", answer.body);
    assert_eq!(world.upstream.served("/orders/refused"), 0);
}

#[test]
fn a_browser_gets_a_page_with_the_link() {
    let world = world();
    let request = world
        .proxy
        .get("/orders/page")
        .header("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    let answer = request
        .header("cookie", &format!("hallpass={}", token("browser")))
        .send();
    assert_eq!(answer.status, 403);
    assert!(
        answer
            .header("content-type")
            .unwrap_or_default()
            .starts_with("text/html"),
        "{answer:?}"
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let link = "href=\"http://127.0.0.1:10003/request?resource=orders&amp;action=read\"";
    assert!(answer.body.contains(link), "{}", answer.body);
    for foreign in ["<script", " src=", "<link", "url(", "@import"] {
        assert!(
            !answer.body.contains(foreign),
            "the page is not self-contained: `{foreign}` in {}",
            answer.body
        );
    }
    assert_eq!(world.upstream.served("/orders/page"), 0);
}

#[test]
fn a_refused_head_request_gets_no_body() {
    let answer = world().proxy.request("HEAD", "/orders/head").send();
    assert_eq!(answer.status, 401);
    assert_eq!(
        answer.header("www-authenticate"),
        Some("Bearer realm=\"hallpass\"")
    );
    assert_eq!(answer.body, "");
}

#[test]
fn what_no_rule_opens_is_closed_whoever_asks() {
    let world = world();
    let mallory = token_for("mallory")
        .grants_json(json!([{ "resource": "internal", "actions": ["*"], "exp": now() + 600 }]));
    let mallory = mallory.signed_by(signing_key());
    for (path, reason) in [
        ("/internal/x", "resource_closed"),
        ("/nowhere", "resource_unknown"),
        ("/", "resource_unknown"),
    ] {
        assert_problem(&world.proxy.get(path).token(&mallory).send(), 403, reason);
        assert_eq!(world.upstream.served(path), 0);
    }
}

#[test]
fn a_grant_for_one_action_is_none_for_another() {
    let world = world();
    world.grants.give("reader", "orders", "read", 600);
    let reader = token("reader");
    assert_eq!(
        world
            .proxy
            .get("/orders/actions")
            .token(&reader)
            .send()
            .status,
        200
    );
    let answer = world
        .proxy
        .request("DELETE", "/orders/actions")
        .token(&reader)
        .send();
    assert_problem(&answer, 403, "grant_denied");
    assert_eq!(answer.json()["action"], "write");
    assert_eq!(world.upstream.served("/orders/actions"), 1);
}

#[test]
fn a_header_that_an_upstream_could_take_for_a_trusted_one_does_not_come_in() {
    let world = world();
    for name in ["x_hallpass_subject", "x-hallpass_subject", "X_Tenant"] {
        let answer = world.proxy.get("/healthz").header(name, "root").send();
        assert_eq!(answer.status, 400, "{name}: {answer:?}");
    }
}
