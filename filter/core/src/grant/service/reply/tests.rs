use std::sync::Arc;

use serde_json::Value;

use super::*;
use crate::identity::StepUp;
use crate::ids::GrantId;
use crate::time::UnixMillis;
use serde_json::json;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// The origin of the configured `request_url`.
fn own_forms() -> Origin {
    let (origin, _) = Origin::of("https://grants.example/request").unwrap();
    origin
}

fn parse(reply: RawReply<'_>) -> Result<GrantReply, ServiceFault> {
    GrantReply::parse(reply, Some(&own_forms()))
}

fn reply(body: &str) -> RawReply<'_> {
    RawReply {
        content_type: Some(b"application/json; charset=utf-8"),
        ..RawReply::json(body.as_bytes())
    }
}

fn ruling(body: &str) -> Result<Ruling, ServiceFault> {
    parse(reply(body)).map(|reply| reply.ruling)
}

#[test]
fn a_decision_is_read_with_its_grant_and_its_end() {
    let body = r#"{"decision":true,"context":{"approval":{"id":"g-42","approved_until":"2026-11-23T21:00:00Z"}}}"#;
    assert_eq!(
        ruling(body),
        Ok(Ruling::Allow {
            id: Some(GrantId::new("g-42")),
            until: UnixMillis::from_rfc3339("2026-11-23T21:00:00Z"),
            step_up: None,
        })
    );
    assert_eq!(
        ruling(r#"{"decision":true}"#),
        Ok(Ruling::Allow {
            id: None,
            until: None,
            step_up: None,
        })
    );
}

#[test]
fn a_denial_is_one_whatever_else_the_service_says() {
    for context in [
        r#"{"reason":"no","obligations":[{"id":"x"}]}"#,
        r#"{"obligations":{}}"#,
        r#"{"approval":{"id":5}}"#,
        r#"{"acr_values":"mfa","amr_values":"mfa hwk"}"#,
        r#"{"obligations":[{"type":"step-up","id":"1","acr_value":"mfa"}]}"#,
        r#"{"access_request":[{"form_url":"https://grants.example/form"}]}"#,
        r#"{"access_request":"https://grants.example/form"}"#,
        r#"{"form_url":"https://grants.example/form"}"#,
        "null",
        "[]",
    ] {
        let body = format!(r#"{{"decision":false,"context":{context}}}"#);
        let deny = Ruling::Deny { form_url: None };
        assert_eq!(ruling(&body), Ok(deny), "{body}");
    }
}

/// What an allow with these obligations demands; the refused one's remark otherwise.
fn obliged(obligations: &Value) -> Result<Option<StepUp>, String> {
    let body = json!({ "decision": true, "context": { "obligations": obligations } }).to_string();
    let reply = parse(reply(&body)).unwrap();
    let remarks: Vec<String> = reply.remarks.iter().map(ToString::to_string).collect();
    match reply.ruling {
        Ruling::Allow { step_up, .. } => {
            assert!(remarks.is_empty(), "{remarks:?}");
            Ok(step_up.map(Arc::unwrap_or_clone))
        }
        Ruling::Obliged => Err(remarks.join("\n")),
        Ruling::Deny { .. } => panic!("{body} is a denial"),
    }
}

#[test]
fn a_step_up_is_read_in_the_shapes_in_which_it_is_sent() {
    let acr = ["phr", "phrh"];
    for (members, acr, amr, max_age) in [
        (json!({ "acr_value": "phr" }), &acr[..1], &[][..], None),
        (json!({ "acr_values": "phr phrh" }), &acr, &[], None),
        (
            json!({ "acr_values": ["phr", "phrh"], "max_age": 300 }),
            &acr,
            &[],
            Some(300),
        ),
        (
            json!({ "acr_value": "phr", "amr_values": ["mfa", "hwk"], "max_age": 0 }),
            &acr[..1],
            &["mfa", "hwk"],
            Some(0),
        ),
    ] {
        let expected = Ok(StepUp::new(acr, amr, max_age));
        let mut beside = members.clone();
        beside["type"] = json!("step-up");
        beside["id"] = json!("obl-1");
        assert_eq!(obliged(&json!([beside])), expected, "{beside}");
        let below = json!({ "type": "step-up", "id": "obl-1", "properties": members });
        assert_eq!(obliged(&json!([below])), expected, "{below}");
    }
    assert_eq!(obliged(&json!([])), Ok(None));
}

#[test]
fn several_step_ups_are_one_that_meets_them_all() {
    let step_up = |members: Value| json!({ "type": "step-up", "id": "1", "properties": members });
    let one =
        step_up(json!({ "acr_values": ["a", "b", "c"], "amr_values": ["mfa"], "max_age": 300 }));
    let other =
        step_up(json!({ "acr_values": "c b", "amr_values": ["hwk", "mfa"], "max_age": 60 }));
    let both = StepUp::new(&["b", "c"], &["mfa", "hwk"], Some(60));
    assert_eq!(obliged(&json!([one, other])), Ok(both));
    let foreign = step_up(json!({ "acr_value": "d" }));
    let told = obliged(&json!([one, other, foreign])).unwrap_err();
    assert!(told.contains("no sign-in meets together"), "{told}");
}

#[test]
fn an_allow_with_an_obligation_that_is_not_understood_as_a_whole_is_none() {
    let sound = json!({ "type": "step-up", "id": "1", "acr_value": "phr" });
    for (member, value) in [
        ("type", json!("notification")),
        ("type", json!("Step-Up")),
        ("type", json!(null)),
        ("id", json!(7)),
        ("id", json!(null)),
        ("acr_value", json!(null)),
        ("acr_value", json!("")),
        ("acr_value", json!(["phr"])),
        ("acr_value", json!("phr phrh")),
        ("acr_value", json!("a\"b")),
        ("acr_value", json!("a\\b")),
        ("acr_value", json!("a\r\nx: y")),
        ("acr_value", json!("\u{e4}")),
        ("acr_value", json!("a".repeat(513))),
        ("acr_values", json!("phr")),
        ("amr_values", json!([7])),
        ("amr_values", json!(["a\nb"])),
        ("amr_values", json!({})),
        ("max_age", json!("300")),
        ("max_age", json!(-1)),
        ("max_age", json!(1.5)),
        ("max_age", json!(null)),
        ("max_auth_age", json!(300)),
        ("properties", json!({ "acr_value": "phr" })),
        ("properties", json!({ "grace": true })),
        ("properties", json!([])),
        ("properties", json!(null)),
    ] {
        let mut obligation = sound.clone();
        obligation[member] = value;
        let told = obliged(&json!([obligation])).expect_err(&obligation.to_string());
        assert!(
            told.starts_with("an allow of the grant service counts as a denial"),
            "{told}"
        );
        assert!(!told.contains(char::is_control), "{told:?}");
        assert!(
            obliged(&json!([sound, obligation])).is_err(),
            "{obligation}"
        );
    }
    for obligation in [
        json!("step-up"),
        json!(null),
        json!({}),
        json!({ "id": "1" }),
        json!({ "type": "step-up", "acr_value": "phr" }),
        json!({ "type": "step-up", "id": "1" }),
        json!({ "type": "step-up", "id": "1", "acr_values": [] }),
        json!({ "type": "step-up", "id": "1", "acr_values": " " }),
        json!({ "type": "step-up", "id": "1", "max_age": 300 }),
        json!({ "type": "notification", "id": "a\nhallpass.audit {}", "to": "owner" }),
    ] {
        let told = obliged(&json!([obligation])).expect_err(&obligation.to_string());
        assert!(!told.contains(char::is_control), "{told:?}");
    }
}

#[test]
fn obligations_that_are_no_list_cannot_be_met_either() {
    for obligations in [
        json!({}),
        json!("step-up"),
        json!(7),
        json!(true),
        json!(false),
    ] {
        let told = obliged(&obligations).expect_err(&obligations.to_string());
        assert!(told.contains("`context.obligations`"), "{told}");
    }
    assert!(obliged(&json!(null)).is_ok(), "`null` is as good as none");
}

#[test]
fn an_obligation_that_cannot_be_met_is_a_denial_whatever_else_the_allow_says() {
    for approval in [r#"{"id":"a\nb"}"#, r#"{"id":5}"#, r#"["g-1"]"#] {
        let context = format!(r#"{{"obligations":[{{"id":"1"}}],"approval":{approval}}}"#);
        let body = format!(r#"{{"decision":true,"context":{context}}}"#);
        assert_eq!(ruling(&body), Ok(Ruling::Obliged), "{body}");
    }
}

fn denial(form_url: &Value) -> String {
    let display = json!({ "title": "Ask the owner" });
    let request = json!({ "form_url": form_url, "display": display });
    json!({ "decision": false, "context": { "access_request": request } }).to_string()
}

#[test]
fn a_form_of_the_configured_origin_is_shown_as_it_is_written() {
    for url in [
        "https://grants.example/form/7",
        "HTTPS://Grants.Example:443/form?a='&x=1#\"><b>",
        &format!("https://grants.example/{}", "f".repeat(2_048 - 23)),
    ] {
        let read = parse(reply(&denial(&json!(url)))).unwrap();
        let shown = Ruling::Deny {
            form_url: Some(url.into()),
        };
        assert_eq!((read.ruling, read.remarks), (shown, vec![]), "{url}");
    }
}

#[test]
fn any_other_form_is_told_in_the_log_and_not_shown() {
    for form in [
        json!("https://evil.example/form"),
        json!("http://grants.example/form"),
        json!("https://grants.example:8443/form"),
        json!("https://grants.example@evil.example/"),
        json!("https://grants.example.evil.example/"),
        json!("https://grants.example\\@evil.example/"),
        json!("https://grants.example/\r\nhallpass.audit {}"),
        json!("//grants.example/form"),
        json!("/form"),
        json!("javascript:alert(1)"),
        json!(""),
        json!(7),
        json!(null),
        json!(format!("https://grants.example/{}", "f".repeat(2_049 - 23))),
    ] {
        let read = parse(reply(&denial(&form))).unwrap();
        assert_eq!(read.ruling, Ruling::Deny { form_url: None }, "{form}");
        let [remark] = &read.remarks[..] else {
            panic!("{form}: {:?}", read.remarks);
        };
        let told = remark.to_string();
        assert!(told.contains("`form_url`"), "{told}");
        assert!(
            !told.contains(char::is_control) && told.len() < 500,
            "{told:?}"
        );
    }
    let nobodys = GrantReply::parse(reply(&denial(&json!("https://grants.example/form"))), None);
    let told = nobodys.unwrap().remarks[0].to_string();
    assert!(told.contains("`grants.request_url`"), "{told}");
}

#[test]
fn what_lies_in_memory_with_a_decision_is_weighed() {
    let weight = |ruling: Ruling| ruling.weight();
    let deny = |form_url: Option<Arc<str>>| weight(Ruling::Deny { form_url });
    assert_eq!(deny(Some("f".repeat(2_000).into())), deny(None) + 2_000);
    let allow = |step_up: Option<StepUp>| {
        weight(Ruling::Allow {
            id: None,
            until: None,
            step_up: step_up.map(Arc::new),
        })
    };
    let acr = "a".repeat(500);
    assert!(allow(StepUp::new(&[&acr], &[], None)) >= allow(None) + 500);
}

#[test]
fn an_answer_under_another_request_id_is_a_decision_and_is_told() {
    for (sent, echoed, is_told) in [
        (Some("r-1"), Some(&b"r-1"[..]), false),
        (Some("r-1"), None, false),
        (Some("r-1"), Some(b"r-2\r\nhallpass.audit {}\xff"), true),
        (Some("r-1"), Some(b"R-1"), true),
        (Some("r-1"), Some(b"r-1, r-1"), true),
        (Some("r-1"), Some(b""), true),
        (None, Some(b"r-1"), true),
    ] {
        let answer = RawReply {
            request_id: echoed,
            asked_as: sent,
            ..reply(r#"{"decision":true}"#)
        };
        let read = parse(answer).unwrap();
        assert!(matches!(read.ruling, Ruling::Allow { .. }));
        let told: Vec<String> = read.remarks.iter().map(ToString::to_string).collect();
        assert_eq!(!told.is_empty(), is_told, "{sent:?} {echoed:?}");
        assert!(!told.concat().contains(char::is_control), "{told:?}");
    }
}

#[test]
fn a_service_that_refuses_the_filter_says_so_and_where_to_look() {
    for status in [401, 403] {
        let told = ServiceFault::Status(status).to_string();
        assert!(told.contains(&status.to_string()), "{told}");
        assert!(told.contains("`grants.service.headers`"), "{told}");
    }
    let other = ServiceFault::Status(500).to_string();
    assert!(!other.contains("credentials"), "{other}");
}

#[test]
fn what_is_not_a_decision_is_a_failure_of_the_service() {
    for body in [
        "",
        "<html>",
        "null",
        "[]",
        "{}",
        "[true]",
        r#"[true,{"approval":{"id":"g-1"}}]"#,
        r#"{"decision":true,"context":[{"id":"g-1"},null]}"#,
        r#"{"decision":true,"context":{"approval":["g-1","2026-11-23T21:00:00Z"]}}"#,
        r#"{"decision":"true"}"#,
        r#"{"decision":1}"#,
        r#"{"decision":null}"#,
        r#"{"decision":false,"decision":true}"#,
        r#"{"decision":true,"context":{"approval":{"approved_until":"tomorrow"}}}"#,
        r#"{"decision":true,"context":{"approval":{"approved_until":1790000000}}}"#,
        r#"{"decision":true,"context":{"approval":{"id":"a\nb"}}}"#,
    ] {
        assert!(matches!(ruling(body), Err(ServiceFault::Body(_))), "{body}");
    }
    for (body, why) in [
        ("<html>", "expected value at line 1 column 1"),
        ("[true]", "it is no object"),
        (
            r#"{"decision":true,"decision":true}"#,
            "member `decision` stands twice",
        ),
        ("{}", "it has no `decision`"),
        (
            r#"{"decision":1}"#,
            "`decision` is neither `true` nor `false`",
        ),
        (
            r#"{"decision":true,"context":[]}"#,
            "`context` is no object",
        ),
    ] {
        let told = ruling(body).unwrap_err().to_string();
        assert!(
            told.starts_with(&format!("a body that is no decision: {why}")),
            "{told}"
        );
    }
    for body in [
        r#"{"decision":true,"context":null}"#,
        r#"{"decision":true,"context":{"approval":null,"obligations":null}}"#,
        r#"{"decision":true,"context":{"approval":{"id":null,"approved_until":null}}}"#,
    ] {
        assert_eq!(ruling(body), ruling(r#"{"decision":true}"#), "{body}");
    }
    let allow = r#"{"decision":true}"#;
    for status in [0, 201, 204, 302, 400, 403, 500, 503] {
        let other = RawReply {
            status,
            ..reply(allow)
        };
        assert_eq!(parse(other), Err(ServiceFault::Status(status)));
    }
    let page = RawReply {
        content_type: Some(b"text/html"),
        ..reply(allow)
    };
    assert_eq!(parse(page), Err(ServiceFault::ContentType));
    let huge = format!("{allow}{}", " ".repeat(MAX_REPLY_BYTES));
    assert_eq!(
        parse(reply(&huge)),
        Err(ServiceFault::TooLarge(MAX_REPLY_BYTES))
    );
}

#[test]
fn a_breaker_that_overflows_fails_the_question_and_not_the_service() {
    let answer = |status, is_overflow| {
        parse(RawReply {
            status,
            is_overflow,
            ..reply(r#"{"decision":true}"#)
        })
    };
    let overflow = answer(503, true).unwrap_err();
    assert_eq!(overflow, ServiceFault::Overflow);
    assert_eq!(overflow.failure(), Failure::Question);
    assert!(!overflow.is_of_the_service());
    assert!(
        !overflow.may_be_of_one_question(),
        "it is not to be put again"
    );

    let gone = answer(503, false).unwrap_err();
    assert_eq!(gone, ServiceFault::Status(503));
    assert_eq!(gone.failure(), Failure::Service);
    assert_eq!(answer(500, true), Err(ServiceFault::Status(500)));
    assert!(
        answer(200, true).is_ok(),
        "a decision is one, whatever the load"
    );
}

#[test]
fn cache_control_is_read() {
    for (header, expected) in [
        ("max-age=10", Some(10)),
        ("private, Max-Age=\"10\"", Some(10)),
        ("max-age=10, no-store", Some(0)),
        ("no-cache", Some(0)),
        ("max-age=soon", Some(0)),
        ("max-age=-1", Some(0)),
        ("must-revalidate", None),
        ("s-maxage=10", None),
    ] {
        let reply = RawReply {
            cache_control: Some(header.as_bytes()),
            ..reply(r#"{"decision":false}"#)
        };
        let max_age = parse(reply).unwrap().max_age;
        assert_eq!(max_age, expected.map(Duration::from_secs), "{header}");
    }
}
