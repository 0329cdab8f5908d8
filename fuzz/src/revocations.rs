//! Target `revocations`: what the feed says was taken back.

use std::sync::{Arc, LazyLock};

use hallpass_core::config::Config;
use hallpass_core::flow::{Exchange, Gate, Need, Step};
use hallpass_core::grant::GrantOutcome;
use hallpass_core::grant::service::RawReply;
use hallpass_core::request::RequestHead;
use hallpass_core::revocation::FeedReply;
use hallpass_core::time::UnixMillis;
use hallpass_tokens::{Grant, ISSUER, NOW, TokenBuilder};
use serde_json::{Value, json};

use crate::{Reached, promise, world};

/// The grant in Alice's token, and when it was issued.
const CARRIED: &str = "g-7";
const ISSUED: i64 = NOW - 100;
/// The grant by which the service allows Bob, who has asked just now.
const ANSWERED: &str = "s-1";

/// Has a worker read a reply of the feed, and lets someone pass by a token and someone by a remembered answer.
///
/// # Panics
/// When someone passes by what was taken back or by what nobody can know of, or is kept out by what is about others.
pub fn revocations(reply: &[u8]) -> Reached {
    let mut gate = world::trusting_gate(following());
    let people = people();
    remember(&mut gate, &people.bob);
    gate.feed_asked(world::now());
    let raw = FeedReply {
        status: 200,
        tag: None,
        body: reply,
    };
    gate.on_feed_reply(raw, world::now());
    let notices = gate.take_notices();
    for line in notices.iter().chain(&gate.take_revocations()) {
        promise::one_line(line);
    }
    let mut passes = |token: &str| {
        let step = Exchange::new(request(token)).start(&mut gate, world::now());
        promise::step(&step) == Reached::Accepted
    };
    let (alice, bob) = (passes(&people.alice), passes(&people.bob));
    if !notices.is_empty() {
        assert!(!alice && !bob, "nobody knows what was taken back");
        return Reached::Unread;
    }
    let feed: Value = serde_json::from_slice(reply).expect("a feed is JSON");
    assert!(feed["cursor"].is_string() && feed["complete"] == true);
    let by_token = |not_before: UnixMillis| not_before >= seconds(ISSUED);
    assert_eq!(alice, !takes(&feed, "alice", CARRIED, by_token), "{feed}");
    assert_eq!(bob, !takes(&feed, "bob", ANSWERED, |_| true), "{feed}");
    if alice {
        Reached::Accepted
    } else {
        Reached::Refused
    }
}

/// Whether what someone has for `orders`, by this grant, is taken back, where a moment `concerns` it.
fn takes(feed: &Value, subject: &str, grant: &str, concerns: impl Fn(UnixMillis) -> bool) -> bool {
    let date = |value: &Value| UnixMillis::from_rfc3339(value.as_str()?);
    let sound = |value: &Value| date(value).expect("a feed's dates are dates");
    if !feed["epoch"].is_null() && concerns(sound(&feed["epoch"])) {
        return true;
    }
    let mut entries = feed["revocations"].as_array().expect("a list").iter();
    entries.any(|entry| {
        if sound(&entry["until"]) <= world::now() {
            return false;
        }
        if entry["grant"].is_string() {
            return entry["grant"] == grant;
        }
        let is_about = if entry["resource"].is_string() {
            entry["resource"] == "orders"
        } else {
            entry["subject"] == subject && entry["issuer"] == ISSUER
        };
        is_about && concerns(sound(&entry["not_before"]))
    })
}

/// Bob asks, and is allowed.
fn remember(gate: &mut Gate, bob: &str) {
    let mut exchange = Exchange::new(request(bob));
    let Step::Wait(Need::Grant(query)) = exchange.start(gate, world::now()) else {
        panic!("nothing is asked");
    };
    let end = seconds(NOW + 3_600).to_rfc3339();
    let approval = json!({ "id": ANSWERED, "approved_until": end });
    let answer = json!({ "decision": true, "context": { "approval": approval } }).to_string();
    let asked = gate.asking(world::now());
    let reply = RawReply::json(answer.as_bytes());
    let word = gate.on_grant_reply(query.key(), reply, asked, world::now());
    let outcome = GrantOutcome::Decided(word.expect("a decision"));
    let step = exchange.on_grant(gate, &outcome, world::now());
    assert!(matches!(step, Step::Continue(_)), "{step:?}");
}

fn seconds(date: i64) -> UnixMillis {
    UnixMillis::from_seconds(date).expect("a date")
}

fn following() -> Arc<Config> {
    static CONFIG: LazyLock<Arc<Config>> = LazyLock::new(|| {
        let mut config = world::configuration();
        config["grants"]["service"]["revocations"] = json!({});
        Arc::new(Config::parse(config.to_string().as_bytes()).expect("a sound configuration"))
    });
    CONFIG.clone()
}

struct People {
    alice: String,
    bob: String,
}

fn people() -> &'static People {
    static PEOPLE: LazyLock<People> = LazyLock::new(|| {
        let grant = Grant::new("orders", &["read"])
            .id(CARRIED)
            .until(NOW + 3_600);
        let alice = TokenBuilder::for_user("alice")
            .issued_at(ISSUED)
            .grant(grant);
        let bob = TokenBuilder::for_user("bob").issued_at(ISSUED);
        People {
            alice: alice.signed_by(&world::ec()),
            bob: bob.signed_by(&world::ec()),
        }
    });
    &PEOPLE
}

fn request(token: &str) -> RequestHead {
    let mut head = RequestHead::default();
    head.headers.push(b":method", b"GET");
    head.headers.push(b":authority", b"admin.example");
    head.headers.push(b":path", b"/orders/7");
    head.headers
        .push(b"authorization", format!("Bearer {token}").as_bytes());
    head
}
