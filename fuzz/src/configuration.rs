//! Target `configuration`: what an operator may write.

use std::sync::Arc;
use std::time::Duration;

use hallpass_core::config::Config;
use hallpass_core::denial::Reason;
use hallpass_core::flow::{Exchange, Gate, KeysReply, Need, Progress, Step};
use hallpass_core::grant::service::RawReply;
use hallpass_core::grant::{GrantOutcome, Query};
use hallpass_core::policy::conditions::{Conditions, Facts};
use hallpass_core::request::RequestHead;
use hallpass_core::revocation::FeedReply;
use hallpass_core::time::UnixMillis;
use hallpass_core::token::TokenSource;
use serde_json::json;

use crate::{Reached, promise, world};

/// More than a request may have to wait for: keys, newer keys, a grant.
const MAX_WAITS: usize = 6;

/// Reads a configuration, and serves a few requests by it where it is sound.
///
/// # Panics
/// When a fault does not say where, what and what else; when a configuration is accepted that lacks what it must have; when conditions end
/// before they say; and when by any configuration a stranger gets past what is not public.
pub fn configuration(text: &[u8]) -> Reached {
    let config = match Config::parse(text) {
        Ok(config) => Arc::new(config),
        Err(faults) => {
            assert!(!faults.is_empty(), "refused without a fault");
            for fault in faults.iter() {
                promise::one_line(&fault.found);
                promise::one_line(&fault.expected);
                promise::one_line(&fault.to_string());
            }
            return match serde_json::from_slice::<serde_json::Value>(text) {
                Ok(_) => Reached::Refused,
                Err(_) => Reached::Unread,
            };
        }
    };
    check_completeness(&config);
    for conditions in config.policy.iter().filter_map(|r| r.conditions.as_ref()) {
        check_conditions(conditions);
    }
    let mut gate = world::trusting_gate(config.clone());
    for path in ["/healthz", "/me", "/orders/7"] {
        serve_stranger(&mut gate, path);
        serve_alice(&mut gate, path);
    }
    Reached::Accepted
}

fn check_completeness(config: &Config) {
    assert!(config.policy.iter().next().is_some(), "no resource");
    let needs_identity = config.policy.iter().any(|r| r.access.needs_identity());
    assert!(!needs_identity || !config.providers.is_empty());
    for provider in &config.providers {
        assert!(!provider.name.is_empty() && !provider.rules.issuer.as_str().is_empty());
        assert!(!provider.rules.audiences.is_empty(), "for any audience");
        assert!(!provider.rules.algorithms.is_empty());
        assert!(!provider.token_sources.is_empty());
        for source in &provider.token_sources {
            assert!(*source < config.token_sources.len());
        }
    }
    assert_eq!(config.hash.len(), 32, "{}", config.hash);
}

/// What holds does so up to its end, and what does not says why. The times are around a change of Berlin's clocks.
fn check_conditions(conditions: &Conditions) {
    let bare = request("/");
    let facts = Facts {
        head: &bare,
        identity: None,
        claims: None,
    };
    let changes = UnixMillis::from_rfc3339("2026-10-25T01:00:00Z").expect("a date");
    let first = changes.saturating_sub(Duration::from_hours(24));
    let hours = (0..48).map(Duration::from_hours);
    for now in hours.map(|hours| first.saturating_add(hours)) {
        match conditions.judge_circumstances(&facts, now) {
            Ok(held) => {
                let Some(until) = held.until else { continue };
                assert!(conditions.may_end() && until > now);
                let last = until.saturating_sub(Duration::from_millis(1));
                assert!(conditions.judge_circumstances(&facts, last).is_ok());
            }
            Err(unmet) => promise::one_line(&unmet.to_string()),
        }
    }
    if let Err(unmet) = conditions.judge(&facts, world::now()) {
        promise::one_line(&unmet.to_string());
    }
}

/// Nobody gets in without a token, but where it is public.
fn serve_stranger(gate: &mut Gate, path: &str) {
    let step = Exchange::new(request(path)).start(gate, world::now());
    promise::step(&step);
    match step {
        Step::Continue(passage) => assert_eq!(passage.reason, Reason::Public),
        Step::Respond(_) => {}
        Step::Wait(need) => panic!("waits for {need:?} on behalf of a stranger"),
    }
}

/// Someone with a token gets an answer in the end, whatever has to be fetched for it.
fn serve_alice(gate: &mut Gate, path: &str) {
    let config = gate.config();
    let Some(source) = config.token_sources.first() else {
        return;
    };
    let mut head = request(path);
    let (_, token) = &world::genuine_tokens()[0];
    match source {
        TokenSource::Header { name, scheme } => {
            let value = format!("{scheme} {token}");
            head.headers
                .push(name.as_bytes(), value.trim_start().as_bytes());
        }
        TokenSource::Cookie { name } => {
            head.headers
                .push(b"cookie", format!("{name}={token}").as_bytes());
        }
    }
    for provider in gate.due_keys(world::now()) {
        gate.fetch_started(provider, world::now());
    }
    let mut exchange = Exchange::new(head);
    let mut step = exchange.start(gate, world::now());
    for _ in 0..MAX_WAITS {
        promise::step(&step);
        step = match &step {
            Step::Wait(Need::Keys(provider) | Need::NewKey(provider)) => {
                serve_keys(gate, *provider);
                exchange.on_keys(gate, world::now())
            }
            Step::Wait(Need::Grant(query)) => {
                let outcome = allowed(gate, query);
                exchange.on_grant(gate, &outcome, world::now())
            }
            Step::Wait(Need::Revocations) => {
                serve_feed(gate);
                exchange.on_revocations(gate, world::now())
            }
            Step::Continue(_) | Step::Respond(_) => break,
        };
    }
    assert!(!matches!(step, Step::Wait(_)), "asked, answered, and waits");
    for notice in gate.take_notices() {
        promise::one_line(&notice);
    }
}

/// Answers what the worker asks on its way to a provider's keys.
fn serve_keys(gate: &mut Gate, provider: usize) {
    let config = gate.config();
    let issuer = config.providers[provider].rules.issuer.as_str();
    let document = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") }).to_string();
    let keys = hallpass_tokens::jwks(&[&world::rsa()]).to_string();
    let mut progress = Progress::HalfWay;
    while progress == Progress::HalfWay {
        let request = gate.keys_request(provider).expect("what to ask for");
        let path = &request.address.path;
        assert!(!request.cluster.is_empty() && path.starts_with('/'));
        let is_document = path.ends_with("/.well-known/openid-configuration");
        let reply = KeysReply {
            status: 200,
            cache_control: None,
            body: if is_document { &document } else { &keys }.as_bytes(),
        };
        progress = gate.on_keys_reply(provider, reply, world::now());
    }
}

/// The feed takes nothing back.
fn serve_feed(gate: &mut Gate) {
    assert!(gate.is_feed_due(world::now()), "asked once");
    let request = gate.feed_request().expect("what to ask for");
    assert!(request.path.starts_with('/') && request.tag.is_none());
    gate.feed_asked(world::now());
    let reply = FeedReply {
        status: 200,
        tag: None,
        body: br#"{"cursor":"1","complete":true,"revocations":[]}"#,
    };
    gate.on_feed_reply(reply, world::now());
}

fn allowed(gate: &mut Gate, query: &Query) -> GrantOutcome {
    let question: serde_json::Value =
        serde_json::from_slice(&query.to_body()).expect("a question is JSON");
    assert!(question["subject"]["id"].is_string(), "{question}");
    let reply = RawReply::json(br#"{"decision":true,"context":{"approval":{"id":"g","approved_until":"2026-09-21T15:00:00Z"}}}"#);
    let asked = gate.asking(world::now());
    let word = gate
        .on_grant_reply(query.key(), reply, asked, world::now())
        .expect("the reply is a decision");
    GrantOutcome::Decided(word)
}

fn request(path: &str) -> RequestHead {
    let mut head = RequestHead::default();
    head.headers.push(b":method", b"GET");
    head.headers.push(b":authority", b"admin.example");
    head.headers.push(b":path", path.as_bytes());
    head.headers.push(b"accept", b"text/html");
    head.headers.push(b"x-hallpass-subject", b"root");
    head
}
