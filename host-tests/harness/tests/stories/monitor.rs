//! Monitor mode: everything is decided and recorded, and nothing is held back.

use std::time::Duration;

use hallpass_harness::{Cluster, Harness, Headers, Reply, Request};
use hallpass_tokens::{Grant, NOW, TokenBuilder};
use serde_json::{Value, json};

use crate::setup::{
    GRANTS, IDP, alice, allow_until, config_with, deny, health, key, order, profile, refused,
    seconds, start_with,
};

fn monitoring() -> Harness {
    start_with(&config_with(|config| config["mode"] = json!("monitor")))
}

#[test]
fn what_would_be_refused_passes_and_is_recorded_as_not_enforced() {
    let harness = monitoring();
    harness.set_cluster(GRANTS, Cluster::answers(|_| Reply::json(200, &deny())));
    let requests = [
        ("token_missing", Request::get("https://admin.example/me")),
        ("token_malformed", profile("nonsense")),
        (
            "resource_unknown",
            Request::get("https://admin.example/elsewhere").bearer(&alice()),
        ),
        ("grant_denied", order(&alice())),
    ];
    for (count, (reason, request)) in requests.into_iter().enumerate() {
        let exchange = harness.request(request);
        exchange.forwarded();
        exchange.upstream_answers(200);
        let line = &harness.audit()[count];
        assert_eq!(
            (&line["decision"], &line["enforced"], &line["reason"]),
            (&json!("deny"), &json!(false), &json!(reason))
        );
        assert_eq!(
            harness.metric(&format!("hallpass.decisions.deny.{reason}")),
            1
        );
    }
}

#[test]
fn a_request_that_would_be_refused_carries_no_grant() {
    let harness = monitoring();
    harness.set_cluster(GRANTS, Cluster::answers(|_| Reply::json(200, &deny())));
    let forwarded = harness
        .request(order(&alice()).header("x-hallpass-grant-id", "g-1"))
        .forwarded();
    assert!(!forwarded.has("x-hallpass-grant-id"));
}

#[test]
fn a_service_that_fails_holds_nothing_back() {
    let harness = monitoring();
    let exchange = harness.request(order(&alice()));
    harness.advance(seconds(2));
    exchange.forwarded();
}

/// Monitor mode for every resource of this name, whatever the plugin's.
fn in_mode(plugin: &str, resource: &str, mode: &str) -> Value {
    config_with(|config| {
        config["mode"] = json!(plugin);
        for element in config["resources"].as_array_mut().expect("a list") {
            if element["name"] == resource {
                element["mode"] = json!(mode);
            }
        }
    })
}

fn last_record(harness: &Harness) -> Value {
    harness.audit().pop().expect("a record")
}

/// No header of the filter's, and no token, is among these.
#[track_caller]
fn assert_stripped(headers: &Headers) {
    for (name, _) in headers.iter() {
        let name = String::from_utf8_lossy(name)
            .to_lowercase()
            .replace('_', "-");
        assert!(!name.starts_with("x-hallpass-"), "{headers:?}");
        assert_ne!(name, "authorization", "{headers:?}");
    }
}

#[test]
fn what_would_be_refused_is_counted_apart_from_what_is() {
    let harness = start_with(&in_mode("enforce", "profile", "monitor"));
    harness
        .request(Request::get("https://admin.example/me"))
        .forwarded();
    let answered = harness.request(Request::get("https://admin.example/orders/7"));
    refused(&answered, 401, "token_missing");
    assert_eq!(harness.metric("hallpass.decisions.deny.token_missing"), 2);
    assert_eq!(harness.metric("hallpass.monitored.token_missing"), 1);
}

#[test]
fn a_resource_may_be_watched_alone() {
    let harness = start_with(&in_mode("enforce", "internal", "monitor"));
    let internal = harness.request(Request::get("https://admin.example/internal/x"));
    assert_stripped(&internal.forwarded());
    let line = last_record(&harness);
    assert_eq!(
        (&line["enforced"], &line["reason"], &line["status"]),
        (&json!(false), &json!("resource_closed"), &json!(403))
    );
    let unknown = Request::get("https://admin.example/elsewhere").bearer(&alice());
    refused(&harness.request(unknown), 403, "resource_unknown");
    assert_eq!(last_record(&harness)["enforced"], true);
    refused(
        &harness.request(profile("nonsense")),
        401,
        "token_malformed",
    );
}

#[test]
fn a_resource_may_be_enforced_alone() {
    let harness = start_with(&in_mode("monitor", "profile", "enforce"));
    refused(
        &harness.request(profile("nonsense")),
        401,
        "token_malformed",
    );
    assert_eq!(last_record(&harness)["enforced"], true);
    harness.request(profile(&alice())).forwarded();
    assert_eq!(last_record(&harness)["enforced"], true);
    harness
        .request(Request::get("https://admin.example/elsewhere"))
        .forwarded();
    assert_eq!(last_record(&harness)["enforced"], false);
}

#[test]
fn an_allow_is_what_it_is_elsewhere_and_says_that_nothing_was_held_to_it() {
    let harness = monitoring();
    let grant = Grant::new("orders", &["read"]).id("g-7").until(NOW + 600);
    let token = TokenBuilder::for_user("alice")
        .grant(grant)
        .signed_by(&key());
    let forwarded = harness.request(order(&token)).forwarded();
    assert_eq!(
        forwarded.get("x-hallpass-subject").as_deref(),
        Some("alice")
    );
    assert_eq!(forwarded.get("x-hallpass-grant-id").as_deref(), Some("g-7"));
    harness.request(health()).forwarded();
    for line in harness.audit() {
        assert_eq!(
            (&line["decision"], &line["enforced"]),
            (&json!("allow"), &json!(false))
        );
    }
    assert_eq!(harness.metric("hallpass.decisions.allow.grant_embedded"), 1);
}

#[test]
fn nobody_speaks_for_the_filter_in_what_would_be_refused() {
    let harness = monitoring();
    harness.set_cluster(GRANTS, Cluster::answers(|_| Reply::json(200, &deny())));
    let refusals = [
        profile("nonsense"),
        order(&alice()),
        Request::get("https://admin.example/elsewhere").bearer(&alice()),
        Request::get("https://admin.example//me").bearer(&alice()),
        Request::get("https://admin.example/me")
            .bearer(&alice())
            .bearer("another"),
        Request::get("https://admin.example/internal/x").bearer(&alice()),
        profile(&alice()).header("connection", "close, x-hallpass-subject"),
        profile(&alice()).with(":authority", "a@b"),
    ];
    for request in refusals {
        let request = request
            .header("x-hallpass-subject", "root")
            .header("X-Hallpass-Subject", "root")
            .header("x_hallpass_groups", "admins")
            .header("x-hallpass_grant-id", "g-1")
            .header("x-other", "stays");
        let exchange = harness.request(request);
        let forwarded = exchange.forwarded();
        assert_stripped(&forwarded);
        assert!(forwarded.has("x-other"), "{forwarded:?}");
        let trailers = exchange.sends_trailers(&[("x-hallpass-subject", "root"), ("x-sum", "7")]);
        let trailers = trailers.expect("nothing is held back");
        assert!(!trailers.has("x-hallpass-subject") && trailers.has("x-sum"));
        assert_eq!(last_record(&harness)["decision"], "deny");
    }
}

#[test]
fn a_token_goes_no_further_than_it_would_otherwise() {
    let config = |forward: bool| {
        config_with(|config| {
            config["mode"] = json!("monitor");
            config["forward_token"] = json!(forward);
            config["providers"][0]["token_sources"] = json!([{ "header": "authorization", "scheme": "Bearer" }, { "cookie": "hallpass" }]);
        })
    };
    let request = || {
        let cookies = format!("a=1; hallpass={}; b=2", alice());
        Request::get("https://admin.example/%2e%2e/me")
            .bearer("another")
            .header("cookie", &cookies)
    };
    let harness = start_with(&config(false));
    let forwarded = harness.request(request()).forwarded();
    assert!(!forwarded.has("authorization"), "{forwarded:?}");
    assert_eq!(forwarded.get("cookie").as_deref(), Some("a=1; b=2"));

    let harness = start_with(&config(true));
    let forwarded = harness.request(request()).forwarded();
    assert!(forwarded.has("authorization"), "{forwarded:?}");
    assert!(
        forwarded
            .get("cookie")
            .is_some_and(|cookies| cookies.contains("hallpass="))
    );
}

#[test]
fn an_ambiguous_request_passes_as_it_came_and_any_other_in_its_one_form() {
    let harness = monitoring();
    let paths: [&[u8]; 5] = [
        b"/me/../internal/x",
        b"//me",
        b"/me%2fx?q=1",
        b"/me;x",
        b"/\xff\xfe",
    ];
    for path in paths {
        let request = Request::get("https://admin.example/me").with(":path", path);
        let forwarded = harness.request(request).forwarded();
        assert_eq!(forwarded.get_bytes(":path"), Some(path));
        assert_eq!(last_record(&harness)["reason"], "request_ambiguous");
    }
    let spelt = Request::get("https://admin.example/%6de?q=1");
    let forwarded = harness.request(spelt).forwarded();
    assert_eq!(forwarded.get(":path").as_deref(), Some("/me?q=1"));
    assert_eq!(last_record(&harness)["path"], "/me");
}

#[test]
fn headers_that_cannot_be_changed_or_read_are_refused_in_any_mode() {
    let harness = monitoring();
    let unchangeable = profile("nonsense")
        .header("x-hallpass-subject", "root")
        .unchangeable();
    assert_eq!(harness.request(unchangeable).answer().status, 503);
    assert_eq!(harness.audit(), [] as [Value; 0]);

    let unreadable = harness.request(Request::empty());
    refused(&unreadable, 400, "request_ambiguous");
    assert_eq!(last_record(&harness)["enforced"], true);
    assert_eq!(harness.metric("hallpass.monitored.request_ambiguous"), 0);
}

#[test]
fn a_request_waits_for_the_service_s_word_and_passes_whatever_it_is() {
    let harness = monitoring();
    let exchange = harness.request(order(&alice()).header("x-hallpass-subject", "root"));
    assert!(exchange.is_waiting());
    assert!(!exchange.sends_body(10), "its body waits with it");
    harness.callout().reply_json(200, &deny());
    assert_stripped(&exchange.forwarded());
    assert_eq!(last_record(&harness)["reason"], "grant_denied");

    let allowed = harness.request(order(&TokenBuilder::for_user("bob").signed_by(&key())));
    harness.callout().reply_json(200, &allow_until(NOW + 600));
    assert!(allowed.forwarded().has("x-hallpass-grant-id"));
}

#[test]
fn a_request_waits_for_keys_no_longer_than_their_timeout() {
    let harness = start_with(&config_with(|config| {
        config["mode"] = json!("monitor");
        config["providers"][0]["jwks"] =
            json!({ "remote": { "cluster": IDP, "uri": "/jwks", "timeout": "2s" } });
    }));
    let exchange = harness.request(profile(&alice()));
    assert!(exchange.is_waiting());
    harness.advance(seconds(4));
    assert_stripped(&exchange.forwarded());
    assert_eq!(last_record(&harness)["reason"], "keys_unavailable");
}

#[test]
fn whoever_finds_no_room_to_wait_passes() {
    let harness = monitoring();
    // A worker holds this many of one person's.
    for _ in 0..1_024 {
        assert!(harness.request(order(&alice())).is_waiting());
    }
    assert_stripped(&harness.request(order(&alice())).forwarded());
    assert_eq!(last_record(&harness)["reason"], "grant_service_unavailable");
}

#[test]
fn a_stream_is_not_cut_and_its_end_is_recorded_once() {
    let harness = monitoring();
    let grant = Grant::new("orders", &["read"]).id("g-7").until(NOW + 10);
    let token = TokenBuilder::for_user("alice")
        .grant(grant)
        .signed_by(&key());
    let exchange = harness.request(order(&token));
    exchange.forwarded();
    harness.advance(seconds(60));
    assert!(exchange.is_forwarded(), "{exchange:?}");
    let records = harness.audit();
    assert_eq!(records.len(), 2, "{records:?}");
    let expected = json!({ "decision": "deny", "enforced": false, "reason": "stream_expired", "status": 403, "grant_id": "g-7" });
    for (name, value) in expected.as_object().expect("an object") {
        assert_eq!(&records[1][name], value, "{name}");
    }
    assert_eq!(harness.metric("hallpass.monitored.stream_expired"), 1);
    exchange.upstream_answers(200);
    assert_eq!(harness.audit().len(), 2);
}

#[test]
fn who_waits_when_the_configuration_is_replaced_passes_by_the_mode_under_which_it_came() {
    let harness = monitoring();
    let exchange = harness.request(order(&alice()));
    assert!(exchange.is_waiting());
    harness.reconfigure(config_with(|_| {}));
    harness.tick();
    assert_stripped(&exchange.forwarded());
    assert_eq!(last_record(&harness)["enforced"], false);
    refused(
        &harness.request(profile("nonsense")),
        401,
        "token_malformed",
    );
}

#[test]
fn the_log_says_loudly_where_nothing_is_held_back() {
    let told = |config: &Value| {
        let log = start_with(config).log();
        let lines = log.iter().filter(|line| line.text.contains("MONITOR MODE"));
        lines.map(|line| line.text.clone()).collect::<Vec<_>>()
    };
    assert_eq!(told(&config_with(|_| {})), [] as [String; 0]);
    let lines = told(&in_mode("enforce", "orders", "monitor"));
    assert!(
        lines.len() == 1 && lines[0].contains("`orders`"),
        "{lines:?}"
    );
    let lines = told(&in_mode("monitor", "", ""));
    assert!(
        lines.len() == 1 && lines[0].contains("every request passes"),
        "{lines:?}"
    );
}

#[test]
fn it_costs_no_more_time_to_be_watched_than_to_be_held() {
    let harness = monitoring();
    let exchange = harness.request(order(&alice()));
    // The service's timeout, and what a host may take to say so.
    harness.advance(Duration::from_millis(500) + seconds(1) + Duration::from_millis(250));
    exchange.forwarded();
}
