//! For administrators: everyone's live grants, and taking back one, all of a person's, all on a resource, or everything at once.
//!
//! The last is the switch for an incident. It wants a word typed, so that no slip of a finger throws it, and works without script.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hallpass_core::time::UnixMillis;
use maud::{Markup, html};
use serde::Deserialize;

use super::fields::{Asked, Sent};
use super::frame::{Page, Place, page as framed};
use super::grants::{give_back, live};
use super::notice::Notice;
use super::trouble::Trouble;
use super::visitor::Visitor;
use super::words;
use crate::app::App;
use crate::desk::Fault;
use crate::life::{Active, Grant, PersonId};
use crate::store::{GrantFilter, Revoked};

/// How soon the page looks for changes, in seconds.
const SOON: u32 = 15;
/// So many grants are shown.
const SHOWN: u32 = 200;
/// What to type before everything is taken back.
const WORD: &str = "everything";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Query {
    notice: String,
    resource: String,
}

/// The forms that take back more than one grant.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Taking {
    /// `subject`, `resource` or `everything`.
    what: String,
    subject: String,
    issuer: String,
    resource: String,
    reason: String,
    confirm: String,
}

pub(super) async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Asked(query): Asked<Query>,
) -> Result<Markup, Trouble> {
    page(
        &app,
        &visitor,
        query.resource.trim(),
        &Notice::named(&query.notice),
    )
    .await
}

pub(super) async fn revoke(
    State(app): State<App>,
    visitor: Visitor,
    Sent(form): Sent<Taking>,
) -> Result<Response, Trouble> {
    if !app.desk.is_administrator(&visitor.person) {
        return Err(Trouble::NotForYou("administrators"));
    }
    let told = match form.wish() {
        Ok((what, why)) => match app
            .desk
            .revoke(&visitor.person, &what, why, &visitor.origin)
            .await
        {
            Ok(ended) => Ok(outcome(&what, ended)),
            Err(Fault::Refused(refusal)) => Err(format!("Nothing was revoked: {refusal}.")),
            Err(fault) => return Err(fault.into()),
        },
        Err(text) => Err(text),
    };
    let (status, notice) = match told {
        Ok(text) => (StatusCode::OK, Notice::done(text)),
        Err(text) => (StatusCode::UNPROCESSABLE_ENTITY, Notice::not(text)),
    };
    let page = page(&app, &visitor, "", &notice).await?;
    Ok((status, page).into_response())
}

impl Taking {
    /// What to take back, and why; or what is missing.
    fn wish(&self) -> Result<(Revoked, &str), String> {
        let (subject, issuer, resource) = (
            self.subject.trim(),
            self.issuer.trim(),
            self.resource.trim(),
        );
        let what = match self.what.as_str() {
            "subject" if !subject.is_empty() && !issuer.is_empty() => Revoked::Subject(PersonId {
                issuer: issuer.to_owned(),
                subject: subject.to_owned(),
            }),
            "subject" => {
                return Err("Nothing was revoked. Say whose: a subject and its issuer.".to_owned());
            }
            "resource" if !resource.is_empty() => Revoked::Resource(resource.to_owned()),
            "resource" => return Err("Nothing was revoked. Say on which resource.".to_owned()),
            "everything" if self.confirm.trim().eq_ignore_ascii_case(WORD) => Revoked::Everything,
            "everything" => {
                return Err(format!(
                    "Nothing was revoked. To revoke everything, type the word “{WORD}”."
                ));
            }
            _ => return Err("Nothing was revoked. Say what.".to_owned()),
        };
        match words::why(&self.reason) {
            Ok(why) => Ok((what, why)),
            Err(_) => Err("Nothing was revoked. Say why, for the record.".to_owned()),
        }
    }
}

fn outcome(what: &Revoked, ended: usize) -> String {
    let ended = words::counted(ended.try_into().unwrap_or(u64::MAX), "live grant");
    match what {
        Revoked::Subject(person) => format!(
            "All that {} holds is revoked: {ended} ended.",
            person.subject
        ),
        Revoked::Resource(name) => format!("All access to {name} is revoked: {ended} ended."),
        Revoked::Everything | Revoked::Grant(_) => format!("Everything is revoked: {ended} ended."),
    }
}

pub(super) async fn page(
    app: &App,
    visitor: &Visitor,
    resource: &str,
    notice: &Notice,
) -> Result<Markup, Trouble> {
    if !app.desk.is_administrator(&visitor.person) {
        return Err(Trouble::NotForYou("administrators"));
    }
    let now = app.desk.clock().now();
    let filter = GrantFilter {
        resource: (!resource.is_empty()).then(|| resource.to_owned()),
        live_at: Some(now),
        limit: SHOWN,
        ..GrantFilter::default()
    };
    let grants = app.desk.store().grants(&filter).await?;
    let body = html! {
        (listing(&grants, resource, now))
        (switches(visitor))
    };
    Ok(framed(
        app,
        visitor,
        &Page {
            place: Place::Everyone,
            title: "Everyone’s grants",
            notice,
            body,
            reload: None,
        },
    ))
}

fn listing(grants: &[Grant], resource: &str, now: UnixMillis) -> Markup {
    let live: Vec<_> = grants.iter().filter_map(|grant| live(grant, now)).collect();
    let count = words::counted(live.len().try_into().unwrap_or_default(), "live grant");
    let from = words::address("/grants/all", &[("resource", resource)]);
    html! {
        form class="filters" action="/grants/all" role="search" {
            label { span { "Resource" } input name="resource" value=(resource) autocomplete="off" autocapitalize="none" spellcheck="false"; }
            button class="button quiet" { "Show" }
            @if !resource.is_empty() { a href="/grants/all" { "Show all" } }
        }
        section id="everyone" aria-labelledby="everyone-title" data-live=(SOON) data-from=(from) data-summary=(format!("There are {count}.")) {
            h2 id="everyone-title" class="lead" { (count) }
            @if grants.len() >= SHOWN as usize { p class="soft" { "These are the " (SHOWN) " that end last. Name a resource to see others." } }
            @if live.is_empty() {
                div class="card empty" { p { "Nobody holds a live grant" @if !resource.is_empty() { " on " code { (resource) } } "." } }
            } @else { (table(&live, now)) }
        }
    }
}

fn table(grants: &[&Active], now: UnixMillis) -> Markup {
    html! {
        // The roles are told, since a narrow screen shows the table as cards and browsers then forget that it is one.
        table role="table" aria-labelledby="everyone-title" {
            thead role="rowgroup" { tr role="row" {
                @for name in ["Who", "Access", "Time left", "Revoke"] { th role="columnheader" scope="col" { (name) } }
            } }
            tbody role="rowgroup" {
                @for grant in grants {
                    tr role="row" {
                        th role="rowheader" scope="row" data-name="Who" { (words::person(&grant.holder, None)) }
                        td role="cell" data-name="Access" {
                            div {
                                a href=(words::request_page(&grant.request)) { (words::access(&grant.target)) }
                                @if grant.emergency { " " span class="badge stop" { "emergency" } }
                            }
                        }
                        td role="cell" data-name="Time left" {
                            (words::countdown(grant.window, now, &format!("{} of {}", grant.target.resource, grant.holder.subject)))
                        }
                        td role="cell" data-name="Revoke" { (give_back(grant, false, "all")) }
                    }
                }
            }
        }
    }
}

fn switches(visitor: &Visitor) -> Markup {
    let form = |what: &str, title: &str, press: &str, fields: &Markup| {
        html! {
            form class="card" method="post" action="/grants/all/revoke" id=(format!("revoke-{what}")) aria-labelledby=(format!("revoke-{what}-title")) {
                h3 id=(format!("revoke-{what}-title")) { (title) }
                input type="hidden" name="what" value=(what);
                (fields)
                div class="field" {
                    label for=(format!("{what}-reason")) { "Why, for the record" }
                    input id=(format!("{what}-reason")) name="reason" required maxlength="1000" autocomplete="off";
                }
                p class="deeds" { button class="button danger" { (press) } }
            }
        }
    };
    let field = |id: &str, name: &str, label: &str, value: &str| {
        html! {
            div class="field" {
                label for=(id) { (label) }
                input id=(id) name=(name) value=(value) required autocomplete="off" autocapitalize="none" spellcheck="false";
            }
        }
    };
    let subject = html! {
        (field("subject-subject", "subject", "Subject", ""))
        (field("subject-issuer", "issuer", "Issuer", &visitor.person.id.issuer))
    };
    let everything = html! {
        p { "Every live grant ends at once, every waiting request is denied, and no proxy that follows this service lets anyone in by what was given before." }
        (field("everything-confirm", "confirm", &format!("Type “{WORD}”"), ""))
    };
    html! {
        section aria-labelledby="switches-title" {
            h2 id="switches-title" { "Take back more" }
            p class="soft" { "What waits for approval is denied with it, and what people ask for afterwards is new." }
            div class="switches" {
                (form("subject", "All that a person holds", "Revoke the person", &subject))
                (form("resource", "All access to a resource", "Revoke the resource", &field("resource-resource", "resource", "Resource", "")))
                div class="alarm" { (form("everything", "Everything", "Revoke everything", &everything)) }
            }
        }
    }
}
