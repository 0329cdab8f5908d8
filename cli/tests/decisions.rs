//! The decision table, explained by the program: what it says is what the filter does.

mod program;

use hallpass_core::denial::Reason;
use hallpass_decisions::{Case, Keys, Service, cases, published};
use serde_json::{Value, json};

use program::{Run, file};

/// Unix seconds as RFC 3339, for the day on which the table plays (2026-09-21).
fn time(second: i64) -> String {
    let second = second - 1_789_948_800;
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!("2026-09-21T{hour:02}:{minute:02}:{:02}Z", second % 60)
}

fn explain(case: &Case) -> Run {
    let folder = tempfile::tempdir().expect("a folder");
    let mut arguments = vec![
        "--config".to_owned(),
        file(&folder, "config.json", &case.config.to_string()),
        "--at".to_owned(),
        time(case.at),
    ];
    let mut give = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
    match case.keys {
        Keys::Published => give(
            "--jwks",
            file(&folder, "jwks.json", &published().to_string()),
        ),
        Keys::Unreachable => give("--unreachable", "keys".to_owned()),
    }
    match &case.service {
        Service::Unasked => {}
        Service::Replies(reply) => give(
            "--grant-reply",
            file(&folder, "reply.json", &reply.to_string()),
        ),
        Service::Unreachable => give("--unreachable", "grants".to_owned()),
    }
    if let Some(token) = &case.token {
        give("--token", file(&folder, "token", token));
    }
    if let Some(address) = case.source_ip {
        give("--source-ip", address.to_owned());
    }
    for (name, value) in &case.headers {
        give("--header", format!("{name}: {value}"));
    }
    let positional = [case.method.to_owned(), case.url.clone()];
    let plain = program::run("explain", arguments.iter().chain(&positional));
    assert_eq!(plain.status, 0, "{}: {plain:?}", case.name);
    let tells_of_monitoring = plain.out.contains("monitor mode: it is recorded");
    assert_eq!(
        tells_of_monitoring, case.expected.is_monitored,
        "{}: {plain:?}",
        case.name
    );
    no_secrets(case, &plain);
    arguments.push("--json".to_owned());
    let run = program::run("explain", arguments.iter().chain(&positional));
    no_secrets(case, &run);
    run
}

/// Neither the token nor any part of it but what its claims say is ever printed.
fn no_secrets(case: &Case, run: &Run) {
    let parts = case.token.iter().flat_map(|token| token.split('.'));
    for part in parts.filter(|part| part.len() > 8) {
        assert!(
            !run.out.contains(part) && !run.err.contains(part),
            "{}: {run:?}",
            case.name
        );
    }
}

#[test]
fn the_program_decides_as_the_table_says() {
    for case in cases() {
        let told: Value = serde_json::from_str(&explain(&case).out).expect(case.name);
        let expected = &case.expected;
        let decision = if expected.allows { "allow" } else { "deny" };
        assert_eq!(told["decision"], decision, "{}: {told:#}", case.name);
        assert_eq!(told["reason"], expected.reason, "{}: {told:#}", case.name);
        assert_eq!(told["status"], expected.status, "{}", case.name);
        let link = expected.request_url.as_deref();
        assert_eq!(
            told["answer"]["body"]["request_url"].as_str(),
            link,
            "{}",
            case.name
        );
        assert_eq!(told["enforced"], !expected.is_monitored, "{}", case.name);
        if expected.is_answered || (!expected.allows && !expected.is_monitored) {
            assert!(told.get("upstream").is_none(), "{}", case.name);
            continue;
        }
        let upstream = &told["upstream"];
        let mut removed: Vec<&str> = upstream["removed"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let mut expected_removed = expected.removed.clone();
        removed.sort_unstable();
        expected_removed.sort_unstable();
        assert_eq!(removed, expected_removed, "{}", case.name);
        assert_eq!(upstream["set"], json!(expected.set), "{}", case.name);
        let stripped: &[&str] = if expected.cookies.is_some() {
            &["cookie"]
        } else {
            &[]
        };
        assert_eq!(upstream["stripped"], json!(stripped), "{}", case.name);
        // The query is not shown: it may hold a secret.
        let path = expected.path.and_then(|path| path.split('?').next());
        assert_eq!(upstream["path"].as_str(), path, "{}", case.name);
        let authority = upstream["authority"].as_str();
        assert_eq!(authority, expected.authority, "{}", case.name);
    }
}

#[test]
fn the_first_check_that_fails_is_the_reason() {
    for case in cases() {
        let told: Value = serde_json::from_str(&explain(&case).out).expect(case.name);
        let steps = told["steps"].as_array().expect("steps");
        let mut failed = steps
            .iter()
            .filter(|step| step["about"] == "token" && step["verdict"] == "no");
        let named = failed.find_map(|step| step["text"].as_str()?.rsplit_once(": "));
        if let Some((_, reason)) = named
            && reason.starts_with("token_")
        {
            assert_eq!(told["reason"], reason, "{}", case.name);
        }
        // What passes has nothing against it, but for grants that do not count beside one that does.
        let against = steps.iter().any(|step| {
            step["verdict"] == "no" && step["about"] != "grant" && step["about"] != "service"
        });
        assert!(
            !against || told["decision"] != "allow",
            "{}: {told:#}",
            case.name
        );
    }
}

#[test]
fn the_table_has_every_reason_that_one_request_can_lead_to() {
    // What was decided or taken back before, and what a request is cut for while it is open.
    let of_more_than_one_request = [
        "grant_cached",
        "grant_revoked",
        "grant_stale",
        "stream_expired",
    ];
    let cases = cases();
    for reason in Reason::ALL.iter().map(|reason| reason.as_str()) {
        let is_there = cases.iter().any(|case| case.expected.reason == reason);
        assert_ne!(
            is_there,
            of_more_than_one_request.contains(&reason),
            "{reason}"
        );
    }
}
