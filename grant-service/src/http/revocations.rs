//! The feed of revocations, which proxies follow: what was taken back, so that they stop believing what they remember.

use std::time::Duration;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json as Answer, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

use super::App;
use super::body::Params;
use super::caller::Program;
use super::problem::Problem;
use crate::desk::Fault;
use crate::store::{Feed, Revocation, Revoked};

/// Nobody waits longer.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// What another replica writes is found by a look at the database this often.
const LOOKS_EVERY: Duration = Duration::from_secs(1);
/// So many are told at once; who gets as many asks for the next.
const TOLD_AT_ONCE: usize = 500;
const PREFER: HeaderName = HeaderName::from_static("prefer");

/// `GET /revocations`.
pub(super) fn routes() -> Router<App> {
    Router::new().route("/revocations", get(follow))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Since {
    since: Option<String>,
}

async fn follow(
    State(app): State<App>,
    _: Program,
    headers: HeaderMap,
    Params(Since { since }): Params<Since>,
) -> Result<Response, Problem> {
    let mut news = app.desk.news();
    news.mark_unchanged();
    let end = app
        .desk
        .store()
        .end_of_record()
        .await
        .map_err(Fault::from)?;
    let known = known(&headers).filter(|known| *known <= end);
    let behind = match &since {
        Some(since) => since.parse().ok().filter(|since| *since <= end),
        None => known,
    };
    // Whoever knows nothing is told everything at once. Waiting is for those who are up to date.
    let Some(behind) = behind else {
        return Ok(told(&read(&app, 0).await?, true));
    };
    let deadline = Instant::now().checked_add(wait(&headers));
    loop {
        let feed = read(&app, behind).await?;
        let is_new = feed.epoch.is_some() || !feed.revocations.is_empty();
        if is_new && since.is_none() {
            return Ok(told(&read(&app, 0).await?, true));
        }
        let now = Instant::now();
        if is_new || deadline.is_none_or(|deadline| deadline <= now) {
            return Ok(match known {
                Some(known) if !is_new && known >= behind => unchanged(known),
                _ => told(&feed, false),
            });
        }
        let look = now.checked_add(LOOKS_EVERY);
        tokio::select! {
            _ = news.changed() => {}
            () = sleep_until(look.into_iter().chain(deadline).min().unwrap_or(now)) => {}
        }
    }
}

async fn read(app: &App, behind: u64) -> Result<Feed, Problem> {
    let mut feed = app
        .desk
        .store()
        .revocations(behind)
        .await
        .map_err(Fault::from)?;
    if feed.revocations.len() > TOLD_AT_ONCE {
        feed.revocations.truncate(TOLD_AT_ONCE);
        let last = feed.revocations.last();
        feed.cursor = last.map_or(behind, |last| last.position);
    }
    Ok(feed)
}

/// `Prefer: wait=N` (RFC 7240, section 4.3), within bounds.
fn wait(headers: &HeaderMap) -> Duration {
    let preferences = headers.get_all(PREFER).iter();
    preferences
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split([',', ';']))
        .filter_map(|preference| preference.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("wait"))
        .and_then(|(_, seconds)| seconds.trim().parse().ok())
        .map_or(Duration::ZERO, Duration::from_secs)
        .min(LONGEST_WAIT)
}

/// The latest cursor among the entity tags that the caller knows.
fn known(headers: &HeaderMap) -> Option<u64> {
    let tags = headers.get_all(IF_NONE_MATCH).iter();
    tags.filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|tag| {
            tag.trim()
                .trim_start_matches("W/")
                .trim_matches('"')
                .parse()
                .ok()
        })
        .max()
}

/// Nothing was taken back behind what the caller knows, whatever else has happened.
fn unchanged(known: u64) -> Response {
    (StatusCode::NOT_MODIFIED, tagged(known)).into_response()
}

fn told(feed: &Feed, is_complete: bool) -> Response {
    let revocations: Vec<_> = feed.revocations.iter().filter_map(to_json).collect();
    let mut body = json!({
        "cursor": feed.cursor.to_string(),
        "complete": is_complete,
        "revocations": revocations,
    });
    if let (Some(epoch), Value::Object(body)) = (feed.epoch, &mut body) {
        body.insert("epoch".to_owned(), json!(epoch.to_rfc3339()));
    }
    (tagged(feed.cursor), Answer(body)).into_response()
}

fn tagged(cursor: u64) -> [(HeaderName, HeaderValue); 2] {
    let tag = HeaderValue::try_from(format!("\"{cursor}\""));
    [
        (ETAG, tag.unwrap_or(HeaderValue::from_static("\"0\""))),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ]
}

fn to_json(revocation: &Revocation) -> Option<Value> {
    let not_before = revocation.not_before.to_rfc3339();
    let until = revocation.until.to_rfc3339();
    match &revocation.what {
        Revoked::Grant(id) => Some(json!({ "grant": id.0, "until": until })),
        Revoked::Subject(person) => Some(json!({
            "subject": person.subject,
            "issuer": person.issuer,
            "not_before": not_before,
            "until": until,
        })),
        Revoked::Resource(name) => {
            Some(json!({ "resource": name, "not_before": not_before, "until": until }))
        }
        // That is what the epoch says.
        Revoked::Everything => None,
    }
}
