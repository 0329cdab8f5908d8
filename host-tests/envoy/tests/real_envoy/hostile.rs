//! Bytes that no honest client sends: none makes the filter fall over, none gets in, and good requests go on being served.

use hallpass_demo::idp::{IdentityProvider, signing_key};
use hallpass_envoy_tests::{Setup, raw};
use hallpass_tokens::TokenBuilder;
use serde_json::json;

use crate::world::{World, token, world};

/// The filter looked for a token and found none that holds.
const NO_TOKEN: &[u16] = &[401];
/// The proxy does not parse it: it says so, or just closes the connection (0).
const NOT_HTTP: &[u16] = &[0, 400, 431];
/// Refused by the proxy or by the filter, whoever sees it first.
const REFUSED: &[u16] = &[0, 400, 401, 403, 404];

const ORDER: &str = "GET /orders/1";
const HOST: &[u8] = b"host: orders.example";

/// One hostile request, and the answers that will do. An allow is never one of them.
struct Attack {
    name: &'static str,
    bytes: Vec<u8>,
    answers: &'static [u16],
}

fn attack(name: &'static str, answers: &'static [u16], target: &str, headers: &[&[u8]]) -> Attack {
    let mut bytes = format!("{target} HTTP/1.1\r\nconnection: close\r\n").into_bytes();
    for header in headers {
        bytes.extend_from_slice(header);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    Attack {
        name,
        bytes,
        answers,
    }
}

/// Requests for an order without a token that holds, each with one odd header.
fn odd_headers() -> Vec<Attack> {
    let odd = |name, header: &[u8]| attack(name, NO_TOKEN, ORDER, &[HOST, header]);
    vec![
        odd("a value not in UTF-8", b"x-any: \xff\xfe\xc3\x28"),
        odd(
            "a token not in UTF-8",
            b"authorization: Bearer \xff\xfe.\xc3\x28.\x80",
        ),
        odd("a scheme not in UTF-8", b"authorization: \xff\xff x"),
        odd("a cookie not in UTF-8", b"cookie: \xff=\xfe; \x80"),
        odd(
            "a token cookie not in UTF-8",
            b"cookie: hallpass=\xc3\x28.\xff.\xfe",
        ),
        odd("an accept header not in UTF-8", b"accept: text/html\xff"),
        odd(
            "an identity header not in UTF-8",
            b"x-hallpass-subject: \xff\xfe",
        ),
        odd("a request id not in UTF-8", b"x-request-id: \xff\xfe"),
        odd("an empty authorization", b"authorization:"),
        odd("a scheme without a token", b"authorization: Bearer"),
        odd("a scheme and a space", b"authorization: Bearer "),
        odd("an empty cookie", b"cookie:"),
        odd("an empty token cookie", b"cookie: hallpass="),
        odd("a cookie of separators", b"cookie: ;;;=;=;"),
    ]
}

/// Requests that are large, or whose token is.
fn large() -> Vec<Attack> {
    let large = |name, header: &str, filling: &str, times| {
        attack(
            name,
            NO_TOKEN,
            ORDER,
            &[
                HOST,
                format!("{header}{}", filling.repeat(times)).as_bytes(),
            ],
        )
    };
    let nested = TokenBuilder::for_user("x")
        .raw_claims([b'['; 6_000])
        .signed_by(signing_key());
    let many: Vec<_> = (0..90)
        .map(|number| format!("x-{number}:").into_bytes())
        .collect();
    let many: Vec<_> = [HOST]
        .into_iter()
        .chain(many.iter().map(Vec::as_slice))
        .collect();
    vec![
        large("a token of 55 KB", "authorization: Bearer ", "a", 55_000),
        large("a token of dots", "authorization: Bearer ", ".", 4_000),
        large("a cookie of 55 KB", "cookie: a=", "b", 55_000),
        large("thousands of cookies", "cookie: ", "a=b; ", 5_000),
        large(
            "claims nested without end",
            "authorization: Bearer ",
            &nested,
            1,
        ),
        attack("ninety empty headers", NO_TOKEN, ORDER, &many),
        attack(
            "more than the proxy takes",
            NOT_HTTP,
            ORDER,
            &[HOST, format!("x: {}", "c".repeat(120_000)).as_bytes()],
        ),
    ]
}

/// Requests with a token that holds, whose target, host or token could be read in two ways.
fn ambiguous() -> Vec<Attack> {
    let bearer = format!("authorization: Bearer {}", token("hostile")).into_bytes();
    let target = |name, target: &str| attack(name, REFUSED, target, &[HOST, &bearer]);
    let host = |name, hosts: &[&[u8]]| {
        attack(
            name,
            REFUSED,
            "GET /internal/x",
            &[hosts, &[&*bearer]].concat(),
        )
    };
    vec![
        attack(
            "the same token twice",
            &[400],
            "GET /me/1",
            &[HOST, &bearer, &bearer],
        ),
        host("an empty host", &[b"host:"]),
        host("two hosts", &[HOST, b"host: other.example"]),
        host("a host not in UTF-8", &[b"host: \xff\xfe.example"]),
        target("an escaped NUL in the path", "GET /me/%00"),
        target("a path not in UTF-8", "GET /internal/%ff%fe"),
        target(
            "an escaped slash out of a folder",
            "GET /me/..%2finternal/x",
        ),
        target("dots out of a folder", "GET /me/../internal/x"),
        target("escaped dots out of a folder", "GET /me/%2e%2e/internal/x"),
        target("doubled slashes", "GET //internal//x"),
        target("backslashes", "GET /me\\..\\internal/x"),
        target("an absolute target", "GET http://orders.example/internal/x"),
        target("an asterisk", "OPTIONS *"),
        target("a tunnel", "CONNECT orders.example:443"),
        target("a method that nobody knows", "BREW /orders/1"),
    ]
}

/// What is not HTTP.
fn broken() -> Vec<Attack> {
    let broken = |name, target, headers: &[&[u8]]| attack(name, NOT_HTTP, target, headers);
    vec![
        broken("a NUL in a value", ORDER, &[HOST, b"x-any: a\0b"]),
        broken(
            "a NUL in a token",
            ORDER,
            &[HOST, b"authorization: Bearer a\0b"],
        ),
        broken("no host", ORDER, &[]),
        broken("a header without a name", ORDER, &[HOST, b": value"]),
        broken("nothing at all", "", &[]),
    ]
}

/// Throws every attack at the proxy, and sees a good request served after each.
fn throw_all_at(world: &World) {
    let carol = token("carol");
    let assert_serves = |after: &str| {
        let answer = world.proxy.get("/me").token(&carol).send();
        assert_eq!(answer.status, 200, "after {after}: {answer:?}");
    };
    for Attack {
        name,
        bytes,
        answers,
    } in [odd_headers(), large(), ambiguous(), broken()]
        .into_iter()
        .flatten()
    {
        let (status, answer) = raw(world.proxy.address(), &bytes);
        assert!(
            answers.contains(&status),
            "{name}: expected one of {answers:?}, got {status}: {answer}"
        );
        assert_serves(name);
    }
    for path in ["/orders/1", "/internal/x", "/me/1"] {
        assert_eq!(
            world.upstream.served(path),
            0,
            "{path} reached the upstream"
        );
    }
    // Either worker's VM would have been the one to fall.
    for _ in 0..16 {
        assert_serves("all of them");
    }
    let signs = ["[error]", "[critical]", "panicked", "trap"];
    let log = world.proxy.log().so_far();
    let fallen: Vec<_> = log
        .iter()
        .filter(|line| signs.iter().any(|sign| line.contains(sign)))
        .collect();
    assert!(fallen.is_empty(), "{fallen:#?}");
}

#[test]
fn hostile_requests_neither_get_in_nor_do_harm() {
    throw_all_at(world());
}

#[test]
fn hostile_requests_neither_get_in_nor_do_harm_where_the_proxy_hands_them_on() {
    let world = World::new(IdentityProvider::start(0).unwrap(), without_hardening);
    throw_all_at(&world);

    // Upstreams may read `_` as `-`.
    for name in ["x_hallpass_subject", "X-Hallpass_Subject", "x_tenant"] {
        let answer = world.proxy.get("/healthz").header(name, "spoofed").send();
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(!answer.body.contains("spoofed"), "{name}: {}", answer.body);
    }
}

/// A connection manager that hands on to the filter whatever it can.
fn without_hardening(setup: Setup) -> Setup {
    setup.http(|http| {
        http["normalize_path"] = json!(false);
        http["merge_slashes"] = json!(false);
        http["path_with_escaped_slashes_action"] = json!("KEEP_UNCHANGED");
        http["common_http_protocol_options"]["headers_with_underscores_action"] = json!("ALLOW");
    })
}
