//! How a request is told: as the profile's task, with what people want to know of it beside.

use hallpass_core::config::span::Span;
use hallpass_core::time::UnixMillis;
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::desk::Fault;
use crate::life::{Closed, Closing, Grant, GrantId, Pending, PersonId, Request, RequestId, Term};

/// Where a request's state is told.
pub(super) fn status_endpoint(app: &App, id: &RequestId) -> String {
    app.address(&format!("/access/v1/requests/{}", id.0))
}

/// The task, and what came of it if it was approved.
///
/// # Errors
/// When the database fails.
pub(super) async fn to_json(app: &App, request: &Request) -> Result<Value, Fault> {
    let now = app.desk.clock().now();
    let mut all = json!({ "task": task(app, request, now) });
    if let Request::Closed(Closed {
        closing: Closing::Approved(id),
        ..
    }) = request
        && let Value::Object(all) = &mut all
    {
        all.insert("result".to_owned(), result(app, id, now).await?);
    }
    Ok(all)
}

/// What an approval came to: the decision point tells whether it still counts.
async fn result(app: &App, id: &GrantId, now: UnixMillis) -> Result<Value, Fault> {
    let grant = app.desk.store().grant(id).await?;
    let mut approval = json!({ "id": id.0 });
    if let (Some(grant), Value::Object(approval)) = (&grant, &mut approval) {
        let window = grant.facts().window;
        approval.insert("approved_at".to_owned(), json!(window.from.to_rfc3339()));
        approval.insert(
            "approved_until".to_owned(),
            json!(window.until.to_rfc3339()),
        );
        approval.insert("state".to_owned(), json!(state(grant, now)));
    }
    Ok(json!({ "mode": "reevaluate", "approval": approval }))
}

/// A grant's state in one word. One whose time has come is over, whether or not that is on record yet.
pub(in super::super) fn state(grant: &Grant, now: UnixMillis) -> &'static str {
    match grant {
        Grant::Active(active) if active.window.until <= now => "expired",
        _ => grant.state(),
    }
}

fn task(app: &App, request: &Request, now: UnixMillis) -> Value {
    let facts = request.facts();
    let mut task = json!({
        "id": facts.id.0,
        "status": status(request, now),
        "status_endpoint": status_endpoint(app, &facts.id),
        "expires_at": facts.until.to_rfc3339(),
        "links": links(app, request, now),
        "subject": { "type": "user", "id": facts.requester.subject, "properties": { "iss": facts.requester.issuer } },
        "resource": { "type": facts.target.resource_type, "id": facts.target.resource },
        "action": { "name": facts.target.action },
        "reason": facts.reason,
        "requested_at": facts.at.to_rfc3339(),
        "requested_access": wanted(facts),
        "approvals": approvals(app, facts),
    });
    if let (Request::Closed(closed), Value::Object(task)) = (request, &mut task) {
        task.insert("closed".to_owned(), closing(closed));
    }
    task
}

/// A word of the profile's section "Task Status".
pub(super) fn status(request: &Request, now: UnixMillis) -> &'static str {
    match request {
        Request::Pending(pending) if pending.until <= now => "expired",
        Request::Pending(_) => "pending",
        Request::Closed(closed) => match closed.closing {
            Closing::Approved(_) => "approved",
            Closing::Denied { .. } => "denied",
            Closing::Withdrawn => "cancelled",
            Closing::Expired => "expired",
        },
    }
}

fn links(app: &App, request: &Request, now: UnixMillis) -> Value {
    let id = &request.facts().id;
    let page = app.address(&format!("/requests/{}", id.0));
    let mut links = json!({ "ticket": page });
    if status(request, now) == "pending"
        && let Value::Object(links) = &mut links
    {
        links.insert("review".to_owned(), json!(page));
        let cancel = format!("{}/withdraw", status_endpoint(app, id));
        links.insert("cancel".to_owned(), json!(cancel));
    }
    links
}

fn wanted(facts: &Pending) -> Value {
    let mut wanted = Map::new();
    match facts.term {
        Term::For(span) => {
            let span = Span::from(span).to_string();
            wanted.insert("duration".to_owned(), json!(span));
        }
        Term::Until(until) => {
            wanted.insert("requested_until".to_owned(), json!(until.to_rfc3339()));
        }
    }
    wanted.insert("emergency".to_owned(), json!(facts.emergency));
    Value::Object(wanted)
}

fn approvals(app: &App, facts: &Pending) -> Value {
    let given: Vec<_> = facts
        .approvals
        .iter()
        .map(|approval| json!({ "by": name(&approval.by), "at": approval.at.to_rfc3339() }))
        .collect();
    let rule = app.desk.policy().rule(&facts.target);
    json!({ "needed": rule.map(|rule| rule.approvals), "given": given })
}

fn closing(closed: &Closed) -> Value {
    let at = closed.at.to_rfc3339();
    match &closed.closing {
        Closing::Denied { by, why } => json!({ "at": at, "by": by.as_ref().map(name), "why": why }),
        Closing::Approved(_) | Closing::Withdrawn | Closing::Expired => json!({ "at": at }),
    }
}

fn name(person: &PersonId) -> Value {
    json!({ "subject": person.subject, "issuer": person.issuer })
}
