//! Questions that are put together: which leave when, whose answer is whose, and what becomes of them when there is none.

mod failing;

use std::time::Duration;

use hallpass_harness::{Callout, Exchange, Harness, Reply};
use hallpass_tokens::{NOW, TokenBuilder};
use serde_json::{Value, json};

use super::{asked, service};
use crate::setup::{
    GRANTS, allow_until, config, config_with, deny, key, ms, order, refused, start_with, timestamp,
    unavailable,
};

/// Where questions are put together.
const TOGETHER: &str = "/access/v1/evaluations";

/// Some questions leave together while one call is under way.
fn gathering() -> Harness {
    gathering_with(json!({ "calls": 1 }))
}

fn gathering_with(batch: Value) -> Harness {
    service(|service| service["batch"] = batch)
}

/// A request of somebody who needs a grant.
fn asks(harness: &Harness, name: &str) -> Exchange {
    harness.request(order(&TokenBuilder::for_user(name).signed_by(&key())))
}

/// An allow whose grant is named after whom it is for.
fn granted(name: &str) -> Value {
    let mut allow = allow_until(NOW + 3600);
    allow["context"]["approval"]["id"] = json!(format!("g-{name}"));
    allow
}

/// Whom a call asks about, in the order in which it does.
fn subjects(callout: &Callout) -> Vec<String> {
    let body = callout.json();
    let questions = body["evaluations"].as_array().cloned();
    let questions = questions.unwrap_or_else(|| vec![body]);
    let name = |question: &Value| question["subject"]["id"].as_str().map(str::to_owned);
    questions.iter().filter_map(name).collect()
}

/// Answers each question of a call as `answer` does.
fn reply_each(callout: &Callout, answer: impl Fn(&str) -> Value) {
    let answers: Vec<_> = subjects(callout).iter().map(|name| answer(name)).collect();
    callout.reply_json(200, &json!({ "evaluations": answers }));
}

/// Requires that the request passes as who sent it, and with their own grant.
#[track_caller]
fn passes_as(exchange: &Exchange, name: &str) {
    let headers = exchange.forwarded();
    assert_eq!(headers.get("x-hallpass-subject").as_deref(), Some(name));
    let grant = headers.get("x-hallpass-grant-id");
    assert_eq!(grant.as_deref(), Some(&*format!("g-{name}")));
}

/// A call about the first of these alone, and requests of the others, whose questions gather.
fn waiting<'a>(harness: &Harness, names: &[&'a str]) -> (Callout, Vec<(&'a str, Exchange)>) {
    let waiting = names.iter().map(|name| (*name, asks(harness, name)));
    let waiting = waiting.collect();
    (harness.callout(), waiting)
}

/// Requests whose questions are under way together, and the call.
fn under_way<'a>(harness: &Harness, names: &[&'a str]) -> (Callout, Vec<(&'a str, Exchange)>) {
    let first = asks(harness, "first");
    let waiting = names.iter().map(|name| (*name, asks(harness, name)));
    let waiting: Vec<_> = waiting.collect();
    harness.callout().reply_json(200, &granted("first"));
    passes_as(&first, "first");
    (harness.callout(), waiting)
}

#[test]
fn nothing_is_put_together_unless_that_is_configured() {
    let harness = service(|_| {});
    let waiting = ["alice", "bob", "carol", "dave"].map(|name| asks(&harness, name));
    let callouts = harness.callouts();
    assert!(
        callouts
            .iter()
            .all(|call| call.path == "/access/v1/evaluation")
    );
    assert_eq!(callouts.len(), waiting.len());
    assert_eq!(harness.metric("hallpass.grants.gathered"), 0);
}

#[test]
fn a_question_leaves_at_once_and_by_itself_while_few_calls_are_under_way() {
    let harness = gathering_with(json!({}));
    let waiting = ["alice", "bob"].map(|name| (name, asks(&harness, name)));
    let callouts = harness.callouts();
    assert_eq!(callouts.len(), 2);
    for (callout, (name, exchange)) in callouts.iter().zip(&waiting) {
        assert_eq!(callout.path, "/access/v1/evaluation");
        assert_eq!(callout.json()["subject"]["id"], *name);
        callout.reply_json(200, &granted(name));
        passes_as(exchange, name);
    }
    assert_eq!(harness.metric("hallpass.grants.gathered"), 0);
}

#[test]
fn questions_that_come_meanwhile_leave_together_when_a_call_comes_back() {
    let harness = gathering();
    let (call, waiting) = waiting(&harness, &["alice", "bob", "carol"]);
    assert_eq!(subjects(&call), ["alice"]);
    call.reply_json(200, &granted("alice"));
    let call = harness.callout();
    assert_eq!((&*call.method, &*call.path), ("POST", TOGETHER));
    assert_eq!(call.authority, "grants.internal");
    assert_eq!(call.timeout, Duration::from_millis(500));
    assert_eq!(call.headers.all("content-type"), ["application/json"]);
    assert_eq!(subjects(&call), ["bob", "carol"]);
    reply_each(&call, granted);
    for (name, exchange) in &waiting {
        passes_as(exchange, name);
    }
    assert_eq!(harness.metric("hallpass.grants.gathered"), 2);
    assert_eq!(harness.metric("hallpass.grants.miss"), 3);
    assert_eq!(harness.metric("hallpass.callouts.ok"), 2);
}

#[test]
fn each_is_put_as_it_is_put_by_itself() {
    let by_itself = service(|_| {});
    let token = || {
        TokenBuilder::for_user("bob")
            .claim("email", json!("bob@example.com"))
            .claim("groups", json!(["dev"]))
    };
    let _waiting = by_itself.request(order(&token().signed_by(&key())));
    let harness = gathering();
    let (call, _waiting) = waiting(&harness, &["alice", "carol"]);
    let _bob = harness.request(order(&token().signed_by(&key())));
    call.reply_json(200, &granted("alice"));
    let body = harness.callout().json();
    assert_eq!(body["evaluations"][1], by_itself.callout().json());
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(1));
}

#[test]
fn each_has_its_own_answer() {
    let harness = gathering();
    let (call, waiting) = under_way(&harness, &["alice", "bob", "carol"]);
    reply_each(&call, |name| match name {
        "bob" => deny(),
        name => granted(name),
    });
    for (name, exchange) in &waiting {
        if *name == "bob" {
            refused(exchange, 403, "grant_denied");
        } else {
            passes_as(exchange, name);
        }
    }
}

#[test]
fn each_answer_is_remembered_for_its_own_question() {
    let harness = gathering();
    let (call, _) = under_way(&harness, &["alice", "bob"]);
    reply_each(&call, |name| match name {
        "bob" => deny(),
        name => granted(name),
    });
    let calls = asked(&harness);
    passes_as(&asks(&harness, "alice"), "alice");
    refused(&asks(&harness, "bob"), 403, "grant_denied");
    assert_eq!(asked(&harness), calls);
}

#[test]
fn another_worker_takes_each_answer_for_its_own_question() {
    let harness = gathering();
    let other = harness.second_worker();
    let (call, _) = under_way(&harness, &["alice", "bob"]);
    reply_each(&call, granted);
    let calls = asked(&harness);
    for name in ["bob", "alice"] {
        passes_as(&asks(&other, name), name);
    }
    assert_eq!(asked(&harness), calls);
}

#[test]
fn what_the_service_says_of_remembering_counts_for_each() {
    let harness = gathering();
    let (call, waiting) = under_way(&harness, &["alice", "bob"]);
    let answers: Vec<_> = subjects(&call).iter().map(|name| granted(name)).collect();
    let reply = Reply::json(200, &json!({ "evaluations": answers }));
    call.reply(reply.header("cache-control", "no-store"));
    for (name, exchange) in &waiting {
        passes_as(exchange, name);
        assert!(
            asks(&harness, name).is_waiting(),
            "{name} is asked for anew"
        );
    }
}

#[test]
fn a_question_waits_ten_milliseconds_for_a_call_to_come_back() {
    let harness = gathering();
    let (_slow, waiting) = waiting(&harness, &["alice", "bob", "carol"]);
    harness.advance(Duration::from_millis(9));
    assert_eq!(asked(&harness), 1);
    harness.advance(Duration::from_millis(1));
    let callouts = harness.callouts();
    assert_eq!(callouts.len(), 2);
    reply_each(&callouts[1], granted);
    for (name, exchange) in &waiting[1..] {
        passes_as(exchange, name);
    }
    assert!(waiting[0].1.is_waiting());
}

#[test]
fn a_question_that_comes_between_two_ticks_waits_no_longer_than_another() {
    let harness = gathering();
    let (call, _) = waiting(&harness, &["alice", "bob"]);
    harness.advance(Duration::from_millis(5));
    call.reply_json(200, &granted("alice"));
    let _slow = harness.callout();
    harness.advance(Duration::from_millis(1));
    let carol = asks(&harness, "carol");
    harness.advance(Duration::from_millis(9));
    assert_eq!(asked(&harness), 2);
    harness.advance(Duration::from_millis(1));
    let call = &harness.callouts()[1];
    assert_eq!(subjects(call), ["carol"]);
    call.reply_json(200, &granted("carol"));
    passes_as(&carol, "carol");
}

#[test]
fn as_many_as_may_leave_together_wait_for_nothing() {
    let harness = gathering_with(json!({ "calls": 1, "max_questions": 3 }));
    let names = ["alice", "bob", "carol", "dave", "erin"];
    let exchanges = names.map(|name| asks(&harness, name));
    let callouts = harness.callouts();
    let asked: Vec<_> = callouts.iter().map(subjects).collect();
    assert_eq!(asked, [vec!["alice"], vec!["bob", "carol", "dave"]]);
    callouts[0].reply_json(200, &granted("alice"));
    assert_eq!(harness.callouts().len(), 1, "a call is still under way");
    reply_each(&callouts[1], granted);
    assert_eq!(subjects(&harness.callout()), ["erin"]);
    assert!(exchanges[4].is_waiting());
}

#[test]
fn a_question_that_gathers_is_joined_and_put_once() {
    let harness = gathering();
    let (call, waiting) = waiting(&harness, &["alice", "bob", "bob", "bob", "carol"]);
    call.reply_json(200, &granted("alice"));
    assert_eq!(subjects(&harness.callout()), ["bob", "carol"]);
    let late = asks(&harness, "bob");
    assert!(late.is_waiting(), "it is joined under way, too");
    reply_each(&harness.callout(), granted);
    for (name, exchange) in waiting.iter().chain([&("bob", late)]) {
        passes_as(exchange, name);
    }
    assert_eq!(asked(&harness), 2);
    assert_eq!(harness.metric("hallpass.grants.coalesced"), 3);
}

#[test]
fn one_that_gathers_alone_leaves_by_itself() {
    let harness = gathering();
    let (call, waiting) = waiting(&harness, &["alice", "bob"]);
    call.reply_json(200, &granted("alice"));
    let call = harness.callout();
    assert_eq!(call.path, "/access/v1/evaluation");
    call.reply_json(200, &granted("bob"));
    passes_as(&waiting[1].1, "bob");
    assert_eq!(harness.metric("hallpass.grants.gathered"), 0);
}

#[test]
fn clients_may_leave_while_their_questions_gather_or_are_under_way() {
    let harness = gathering();
    let (call, clients) = waiting(&harness, &["alice", "bob", "bob", "carol", "dave"]);
    let hang_up = |index: usize| clients[index].1.hang_up();
    hang_up(1);
    hang_up(3);
    call.reply_json(200, &granted("alice"));
    let call = harness.callout();
    assert_eq!(subjects(&call), ["bob", "dave"], "nobody waits for carol's");
    hang_up(4);
    reply_each(&call, granted);
    passes_as(&clients[2].1, "bob");
    passes_as(&asks(&harness, "dave"), "dave");
    assert_eq!(asked(&harness), 2, "his answer was remembered");
    assert!(asks(&harness, "carol").is_waiting());
}

#[test]
fn a_call_that_puts_several_questions_has_an_id_of_its_own() {
    let harness = gathering();
    let _alice = asks(&harness, "alice");
    let requests = ["bob", "carol"].map(|name| {
        let token = TokenBuilder::for_user(name).signed_by(&key());
        harness.request(order(&token).header("x-request-id", &format!("of-{name}")))
    });
    harness.callout().reply_json(200, &granted("alice"));
    let call = harness.callout();
    let ids = call.headers.all("x-request-id");
    assert_eq!(ids.len(), 1);
    assert!(ids[0].starts_with("hallpass-"), "{ids:?}");
    let reply = json!({ "evaluations": [granted("bob"), granted("carol")] });
    call.reply(Reply::json(200, &reply).header("x-request-id", "another"));
    passes_as(&requests[0], "bob");
    let log = harness.log();
    let told = log
        .iter()
        .filter(|line| line.text.contains("another `X-Request-ID`"));
    assert_eq!(told.count(), 1, "it is told once");
}

#[test]
fn answers_that_are_over_soon_are_asked_for_together() {
    let harness = gathering();
    let names: Vec<String> = (0..20).map(|number| format!("user-{number}")).collect();
    for name in &names {
        let exchange = asks(&harness, name);
        harness.callout().reply_json(200, &granted(name));
        passes_as(&exchange, name);
    }
    harness.at(ms(NOW + 25));
    for name in &names {
        passes_as(&asks(&harness, name), name);
    }
    assert_eq!(asked(&harness), 20);
    harness.tick();
    let call = harness.callout();
    assert_eq!(subjects(&call), names[..16]);
    reply_each(&call, granted);
    harness.tick();
    assert_eq!(subjects(&harness.callout()), names[16..]);
}

#[test]
fn a_worker_whose_questions_gather_all_the_time_still_does_what_is_due() {
    let harness = start_with(&config_with(|config| {
        let service = &mut config["grants"]["service"];
        service["batch"] = json!({ "calls": 1 });
        service["revocations"] = json!({ "interval": "500ms" });
    }));
    let polls = || {
        let mut calls = harness.calls_to(GRANTS);
        calls.retain(|call| call.path.starts_with("/revocations"));
        calls.len()
    };
    assert_eq!(polls(), 1);
    let mut users = 0..;
    for _ in 0..400 {
        let names = users.by_ref().take(3).map(|user| format!("user-{user}"));
        let _waiting: Vec<_> = names.map(|name| asks(&harness, &name)).collect();
        harness.advance(Duration::from_millis(5));
        for call in harness.callouts() {
            match &*call.path {
                TOGETHER => reply_each(&call, granted),
                "/access/v1/evaluation" => call.reply_json(200, &granted("one")),
                _ => call.reply_json(
                    200,
                    &json!({ "cursor": "7", "complete": true, "revocations": [] }),
                ),
            }
        }
    }
    assert!(polls() >= 4, "asked {} times in two seconds", polls());
}

#[test]
fn an_answer_that_a_revocation_overtakes_is_asked_for_again() {
    let harness = start_with(&config_with(|config| {
        let service = &mut config["grants"]["service"];
        service["batch"] = json!({ "calls": 1 });
        service["revocations"] = json!({ "interval": "2s" });
    }));
    let feed = |cursor: &str, taken: Value| {
        let polled = |call: &Callout| call.path.starts_with("/revocations");
        let calls = harness.callouts();
        let call = calls.into_iter().find(polled);
        let body = json!({ "cursor": cursor, "complete": cursor == "7", "revocations": taken });
        call.expect("the feed is asked").reply_json(200, &body);
    };
    feed("7", json!([]));
    harness.advance(Duration::from_millis(1_900));
    let (call, waiting) = under_way(&harness, &["alice", "bob"]);
    // Within a tick of the interval, and before the call times out.
    harness.advance(Duration::from_millis(400));
    feed(
        "8",
        json!([{ "subject": "alice", "issuer": "https://idp.example", "not_before": timestamp(NOW + 2), "until": timestamp(NOW + 3600) }]),
    );
    reply_each(&call, granted);
    assert!(waiting[0].1.is_waiting());
    passes_as(&waiting[1].1, "bob");
    harness.callout().reply_json(200, &deny());
    refused(&waiting[0].1, 403, "grant_denied");
}

#[test]
fn a_configuration_that_comes_leaves_no_question_hanging() {
    for (gathers, comes_back) in [(true, false), (false, false), (false, true)] {
        let harness = gathering();
        let (call, waiting) = if gathers {
            waiting(&harness, &["alice", "bob", "carol"])
        } else {
            under_way(&harness, &["alice", "bob", "carol"])
        };
        harness.reconfigure(config());
        for (_, exchange) in &waiting {
            unavailable(exchange);
        }
        if comes_back {
            reply_each(&call, granted);
        }
        assert!(asks(&harness, "bob").is_waiting(), "bob is asked for anew");
        harness.advance(Duration::from_secs(2));
        assert!(harness.is_alive());
    }
}
