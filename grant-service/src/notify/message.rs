//! What is told: JSON that programs read, with a `text` that chat tools show.

use hallpass_core::config::span::Span;
use hallpass_core::printable::printable;
use serde::Serialize;
use url::Url;

use crate::audit::{Entry, Event};
use crate::life::{Pending, Request, Term};

/// One message. Each is about one entry of the record.
#[derive(Debug, Serialize)]
pub(super) struct Message<'a> {
    /// The entry's name, by which a receiver knows whether it came before.
    id: &'a str,
    #[serde(rename = "type")]
    kind: Event,
    time: &'a str,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    entry: &'a Entry,
}

impl<'a> Message<'a> {
    /// About the entry of this name, with the request that it is about, if any. `pages` is where people find the service.
    pub(super) fn new(
        id: &'a str,
        entry: &'a Entry,
        request: Option<&Request>,
        pages: &Url,
    ) -> Self {
        let url = entry.request.as_deref().and_then(|id| page(pages, id));
        Self {
            id,
            kind: entry.event,
            time: &entry.time,
            text: text(entry, request, url.as_deref()),
            url,
            entry,
        }
    }
}

/// Where people read about this request.
fn page(pages: &Url, request: &str) -> Option<String> {
    let mut url = pages.clone();
    url.path_segments_mut()
        .ok()?
        .pop_if_empty()
        .extend(["requests", request]);
    Some(url.into())
}

fn text(entry: &Entry, request: Option<&Request>, url: Option<&str>) -> String {
    let term = request.filter(|_| entry.event == Event::RequestOpened);
    let term = term.map_or_else(String::new, |request| term_of(request.facts()));
    let why = entry.why.as_deref().filter(|why| !why.is_empty());
    let why = why.map_or_else(String::new, |why| format!(": {why}"));
    let mut text = inert(&format!("{}{term}{why}", entry.sentence()));
    if let Some(url) = url {
        text.push('\n');
        text.push_str(url);
    }
    text
}

/// How long access is wished for, and how badly.
fn term_of(request: &Pending) -> String {
    let term = match request.term {
        Term::For(span) => format!("for {}", Span::from(span)),
        Term::Until(until) => format!("until {}", until.to_rfc3339()),
    };
    let haste = if request.emergency {
        ", as an EMERGENCY"
    } else {
        ""
    };
    format!(" {term}{haste}")
}

/// Names and reasons are others' words. Chat tools would make of `<!channel>` a call to everyone, and of `<https://...|Approve>` a link that looks
/// like ours; these three characters written so are just characters to them.
fn inert(text: &str) -> String {
    printable(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::life::{Actor, PersonId, Target};

    fn entry(event: Event, why: &str) -> Entry {
        let person = |name: &str| PersonId {
            issuer: "https://idp.example".to_owned(),
            subject: name.to_owned(),
        };
        Entry {
            position: 7,
            time: "2026-11-23T20:00:00.000Z".to_owned(),
            event,
            actor: Actor::Person(person("lena")),
            subject: Some(person("alice")),
            target: Some(Target {
                resource_type: "http".to_owned(),
                resource: "orders".to_owned(),
                action: "read".to_owned(),
            }),
            request: Some("r-1".to_owned()),
            grant: None,
            until: Some("2026-11-23T21:00:00.000Z".to_owned()),
            why: Some(why.to_owned()),
            source_ip: None,
            http_request: None,
        }
    }

    fn told(event: Event, why: &str) -> String {
        let pages = "https://grants.example".parse().unwrap();
        Message::new("7-9f86d081884c7d65", &entry(event, why), None, &pages).text
    }

    #[test]
    fn each_message_says_in_words_what_happened_and_where_to_read_on() {
        for (event, text) in [
            (Event::RequestOpened, "alice asks to read orders: OPS-7"),
            (
                Event::RequestDenied,
                "lena denied alice to read orders: OPS-7",
            ),
            (
                Event::GlassBroken,
                "EMERGENCY: alice took the right to read orders until 2026-11-23T21:00:00.000Z, approved by nobody: OPS-7",
            ),
        ] {
            let expected = format!("{text}\nhttps://grants.example/requests/r-1");
            assert_eq!(told(event, "OPS-7"), expected);
        }
    }

    #[test]
    fn a_reason_calls_nobody_and_makes_no_link_or_line_of_its_own() {
        let text = told(
            Event::RequestOpened,
            "<!channel> & <https://evil.example|Approve>\nlena approved",
        );
        assert!(!text.contains('<') && !text.contains('>'), "{text}");
        assert_eq!(text.lines().count(), 2, "{text}");
    }
}
