//! Who gets in, for how long, and what the upstream and the grant service see of it.

use std::cell::Cell;
use std::time::Duration;

use hallpass_demo::idp::{key_for, now, signing_key, token_for};
use hallpass_envoy_tests::{Answer, Request};
use hallpass_tokens::Grant;
use serde_json::json;

use crate::world::{ask_until, token, world};

/// Each worker asks the grant service by itself.
const WORKERS: usize = 2;
/// The headers that the shipped configuration sets, with the value that a liar would send.
const TRUSTED: [&str; 7] = [
    "x-hallpass-subject",
    "x-hallpass-issuer",
    "x-hallpass-email",
    "x-hallpass-groups",
    "x-hallpass-grant-id",
    "x-hallpass-grant-expires",
    "x-tenant",
];

#[test]
fn a_public_resource_needs_no_token() {
    assert_eq!(world().proxy.get("/healthz").send().status, 200);
}

#[test]
fn a_token_of_each_algorithm_opens_what_needs_an_identity() {
    let world = world();
    for algorithm in ["ES256", "RS256", "EdDSA"] {
        let token = token_for("carol").signed_by(key_for(algorithm).unwrap());
        let answer = world.proxy.get("/me").token(&token).send();
        assert_eq!(answer.status, 200, "{algorithm}: {answer:?}");
        assert_eq!(
            answer.received("x-hallpass-subject").as_deref(),
            Some("carol"),
            "{algorithm}"
        );
    }
    assert!(
        world.grants.calls_for("carol").is_empty(),
        "an identity needs no grant"
    );
}

#[test]
fn a_token_with_a_grant_of_its_own_passes_without_a_call() {
    let world = world();
    let end = now() + 600;
    let bearer = token_for("embedded")
        .grant(Grant::new("orders", &["read"]).id("g-42").until(end))
        .signed_by(signing_key());
    let answer = world.proxy.get("/orders/embedded").token(&bearer).send();
    assert_eq!(
        answer.received("x-hallpass-grant-id").as_deref(),
        Some("g-42"),
        "{answer:?}"
    );
    assert!(world.grants.calls_for("embedded").is_empty());
}

#[test]
fn the_grant_service_is_asked_once_and_its_word_is_kept() {
    let world = world();
    let grant = world.grants.give("served", "orders", "read", 600);
    let served = token("served");
    let agent = Request::agent();
    for _ in 0..10 {
        let answer = world
            .proxy
            .get("/orders/served")
            .token(&served)
            .sent_by(&agent);
        assert_eq!(
            answer.received("x-hallpass-grant-id").as_deref(),
            Some(&*grant.id)
        );
    }
    let calls = world.grants.calls_for("served");
    assert_eq!(
        calls.len(),
        1,
        "one connection stays with one worker, and a worker asks once: {calls:?}"
    );
    let expected = json!({
        "subject": { "type": "user", "id": "served",
                     "properties": { "iss": "https://idp.example", "email": "served@example.com", "groups": ["dev"] } },
        "action": { "name": "read" },
        "resource": { "type": "http", "id": "orders" },
        "context": { "source_ip": "127.0.0.1" },
    });
    assert_eq!(calls[0].question, expected);
    assert!(
        !calls[0].request_id.is_empty(),
        "the call carries an X-Request-ID"
    );
}

#[test]
fn every_worker_asks_for_itself_and_no_more_than_once() {
    let world = world();
    world.grants.give("spread", "orders", "read", 600);
    let spread = token("spread");
    for _ in 0..20 {
        assert_eq!(
            world
                .proxy
                .get("/orders/spread")
                .token(&spread)
                .send()
                .status,
            200
        );
    }
    let calls = world.grants.calls_for("spread").len();
    assert!(
        (1..=WORKERS).contains(&calls),
        "{calls} calls by {WORKERS} workers"
    );
}

#[test]
fn a_fresh_grant_is_felt_within_the_time_that_a_refusal_is_remembered() {
    let world = world();
    let late = token("late");
    let ask = || world.proxy.get("/orders/late").token(&late).send();
    assert_eq!(ask().status, 403);
    world.grants.give("late", "orders", "read", 600);
    ask_until("felt", Duration::from_secs(5), ask, |answer| {
        answer.status == 200
    });
}

/// Asks until refused, and checks that nothing was served that was sent at or after `end`.
fn assert_ends_at(end: i64, ask: impl Fn() -> Answer) -> Answer {
    let served = Cell::new(0);
    let ask = || {
        let sent = now();
        let answer = ask();
        if answer.status == 200 {
            assert!(
                sent < end,
                "served, though sent at {sent} and over at {end}"
            );
            served.set(served.get() + 1);
        }
        answer
    };
    let refused = ask_until("over", Duration::from_secs(10), ask, |answer| {
        answer.status != 200
    });
    assert!(now() >= end, "refused before the end: {refused:?}");
    assert!(served.get() > 0, "nothing was served before the end");
    refused
}

#[test]
fn a_grant_of_the_service_ends_to_the_second_though_it_is_cached() {
    let world = world();
    let brief = token("brief");
    let grant = world.grants.give("brief", "orders", "read", 3);
    let refused = assert_ends_at(grant.until, || {
        world.proxy.get("/orders/brief").token(&brief).send()
    });
    assert_eq!(refused.verdict(), (403, Some("grant_denied".to_owned())));
    assert!(refused.json()["request_url"].is_string(), "{refused:?}");
}

#[test]
fn a_grant_inside_the_token_ends_to_the_second() {
    let world = world();
    let end = now() + 3;
    let brief = token_for("brief-embedded")
        .grant(Grant::new("orders", &["read"]).until(end))
        .signed_by(signing_key());
    let refused = assert_ends_at(end, || {
        world
            .proxy
            .get("/orders/brief-embedded")
            .token(&brief)
            .send()
    });
    assert_eq!(refused.status, 403, "{refused:?}");
}

#[test]
fn a_token_ends_to_the_second_though_its_grant_goes_on() {
    let world = world();
    world.grants.give("outlived", "orders", "read", 600);
    // The shipped configuration allows clocks to differ by 30 seconds.
    let end = now() + 3;
    let token = token_for("outlived")
        .issued_at(now() - 100)
        .expires_at(end - 30)
        .signed_by(signing_key());
    let refused = assert_ends_at(end, || {
        world.proxy.get("/orders/outlived").token(&token).send()
    });
    assert_eq!(refused.verdict(), (401, Some("token_expired".to_owned())));
}

#[test]
fn spoofed_identity_headers_are_replaced_by_the_true_ones() {
    let world = world();
    let grant = world.grants.give("true", "orders", "read", 600);
    let liar = |request: Request| {
        TRUSTED.iter().fold(request, |request, name| {
            request.header(name, "spoofed").header(name, "twice")
        })
    };
    let answer = liar(world.proxy.get("/orders/true"))
        .token(&token("true"))
        .send();
    let received = |name: &str| answer.received(name).unwrap_or_default();
    assert_eq!(received("x-hallpass-subject"), "true");
    assert_eq!(received("x-hallpass-issuer"), "https://idp.example");
    assert_eq!(received("x-hallpass-email"), "true@example.com");
    assert_eq!(received("x-hallpass-groups"), "dev");
    assert_eq!(received("x-hallpass-grant-id"), grant.id);
    assert!(!received("x-hallpass-grant-expires").is_empty());
    assert_eq!(received("x-tenant"), "acme");
    assert!(
        !answer.body.contains("spoofed") && !answer.body.contains("twice"),
        "{}",
        answer.body
    );
}

#[test]
fn spoofed_identity_headers_are_removed_where_no_identity_is_needed() {
    let world = world();
    for name in TRUSTED {
        for spelling in [name.to_owned(), name.to_uppercase()] {
            let answer = world
                .proxy
                .get("/healthz")
                .header(&spelling, "spoofed")
                .send();
            assert_eq!(answer.received(name), None, "{spelling}");
        }
    }
}

#[test]
fn a_grant_header_is_removed_where_there_is_no_grant() {
    let answer = world()
        .proxy
        .get("/me")
        .token(&token("carol"))
        .header("x-hallpass-grant-id", "g-0")
        .send();
    assert_eq!(answer.received("x-hallpass-grant-id"), None);
}

#[test]
fn the_token_does_not_go_upstream() {
    let world = world();
    let carol = token("carol");
    let by_header = world.proxy.get("/me/header").token(&carol).send();
    assert_eq!(by_header.received("authorization"), None);
    let cookies = format!("a=1; hallpass={carol}; b=2");
    let by_cookie = world
        .proxy
        .get("/me/cookie")
        .header("cookie", &cookies)
        .send();
    assert_eq!(by_cookie.received("cookie").as_deref(), Some("a=1; b=2"));
    let twice = world
        .proxy
        .get("/me/second")
        .token(&carol)
        .header("authorization", "")
        .send();
    assert_eq!(twice.received("authorization"), None);
    for answer in [by_header, by_cookie, twice] {
        let signature = carol.rsplit('.').next().unwrap();
        assert!(!answer.body.contains(signature), "{}", answer.body);
    }
}
