//! What a request costs in calls of the host: each crosses from the module into the proxy and back, for every request there is. The stories
//! elsewhere do not care about such calls; these hold their exact numbers, so that they change on purpose.

use std::collections::BTreeSet;
use std::time::Duration;

use hallpass_harness::{Cluster, Harness, HostCalls, Reply, Request};
use hallpass_tokens::{Grant, NOW, TokenBuilder};
use serde_json::{Value, json};

use crate::setup::{GRANTS, allow_until, config_with, key, order, profile};

/// The default configuration, with this for its audit log.
fn config(audit: &str) -> Value {
    config_with(|config| config["audit"] = json!({ "log": audit }))
}

/// A grant service that allows everything for an hour.
fn start(config: &Value) -> Harness {
    let allow = Cluster::answers(|_| Reply::json(200, &allow_until(NOW + 3_600)));
    Harness::builder()
        .counting_host_calls()
        .cluster(GRANTS, allow)
        .start(config)
        .unwrap_or_else(|refused| panic!("{refused}"))
}

fn alice() -> TokenBuilder {
    user("alice")
}

/// Someone of whom there is something to tell in four identity headers.
fn user(name: &str) -> TokenBuilder {
    TokenBuilder::for_user(name)
        .claim("email", json!("alice@example.com"))
        .claim("groups", json!(["dev", "oncall"]))
}

/// As a browser sends it, by way of a proxy that names it.
fn as_browsers_do(request: Request) -> Request {
    request
        .header("accept", "application/json")
        .header("accept-encoding", "gzip, deflate, br")
        .header("accept-language", "en")
        .header("user-agent", "Mozilla/5.0")
        .header("x-forwarded-for", "10.1.2.3")
        .header("x-request-id", "f3b1")
        .from_peer("10.1.2.3:4000")
}

/// The calls of a request from its first header to its end.
fn calls_of(harness: &Harness, request: Request) -> HostCalls {
    harness.take_host_calls();
    let exchange = harness.request(as_browsers_do(request));
    if exchange.is_forwarded() {
        exchange.upstream_answers(200);
    }
    harness.take_host_calls()
}

/// The calls of a request the like of which was there before, as one of so many at a moment that they do not have their figures told each.
fn calls_of_a_hot(harness: &Harness, request: &Request) -> HostCalls {
    for _ in 0..20 {
        calls_of(harness, request.clone());
    }
    calls_of(harness, request.clone())
}

/// What every request that passes asks for, but for the headers that it is sent on with.
const PASSING: [(&str, u64); 3] = [
    ("get_current_time_nanoseconds", 1),
    ("get_header_map_pairs", 1),
    ("remove_header_map_value", 1),
];

/// The same of a request that is refused.
const REFUSED: [(&str, u64); 3] = [
    ("get_current_time_nanoseconds", 1),
    ("get_header_map_pairs", 1),
    ("send_local_response", 1),
];

/// Requires these calls and no others.
#[track_caller]
fn require(calls: &HostCalls, common: &[(&str, u64)], own: &[(&str, u64)]) {
    let expected = common.iter().chain(own);
    let expected: HostCalls = expected
        .map(|(name, count)| ((*name).to_owned(), *count))
        .collect();
    let names: BTreeSet<&String> = calls.keys().chain(expected.keys()).collect();
    let changes: Vec<String> = names
        .into_iter()
        .map(|name| [&expected, calls].map(|calls| (name, calls.get(name).copied().unwrap_or(0))))
        .filter(|[before, now]| before != now)
        .map(|[(name, before), (_, now)]| {
            let word = if now > before { "grown" } else { "fewer" };
            format!("  {word}: {name}, {before} before, {now} now")
        })
        .collect();
    assert!(
        changes.is_empty(),
        "the calls of such a request into the host have changed:\n{}\n\
         Each call costs every such request, as docs/performance.md tells under \"Calls of the host\". If there is no way round one more, \
         change the numbers here and there on purpose; and where there are fewer, too, so that they stay few.",
        changes.join("\n")
    );
}

/// Requires that the worker does so, and nothing besides.
#[track_caller]
fn ticks_four_times_a_second(harness: &Harness) {
    harness.take_host_calls();
    harness.advance(Duration::from_secs(1));
    let each_tick = [
        ("get_current_time_nanoseconds", 4),
        ("set_effective_context", 4),
    ];
    require(&harness.take_host_calls(), &each_tick, &[]);
}

#[test]
fn a_known_token_costs_seven_calls_with_four_identity_headers() {
    let harness = start(&config("none"));
    let calls = calls_of_a_hot(&harness, &profile(&alice().signed_by(&key())));
    require(&calls, &PASSING, &[("add_header_map_value", 4)]);
}

#[test]
fn a_known_token_with_an_embedded_grant_costs_two_more_for_the_grants_headers() {
    let harness = start(&config("none"));
    let grant = Grant::new("orders", &["read"]).until(NOW + 600);
    let token = alice().grant(grant).signed_by(&key());
    let calls = calls_of_a_hot(&harness, &order(&token));
    require(&calls, &PASSING, &[("add_header_map_value", 6)]);
    assert_eq!(harness.calls_to(GRANTS).len(), 0);
}

#[test]
fn a_remembered_decision_costs_as_much_as_an_embedded_grant() {
    let harness = start(&config("none"));
    let calls = calls_of_a_hot(&harness, &order(&alice().signed_by(&key())));
    require(&calls, &PASSING, &[("add_header_map_value", 6)]);
    assert_eq!(harness.calls_to(GRANTS).len(), 1);
}

#[test]
fn a_question_costs_eleven_more_than_its_answer_when_it_is_remembered() {
    let harness = start(&config("none"));
    let mut calls = HostCalls::new();
    for number in 0..20 {
        let token = user(&format!("user-{number}")).signed_by(&key());
        calls = calls_of(&harness, order(&token));
    }
    let asking = [
        ("get_current_time_nanoseconds", 2),
        ("get_header_map_pairs", 2),
        ("get_shared_data", 1),
        ("set_effective_context", 4),
        ("http_call", 1),
        ("get_buffer_bytes", 1),
        ("set_shared_data", 1),
        ("continue_stream", 1),
    ];
    let changes = [("remove_header_map_value", 1), ("add_header_map_value", 6)];
    require(&calls, &asking, &changes);
    assert_eq!(harness.calls_to(GRANTS).len(), 20);
}

#[test]
fn a_question_that_is_put_together_with_others_costs_seven_less_and_shares_the_call() {
    const TOGETHER: u64 = 30;
    let harness = Harness::builder()
        .counting_host_calls()
        .start(config_with(|config| {
            config["audit"] = json!({ "log": "none" });
            config["grants"]["service"]["batch"] = json!({ "calls": 1 });
        }))
        .unwrap_or_else(|refused| panic!("{refused}"));
    let ask = |number| {
        let token = user(&format!("user-{number}")).signed_by(&key());
        harness.request(as_browsers_do(order(&token)))
    };
    let answer = |count| {
        let answers = vec![allow_until(NOW + 3_600); count];
        let call = harness.callout();
        call.reply_json(200, &json!({ "evaluations": answers }));
    };
    // So many that those who follow do not have their figures told each. The second has the tick come sooner for all of them.
    let _alone = ask(0);
    let _before: Vec<_> = (1..20).map(ask).collect();
    harness.callout().reply_json(200, &allow_until(NOW + 3_600));

    harness.take_host_calls();
    let _together: Vec<_> = (0..TOGETHER).map(|number| ask(20 + number)).collect();
    let each = [
        ("get_current_time_nanoseconds", TOGETHER),
        ("get_header_map_pairs", TOGETHER),
        ("get_shared_data", TOGETHER),
    ];
    require(&harness.take_host_calls(), &each, &[]);

    answer(19);
    harness.take_host_calls();
    answer(30);
    let each = [
        ("set_shared_data", TOGETHER),
        ("remove_header_map_value", TOGETHER),
        ("add_header_map_value", 6 * TOGETHER),
        ("continue_stream", TOGETHER),
    ];
    let all = [
        ("get_current_time_nanoseconds", 1),
        ("get_header_map_pairs", 1),
        ("get_buffer_bytes", 1),
        ("set_effective_context", TOGETHER + 1),
    ];
    require(&harness.take_host_calls(), &each, &all);
    assert_eq!(harness.calls_to(GRANTS).len(), 3);
}

#[test]
fn an_audit_line_that_waits_for_others_costs_the_address_alone() {
    let harness = start(&config_with(|config| {
        config["audit"] = json!({ "flush_interval": "20ms" });
    }));
    let request = profile(&alice().signed_by(&key()));
    let own = [("add_header_map_value", 4), ("get_property", 1)];
    let calls = calls_of_a_hot(&harness, &request);
    require(&calls, &PASSING, &own);
    // Nor does it set the time anew in which the first of them is to be written.
    harness.advance(Duration::from_millis(3));
    let calls = calls_of(&harness, request);
    require(&calls, &PASSING, &own);
}

#[test]
fn a_worker_ticks_four_times_a_second_again_when_no_line_waits_any_longer() {
    let harness = start(&config_with(|config| {
        config["audit"] = json!({ "flush_interval": "20ms" });
    }));
    calls_of(&harness, profile(&alice().signed_by(&key())));
    harness.advance(Duration::from_millis(20));
    assert_eq!(harness.audit().len(), 1);
    ticks_four_times_a_second(&harness);
}

#[test]
fn a_worker_ticks_four_times_a_second_again_when_no_question_gathers_any_longer() {
    let harness = Harness::builder()
        .counting_host_calls()
        .start(config_with(|config| {
            config["grants"]["service"]["batch"] = json!({ "calls": 1 });
        }))
        .unwrap_or_else(|refused| panic!("{refused}"));
    let ask = |name| harness.request(order(&TokenBuilder::for_user(name).signed_by(&key())));
    let _waiting = ["alice", "bob"].map(ask);
    harness.callout().reply_json(200, &allow_until(NOW + 3_600));
    harness.callout().reply_json(200, &allow_until(NOW + 3_600));
    harness.advance(Duration::from_millis(10));
    ticks_four_times_a_second(&harness);
}

#[test]
fn an_audit_line_costs_two_more_for_the_peers_address_and_the_line() {
    let harness = start(&config("all"));
    let calls = calls_of_a_hot(&harness, &profile(&alice().signed_by(&key())));
    require(
        &calls,
        &PASSING,
        &[("add_header_map_value", 4), ("get_property", 1), ("log", 1)],
    );
}

#[test]
fn a_refusal_without_a_token_costs_three_calls() {
    let harness = start(&config("none"));
    let calls = calls_of_a_hot(&harness, &Request::get("https://admin.example/me"));
    require(&calls, &REFUSED, &[]);
}

#[test]
fn the_audit_line_of_a_refusal_costs_two_more() {
    let harness = start(&config("all"));
    let calls = calls_of_a_hot(&harness, &Request::get("https://admin.example/me"));
    require(&calls, &REFUSED, &[("get_property", 1), ("log", 1)]);
}

#[test]
fn what_is_counted_costs_calls_of_its_own_only_while_few_requests_come() {
    let harness = start(&config("none"));
    let request = profile(&alice().signed_by(&key()));
    let mut came = 0;
    for (few, counted) in [(true, 2), (false, 0), (true, 2)] {
        if few {
            harness.advance(Duration::from_secs(1));
            calls_of(&harness, request.clone());
            came += 1;
        } else {
            calls_of_a_hot(&harness, &request);
            came += 21;
        }
        let calls = calls_of(&harness, request.clone());
        came += 1;
        let told = calls.get("increment_metric").copied().unwrap_or(0);
        assert_eq!(told, counted, "few: {few}");
    }
    calls_of_a_hot(&harness, &request);
    came += 21;
    let decisions = || harness.metric("hallpass.decisions.allow.identity");
    assert!(decisions() < came);
    harness.tick();
    assert_eq!(decisions(), came, "none is lost");
}

#[test]
fn a_clock_that_is_set_back_keeps_no_figures_from_being_told() {
    let harness = start(&config("none"));
    let request = Request::get("https://admin.example/me");
    calls_of_a_hot(&harness, &request);
    harness.at(harness.now() - 60_000);
    let told = calls_of(&harness, request).get("increment_metric").copied();
    assert_eq!(told, Some(1));
}
