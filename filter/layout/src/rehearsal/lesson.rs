//! What is rehearsed.

use anyhow::{Context, Result, ensure};
use hallpass_tokens::{AUDIENCE, ISSUER, jwks, with_flipped_signature};
use serde_json::{Value, json};

use super::Proxy;
use super::proxy::{Course, Outcome, Request};
use super::users::{self, ACTION, GRANTED, Keys};
use crate::profile::Profile;

/// How many users and requests of each are known.
const USERS: usize = 8;

/// Requests to a proxy with one configuration.
pub(super) struct Lesson {
    pub(super) name: &'static str,
    configuration: Value,
    parts: Vec<Part>,
}

/// Requests of one kind.
struct Part {
    name: &'static str,
    requests: Vec<Request>,
    /// How often all of them come before anything is counted, and how often afterwards.
    before: usize,
    times: usize,
    /// How each of those goes that are counted.
    goes: Course,
}

impl Lesson {
    /// Has the module handle all of it, and adds what ran to the profile.
    ///
    /// # Errors
    /// When the module traps, or a request goes otherwise: then what was counted is not what was to be rehearsed.
    pub(super) fn given(&self, counting: &[u8], profile: Profile) -> Result<Profile> {
        let mut proxy = Proxy::start(counting, &self.configuration.to_string(), profile)?;
        for part in &self.parts {
            for time in 0..part.before + part.times {
                proxy.count(time >= part.before);
                for request in &part.requests {
                    let course = proxy.handle(request).context(part.name)?;
                    ensure!(
                        course == part.goes || time < part.before,
                        "{}: a request was {course}, and was to be {}\nthe module's log:\n{}",
                        part.name,
                        part.goes,
                        proxy.log(),
                    );
                }
            }
        }
        Ok(proxy.into_profile())
    }
}

/// All that is rehearsed: first what comes most often, and most often.
pub(super) fn lessons() -> [Lesson; 3] {
    let keys = Keys::new();
    [
        Lesson {
            name: "without audit lines",
            configuration: configuration(&keys, &json!({ "log": "none" })),
            parts: [known(&keys, 60), refused(&keys), new(&keys)]
                .into_iter()
                .flatten()
                .collect(),
        },
        Lesson {
            name: "with audit lines",
            configuration: configuration(&keys, &json!({ "log": "all" })),
            parts: known(&keys, 12),
        },
        Lesson {
            name: "with audit lines that wait for others",
            configuration: configuration(&keys, &json!({ "flush_interval": "1s" })),
            parts: known(&keys, 12),
        },
    ]
}

fn configuration(keys: &Keys, audit: &Value) -> Value {
    let of_all = jwks(&[&keys.rsa, &keys.p256, &keys.ed25519]);
    json!({
        "providers": [{ "name": "idp", "issuer": ISSUER, "audiences": [AUDIENCE], "jwks": { "inline": of_all } }],
        "resources": [
            { "name": "profile", "match": { "paths": ["/me", "/users/{id}"] }, "access": "identity" },
            { "name": GRANTED, "match": { "paths": ["/orders", "/orders/{id}"] }, "access": "grant", "action": ACTION },
            { "name": "machines", "match": { "paths": ["/machines/{id}/{*rest}"] }, "access": "grant" },
        ],
        "grants": { "service": { "cluster": "grants", "cache": { "allow_ttl": "1h" } } },
        "audit": audit,
    })
}

/// Tokens and decisions that are remembered.
fn known(keys: &Keys, times: usize) -> Vec<Part> {
    let granted: Vec<String> = (0..USERS)
        .map(|user| users::granted(user, &keys.rsa))
        .collect();
    let plain: Vec<String> = (0..USERS)
        .map(|user| users::plain(user, &keys.rsa))
        .collect();
    let asking = |tokens: &[String], path: &dyn Fn(usize) -> String| {
        let with = |(user, token): (usize, &String)| Request::get(&path(user)).with_token(token);
        tokens.iter().enumerate().map(with).collect()
    };
    let part = |name, requests, times| Part {
        name,
        requests,
        before: 2,
        times,
        goes: Course::KNOWN,
    };
    vec![
        part(
            "a known token",
            asking(&plain, &|_| "/me".to_owned()),
            times,
        ),
        part(
            "a known token with a grant in it",
            asking(&granted, &|user| format!("/orders/{user}")),
            times / 3,
        ),
        part(
            "a remembered decision",
            asking(&plain, &|user| format!("/machines/{user}/console")),
            times / 3,
        ),
    ]
}

/// Requests that are turned away.
fn refused(keys: &Keys) -> Vec<Part> {
    let part = |name, request, times, verifications| Part {
        name,
        requests: vec![request],
        before: 2,
        times,
        goes: Course {
            outcome: Outcome::Answered(401),
            questions: 0,
            verifications,
        },
    };
    let sound = users::plain(0, &keys.rsa);
    let expired = users::expired(0, &keys.rsa);
    let asking = |token: &str| Request::get("/me").with_token(token);
    vec![
        part("no token", Request::get("/me"), 120, 0),
        part(
            "a bad signature",
            asking(&with_flipped_signature(&sound)),
            20,
            1,
        ),
        part("a token that is over", asking(&expired), 20, 1),
    ]
}

/// Tokens that come for the first time, and questions that are asked for the first time.
fn new(keys: &Keys) -> Vec<Part> {
    const EACH: usize = 20;
    let mut users = USERS..;
    let mut part = |name, key, path: &dyn Fn(usize) -> String, questions, verifications| {
        let with = |user| Request::get(&path(user)).with_token(&users::granted(user, key));
        let requests = users.by_ref().take(EACH).map(with).collect();
        Part {
            name,
            requests,
            before: 0,
            times: 1,
            goes: Course {
                outcome: Outcome::Passed,
                questions,
                verifications,
            },
        }
    };
    let order = |user| format!("/orders/{user}");
    let console = |user| format!("/machines/{user}/console");
    vec![
        part("a new token, RS256", &keys.rsa, &order, 0, 1),
        part("a new token, ES256", &keys.p256, &order, 0, 1),
        part("a new token and a new question", &keys.rsa, &console, 1, 1),
        part("a new token, EdDSA", &keys.ed25519, &order, 0, 0),
    ]
}
