//! Asking for access and deciding on it: the `AuthZEN` Access Request and Approval Profile (draft 1), with approve and deny of our own.

mod submission;
mod task;

pub(super) use task::state;

use axum::extract::{Path, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json as Answer, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::{Json, NoParams, Nothing, Params};
use super::caller::Someone;
use super::problem::{Kind, Problem};
use super::shape::Node;
use crate::app::App;
use crate::desk::{Fault, Wish};
use crate::life::{Refusal, Request, RequestId};
use submission::Submission;

/// So many requests are listed at most.
const LISTED: u32 = 100;
/// Our own names are shorter.
const MAX_ID_BYTES: usize = 64;

/// Everything below `/access/v1/requests`.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/access/v1/requests", get(list).post(submit))
        .route("/access/v1/requests/{id}", get(look))
        .route("/access/v1/requests/{id}/approve", post(approve))
        .route("/access/v1/requests/{id}/deny", post(deny))
        .route("/access/v1/requests/{id}/withdraw", post(withdraw))
}

async fn submit(
    State(app): State<App>,
    Someone { person, origin }: Someone,
    headers: HeaderMap,
    _: NoParams,
    Json(body): Json,
) -> Result<Response, Problem> {
    let submission = Submission::read(&Node::root(&body))?;
    submission.check_subject(&person.id)?;
    submission.check_denial(app.desk.clock().now())?;
    let wish = Wish {
        ask: submission.ask,
        idempotency_key: idempotency_key(&headers)?,
    };
    let asked = app.desk.request(&person, wish, &origin).await;
    let request = asked.map_err(|fault| Problem::at(app.desk.clock().now(), fault))?;
    let location = (LOCATION, task::status_endpoint(&app, &request.facts().id));
    // Under a key that came before, it may have come to whatever end.
    let status = match task::status(&request, app.desk.clock().now()) {
        "pending" => StatusCode::ACCEPTED,
        "approved" => StatusCode::CREATED,
        _ => StatusCode::OK,
    };
    let body = task::to_json(&app, &request).await?;
    Ok((status, [location], Answer(body)).into_response())
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut keys = headers.get_all("idempotency-key").iter();
    let key = match (keys.next(), keys.next()) {
        (None, _) => return Ok(None),
        (Some(key), None) => key.to_str().ok(),
        (Some(_), Some(_)) => None,
    };
    let expected = "`idempotency-key`: expected one text in ASCII";
    let key = key.ok_or_else(|| Problem::new(Kind::Malformed, expected))?;
    Ok(Some(key.to_owned()))
}

/// Whose requests to list.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum For {
    /// Those that the caller has made.
    #[default]
    Me,
    /// Those that the caller could decide on now.
    Approval,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    #[serde(default)]
    r#for: For,
}

async fn list(
    State(app): State<App>,
    Someone { person, .. }: Someone,
    Params(which): Params<Which>,
) -> Result<Answer<Value>, Problem> {
    let requests = match which.r#for {
        For::Me => {
            let requests = app.desk.store().requests_of(&person.id, LISTED).await;
            requests.map_err(Fault::from)?
        }
        For::Approval => {
            let waiting = app.desk.waiting_for(&person, LISTED as usize).await?;
            waiting.into_iter().map(Request::Pending).collect()
        }
    };
    let mut tasks = Vec::with_capacity(requests.len());
    for request in &requests {
        tasks.push(task::to_json(&app, request).await?);
    }
    Ok(Answer(json!({ "requests": tasks })))
}

async fn look(
    State(app): State<App>,
    someone: Someone,
    Path(id): Path<String>,
    _: NoParams,
) -> Result<Answer<Value>, Problem> {
    let request = visible(&app, &someone, id).await?;
    Ok(Answer(task::to_json(&app, &request).await?))
}

async fn approve(
    State(app): State<App>,
    someone: Someone,
    Path(id): Path<String>,
    _: NoParams,
    _: Nothing,
) -> Result<Answer<Value>, Problem> {
    let request = visible(&app, &someone, id).await?;
    let Someone { person, origin } = someone;
    let decided = app.desk.approve(&person, &request.facts().id, &origin);
    Ok(Answer(task::to_json(&app, &decided.await?).await?))
}

async fn deny(
    State(app): State<App>,
    someone: Someone,
    Path(id): Path<String>,
    _: NoParams,
    Json(body): Json,
) -> Result<Answer<Value>, Problem> {
    let why = Node::root(&body).member("why")?;
    let why = why.text()?;
    let request = visible(&app, &someone, id).await?;
    let Someone { person, origin } = someone;
    let decided = app.desk.deny(&person, &request.facts().id, why, &origin);
    Ok(Answer(task::to_json(&app, &decided.await?).await?))
}

async fn withdraw(
    State(app): State<App>,
    someone: Someone,
    Path(id): Path<String>,
    _: NoParams,
    _: Nothing,
) -> Result<Answer<Value>, Problem> {
    let request = visible(&app, &someone, id).await?;
    let Someone { person, origin } = someone;
    let decided = app.desk.withdraw(&person, &request.facts().id, &origin);
    Ok(Answer(task::to_json(&app, &decided.await?).await?))
}

/// A request that this person may see. Whoever may not see it is not told that there is one.
async fn visible(app: &App, someone: &Someone, id: String) -> Result<Request, Problem> {
    let is_ours = id.len() <= MAX_ID_BYTES && id.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_ours {
        return Err(Refusal::UnknownRequest.into());
    }
    let request = app
        .desk
        .request_for(&someone.person, &RequestId(id))
        .await?;
    request.ok_or_else(|| Refusal::UnknownRequest.into())
}
