//! The record, for auditors: what happened, the latest first, with filters.

use axum::extract::State;
use hallpass_core::time::UnixMillis;
use maud::{Markup, html};
use serde::Deserialize;

use super::fields::Asked;
use super::frame::{Page, Place, page as framed};
use super::notice::Notice;
use super::trouble::Trouble;
use super::visitor::Visitor;
use super::words;
use crate::app::App;
use crate::audit::{Entry, Event, Link};
use crate::life::Actor;
use crate::store::AuditFilter;

/// So many entries a page.
const SHOWN: u32 = 50;

const EVENTS: [Event; 13] = [
    Event::RequestOpened,
    Event::RequestSeconded,
    Event::RequestApproved,
    Event::RequestDenied,
    Event::RequestWithdrawn,
    Event::RequestExpired,
    Event::GrantGiven,
    Event::GlassBroken,
    Event::GrantExpired,
    Event::GrantRevoked,
    Event::SubjectRevoked,
    Event::ResourceRevoked,
    Event::EverythingRevoked,
];

/// What to show.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Query {
    event: String,
    actor: String,
    subject: String,
    resource: String,
    since: String,
    until: String,
    /// Only entries before this position.
    before: String,
}

pub(super) async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Asked(query): Asked<Query>,
) -> Result<Markup, Trouble> {
    if !app.desk.is_auditor(&visitor.person) {
        return Err(Trouble::NotForYou("auditors"));
    }
    let (since, until) = (time(&query.since), time(&query.until));
    let notice = match (&since, &until) {
        (Ok(_), Ok(_)) => Notice::default(),
        _ => Notice::not("A time is not as it must be, such as 2026-11-23T20:00. It was left out."),
    };
    let filter = AuditFilter {
        before: query.before.parse().ok(),
        event: some(&query.event),
        actor: some(&query.actor),
        subject: some(&query.subject),
        resource: some(&query.resource),
        since: since.unwrap_or_default(),
        until: until.unwrap_or_default(),
        limit: SHOWN,
        latest_first: true,
        ..AuditFilter::default()
    };
    let entries = app.desk.store().audit(&filter).await?;
    let oldest = entries.last().map(|(position, _)| *position);
    let older = oldest.filter(|oldest| *oldest > 1 && entries.len() >= SHOWN as usize);
    let body = html! {
        (filters(&query))
        section aria-labelledby="entries-title" {
            h2 id="entries-title" class="hidden" { "Entries" }
            @if entries.is_empty() {
                div class="card empty" { p { "Nothing like this is on record." } }
            } @else { (table(&entries)) }
            nav class="deeds" aria-label="More entries" {
                @if filter.before.is_some() { a class="button quiet" href=(query.at("")) { "Latest" } }
                @if let Some(oldest) = older { a class="button quiet" id="older" rel="next" href=(query.at(&oldest.to_string())) { "Older" } }
            }
        }
    };
    Ok(framed(
        &app,
        &visitor,
        &Page {
            place: Place::Record,
            title: "Record",
            notice: &notice,
            body,
            reload: None,
        },
    ))
}

impl Query {
    /// The same entries from another position on.
    fn at(&self, before: &str) -> String {
        let times = [
            ("since", self.since.as_str()),
            ("until", &self.until),
            ("before", before),
        ];
        words::address("/record", &[&self.of()[..], &times].concat())
    }

    /// The same entries for a program.
    fn lines(&self) -> String {
        let [since, until] = [&self.since, &self.until].map(|text| {
            time(text)
                .ok()
                .flatten()
                .map(UnixMillis::to_rfc3339)
                .unwrap_or_default()
        });
        let times = [
            ("since", since.as_str()),
            ("until", &until),
            ("format", "ndjson"),
        ];
        words::address("/audit", &[&self.of()[..], &times].concat())
    }

    fn of(&self) -> [(&str, &str); 4] {
        [
            ("event", self.event.trim()),
            ("actor", self.actor.trim()),
            ("subject", self.subject.trim()),
            ("resource", self.resource.trim()),
        ]
    }
}

fn some(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A time as a form sends it, without a zone, or with one (RFC 3339).
fn time(text: &str) -> Result<Option<UnixMillis>, ()> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let spelled = [text.to_owned(), format!("{text}Z"), format!("{text}:00Z")];
    let time = spelled
        .iter()
        .find_map(|text| UnixMillis::from_rfc3339(text));
    time.map(Some).ok_or(())
}

fn filters(query: &Query) -> Markup {
    let text = |name: &str, label: &str, value: &str| {
        html! {
            label { span { (label) } input name=(name) value=(value) autocomplete="off" autocapitalize="none" spellcheck="false"; }
        }
    };
    let moment = |name: &str, label: &str, value: &str| {
        html! { label { span { (label) } input type="datetime-local" name=(name) value=(value); } }
    };
    html! {
        form class="filters card" action="/record" role="search" {
            label {
                span { "What" }
                select name="event" {
                    option value="" { "Everything" }
                    @for event in EVENTS { option value=(event.word()) selected[query.event == event.word()] { (spoken(event)) } }
                }
            }
            (text("actor", "Who did it", &query.actor))
            (text("subject", "About whom", &query.subject))
            (text("resource", "Resource", &query.resource))
            (moment("since", "From (UTC)", &query.since))
            (moment("until", "Before (UTC)", &query.until))
            p class="deeds" {
                button class="button" { "Show" }
                a href="/record" { "Clear" }
                a href=(query.lines()) id="ndjson" { "As NDJSON" }
            }
        }
    }
}

fn table(entries: &[(u64, Link)]) -> Markup {
    html! {
        table role="table" aria-labelledby="entries-title" class="record" {
            thead role="rowgroup" { tr role="row" {
                @for name in ["Entry", "When", "What", "Who", "About", "Why"] { th role="columnheader" scope="col" { (name) } }
            } }
            tbody role="rowgroup" {
                @for (position, link) in entries { (row(*position, link)) }
            }
        }
    }
}

fn row(position: u64, link: &Link) -> Markup {
    let short = link.hash.get(..8).unwrap_or_default();
    let entry: Option<Entry> = serde_json::from_str(&link.text).ok();
    html! {
        tr role="row" {
            th role="rowheader" scope="row" data-name="Entry" { span { (position) " " code class="soft" title=(link.hash) { (short) } } }
            @if let Some(entry) = entry { (cells(&entry)) }
            @else { td role="cell" colspan="5" { code { (link.text) } } }
        }
    }
}

fn cells(entry: &Entry) -> Markup {
    let time = UnixMillis::from_rfc3339(&entry.time);
    html! {
        td role="cell" data-name="When" { @match time { Some(time) => (words::moment(time)), None => (entry.time) } }
        td role="cell" data-name="What" {
            span class=(format!("badge {}", tone(entry.event))) { (spoken(entry.event)) }
        }
        td role="cell" data-name="Who" {
            span {
                (actor(&entry.actor))
                @if let Some(ip) = &entry.source_ip { br; span class="soft" { "from " (ip) } }
            }
        }
        td role="cell" data-name="About" {
            span {
                @if let Some(target) = &entry.target { (words::access(target)) br; }
                @if let Some(subject) = &entry.subject { "for " strong { (subject.subject) } br; }
                @if let Some(request) = &entry.request { a href=(format!("/requests/{}", words::encoded(request))) aria-label=(format!("The request of entry {}", entry.position)) { "The request" } }
            }
        }
        td role="cell" data-name="Why" class="reason" { (entry.why.as_deref().unwrap_or("–")) }
    }
}

fn actor(actor: &Actor) -> Markup {
    html! {
        @match actor {
            Actor::Person(person) => strong { (person.subject) },
            Actor::Service(name) => { "the program " strong { (name) } },
            Actor::Operator => "the operator",
            Actor::Itself => "the service",
        }
    }
}

fn spoken(event: Event) -> &'static str {
    match event {
        Event::RequestOpened => "Access requested",
        Event::RequestSeconded => "Approved, more needed",
        Event::RequestApproved => "Request approved",
        Event::RequestDenied => "Request denied",
        Event::RequestWithdrawn => "Request withdrawn",
        Event::RequestExpired => "Request expired",
        Event::GrantGiven => "Grant given",
        Event::GlassBroken => "Glass broken",
        Event::GrantExpired => "Grant expired",
        Event::GrantRevoked => "Grant revoked",
        Event::SubjectRevoked => "Person revoked",
        Event::ResourceRevoked => "Resource revoked",
        Event::EverythingRevoked => "Everything revoked",
    }
}

fn tone(event: Event) -> &'static str {
    match event {
        Event::RequestOpened | Event::RequestSeconded => "wait",
        Event::RequestApproved | Event::GrantGiven => "good",
        Event::RequestDenied
        | Event::GrantRevoked
        | Event::GlassBroken
        | Event::SubjectRevoked
        | Event::ResourceRevoked
        | Event::EverythingRevoked => "stop",
        Event::RequestWithdrawn | Event::RequestExpired | Event::GrantExpired => "odd",
    }
}
