//! Promises that every target can check: what is written to a log, sent to a client, and told to an upstream.

use hallpass_core::audit::Written;
use hallpass_core::edits::Edits;
use hallpass_core::flow::{Passage, Refusal, Step};
use hallpass_core::headers::HeaderList;
use hallpass_core::token::{Extracted, TokenSource, extract};
use serde_json::Value;
use url::Url;

use crate::{Reached, world};

/// A text for the log or an operator says something, and begins no line of its own.
pub(crate) fn one_line(text: &str) {
    assert!(!text.trim().is_empty(), "a text that says nothing");
    assert!(!text.contains(is_control), "a text of two lines: {text:?}");
}

/// No header's value holds a control character: it could end the header and begin another.
pub(crate) fn header_value(name: &str, value: &str) {
    let plain = !value.contains(char::is_control) && value.trim() == value;
    assert!(plain, "header {name} with the value {value:?}");
}

/// A challenge is parameters with quoted strings that need no escape (RFC 9110, section 11.6.1), so nothing in one begins another.
pub(crate) fn challenge(value: &str) {
    const NAMES: [&str; 5] = [
        "realm",
        "error",
        "error_description",
        "acr_values",
        "max_age",
    ];
    let parameters = value.strip_prefix("Bearer ").expect("a scheme");
    let mut rest = parameters;
    while !rest.is_empty() {
        let (name, quoted) = rest.split_once("=\"").expect("a parameter");
        assert!(NAMES.contains(&name), "{value}");
        let (text, behind) = quoted.split_once('"').expect("an end");
        let is_plain = text
            .bytes()
            .all(|byte| (b' '..=b'~').contains(&byte) && byte != b'\\');
        assert!(is_plain && !text.is_empty(), "{value}");
        assert!(behind.is_empty() || behind.starts_with(", "), "{value}");
        rest = behind.strip_prefix(", ").unwrap_or_default();
    }
}

/// A link leads a person where the operator sends people: as browsers read it (the URL Standard), to the configured origin, as nobody.
pub(crate) fn own_form(url: &str) {
    let read = Url::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
    assert_eq!(read.origin().ascii_serialization(), world::FORMS, "{url}");
    assert_eq!((read.username(), read.password()), ("", None), "{url}");
}

/// The links of an answer lead where [`own_form`] says, in a problem as on a page.
pub(crate) fn own_links(step: &Step) {
    let Step::Respond(refusal) = step else { return };
    let body = String::from_utf8_lossy(&refusal.answer.body);
    if let Ok(problem) = serde_json::from_str::<Value>(&body)
        && let Some(url) = problem["request_url"].as_str()
    {
        own_form(url);
    }
    for link in body.split("<a href=\"").skip(1) {
        let (url, _) = link.split_once('"').expect("its end");
        own_form(&html_escape::decode_html_entities(url));
    }
}

/// A header that goes upstream holds nothing that anyone could take for a token, however they read commas.
pub(crate) fn no_token(name: &[u8], value: &[u8], sources: &[TokenSource]) {
    for part in value.split(|byte| *byte == b',') {
        let mut alone = HeaderList::default();
        alone.push(name, part);
        let found = extract(&alone, sources);
        assert_eq!(found, Extracted::Missing, "{}", value.escape_ascii());
    }
}

/// Checks what a step says and does. The judgement itself is the caller's to check.
pub(crate) fn step(step: &Step) -> Reached {
    match step {
        Step::Continue(passage) => {
            let Passage {
                edits,
                reason,
                audit,
                ..
            } = &**passage;
            assert!(reason.allows(), "passes because of {}", reason.as_str());
            audit_line(audit.as_deref());
            upstream_headers(edits);
            Reached::Accepted
        }
        Step::Respond(refusal) => {
            answer(refusal);
            audit_line(refusal.audit.as_deref());
            Reached::Refused
        }
        Step::Wait(_) => Reached::Refused,
    }
}

fn answer(refusal: &Refusal) {
    let Refusal { answer, reason, .. } = refusal;
    assert!(!reason.allows(), "refused because of {}", reason.as_str());
    assert_eq!(answer.status, reason.kind().status());
    let mut content_type = None;
    for (name, value) in &answer.headers {
        header_value(name, value);
        match *name {
            "content-type" => content_type = Some(&**value),
            "www-authenticate" => challenge(value),
            _ => {}
        }
    }
    let body = std::str::from_utf8(&answer.body).expect("an answer is UTF-8");
    match content_type {
        _ if body.is_empty() => {}
        Some("application/problem+json") => {
            let problem: Value = serde_json::from_str(body).expect("a problem is JSON");
            assert_eq!(problem["reason"], reason.as_str());
            assert_eq!(problem["status"], answer.status);
        }
        Some("text/html; charset=utf-8") => {
            assert!(body.starts_with("<!doctype html>"), "{body}");
            assert!(!body.contains("<script"), "{body}");
        }
        other => panic!("an answer of type {other:?}"),
    }
}

fn audit_line(written: Option<&Written>) {
    if let Some(line) = written.and_then(|written| written.line.as_deref()) {
        one_line(line);
        let record: Value = serde_json::from_str(line).expect("a record is JSON");
        assert!(record["reason"].is_string(), "{record}");
    }
}

/// What is replaced is the client's own; what is added is the filter's word.
fn upstream_headers(edits: &Edits) {
    for (name, _) in &edits.replace {
        let own = ["cookie", ":path", ":authority", "host"].contains(name);
        assert!(own, "{name} is replaced");
    }
    for (name, value) in edits.additions() {
        header_value(name, value);
    }
}

/// Those that could end a line or command a terminal.
fn is_control(character: char) -> bool {
    character < ' '
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "two lines")]
    fn a_line_break_in_a_text_is_noticed() {
        one_line("not JSON\nhallpass.audit {}");
    }

    #[test]
    #[should_panic(expected = "says nothing")]
    fn an_empty_text_is_noticed() {
        one_line(" ");
    }

    #[test]
    #[should_panic(expected = "a parameter")]
    fn a_value_that_ends_its_quotes_in_a_challenge_is_noticed() {
        challenge(r#"Bearer error="insufficient_user_authentication", acr_values="a", b""#);
    }

    #[test]
    #[should_panic(expected = "evil.example")]
    fn a_link_that_leads_elsewhere_is_noticed() {
        own_form("https://grants.example@evil.example/");
    }

    #[test]
    #[should_panic(expected = "header x-a")]
    fn a_header_that_could_begin_another_is_noticed() {
        header_value("x-a", "alice\r\nx-b: root");
    }
}
