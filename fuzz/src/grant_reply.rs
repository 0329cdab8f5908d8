//! Target `grant_reply`: what the grant service answers.

use std::sync::LazyLock;
use std::time::Duration;

use hallpass_core::denial::Reason;
use hallpass_core::flow::{Exchange, Gate, Need, Step};
use hallpass_core::grant::service::RawReply;
use hallpass_core::grant::{Failure, GrantOutcome, GrantReply, Query, Ruling, ServiceFault};
use hallpass_core::headers::HeaderList;
use hallpass_core::ids::GrantId;
use hallpass_core::origin::Origin;
use hallpass_core::request::RequestHead;
use hallpass_tokens::{NOW, TokenBuilder};
use serde_json::{Value, json};

use crate::{Reached, input, promise, world};

/// How Alice signed in.
const ACR: &str = "phr";
/// By which method.
const AMR: &str = "mfa";
/// How long ago, in seconds.
const SIGNED_IN_FOR: u64 = 10;

/// Reads a reply as it would look in HTTP/1.1: a line with the status, lines of headers, an empty line, the body.
///
/// # Panics
/// When an answer to one of several questions is taken for another's; when anything but the boolean `true` lets a request pass, or an obligation that is not met; when an allow outlives its end or its time in
/// the cache; when what the service writes could leave its place in a challenge, lead a person to another origin, or forge a line of the log.
pub fn grant_reply(data: &[u8]) -> Reached {
    let (status, rest) = input::line(data);
    let (head, body) = split_body(rest);
    let mut headers = HeaderList::default();
    input::add_headers(&mut headers, head);
    let status = std::str::from_utf8(status)
        .ok()
        .and_then(|s| s.parse().ok());
    let reply = RawReply {
        status: status.unwrap_or(200),
        is_overflow: headers.all("x-envoy-overloaded").next().is_some(),
        content_type: headers.all("content-type").next(),
        cache_control: headers.all("cache-control").next(),
        request_id: headers.all("x-request-id").next(),
        asked_as: Some("r-1"),
        body,
    };
    check_parts(&reply);
    match GrantReply::parse(reply, own_forms().as_ref()) {
        Ok(parsed) => {
            for remark in &parsed.remarks {
                promise::one_line(&remark.to_string());
            }
            check_reading(&reply, &parsed);
            check_use(reply, &parsed)
        }
        Err(fault) => {
            promise::one_line(&fault.to_string());
            check_failure(reply, &fault);
            Reached::Unread
        }
    }
}

fn split_body(rest: &[u8]) -> (&[u8], &[u8]) {
    if let Some(body) = rest.strip_prefix(b"\n") {
        return (b"", body);
    }
    match rest.windows(2).position(|pair| pair == b"\n\n") {
        Some(end) => (&rest[..end], &rest[end + 2..]),
        None => (b"", rest),
    }
}

/// As a reply to several questions it answers each by what stands in its place in plain JSON, or none of them; and an error is no answer.
fn check_parts(reply: &RawReply<'_>) {
    for questions in 1..=3 {
        let parts = match reply.parts(questions) {
            Ok(parts) => parts,
            Err(fault) => {
                promise::one_line(&fault.to_string());
                continue;
            }
        };
        assert_eq!(reply.status, 200);
        let body: Value = serde_json::from_slice(reply.body).expect("it was read before");
        let answers = body["evaluations"].as_array().expect("it is a list");
        assert_eq!((parts.len(), answers.len()), (questions, questions));
        for (part, answer) in parts.iter().zip(answers) {
            let error = &answer["context"]["error"];
            match part {
                Ok(part) => {
                    assert!(error.is_null(), "{answer}");
                    // As plain JSON writes it: not every number comes out as it went in.
                    let rewritten = answer.to_string();
                    let [part, answer] = [part, rewritten.as_bytes()]
                        .map(|text| serde_json::from_slice::<Value>(text).expect("JSON"));
                    assert_eq!(part, answer);
                }
                Err(fault) => {
                    assert!(!error.is_null(), "{answer}");
                    promise::one_line(&fault.to_string());
                }
            }
        }
    }
}

/// The ruling is what the body says in plain JSON.
fn check_reading(reply: &RawReply<'_>, parsed: &GrantReply) {
    assert_eq!(reply.status, 200);
    let body: Value = serde_json::from_slice(reply.body).expect("a decision is JSON");
    let decision = body["decision"].as_bool().expect("a decision is a boolean");
    let context = &body["context"];
    match &parsed.ruling {
        Ruling::Deny { form_url } => {
            assert!(!decision);
            if let Some(url) = form_url {
                assert_eq!(context["access_request"]["form_url"], **url);
                promise::own_form(url);
            }
        }
        Ruling::Obliged => assert!(decision && context["obligations"].is_array()),
        Ruling::Allow { id, until, step_up } => {
            assert!(decision, "{body}");
            let obligations = context["obligations"].as_array();
            let obliges = obligations.is_some_and(|list| !list.is_empty());
            assert_eq!(obliges, step_up.is_some(), "{body}");
            if let Some(step_up) = step_up {
                promise::challenge(&step_up.challenge());
            }
            let approval = &context["approval"];
            assert_eq!(until.is_some(), approval["approved_until"].is_string());
            assert_eq!(id.as_ref().map(GrantId::as_str), approval["id"].as_str());
            if let Some(id) = id {
                promise::header_value("the grant's id", id.as_str());
            }
        }
    }
    if let Some(directives) = reply.cache_control {
        let forbidden = directives
            .split(|byte| *byte == b',')
            .any(|directive| directive.trim_ascii().eq_ignore_ascii_case(b"no-store"));
        assert!(!forbidden || parsed.max_age == Some(Duration::ZERO) || !directives.is_ascii());
    }
}

/// A request that asked gets what was ruled, and so does the next one for as long as the ruling counts, and no longer.
fn check_use(reply: RawReply<'_>, parsed: &GrantReply) -> Reached {
    let now = world::now();
    let mut gate = world::trusting_gate(world::config());
    let (mut exchange, query) = ask(&mut gate);
    let word = gate
        .on_grant_reply(query.key(), reply, now, now)
        .expect("it was read before");
    assert_eq!(word.ruling, parsed.ruling);
    let step = exchange.on_grant(&mut gate, &GrantOutcome::Decided(word), now);
    let reached = promise::step(&step);
    match (&step, &parsed.ruling) {
        (Step::Continue(passage), Ruling::Allow { until, .. }) => {
            assert_eq!(passage.reason, Reason::GrantService);
            assert!(until.is_none_or(|until| until > now), "it is over");
            check_obligations(reply.body);
        }
        (
            Step::Respond(_),
            Ruling::Allow {
                until: Some(until),
                step_up: None,
                ..
            },
        ) => {
            let longest = Duration::from_secs_f64(world::LONGEST_GRANT);
            assert!(*until <= now || until.since(now) > longest, "it counts");
        }
        (Step::Respond(_), _) => {}
        (Step::Continue(_), Ruling::Deny { .. } | Ruling::Obliged) => {
            panic!("denied, and it passes")
        }
        (Step::Wait(_), _) => panic!("asked, answered, and waits"),
    }
    let mut browser = request();
    browser.headers.push(b"accept", b"text/html");
    let page = Exchange::new(browser).start(&mut gate, now);
    promise::step(&page);
    promise::own_links(&step);
    promise::own_links(&page);
    check_memory(&mut gate, &query, parsed, reached);
    reached
}

/// The origin of the configured `request_url`.
fn own_forms() -> Option<Origin> {
    world::config().grants.own_forms().cloned()
}

/// Whoever passes has met every obligation, as far as plain JSON says.
fn check_obligations(body: &[u8]) {
    let body: Value = serde_json::from_slice(body).expect("a decision is JSON");
    let obligations = body["context"]["obligations"].as_array();
    for obligation in obligations.into_iter().flatten() {
        assert_eq!(obligation["type"], "step-up", "{body}");
        let member = |name: &str| {
            let below = obligation.get("properties");
            let found = obligation.get(name).or_else(|| below?.get(name));
            found.cloned().unwrap_or_default()
        };
        let acr = [member("acr_value"), member("acr_values")];
        assert!(
            acr.iter()
                .any(|values| names(values).contains(&ACR.to_owned()))
        );
        assert!(names(&member("amr_values")).iter().all(|amr| amr == AMR));
        assert!(
            member("max_age")
                .as_u64()
                .is_none_or(|age| age > SIGNED_IN_FOR)
        );
    }
}

fn names(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => text.split(' ').map(str::to_owned).collect(),
        Value::Array(list) => list.iter().flat_map(names).collect(),
        _ => Vec::new(),
    }
}

/// A ruling is remembered until the earliest of its ends, and no longer.
fn check_memory(gate: &mut Gate, query: &Query, parsed: &GrantReply, reached: Reached) {
    let now = world::now();
    let config = gate.config();
    let service = config.grants.service.as_ref().expect("a service");
    let mut ends = vec![now.saturating_add(service.allow_ttl)];
    ends.extend(parsed.max_age.map(|age| now.saturating_add(age)));
    match parsed.ruling {
        Ruling::Allow {
            until: Some(until), ..
        } if until > now => ends.push(until),
        Ruling::Allow { .. } | Ruling::Deny { .. } | Ruling::Obliged => {}
    }
    let end = ends.into_iter().min().expect("there is one");
    let mut pass_at = |moment| {
        let step = Exchange::new(request()).start(gate, moment);
        promise::step(&step) == Reached::Accepted
    };
    if end > now {
        let last = end.saturating_sub(Duration::from_millis(1));
        let passes = pass_at(last);
        let is_allow = matches!(parsed.ruling, Ruling::Allow { .. });
        assert!(
            passes || reached != Reached::Accepted || may_grow_old(&parsed.ruling),
            "forgotten too early"
        );
        assert!(is_allow || !passes, "denied, and passes later");
    }
    assert!(!pass_at(end), "passes at {end:?}");
    assert_eq!(gate.remembered(&query.key(), || query.clone(), end), None);
}

/// Whether the sign-in that it demands may have been fresh once and no longer is.
fn may_grow_old(ruling: &Ruling) -> bool {
    match ruling {
        Ruling::Allow {
            step_up: Some(step_up),
            ..
        } => step_up.challenge().contains("max_age"),
        Ruling::Allow { step_up: None, .. } | Ruling::Deny { .. } | Ruling::Obliged => false,
    }
}

/// What is no decision changes nothing: nothing is remembered, and the request is refused.
fn check_failure(reply: RawReply<'_>, fault: &ServiceFault) {
    let now = world::now();
    let mut gate = world::trusting_gate(world::config());
    let (mut exchange, query) = ask(&mut gate);
    let again = gate.on_grant_reply(query.key(), reply, now, now);
    assert_eq!(again.as_ref(), Err(fault));
    assert_eq!(gate.remembered(&query.key(), || query.clone(), now), None);
    let step = exchange.on_grant(&mut gate, &GrantOutcome::Failed(Failure::Service), now);
    promise::step(&step);
    assert!(
        matches!(step, Step::Respond(_)),
        "no decision, and {step:?}"
    );
}

fn ask(gate: &mut Gate) -> (Exchange, Query) {
    let mut exchange = Exchange::new(request());
    match exchange.start(gate, world::now()) {
        Step::Wait(Need::Grant(query)) => (exchange, *query),
        other => panic!("nothing is asked: {other:?}"),
    }
}

/// A token that tells how and when Alice signed in.
fn signed_in() -> &'static str {
    static TOKEN: LazyLock<String> = LazyLock::new(|| {
        TokenBuilder::for_user("alice")
            .claim("acr", json!(ACR))
            .claim("amr", json!([AMR]))
            .claim("auth_time", json!(NOW - SIGNED_IN_FOR.cast_signed()))
            .signed_by(&world::ec())
    });
    &TOKEN
}

fn request() -> RequestHead {
    let mut head = RequestHead::default();
    let token = signed_in();
    head.headers.push(b":method", b"GET");
    head.headers.push(b":authority", b"admin.example");
    head.headers.push(b":path", b"/orders/7");
    head.headers
        .push(b"authorization", format!("Bearer {token}").as_bytes());
    head
}
