//! What the records say of a decision: in the log, and in the proxy's metrics.

mod together;

use std::collections::BTreeSet;

use hallpass_harness::{Cluster, Exchange, Harness, Reply, Request};
use hallpass_tokens::{Grant, NOW, TokenBuilder};
use serde_json::{Value, json};

use crate::setup::{
    GRANTS, alice, allow_until, config_with, config_without_service, fails, health, key, order,
    profile, seconds, start, start_with,
};

/// The records of one request that was forwarded or answered to its end.
fn records(harness: &Harness, request: Request) -> Vec<Value> {
    let before = harness.audit().len();
    let exchange = harness.request(request);
    if exchange.is_forwarded() {
        exchange.upstream_answers(200);
    }
    harness.audit().split_off(before)
}

/// The one record of one request.
#[track_caller]
fn record(harness: &Harness, request: Request) -> Value {
    let mut records = records(harness, request);
    assert_eq!(records.len(), 1, "one decision, one line: {records:?}");
    records.remove(0)
}

#[test]
fn a_request_that_the_proxy_would_not_change_is_refused_and_not_recorded_as_allowed() {
    let harness = start();
    let exchange = harness.request(profile(&alice()).unchangeable());
    assert_eq!(exchange.answer().status, 503);
    assert_eq!(harness.audit(), [] as [Value; 0]);
    assert!(harness.logged("would not change a request's headers"));
}

#[test]
fn an_allow_is_recorded_with_everything_that_led_to_it() {
    let harness = start();
    let token = TokenBuilder::for_user("alice")
        .id("t-9")
        .grant(Grant::new("orders", &["read"]).id("g-42").until(NOW + 600))
        .signed_by(&key());
    let request = order(&token)
        .with(":path", "/orders/7?card=4111")
        .header("x-request-id", "f3b1")
        .from_peer("10.1.2.3:4000");
    let line = record(&harness, request);
    let expected = json!({
        "time": "2026-09-21T14:13:20.000Z", "decision": "allow", "enforced": true, "reason": "grant_embedded",
        "subject": "alice", "issuer": "https://idp.example", "resource": "orders", "action": "read",
        "method": "GET", "host": "admin.example", "path": "/orders/7", "source_ip": "10.1.2.3", "request_id": "f3b1",
        "token_id": "t-9", "grant_id": "g-42",
    });
    for (name, value) in expected.as_object().expect("an object") {
        assert_eq!(&line[name], value, "{name} in {line}");
    }
    assert_eq!(line["status"], 200);
    assert!(
        line["grant_expires"]
            .as_str()
            .is_some_and(|end| end.starts_with("2026-09-21T14:23:20")),
        "{line}"
    );
    assert!(
        line["config"].as_str().is_some_and(|hash| !hash.is_empty()),
        "{line}"
    );
}

#[test]
fn a_deny_is_recorded_with_its_reason_and_status() {
    let line = record(&start(), Request::get("https://admin.example/me"));
    assert_eq!(
        (&line["decision"], &line["reason"], &line["status"]),
        (&json!("deny"), &json!("token_missing"), &json!(401))
    );
    assert_eq!(line["enforced"], true);
}

#[test]
fn each_way_to_pass_has_its_own_reason() {
    let harness = start();
    harness.set_cluster(
        GRANTS,
        Cluster::answers(|_| Reply::json(200, &allow_until(NOW + 600))),
    );
    let reasons = [
        health(),
        profile(&alice()),
        order(&alice()),
        order(&alice()),
    ]
    .map(|request| record(&harness, request)["reason"].clone());
    assert_eq!(
        reasons,
        ["public", "identity", "grant_service", "grant_cached"].map(Value::from)
    );
}

#[test]
fn the_reason_is_the_same_for_the_client_the_line_and_the_metric() {
    let harness = start();
    let exchange =
        harness.request(Request::get("https://admin.example/internal/x").bearer(&alice()));
    assert_eq!(exchange.answer().reason(), "resource_closed");
    assert_eq!(harness.audit()[0]["reason"], "resource_closed");
    assert_eq!(harness.metric("hallpass.decisions.deny.resource_closed"), 1);
}

#[test]
fn every_request_that_waited_is_recorded_once() {
    let harness = start();
    let waiting = [
        harness.request(order(&alice())),
        harness.request(order(&alice())),
    ];
    assert!(harness.audit().is_empty(), "nothing is decided yet");
    harness.callout().reply_json(200, &allow_until(NOW + 600));
    for exchange in &waiting {
        exchange.upstream_answers(200);
    }
    assert_eq!(harness.audit().len(), 2);
    assert_eq!(harness.metric("hallpass.grants.coalesced"), 1);
}

#[test]
fn a_request_without_a_name_that_can_be_repeated_has_one_in_question_answer_and_record() {
    let harness = start();
    let long = "x".repeat(129);
    let mut names = BTreeSet::new();
    for (number, sent) in [None, Some(""), Some("a b"), Some(&*long)]
        .into_iter()
        .enumerate()
    {
        let user = TokenBuilder::for_user(&format!("user-{number}")).signed_by(&key());
        let mut request = order(&user);
        if let Some(sent) = sent {
            request = request.header("x-request-id", sent);
        }
        let exchange = harness.request(request);
        let question = harness.callout();
        let asked_as = question.headers.all("x-request-id");
        question.reply_json(200, &json!({ "decision": false }));
        let told = exchange.answer().json()["request_id"].clone();
        assert_eq!([told.as_str().expect("a name")], *asked_as, "{sent:?}");
        assert_eq!(harness.audit()[number]["request_id"], told, "{sent:?}");
        names.insert(told.to_string());
    }
    assert_eq!(names.len(), 4, "each has its own");
}

#[test]
fn two_workers_give_no_name_twice() {
    let first = start();
    let second = first.second_worker();
    let names = [&first, &second, &first, &second].map(|worker| {
        let refused = worker.request(Request::get("https://admin.example/me"));
        refused.answer().json()["request_id"].to_string()
    });
    assert_eq!(BTreeSet::from(names).len(), 4);
}

#[test]
fn a_token_is_never_written_down() {
    let harness = start();
    let token = alice();
    let cookies = format!("session=abc123; hallpass={token}");
    let bad = hallpass_tokens::with_flipped_signature(&token);
    let requests = [
        profile(&token),
        profile(&bad),
        order(&token).header("cookie", &cookies),
        profile("secret-nonsense"),
    ];
    for request in requests {
        harness.request(request);
    }
    let signature = token.rsplit('.').next().expect("three parts");
    for line in harness.log() {
        for secret in [token.as_str(), signature, "abc123", "secret-nonsense"] {
            assert!(!line.text.contains(secret), "{line}");
        }
    }
}

#[test]
fn a_client_cannot_forge_a_line() {
    let harness = start();
    let forged = "alice\"}\nhallpass.audit {\"decision\":\"allow\",\"subject\":\"root\"}";
    let line = record(
        &harness,
        profile(&TokenBuilder::for_user(forged).signed_by(&key())),
    );
    assert!(
        line["subject"].is_null() || line["subject"] == forged,
        "{line}"
    );

    let request = Request::get("https://admin.example/me")
        .header("x-request-id", "x\"}\u{1}{\"")
        .with(":method", "GET\nhallpass.audit {}");
    let line = record(&harness, request);
    assert_eq!(line["decision"], "deny");

    for line in harness.log() {
        assert!(
            !line.text.contains(['\n', '\r', '\u{1}']),
            "{:?}",
            line.text
        );
    }
}

#[test]
fn bytes_that_are_no_text_are_recorded_as_valid_json() {
    let harness = start();
    for name in [
        ":path",
        ":authority",
        ":method",
        "x-request-id",
        "user-agent",
    ] {
        let request = Request::get("https://admin.example/me").with(name, b"/\xff\xfe\x00");
        assert_eq!(record(&harness, request)["decision"], "deny", "{name}");
    }
}

fn with_log(log: &str) -> Harness {
    start_with(&config_with(|config| {
        config["audit"] = json!({ "log": log });
    }))
}

#[test]
fn an_operator_may_want_only_the_refusals_in_the_log() {
    let harness = with_log("denied");
    assert!(records(&harness, health()).is_empty());
    assert_eq!(
        records(&harness, Request::get("https://admin.example/me")).len(),
        1
    );
    assert_eq!(
        harness.metric("hallpass.decisions.allow.public"),
        1,
        "it is counted all the same"
    );
}

#[test]
fn an_operator_may_want_no_decision_in_the_log() {
    let harness = with_log("none");
    assert!(records(&harness, Request::get("https://admin.example/me")).is_empty());
    assert_eq!(harness.metric("hallpass.decisions.deny.token_missing"), 1);
}

#[test]
fn the_configuration_hash_tells_configurations_apart() {
    let hash = |config: &Value| record(&start_with(config), health())["config"].clone();
    let config = config_with(|_| {});
    assert_eq!(hash(&config), hash(&config));
    assert_ne!(
        hash(&config),
        hash(&config_with(|config| config["forward_token"] = json!(true)))
    );
}

#[test]
fn the_log_names_the_version_and_the_configuration_of_the_records_that_follow() {
    let harness = start();
    let record = record(&harness, health());
    let config = record["config"].as_str().expect("a hash");
    let version = env!("CARGO_PKG_VERSION");
    assert!(harness.logged(&format!("hallpass {version}, configuration {config}")));
}

#[test]
fn the_service_is_counted() {
    let harness = start();
    harness.set_cluster(
        GRANTS,
        Cluster::answers(|_| Reply::json(200, &allow_until(NOW + 600))),
    );
    harness.request(order(&alice()));
    harness.request(order(&alice()));
    assert_eq!(harness.metric("hallpass.callouts.ok"), 1);
    assert_eq!(
        (
            harness.metric("hallpass.grants.miss"),
            harness.metric("hallpass.grants.hit")
        ),
        (1, 1)
    );
    assert_eq!(harness.histogram("hallpass.callout_ms").len(), 1);

    let user = |name: &str| order(&TokenBuilder::for_user(name).signed_by(&key()));
    fails(&harness);
    harness.request(user("bob"));
    harness.set_cluster(GRANTS, Cluster::answers(|_| Reply::failed_like_envoy(504)));
    harness.request(user("carol"));
    harness.set_cluster(GRANTS, Cluster::Refuses);
    harness.request(user("dave"));
    for outcome in ["error", "timeout", "refused"] {
        assert_eq!(
            harness.metric(&format!("hallpass.callouts.{outcome}")),
            1,
            "{outcome}"
        );
    }
}

#[test]
fn the_names_of_metrics_do_not_grow_with_the_requests() {
    let harness = start();
    harness.request(Request::get("https://admin.example/me"));
    let before = harness.metrics().len();
    for user in 0..50 {
        let token = TokenBuilder::for_user(&format!("user-{user}")).signed_by(&key());
        harness.request(
            Request::new("GET", &format!("https://admin.example/me/{user}"))
                .bearer(&token)
                .header("x-request-id", &user.to_string()),
        );
    }
    assert!(
        harness.metrics().len() <= before + 3,
        "{:?}",
        harness.metrics().keys()
    );
}

/// What is left with a request for the proxy's access log.
fn property(exchange: &Exchange, name: &str) -> Option<String> {
    let value = exchange.property(&[&format!("hallpass_{name}")])?;
    Some(String::from_utf8(value).expect("text"))
}

#[test]
fn a_decision_is_left_with_its_request_where_the_operator_wants_it() {
    let harness = start_with(&config_with(|config| {
        config["audit"] = json!({ "log": "none", "filter_state": true });
    }));
    let grant = Grant::new("orders", &["read"]).id("g-42").until(NOW + 600);
    let token = TokenBuilder::for_user("alice")
        .grant(grant)
        .signed_by(&key());
    let allowed = harness.request(order(&token));
    allowed.forwarded();
    for (name, value) in [
        ("decision", "allow"),
        ("enforced", "true"),
        ("reason", "grant_embedded"),
        ("subject", "alice"),
        ("issuer", "https://idp.example"),
        ("resource", "orders"),
        ("action", "read"),
        ("grant_id", "g-42"),
        ("grant_expires", "2026-09-21T14:23:20.000Z"),
    ] {
        assert_eq!(property(&allowed, name).as_deref(), Some(value), "{name}");
    }
    let nobody = harness.request(Request::get("https://admin.example/me"));
    nobody.answer();
    assert_eq!(property(&nobody, "decision").as_deref(), Some("deny"));
    assert_eq!(
        property(&nobody, "reason").as_deref(),
        Some("token_missing")
    );
    assert_eq!(property(&nobody, "subject"), None);

    harness.advance(seconds(601));
    assert!(allowed.is_reset());
    assert_eq!(property(&allowed, "decision").as_deref(), Some("deny"));
    assert_eq!(
        property(&allowed, "reason").as_deref(),
        Some("stream_expired")
    );
    assert_eq!(harness.audit(), [] as [Value; 0]);
}

#[test]
fn nothing_is_left_with_a_request_unless_it_is_asked_for() {
    let harness = start();
    let exchange = harness.request(profile(&alice()));
    exchange.forwarded();
    for name in ["decision", "reason", "subject", "resource"] {
        assert_eq!(property(&exchange, name), None, "{name}");
    }
}

#[test]
fn what_is_left_with_a_request_stays_on_its_line_and_within_its_quotes() {
    let harness = start_with(&config_with(|config| {
        config["audit"] = json!({ "filter_state": true });
        // Who is told to the upstream may hold no control characters at all.
        config["identity_headers"] = json!({ "subject": null });
    }));
    let name = "alice\" \n\u{2028}127.0.0.1 \"root";
    let token = TokenBuilder::for_user(name).signed_by(&key());
    let exchange = harness.request(profile(&token));
    exchange.forwarded();
    let told = property(&exchange, "subject").expect("a subject");
    assert_eq!(told, r#"alice\" \n\u2028127.0.0.1 \"root"#);
}

#[test]
fn a_denial_names_the_grant_that_it_is_about() {
    let facts = |line: &Value| {
        ["reason", "grant_id", "grant_expires"].map(|name| line[name].as_str().map(str::to_owned))
    };
    let harness = start_with(&config_without_service());
    let over = Grant::new("orders", &["read"]).id("g-1").until(NOW - 60);
    let token = TokenBuilder::for_user("alice")
        .grant(over)
        .signed_by(&key());
    let line = record(&harness, order(&token));
    assert_eq!(
        facts(&line),
        ["grant_expired", "g-1", "2026-09-21T14:12:20.000Z"].map(|fact| Some(fact.to_owned()))
    );

    let harness = start();
    let approval = json!({ "decision": true, "context": { "approval": { "id": "g-2" } } });
    harness.set_cluster(
        GRANTS,
        Cluster::answers(move |_| Reply::json(200, &approval)),
    );
    let line = record(&harness, order(&alice()));
    assert_eq!(
        facts(&line),
        [
            Some("grant_without_expiry".to_owned()),
            Some("g-2".to_owned()),
            None
        ]
    );
}

#[test]
fn a_record_tells_how_strongly_somebody_signed_in() {
    let token = TokenBuilder::for_user("alice").claim("acr", json!("phr"));
    let line = record(&start(), profile(&token.signed_by(&key())));
    assert_eq!(line["acr"], "phr");
    assert_eq!(record(&start(), profile(&alice())).get("acr"), None);
}

#[test]
fn a_record_is_bounded_whatever_is_asked_for() {
    let harness = start();
    for path in [
        format!("/me/{}", "a".repeat(60_000)),
        format!("//{}", "\u{1}".repeat(60_000)),
    ] {
        let request = Request::get("https://admin.example/me")
            .with(":path", &path)
            .bearer(&alice());
        let line = record(&harness, request);
        let told = line["path"].as_str().expect("a path");
        assert!(told.ends_with('…') && told.len() < 1_100, "{}", told.len());
    }
    let longest = harness.log().iter().map(|line| line.text.len()).max();
    assert!(longest < Some(8_000), "{longest:?}");
}

#[test]
fn no_other_line_looks_like_a_record() {
    let harness = start();
    // The grant is malformed, which is told in the log with the subject's name.
    let token = TokenBuilder::for_user("hallpass.audit {}")
        .grants_json(json!([{ "id": "hallpass.audit {}" }]));
    harness.request(order(&token.signed_by(&key())));
    assert!(harness.logged("malformed"));
    let marked = harness.log();
    let marked = marked
        .iter()
        .filter(|line| line.text.contains("hallpass.audit {"));
    assert_eq!(
        marked.count(),
        0,
        "the request waits, and nothing is decided"
    );
}
