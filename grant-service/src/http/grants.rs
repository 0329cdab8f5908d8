//! Grants: to look at, and to take back.

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json as Answer, Router};
use hallpass_core::time::UnixMillis;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::{Json, NoParams, Params};
use super::caller::Someone;
use super::problem::{Kind, Problem};
use super::requests::state;
use super::shape::Node;
use crate::app::App;
use crate::desk::Fault;
use crate::life::{Grant, GrantId, PersonId, Refusal};
use crate::store::{GrantFilter, Revoked};

/// So many grants are listed at most.
const LISTED: u32 = 500;

/// `GET /access/v1/grants` and `POST /access/v1/revocations`.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/access/v1/grants", get(list))
        .route("/access/v1/revocations", post(revoke))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    subject: Option<String>,
    issuer: Option<String>,
    resource: Option<String>,
    /// Everybody's: for auditors, as are the filters above.
    #[serde(default)]
    all: bool,
    /// Only those that count now.
    #[serde(default)]
    live: bool,
}

async fn list(
    State(app): State<App>,
    Someone { person, .. }: Someone,
    Params(which): Params<Which>,
) -> Result<Answer<Value>, Problem> {
    if which.subject.is_none() && which.issuer.is_some() {
        return Err(nobody());
    }
    let now = app.desk.clock().now();
    let is_own = !which.all
        && which.resource.is_none()
        && which
            .subject
            .as_ref()
            .is_none_or(|subject| *subject == person.id.subject)
        && which
            .issuer
            .as_ref()
            .is_none_or(|issuer| *issuer == person.id.issuer);
    let holder = if is_own {
        Some(person.id)
    } else if !app.desk.is_auditor(&person) {
        return Err(Refusal::Forbidden.into());
    } else {
        holder(which.subject, which.issuer, app.default_issuer.clone())?
    };
    let filter = GrantFilter {
        holder,
        resource: which.resource,
        live_at: which.live.then_some(now),
        limit: LISTED,
    };
    let grants = app.desk.store().grants(&filter).await;
    let grants = grants.map_err(Fault::from)?;
    let grants: Vec<_> = grants.iter().map(|grant| to_json(grant, now)).collect();
    Ok(Answer(json!({ "grants": grants })))
}

/// Whose grants an auditor asks for: one person's, or everybody's.
fn holder(
    subject: Option<String>,
    issuer: Option<String>,
    default_issuer: Option<String>,
) -> Result<Option<PersonId>, Problem> {
    match (subject, issuer, default_issuer) {
        (None, None, _) => Ok(None),
        (Some(subject), Some(issuer), _) | (Some(subject), None, Some(issuer)) => {
            Ok(Some(PersonId { issuer, subject }))
        }
        (None, Some(_), _) | (Some(_), None, None) => Err(nobody()),
    }
}

fn nobody() -> Problem {
    let detail =
        "`subject` and `issuer`: expected both, since a subject is a person only with its issuer";
    Problem::new(Kind::Malformed, detail)
}

fn to_json(grant: &Grant, now: UnixMillis) -> Value {
    let facts = grant.facts();
    let ended_at = match grant {
        Grant::Active(_) => None,
        Grant::Ended(ended) => Some(ended.at.to_rfc3339()),
    };
    json!({
        "id": facts.id.0,
        "request": facts.request.0,
        "state": state(grant, now),
        "subject": facts.holder.subject,
        "issuer": facts.holder.issuer,
        "resource": { "type": facts.target.resource_type, "id": facts.target.resource },
        "action": { "name": facts.target.action },
        "from": facts.window.from.to_rfc3339(),
        "until": facts.window.until.to_rfc3339(),
        "ended_at": ended_at,
        "emergency": facts.emergency,
    })
}

async fn revoke(
    State(app): State<App>,
    Someone { person, origin }: Someone,
    _: NoParams,
    Json(body): Json,
) -> Result<Answer<Value>, Problem> {
    let root = Node::root(&body);
    let what = revoked(&app, &root)?;
    let why = root.member("why")?;
    let ended = app
        .desk
        .revoke(&person, &what, why.text()?, &origin)
        .await?;
    Ok(Answer(json!({ "ended": ended })))
}

/// What to take back: exactly one of the four, so that nobody takes back more than they mean.
fn revoked(app: &App, root: &Node<'_>) -> Result<Revoked, Problem> {
    let [grant, subject, resource, everything] = [
        root.member("grant")?.present(),
        root.member("subject")?.present(),
        root.member("resource")?.present(),
        root.member("everything")?.present(),
    ];
    match (grant, subject, resource, everything) {
        (Some(grant), None, None, None) => Ok(Revoked::Grant(GrantId(grant.name()?.to_owned()))),
        (None, Some(subject), None, None) => {
            let issuer = root.member("issuer")?;
            let issuer = match (issuer.is_absent(), &app.default_issuer) {
                (true, Some(issuer)) => issuer.clone(),
                _ => issuer.name()?.to_owned(),
            };
            let subject = subject.name()?.to_owned();
            Ok(Revoked::Subject(PersonId { issuer, subject }))
        }
        (None, None, Some(resource), None) => Ok(Revoked::Resource(resource.name()?.to_owned())),
        (None, None, None, Some(everything)) => {
            if everything.flag()? {
                return Ok(Revoked::Everything);
            }
            Err(everything.expected("`true`").into())
        }
        _ => {
            let expected =
                "exactly one of `grant`, `subject` with `issuer`, `resource` and `everything`";
            Err(root.expected(expected).into())
        }
    }
}
