//! What the upstream is told: nothing that the client made up, and only what was verified.

use hallpass_harness::{Cluster, Harness, Headers, Reply, Request};
use hallpass_tokens::{Grant, NOW, TokenBuilder};
use serde_json::{Value, json};

use crate::setup::{
    GRANTS, alice, config_with, fails, health, key, order, profile, start, start_with,
};

/// Every header that the default configuration promises upstreams.
const PROMISED: [&str; 6] = [
    "x-hallpass-subject",
    "x-hallpass-issuer",
    "x-hallpass-email",
    "x-hallpass-groups",
    "x-hallpass-grant-id",
    "x-hallpass-grant-expires",
];

/// The ways in which an upstream might read one of those names.
fn spellings(name: &str) -> Vec<String> {
    let mixed: String = name
        .char_indices()
        .map(|(at, letter)| {
            if at % 2 == 0 {
                letter.to_ascii_uppercase()
            } else {
                letter
            }
        })
        .collect();
    vec![
        name.to_owned(),
        name.to_uppercase(),
        mixed,
        name.replace('-', "_"),
        name.replacen('-', "_", 1),
        name.replace('-', "_").to_uppercase(),
    ]
}

fn spoofed(request: Request) -> Request {
    let names = PROMISED.iter().flat_map(|name| spellings(name));
    names.fold(request, |request, name| {
        request.header(&name, "root").header(&name, "root")
    })
}

#[track_caller]
fn assert_nothing_spoofed(headers: &Headers) {
    for (name, value) in headers.iter() {
        assert_ne!(value, b"root", "{} was forwarded", name.escape_ascii());
    }
}

fn monitoring() -> Harness {
    start_with(&config_with(|config| config["mode"] = json!("monitor")))
}

#[test]
fn what_a_client_says_about_itself_is_removed_whatever_the_access() {
    let harness = start();
    harness.set_cluster(
        GRANTS,
        Cluster::answers(|_| Reply::json(200, &crate::setup::allow_until(NOW + 600))),
    );
    let requests = [health(), profile(&alice()), order(&alice())];
    for request in requests {
        assert_nothing_spoofed(&harness.request(spoofed(request)).forwarded());
    }
}

#[test]
fn what_a_client_says_about_itself_is_removed_in_monitor_mode_too() {
    let harness = monitoring();
    for request in [
        health(),
        Request::get("https://admin.example/me"),
        Request::get("https://admin.example/elsewhere"),
    ] {
        assert_nothing_spoofed(&harness.request(spoofed(request)).forwarded());
    }
}

#[test]
fn what_a_client_says_about_itself_is_removed_before_a_request_waits() {
    let harness = start();
    let exchange = harness.request(spoofed(order(&alice())));
    harness
        .callout()
        .reply_json(200, &crate::setup::allow_until(NOW + 600));
    let forwarded = exchange.forwarded();
    assert_nothing_spoofed(&forwarded);
    assert_eq!(forwarded.all("x-hallpass-subject"), ["alice"]);
}

#[test]
fn what_a_client_says_about_itself_is_removed_when_the_filter_fails_open() {
    let harness = start_with(&config_with(|config| {
        config["grants"]["service"]["failure_mode"] = json!("allow");
    }));
    fails(&harness);
    assert_nothing_spoofed(&harness.request(spoofed(order(&alice()))).forwarded());
}

#[test]
fn the_upstream_is_told_who_asks_and_by_which_grant() {
    let token = TokenBuilder::for_user("alice")
        .claim("email", json!("alice@example.com"))
        .claim("groups", json!(["dev", "oncall"]))
        .grant(Grant::new("orders", &["read"]).id("g-42").until(NOW + 600))
        .signed_by(&key());
    let forwarded = start().request(order(&token)).forwarded();
    assert_eq!(forwarded.all("x-hallpass-subject"), ["alice"]);
    assert_eq!(forwarded.all("x-hallpass-issuer"), ["https://idp.example"]);
    assert_eq!(forwarded.all("x-hallpass-email"), ["alice@example.com"]);
    assert_eq!(forwarded.all("x-hallpass-groups"), ["dev,oncall"]);
    assert_eq!(forwarded.all("x-hallpass-grant-id"), ["g-42"]);
    assert_eq!(forwarded.all("x-hallpass-grant-expires").len(), 1);
}

#[test]
fn what_the_token_does_not_say_is_not_made_up() {
    let forwarded = start().request(profile(&alice())).forwarded();
    for name in [
        "x-hallpass-email",
        "x-hallpass-groups",
        "x-hallpass-grant-id",
        "x-hallpass-grant-expires",
    ] {
        assert!(!forwarded.has(name), "{name}");
    }
}

#[test]
fn the_names_can_be_chosen_and_the_chosen_ones_are_guarded() {
    let harness = start_with(&config_with(|config| {
        config["identity_headers"] = json!({ "subject": "x-user" });
        config["claim_headers"] = json!({ "tenant": "x-tenant" });
    }));
    let token = TokenBuilder::for_user("alice")
        .claim("tenant", json!("acme"))
        .signed_by(&key());
    let lying = |request: Request| {
        request
            .header("x-user", "root")
            .header("X_Tenant", "root")
            .header("x_user", "root")
            .header("x.user", "root")
    };
    let forwarded = harness.request(lying(profile(&token))).forwarded();
    assert_nothing_spoofed(&forwarded);
    assert_eq!(
        (forwarded.all("x-user"), forwarded.all("x-tenant")),
        (vec!["alice".into()], vec!["acme".into()])
    );
    assert_nothing_spoofed(&harness.request(lying(profile(&alice()))).forwarded());
}

#[test]
fn the_token_stays_here() {
    let forwarded = start().request(profile(&alice())).forwarded();
    assert!(!forwarded.has("authorization"));
    let token = alice();
    for (name, value) in forwarded.iter() {
        assert!(
            !String::from_utf8_lossy(value).contains(&token),
            "the token travels in {}",
            name.escape_ascii()
        );
    }
}

#[test]
fn the_token_travels_on_when_the_operator_wants_it() {
    let harness = start_with(&config_with(|config| config["forward_token"] = json!(true)));
    let forwarded = harness.request(profile(&alice())).forwarded();
    assert_eq!(
        forwarded.all("authorization"),
        [format!("Bearer {}", alice())]
    );
}

fn with_cookies(forward: bool) -> Harness {
    start_with(&config_with(|config| {
        config["providers"][0]["token_sources"] = json!([{ "cookie": "hallpass" }]);
        config["forward_token"] = json!(forward);
    }))
}

#[test]
fn the_cookie_with_the_token_is_removed_and_the_others_are_kept() {
    let cookies = format!("theme=dark; hallpass={}; lang=en", alice());
    let forwarded = with_cookies(false)
        .request(Request::get("https://admin.example/me").header("cookie", &cookies))
        .forwarded();
    assert_eq!(forwarded.all("cookie").join("; "), "theme=dark; lang=en");
}

#[test]
fn a_cookie_header_with_nothing_left_is_removed() {
    let cookies = format!("hallpass={}", alice());
    let forwarded = with_cookies(false)
        .request(Request::get("https://admin.example/me").header("cookie", &cookies))
        .forwarded();
    assert!(!forwarded.has("cookie"));
}

#[test]
fn cookies_split_over_several_headers_are_kept_too() {
    let request = Request::get("https://admin.example/me")
        .header("cookie", "theme=dark")
        .header("cookie", &format!("hallpass={}", alice()))
        .header("cookie", "lang=en");
    let forwarded = with_cookies(false).request(request).forwarded();
    assert_eq!(forwarded.all("cookie").join("; "), "theme=dark; lang=en");
}

#[test]
fn the_cookie_travels_on_when_the_operator_wants_it() {
    let cookies = format!("theme=dark; hallpass={}", alice());
    let forwarded = with_cookies(true)
        .request(Request::get("https://admin.example/me").header("cookie", &cookies))
        .forwarded();
    assert_eq!(forwarded.all("cookie"), [cookies]);
}

#[test]
fn a_header_that_nobody_asked_about_is_left_alone() {
    let request = profile(&alice())
        .header_bytes("x-raw", b"\xff\xfe")
        .header("x-two", "1")
        .header("x-two", "2")
        .header("x-hallpass", "mine");
    let forwarded = start().request(request).forwarded();
    assert_eq!(forwarded.get_bytes("x-raw"), Some(&b"\xff\xfe"[..]));
    assert_eq!(forwarded.all("x-two"), ["1", "2"]);
    assert_eq!(forwarded.get("x-hallpass").as_deref(), Some("mine"));
    assert_eq!(forwarded.get(":path").as_deref(), Some("/me"));
}

#[test]
fn a_claim_cannot_break_out_of_its_header() {
    let attacks: [Value; 5] = [
        json!("a\r\nx-admin: 1"),
        json!("a\nb"),
        json!("a\u{0}b"),
        json!(["a\r\nb", "c"]),
        json!("a\u{7f}"),
    ];
    let harness = start();
    for attack in attacks {
        for claim in ["email", "groups", "sub"] {
            let token = TokenBuilder::for_user("alice")
                .claim(claim, attack.clone())
                .signed_by(&key());
            let exchange = harness.request(profile(&token));
            if exchange.is_forwarded() {
                for (name, value) in exchange.forwarded().iter() {
                    let unsafe_byte = value.iter().any(u8::is_ascii_control);
                    assert!(!unsafe_byte, "{claim} {attack}: {}", name.escape_ascii());
                }
            }
        }
    }
}

#[test]
fn a_public_resource_gets_no_identity() {
    let forwarded = start().request(health().bearer(&alice())).forwarded();
    for name in PROMISED {
        assert!(!forwarded.has(name), "{name}");
    }
}

#[test]
fn nobody_speaks_for_the_filter_in_trailers() {
    let harness = start();
    let exchange = harness.request(health());
    let trailers = exchange
        .sends_trailers(&[
            ("x-hallpass-subject", "root"),
            ("x_hallpass_groups", "admin"),
            ("x-checksum", "1"),
        ])
        .expect("they go on");
    assert_eq!(trailers.get("x-checksum").as_deref(), Some("1"));
    assert_eq!(trailers.len(), 1);
}
