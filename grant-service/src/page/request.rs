//! One request: what it is, how it stands, and what whoever looks at it can do about it.

mod standing;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use url::Url;

use super::fields::Asked;
use super::frame::{Page, Place, page as framed};
use super::notice::Notice;
use super::trouble::Trouble;
use super::visitor::Visitor;
use super::{return_to, words};
use crate::app::App;
use crate::desk::Fault;
use crate::life::{Closed, Closing, Refusal, Request, RequestId};
use standing::View;
pub(super) use standing::term;

/// How soon a browser without script loads the page again to see whether there is a decision, in seconds.
const RELOAD: u32 = 15;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Query {
    return_to: String,
    notice: String,
}

pub(super) async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Asked(query): Asked<Query>,
) -> Result<Markup, Trouble> {
    let back = return_to::known(&app, &query.return_to);
    page(
        &app,
        &visitor,
        &RequestId(id),
        back.as_ref(),
        &Notice::named(&query.notice),
    )
    .await
}

pub(super) async fn withdraw(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let id = RequestId(id);
    visible(&app, &visitor, &id).await?;
    let refusal = match app
        .desk
        .withdraw(&visitor.person, &id, &visitor.origin)
        .await
    {
        Ok(_) => return Ok(Redirect::to("/grants?notice=withdrawn").into_response()),
        Err(Fault::Refused(refusal)) => refusal,
        Err(fault) => return Err(fault.into()),
    };
    let notice = match refusal {
        Refusal::Over(state) => {
            format!("There is nothing to withdraw any more: this request is {state} already.")
        }
        other => format!("Nothing was changed: {other}."),
    };
    let page = page(&app, &visitor, &id, None, &Notice::not(notice)).await?;
    Ok((StatusCode::CONFLICT, page).into_response())
}

/// The request, if it concerns this visitor.
pub(super) async fn visible(
    app: &App,
    visitor: &Visitor,
    id: &RequestId,
) -> Result<Request, Trouble> {
    let request = app.desk.request_for(&visitor.person, id).await?;
    request.ok_or(Trouble::NotThere("request"))
}

async fn page(
    app: &App,
    visitor: &Visitor,
    id: &RequestId,
    back: Option<&Url>,
    notice: &Notice,
) -> Result<Markup, Trouble> {
    let request = visible(app, visitor, id).await?;
    let facts = request.facts();
    let view = View {
        app,
        visitor,
        back,
        mine: facts.requester == visitor.person.id,
        now: app.desk.clock().now(),
    };
    let grant = match &request {
        Request::Closed(Closed {
            closing: Closing::Approved(grant),
            ..
        }) => app.desk.store().grant(grant).await?,
        _ => None,
    };
    let standing = view.standing(&request, grant.as_ref());
    let title = if view.mine { "Your request" } else { "Request" };
    let from = words::address(
        &words::request_page(&facts.id),
        &[("return_to", back.map(Url::as_str).unwrap_or_default())],
    );
    let body = html! {
        section id="state" class=(format!("card state {}", standing.tone)) aria-labelledby="state-title"
            data-live=[standing.look_again] data-from=(from) data-summary=(standing.title) data-state=(request.state()) {
            h2 id="state-title" { (standing.title) }
            (standing.text)
        }
        (view.facts(facts))
    };
    Ok(framed(
        app,
        visitor,
        &Page {
            place: Place::Elsewhere,
            title,
            notice,
            body,
            reload: matches!(request, Request::Pending(_)).then_some(RELOAD),
        },
    ))
}
