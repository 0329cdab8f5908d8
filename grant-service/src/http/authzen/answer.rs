//! How an answer is told: a decision, and in its context what the Access Request and Approval Profile (draft 1) has for grants and denials.

use std::time::Duration;

use axum::http::HeaderValue;
use hallpass_core::time::UnixMillis;
use serde_json::{Value, json};

use super::judge::{Offer, Verdict};
use crate::app::App;

/// So long after a denial it can be answered with a request.
pub(super) const OFFER_COUNTS_FOR: Duration = Duration::from_hours(1);
/// An allow may be remembered for so long, or until its end, if that comes first.
const ALLOW_COUNTS_FOR: u64 = 60;
/// A denial may be remembered for so long. It is short, so that who was just approved is soon let in.
pub(super) const DENIAL_COUNTS_FOR: u64 = 1;

/// The answer's body.
pub(super) fn to_json(app: &App, verdict: &Verdict, now: UnixMillis) -> Value {
    match verdict {
        Verdict::Allowed(grant) => {
            let until = grant.window.until.to_rfc3339();
            let approval = json!({ "id": grant.id.0, "approved_until": until });
            json!({ "decision": true, "context": { "approval": approval } })
        }
        Verdict::Denied { why, offer } => {
            let mut context = json!({
                "evaluation_id": format!("eval-{}", uuid::Uuid::now_v7().simple()),
                "evaluated_at": now.to_rfc3339(),
                "reason": why.word(),
            });
            if let (Some(offer), Value::Object(context)) = (offer, &mut context) {
                context.insert("access_request".to_owned(), access_request(app, offer));
            }
            json!({ "decision": false, "context": context })
        }
    }
}

/// How long an answer may be remembered, in seconds: no longer than the grant.
pub(super) fn counts_for(verdict: &Verdict, now: UnixMillis) -> u64 {
    match verdict {
        Verdict::Allowed(grant) => {
            let left = grant.window.until.since(now).as_secs();
            left.min(ALLOW_COUNTS_FOR)
        }
        Verdict::Denied { .. } => DENIAL_COUNTS_FOR,
    }
}

/// `Cache-Control` of answers that may be remembered for so many seconds.
pub(super) fn caching(seconds: u64) -> HeaderValue {
    if seconds == 0 {
        return HeaderValue::from_static("no-store");
    }
    HeaderValue::try_from(format!("max-age={seconds}"))
        .unwrap_or(HeaderValue::from_static("no-store"))
}

fn access_request(app: &App, offer: &Offer) -> Value {
    let (template, description) = if offer.is_automatic {
        (
            "automatic",
            "You get it as soon as you say why you need it.",
        )
    } else {
        ("approval", "Someone must approve it before you are let in.")
    };
    json!({
        "endpoint": app.address("/access/v1/requests"),
        "template": template,
        "expires_at": offer.until.to_rfc3339(),
        "form_url": form_url(app, offer),
        "display": {
            "title": format!("Request access to {}", offer.title),
            "description": description,
        },
    })
}

/// The page where a person requests it. The names come from whoever asks, so that they are encoded.
fn form_url(app: &App, offer: &Offer) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("resource", &offer.target.resource);
    query.append_pair("action", &offer.target.action);
    if offer.target.resource_type != "http" {
        query.append_pair("type", &offer.target.resource_type);
    }
    app.address(&format!("/request?{}", query.finish()))
}
