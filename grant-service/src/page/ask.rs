//! Asking for access: pick what, say how long and why, send. Usually opened from a refusal's link, which names the resource and the action.

mod form;
mod pick;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use uuid::Uuid;

use super::fields::{Asked, Sent};
use super::trouble::Trouble;
use super::visitor::Visitor;
use super::{return_to, words};
use crate::app::App;
use crate::desk::{Fault, Wish};
use crate::life::{Ask, Person, Refusal, Rule, Target, Term};

/// What is filled in, by a link or by hand.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    resource: String,
    r#type: String,
    action: String,
    duration: String,
    reason: String,
    /// Ticked if it is not empty.
    emergency: String,
    return_to: String,
    /// The same each time that one form is sent, so that a double click is one request.
    key: String,
}

/// What may be asked for, and the rule about it.
struct Opening<'a> {
    rule: &'a Rule,
    target: Target,
    /// Whether this person may ask for it as others do.
    usually: bool,
    /// Whether this person may help themselves in an emergency.
    breaks_glass: bool,
}

pub(super) async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Asked(fields): Asked<Fields>,
) -> Result<Response, Trouble> {
    if fields.resource.is_empty() || fields.action.is_empty() {
        return Ok(pick::page(&app, &visitor, &fields, None).into_response());
    }
    let Some(opening) = opening(&app, &visitor.person, &fields) else {
        return Ok(not_requestable(&app, &visitor, &fields));
    };
    let fields = Fields {
        key: new_key(),
        ..fields
    };
    let page = form::page(&app, &visitor, &opening, &fields, None).await?;
    Ok(page.into_response())
}

pub(super) async fn send(
    State(app): State<App>,
    visitor: Visitor,
    Sent(mut fields): Sent<Fields>,
) -> Result<Response, Trouble> {
    let Some(opening) = opening(&app, &visitor.person, &fields) else {
        return Ok(not_requestable(&app, &visitor, &fields));
    };
    let asked = match wish(&opening, &fields) {
        Ok(wish) => {
            app.desk
                .request(&visitor.person, wish, &visitor.origin)
                .await
        }
        Err(refusal) => Err(refusal.into()),
    };
    let refusal = match asked {
        Ok(request) => {
            let back = return_to::known(&app, &fields.return_to).map(String::from);
            let next = words::address(
                &words::request_page(&request.facts().id),
                &[("return_to", back.as_deref().unwrap_or_default())],
            );
            return Ok(Redirect::to(&next).into_response());
        }
        Err(Fault::Refused(refusal)) => refusal,
        Err(fault) => return Err(fault.into()),
    };
    let status = match refusal {
        Refusal::Duplicate(_) | Refusal::KeyReused => StatusCode::CONFLICT,
        Refusal::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    if refusal == Refusal::KeyReused || fields.key.is_empty() {
        fields.key = new_key();
    }
    let page = form::page(&app, &visitor, &opening, &fields, Some(&refusal)).await?;
    if let Refusal::TooMany(what) = refusal {
        let seconds = what.seconds_left(app.desk.clock().now()).to_string();
        return Ok((status, [(header::RETRY_AFTER, seconds)], page).into_response());
    }
    Ok((status, page).into_response())
}

fn not_requestable(app: &App, visitor: &Visitor, fields: &Fields) -> Response {
    let refusal = Some(&Refusal::NotRequestable);
    let page = pick::page(app, visitor, fields, refusal);
    (StatusCode::FORBIDDEN, page).into_response()
}

fn new_key() -> String {
    Uuid::now_v7().to_string()
}

fn wish(opening: &Opening<'_>, fields: &Fields) -> Result<Wish, Refusal> {
    let term = match fields.duration.as_str() {
        "" => None,
        text => {
            let duration = humantime::parse_duration(text);
            let expected = |_| Refusal::invalid("duration", "a duration such as `30m`");
            Some(Term::For(duration.map_err(expected)?))
        }
    };
    Ok(Wish {
        ask: Ask {
            target: opening.target.clone(),
            term,
            // As it was typed: forms send each end of a line as two characters.
            reason: fields.reason.replace("\r\n", "\n").trim().to_owned(),
            emergency: opening.breaks_glass && !fields.emergency.is_empty(),
        },
        idempotency_key: Uuid::parse_str(&fields.key).ok().map(|key| key.to_string()),
    })
}

/// What the fields name, if this person may ask for it. A link from a proxy's refusal names no type of resource: then it is the proxy's own,
/// or else whichever there is.
fn opening<'a>(app: &'a App, person: &Person, fields: &Fields) -> Option<Opening<'a>> {
    let rules = &app.desk.policy().rules;
    let named = (!fields.r#type.is_empty()).then_some(fields.r#type.as_str());
    let others = rules.iter().map(|rule| rule.resource_type.as_str());
    let types = named.into_iter().chain(
        ["http"]
            .into_iter()
            .chain(others)
            .filter(|_| named.is_none()),
    );
    types
        .map(|resource_type| Target {
            resource_type: resource_type.to_owned(),
            resource: fields.resource.clone(),
            action: fields.action.clone(),
        })
        .find_map(|target| open_to(app, person, target))
}

fn open_to<'a>(app: &'a App, person: &Person, target: Target) -> Option<Opening<'a>> {
    let rule = app.desk.policy().rule(&target)?;
    let usually = rule.requesters.includes(person);
    let glass = rule.break_glass.as_ref();
    let breaks_glass = glass.is_some_and(|glass| glass.who.includes(person));
    (usually || breaks_glass).then_some(Opening {
        rule,
        target,
        usually,
        breaks_glass,
    })
}
