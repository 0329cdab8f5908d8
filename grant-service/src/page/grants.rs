//! What I have, with the time that is left; what I asked for; and giving a grant back, my own or, where I may, another's.

use std::collections::HashMap;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use hallpass_core::time::UnixMillis;
use maud::{Markup, html};
use serde::Deserialize;

use super::fields::{Asked, Sent};
use super::frame::{Page, Place, page as framed};
use super::notice::Notice;
use super::trouble::Trouble;
use super::visitor::Visitor;
use super::{incident, words};
use crate::app::App;
use crate::desk::Fault;
use crate::life::{Active, Grant, GrantId, Refusal, Request, is_name};
use crate::store::{GrantFilter, Revoked};

/// How soon the page looks for changes, in seconds.
const SOON: u32 = 15;
/// So many of someone's last grants and requests are shown.
const SHOWN: u32 = 50;
/// What is on record where someone gives up their own grant and says no more.
const GIVEN_UP: &str = "given up by its holder";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Query {
    notice: String,
}

/// The form behind each grant.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Giving {
    reason: String,
    /// Which page to show afterwards: `all`, `request` or mine.
    from: String,
}

pub(super) async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Asked(query): Asked<Query>,
) -> Result<Markup, Trouble> {
    page(&app, &visitor, &Notice::named(&query.notice)).await
}

async fn page(app: &App, visitor: &Visitor, notice: &Notice) -> Result<Markup, Trouble> {
    let me = &visitor.person.id;
    let now = app.desk.clock().now();
    let filter = GrantFilter {
        holder: Some(me.clone()),
        limit: SHOWN,
        ..GrantFilter::default()
    };
    let grants = app.desk.store().grants(&filter).await?;
    let requests = app.desk.store().requests_of(me, SHOWN).await?;
    let live: Vec<_> = grants.iter().filter_map(|grant| live(grant, now)).collect();
    let count = u64::try_from(live.len()).unwrap_or_default();
    let body = html! {
        section id="live-grants" aria-labelledby="live-title" data-live=(SOON) data-from="/grants"
            data-summary=(format!("You have {}.", words::counted(count, "live grant"))) {
            h2 id="live-title" class="hidden" { "Live grants" }
            @if live.is_empty() {
                div class="card empty" {
                    p { "You hold no grants right now." }
                    p class="deeds" { a class="button" href="/request" { "Request access" } }
                }
            } @else {
                ul class="cards" { @for grant in live { li class="card good" { (card(grant, now)) } } }
            }
        }
        section id="requests" aria-labelledby="requests-title" data-live=(SOON) data-from="/grants" {
            h2 id="requests-title" { "My requests" }
            @if requests.is_empty() {
                p class="soft" { "None yet. When a page refuses you and offers a link to request access, that link leads here." }
            } @else { (requested(&requests, &grants, now)) }
        }
    };
    Ok(framed(
        app,
        visitor,
        &Page {
            place: Place::Grants,
            title: "My grants",
            notice,
            body,
            reload: None,
        },
    ))
}

/// The grant, if it still counts.
pub(super) fn live(grant: &Grant, now: UnixMillis) -> Option<&Active> {
    match grant {
        Grant::Active(active) if active.window.until > now => Some(active),
        _ => None,
    }
}

fn card(grant: &Active, now: UnixMillis) -> Markup {
    let name = format!("{} on {}", grant.target.action, grant.target.resource);
    html! {
        h3 { (words::access(&grant.target)) @if grant.emergency { " " span class="badge stop" { "emergency" } } }
        (words::countdown(grant.window, now, &name))
        p class="soft" { a href=(words::request_page(&grant.request)) { "The request" } }
        (give_back(grant, true, "mine"))
    }
}

/// The form that gives a grant back: behind a first press, since there is no way back from it.
pub(super) fn give_back(grant: &Active, mine: bool, from: &str) -> Markup {
    let id = &grant.id.0;
    let name = format!("{} on {}", grant.target.action, grant.target.resource);
    let (open, press) = if mine {
        ("Give up", "Give up this access")
    } else {
        ("Revoke", "Revoke this grant")
    };
    html! {
        details class="act" id=(format!("act-{id}")) {
            summary aria-label=[(!mine).then(|| format!("{open} {name} of {}", grant.holder.subject))] { (open) "…" }
            form method="post" action=(format!("/grants/{}/revoke", words::encoded(id))) {
                input type="hidden" name="from" value=(from);
                @if mine {
                    p { "It ends at once. To get it back you have to request it again." }
                } @else {
                    label for=(format!("why-{id}")) { "Why, for the record" }
                    input id=(format!("why-{id}")) name="reason" required maxlength="1000" autocomplete="off";
                }
                p class="deeds" { button class="button danger" { (press) } }
            }
        }
    }
}

fn requested(requests: &[Request], grants: &[Grant], now: UnixMillis) -> Markup {
    let by_request: HashMap<_, _> = grants
        .iter()
        .map(|grant| (&grant.facts().request, grant))
        .collect();
    html! {
        ul class="rows" {
            @for request in requests {
                @let facts = request.facts();
                @let (tone, word) = standing(request, by_request.get(&facts.id).copied(), now);
                li id=(format!("row-{}", facts.id.0)) {
                    p {
                        a href=(words::request_page(&facts.id)) { (words::access(&facts.target)) }
                        " " span class=(format!("badge {tone}")) { (word) }
                    }
                    p class="soft" { (words::moment(facts.at)) " · " span class="reason" { (facts.reason) } }
                    @if word == "pending" {
                        form method="post" action=(format!("/requests/{}/withdraw", words::encoded(&facts.id.0))) {
                            button class="button quiet small" aria-label=(format!("Withdraw {} on {}", facts.target.action, facts.target.resource)) { "Withdraw" }
                        }
                    }
                }
            }
        }
    }
}

/// How a request stands, in a word and its colours.
fn standing(
    request: &Request,
    grant: Option<&Grant>,
    now: UnixMillis,
) -> (&'static str, &'static str) {
    match (request, grant) {
        (Request::Pending(pending), _) if pending.until <= now => ("odd", "expired"),
        (Request::Pending(_), _) => ("wait", "pending"),
        (_, Some(grant)) if live(grant, now).is_some() => ("good", "live"),
        (_, Some(Grant::Active(_))) => ("odd", "over"),
        (_, Some(Grant::Ended(ended))) => ("odd", ended.end.word()),
        (closed, None) => match closed.state() {
            "denied" => ("stop", "denied"),
            state => ("odd", state),
        },
    }
}

pub(super) async fn revoke(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Sent(form): Sent<Giving>,
) -> Result<Response, Trouble> {
    if !is_name(&id) {
        return Err(Trouble::NotThere("grant"));
    }
    let id = GrantId(id);
    let grant = app.desk.store().grant(&id).await?;
    let mine = grant
        .as_ref()
        .is_some_and(|grant| grant.facts().holder == visitor.person.id);
    let reason = match form.reason.trim() {
        "" if mine => GIVEN_UP,
        reason => reason,
    };
    let done = match words::why(reason) {
        Ok(reason) => {
            let what = Revoked::Grant(id);
            app.desk
                .revoke(&visitor.person, &what, reason, &visitor.origin)
                .await
        }
        Err(refusal) => Err(refusal.into()),
    };
    let refusal = match (done, form.from.as_str(), &grant) {
        (Ok(_), "all", _) => return Ok(Redirect::to("/grants/all?notice=revoked").into_response()),
        (Ok(_), "request", Some(grant)) => {
            let request = words::request_page(&grant.facts().request);
            return Ok(Redirect::to(&request).into_response());
        }
        (Ok(_), ..) => return Ok(Redirect::to("/grants?notice=given-up").into_response()),
        (Err(Fault::Refused(Refusal::UnknownGrant)), ..) => return Err(Trouble::NotThere("grant")),
        (Err(Fault::Refused(refusal)), ..) => refusal,
        (Err(fault), ..) => return Err(fault.into()),
    };
    let (status, notice) = match refusal {
        Refusal::Over(state) => (
            StatusCode::CONFLICT,
            format!("There is nothing to take back any more: this grant is {state} already."),
        ),
        Refusal::Invalid { expected, .. } => (
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("Nothing was revoked. Say why: {expected}."),
        ),
        other => (
            StatusCode::CONFLICT,
            format!("Nothing was changed: {other}."),
        ),
    };
    let notice = Notice::not(notice);
    let page = if form.from == "all" && app.desk.is_administrator(&visitor.person) {
        incident::page(&app, &visitor, "", &notice).await?
    } else {
        page(&app, &visitor, &notice).await?
    };
    Ok((status, page).into_response())
}
