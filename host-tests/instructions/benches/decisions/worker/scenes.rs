//! What is counted: a worker that is used to a request, and one more of its like.

use std::iter::once;

use hallpass_tokens::{AUDIENCE, Grant, ISSUER, NOW, SigningKey, TokenBuilder, jwks};
use serde_json::{Value, json};

use super::{Arrival, Worker};

/// How long a token is, or a little less, since its bytes come by threes.
const TOKEN_BYTES: usize = 650;

/// A configuration that writes no line about a decision.
pub(crate) fn quiet() -> Value {
    config("none", vec![])
}

/// A configuration that writes a line about each.
pub(crate) fn audited() -> Value {
    config("all", vec![])
}

fn config(audit: &str, before: Vec<Value>) -> Value {
    let mut resources = before;
    resources.extend([
        json!({ "name": "profile", "match": { "paths": ["/me"] }, "access": "identity" }),
        json!({ "name": "orders", "match": { "paths": ["/orders/{*rest}"] }, "access": "grant", "action": "read" }),
    ]);
    json!({
        "providers": [{
            "name": "corp", "issuer": ISSUER, "audiences": [AUDIENCE], "jwks": { "inline": jwks(&[&key()]) },
        }],
        "resources": resources,
        "grants": {
            "service": { "cluster": "grants" },
            "request_url": "https://grants.example/request?resource={resource}&action={action}",
        },
        "max_token_bytes": 65_536,
        "token_cache": { "max_entries": 200_000, "max_bytes": 1 << 30 },
        "audit": { "log": audit },
    })
}

/// A known token; subject, issuer, email and groups are told.
pub(crate) fn identity(config: &Value) -> (Worker, Arrival) {
    Worker::new(config).used_to(me(&long_token(&alice())), "identity")
}

/// A known token with a grant in it.
pub(crate) fn embedded_grant(config: &Value) -> (Worker, Arrival) {
    let token = long_token(&alice().grant(grant(42)));
    Worker::new(config).used_to(order(&token), "grant_embedded")
}

/// A known token, and an allow of the grant service's.
pub(crate) fn remembered_decision(config: &Value) -> (Worker, Arrival) {
    Worker::new(config).used_to(order(&long_token(&alice())), "grant_cached")
}

/// No token.
pub(crate) fn refusal(config: &Value) -> (Worker, Arrival) {
    Worker::new(config).used_to(Arrival::new("/me", None), "token_missing")
}

/// A known token for the last of so many resources.
pub(crate) fn last_of_resources(count: usize) -> (Worker, Arrival) {
    let other = |number| {
        let paths = [format!("/service-{number}/{{*rest}}")];
        json!({ "name": format!("service-{number}"), "match": { "paths": paths }, "access": "identity" })
    };
    let mut config = config("none", (1..count).map(other).collect());
    let resources = config["resources"].as_array_mut().expect("a list");
    resources.truncate(count);
    Worker::new(&config).used_to(me(&long_token(&alice())), "identity")
}

/// A known token with so many grants, of which the last counts.
pub(crate) fn last_of_grants(count: usize) -> (Worker, Arrival) {
    let others = (1..count).map(|number| {
        Grant::new(&format!("service-{number}"), &["read"]).id(&format!("g-{number}"))
    });
    let token = others
        .chain(once(grant(count)))
        .fold(alice(), TokenBuilder::grant);
    Worker::new(&quiet()).used_to(order(&token.signed_by(&key())), "grant_embedded")
}

/// A known token among so many.
pub(crate) fn one_of_tokens(count: usize) -> (Worker, Arrival) {
    let mut worker = Worker::new(&quiet());
    // What a hundred thousand are made of is little, since every instruction is looked at. A token is known by its end.
    let other = TokenBuilder::for_user("bob").signed_by(&key());
    let (text, signature) = other.rsplit_once('.').expect("three parts");
    for number in 1..count {
        let end = format!("{number:06}AA");
        let kept = signature.len() - end.len();
        worker.remember(&me(&format!("{text}.{}{end}", &signature[..kept])));
    }
    let (worker, arrival) = worker.used_to(me(&long_token(&alice())), "identity");
    assert_eq!(worker.gate.held().tokens, count);
    (worker, arrival)
}

fn me(token: &str) -> Arrival {
    Arrival::new("/me", Some(token))
}

fn order(token: &str) -> Arrival {
    Arrival::new("/orders/7", Some(token))
}

fn key() -> SigningKey {
    SigningKey::es256("key-1")
}

fn alice() -> TokenBuilder {
    TokenBuilder::for_user("alice")
        .claim("email", json!("alice@example.com"))
        .claim("groups", json!(["dev", "oncall"]))
}

fn grant(number: usize) -> Grant {
    Grant::new("orders", &["read"])
        .id(&format!("g-{number}"))
        .until(NOW + 600)
}

/// A token that is as long as most, by a claim that nobody reads.
///
/// # Panics
/// When it is longer without.
fn long_token(token: &TokenBuilder) -> String {
    let signed = |padding: usize| {
        let token = token.clone().claim("scope", json!("x".repeat(padding)));
        token.signed_by(&key())
    };
    let missing = TOKEN_BYTES.checked_sub(signed(0).len());
    let missing = missing.expect("the claims leave room");
    let token = signed(missing * 3 / 4);
    assert!((TOKEN_BYTES - 3..=TOKEN_BYTES).contains(&token.len()));
    token
}
