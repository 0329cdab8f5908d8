//! The form that a denial names: it leads where the operator sends people anyway, or nowhere.

use hallpass_harness::Harness;
use serde_json::{Value, json};

use super::{answers, asked};
use crate::setup::{alice, config_with, order, refused, start, start_with};

/// The link that the configuration has for orders.
const CONFIGURED: &str = "https://grants.example/request?resource=orders&action=read";

fn denial(form_url: &Value) -> Value {
    let request = json!({ "form_url": form_url, "display": { "title": "Ask the owner" } });
    let context = json!({ "reason": "approval_required", "access_request": request });
    json!({ "decision": false, "context": context })
}

/// The lines of the log that say something of a form.
fn told(harness: &Harness) -> Vec<String> {
    let lines = harness.log().into_iter().map(|line| line.text);
    lines.filter(|line| line.contains("`form_url`")).collect()
}

#[test]
fn a_deny_leads_to_the_form_that_the_service_names_each_time() {
    let harness = start();
    answers(&harness, &denial(&json!("https://grants.example/form/7")));
    for _ in 0..2 {
        let answer = refused(&harness.request(order(&alice())), 403, "grant_denied");
        assert_eq!(
            answer.json()["request_url"],
            "https://grants.example/form/7"
        );
    }
    assert_eq!(asked(&harness), 1);
    assert_eq!(told(&harness), [""; 0]);
}

#[test]
fn a_form_of_another_origin_is_ignored_and_told_once() {
    for form in [
        "https://evil.example/form",
        "http://grants.example/form",
        "https://grants.example:8443/form",
        "https://grants.example@evil.example/",
        "https://grants.example:443@evil.example/",
        "https://user@grants.example/form",
        "https://grants.example.evil.example/",
        "https://evil.example/https://grants.example/",
        "https://evil.example?https://grants.example/",
        "https://evil.example#https://grants.example/",
        "https://evil.example\\@grants.example/",
        "https://grants.example\\.evil.example/",
        "//grants.example/form",
        "/form",
        "javascript:alert(1)",
        "javascript://grants.example/%0aalert(1)",
        "https://grants.example/\r\nset-cookie: a=b",
        "https://grants.example/\nhallpass.audit {}",
        "https://gr\u{430}nts.example/form",
        "",
    ] {
        let harness = start();
        answers(&harness, &denial(&json!(form)));
        for _ in 0..2 {
            let answer = refused(&harness.request(order(&alice())), 403, "grant_denied");
            assert_eq!(answer.json()["request_url"], CONFIGURED, "{form:?}");
        }
        assert_eq!(
            asked(&harness),
            1,
            "{form:?} kept a denial from being remembered"
        );
        let told = told(&harness);
        assert_eq!(told.len(), 1, "{form:?}: {told:?}");
        assert!(!told[0].contains(char::is_control), "{told:?}");
    }
}

#[test]
fn a_form_that_is_too_long_or_no_text_is_ignored() {
    let long = format!("https://grants.example/{}", "f".repeat(2_048));
    for form in [
        json!(long),
        json!(7),
        json!(["https://grants.example/form"]),
    ] {
        let harness = start();
        answers(&harness, &denial(&form));
        let answer = refused(&harness.request(order(&alice())), 403, "grant_denied");
        assert_eq!(answer.json()["request_url"], CONFIGURED);
        let told = told(&harness);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].len() < 500, "{told:?}");
    }
}

#[test]
fn spellings_of_the_configured_origin_are_that_origin() {
    for form in [
        "HTTPS://Grants.Example/form",
        "https://grants.example:443/form",
        "https://grants.example/@evil.example",
        "https://grants.example#top",
    ] {
        let harness = start();
        answers(&harness, &denial(&json!(form)));
        let answer = refused(&harness.request(order(&alice())), 403, "grant_denied");
        assert_eq!(answer.json()["request_url"], form);
    }
}

#[test]
fn the_page_escapes_the_form() {
    let harness = start();
    let form = "https://grants.example/form?a='&b=1#\"><script>alert(1)</script>";
    answers(&harness, &denial(&json!(form)));
    for _ in 0..2 {
        let page = harness.request(order(&alice()).header("accept", "text/html"));
        let text = page.answer().text();
        assert!(
            text.contains("href=\"https://grants.example/form?a="),
            "{text}"
        );
        assert!(!text.contains("<script"), "{text}");
        assert_eq!(text.matches("<a ").count(), 1, "{text}");
    }
}

#[test]
fn without_a_configured_link_nobody_is_sent_anywhere() {
    let harness = start_with(&config_with(|config| {
        config["grants"]
            .as_object_mut()
            .expect("an object")
            .remove("request_url");
    }));
    answers(&harness, &denial(&json!("https://grants.example/form/7")));
    let answer = refused(&harness.request(order(&alice())), 403, "grant_denied");
    assert_eq!(answer.json().get("request_url"), None);
    assert_eq!(told(&harness).len(), 1);
}

#[test]
fn an_allow_leads_to_no_form() {
    let harness = start();
    let mut allow = denial(&json!("https://grants.example/form/7"));
    allow["decision"] = json!(true);
    answers(&harness, &allow);
    let answer = refused(
        &harness.request(order(&alice())),
        403,
        "grant_without_expiry",
    );
    assert_eq!(answer.json()["request_url"], CONFIGURED);
}
