//! What waits for me: who asks, for what, how long, why and since when; and my yes or no.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::fields::{Asked, Sent};
use super::frame::{Page, Place, page as framed};
use super::notice::Notice;
use super::request::{term, visible};
use super::trouble::Trouble;
use super::visitor::Visitor;
use super::words;
use crate::app::App;
use crate::desk::{Decided, Fault};
use crate::life::{Pending, Refusal, RequestId};

/// How soon the page looks for more, in seconds.
const SOON: u32 = 5;
/// So many requests are shown; the rest follows as these are decided.
const SHOWN: usize = 200;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Query {
    notice: String,
    /// The request that was decided last.
    decided: String,
}

/// The form that says no.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Denial {
    reason: String,
}

pub(super) async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Asked(query): Asked<Query>,
) -> Result<Markup, Trouble> {
    let notice = Notice::named(&query.notice).about(&query.decided);
    page(&app, &visitor, &notice).await
}

async fn page(app: &App, visitor: &Visitor, notice: &Notice) -> Result<Markup, Trouble> {
    if !visitor.rooms(app).approvals {
        return Err(Trouble::NotForYou("people who approve what others request"));
    }
    let waiting = app.desk.waiting_for(&visitor.person, SHOWN).await?;
    let count = u64::try_from(waiting.len()).unwrap_or_default();
    let verb = if count == 1 { "waits" } else { "wait" };
    let summary = format!("{} {verb} for you.", words::counted(count, "request"));
    let body = html! {
        section id="waiting" aria-labelledby="waiting-title" data-live=(SOON) data-from="/approvals" data-summary=(summary) {
            h2 id="waiting-title" class="lead" { (summary) }
            @if waiting.is_empty() {
                div class="card empty" {
                    p { "Nothing waits for your decision." }
                    p class="soft" { "New requests show up here by themselves." }
                }
            } @else {
                ul class="cards wide" {
                    @for pending in &waiting { li class="card wait" { (card(pending)) } }
                }
            }
        }
    };
    Ok(framed(
        app,
        visitor,
        &Page {
            place: Place::Approvals,
            title: "Approvals",
            notice,
            body,
            reload: None,
        },
    ))
}

fn card(pending: &Pending) -> Markup {
    html! {
        h3 {
            (words::person(&pending.requester, pending.email.as_deref()))
            @if pending.emergency { " " span class="badge stop" { "emergency" } }
        }
        dl class="facts" {
            div { dt { "Access" } dd { (words::access(&pending.target)) } }
            div { dt { "How long" } dd { (term(pending.term)) } }
            div { dt { "Why" } dd class="reason" { (pending.reason) } }
            div { dt { "Since" } dd { (words::moment(pending.at)) } }
            @if !pending.approvals.is_empty() {
                div { dt { "Approved by" } dd { @for (at, approval) in pending.approvals.iter().enumerate() { @if at > 0 { ", " } (approval.by.subject) } } }
            }
        }
        (decision(pending))
    }
}

/// The forms that say yes and no.
pub(super) fn decision(pending: &Pending) -> Markup {
    let id = &pending.id.0;
    let path = words::request_page(&pending.id);
    let of = format!(
        "{} on {} for {}",
        pending.target.action, pending.target.resource, pending.requester.subject
    );
    html! {
        div class="decision" {
            form method="post" action=(format!("{path}/approve")) {
                button class="button" aria-label=(format!("Approve {of}")) { "Approve" }
            }
            details class="act" id=(format!("deny-{id}")) {
                summary aria-label=(format!("Deny {of}")) { "Deny…" }
                form method="post" action=(format!("{path}/deny")) {
                    label for=(format!("why-{id}")) { "Why, for " (pending.requester.subject) " and the record" }
                    input id=(format!("why-{id}")) name="reason" required maxlength="1000" autocomplete="off";
                    p class="deeds" { button class="button danger" { "Deny the request" } }
                }
            }
        }
    }
}

pub(super) async fn approve(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let id = RequestId(id);
    visible(&app, &visitor, &id).await?;
    let decided = app
        .desk
        .approve(&visitor.person, &id, &visitor.origin)
        .await;
    answer(&app, &visitor, &id, decided).await
}

pub(super) async fn deny(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Sent(form): Sent<Denial>,
) -> Result<Response, Trouble> {
    let id = RequestId(id);
    visible(&app, &visitor, &id).await?;
    let decided = match words::why(&form.reason) {
        Ok(why) => {
            app.desk
                .deny(&visitor.person, &id, why, &visitor.origin)
                .await
        }
        Err(refusal) => Err(refusal.into()),
    };
    answer(&app, &visitor, &id, decided).await
}

async fn answer(
    app: &App,
    visitor: &Visitor,
    id: &RequestId,
    decided: Decided,
) -> Result<Response, Trouble> {
    let refusal = match decided {
        Ok(request) => {
            let word = match request.state() {
                "pending" => "seconded",
                state => state,
            };
            let next = words::address("/approvals", &[("notice", word), ("decided", &id.0)]);
            return Ok(Redirect::to(&next).into_response());
        }
        Err(Fault::Refused(refusal)) => refusal,
        Err(fault) => return Err(fault.into()),
    };
    let (status, text) = match refusal {
        Refusal::NotAnApprover => return Err(refusal_page(refusal)),
        Refusal::Over(state) => (
            StatusCode::CONFLICT,
            format!("Someone was quicker: this request is {state} already. You changed nothing."),
        ),
        Refusal::OwnRequest => (
            StatusCode::FORBIDDEN,
            "Nobody decides on their own request: ask another approver.".to_owned(),
        ),
        Refusal::Invalid { expected, .. } => (
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("The request was not denied. Say why: {expected}."),
        ),
        other => (
            StatusCode::CONFLICT,
            format!("Nothing was changed: {other}."),
        ),
    };
    let page = page(app, visitor, &Notice::not(text).about(&id.0)).await?;
    Ok((status, page).into_response())
}

fn refusal_page(refusal: Refusal) -> Trouble {
    Fault::Refused(refusal).into()
}
