//! How times, spans and people are written. Times are in UTC; the script writes them anew in the reader's zone.

use std::time::Duration;

use hallpass_core::time::{UnixMillis, Window};
use maud::{Markup, html};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::life::{PersonId, Refusal, RequestId, Target};

/// More is nobody's to read.
const LONGEST_WHY: usize = 1_000;

/// All but the unreserved characters (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A moment, to the minute.
pub(super) fn moment(time: UnixMillis) -> Markup {
    let full = time.to_rfc3339();
    let minute = full.get(..16).unwrap_or_default().replace('T', " ");
    html! { time datetime=(full) { (minute) " UTC" } }
}

/// A span in its two largest units: `1 hour 30 minutes`.
pub(super) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let units = [
        (seconds / 86_400, "day"),
        (seconds / 3_600 % 24, "hour"),
        (seconds / 60 % 60, "minute"),
        (seconds % 60, "second"),
    ];
    let parts: Vec<_> = units
        .into_iter()
        .skip_while(|(count, _)| *count == 0)
        .take(2)
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| counted(count, unit))
        .collect();
    if parts.is_empty() {
        return "less than a second".to_owned();
    }
    parts.join(" ")
}

/// So many of something: `1 request`, `2 requests`.
pub(super) fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// The time that is left of a window, which the script counts down; `name` tells a listener of what.
pub(super) fn countdown(window: Window, now: UnixMillis, name: &str) -> Markup {
    let left = window.until.since(now);
    let total = window.until.since(window.from).as_secs();
    html! {
        p class="left" {
            strong role="timer" data-until=(window.until.to_rfc3339()) data-name=(name) { (span(left)) " left" }
            " " span class="soft" { "until " (moment(window.until)) }
        }
        progress max=(total) value=(left.as_secs()) aria-hidden="true" {}
    }
}

/// A person, and what else is known of them: a subject is somebody only together with the issuer.
pub(super) fn person(id: &PersonId, email: Option<&str>) -> Markup {
    html! {
        span class="person" {
            strong { (id.subject) }
            " " span class="soft" {
                @if let Some(email) = email.filter(|email| *email != id.subject) { (email) " · " }
                (id.issuer)
            }
        }
    }
}

/// An access, in a few words: `read on orders`.
pub(super) fn access(target: &Target) -> Markup {
    html! { code { (target.action) } " on " code { (target.resource) } }
}

/// An address with these behind its `?`; those without a value are left out.
pub(super) fn address(path: &str, pairs: &[(&str, &str)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs.iter().filter(|(_, value)| !value.is_empty()))
        .finish();
    if query.is_empty() {
        return path.to_owned();
    }
    format!("{path}?{query}")
}

/// The page of a request.
pub(super) fn request_page(id: &RequestId) -> String {
    format!("/requests/{}", encoded(&id.0))
}

/// The form for an access.
pub(super) fn ask_page(target: &Target, return_to: &str) -> String {
    address(
        "/request",
        &[
            ("resource", &target.resource),
            ("type", &target.resource_type),
            ("action", &target.action),
            ("return_to", return_to),
        ],
    )
}

/// Text as one part of an address.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Why someone denies or takes something back, if it is something to put on record.
pub(super) fn why(text: &str) -> Result<&str, Refusal> {
    let text = text.trim();
    let count = text.chars().count();
    if (1..=LONGEST_WHY).contains(&count) {
        Ok(text)
    } else {
        Err(Refusal::invalid(
            "reason",
            format!("1 to {LONGEST_WHY} characters"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_in_its_two_largest_units() {
        for (seconds, expected) in [
            (0, "less than a second"),
            (1, "1 second"),
            (61, "1 minute 1 second"),
            (3_600, "1 hour"),
            (5_400, "1 hour 30 minutes"),
            (3_601, "1 hour"),
            (90_000, "1 day 1 hour"),
            (172_800, "2 days"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), expected);
        }
    }
}
