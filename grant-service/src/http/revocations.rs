//! The feed of revocations, which proxies follow: what was taken back, so that they stop believing what they remember.

mod cursor;

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

use self::cursor::Cursor;
use super::body::Params;
use super::caller::Program;
use super::problem::Problem;
use crate::app::App;
use crate::desk::{Desk, Fault};
use crate::store::{Feed, Revocation, Revoked, Store};

/// Nobody waits longer.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// What another replica writes is found by a look at the database this often.
const LOOKS_EVERY: Duration = Duration::from_secs(1);
/// So many are told one by one, in so many bytes: the filter reads no more. Older ones are told by an epoch that takes back at least as much,
/// so that whoever has read an answer has read all of it.
const TOLD: u32 = 5_000;
const TOLD_BYTES: usize = 1 << 20;
/// So many entity tags are looked at.
const TAGS: usize = 8;
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
    let (desk, store) = (&app.desk, app.desk.store());
    let mut news = desk.news();
    news.mark_unchanged();
    let known = known(store, &headers).await?;
    let behind = match &since {
        Some(since) => Cursor::read(store, since).await?,
        None => known,
    };
    // Whoever knows nothing is told everything at once. Waiting is for those who are up to date.
    let Some(behind) = behind else {
        return told(store, read(desk, 0).await?, true).await;
    };
    let deadline = Instant::now().checked_add(wait(&headers));
    loop {
        let feed = read(desk, behind.position).await?;
        let is_new = feed.epoch.is_some() || !feed.revocations.is_empty();
        if behind.is_ahead(feed.at) || (is_new && since.is_none()) {
            return told(store, read(desk, 0).await?, true).await;
        }
        let now = Instant::now();
        if is_new || deadline.is_none_or(|deadline| deadline <= now) {
            return Ok(match known {
                Some(known) if !is_new && known.position >= behind.position => {
                    unchanged(store, known).await?
                }
                _ => told(store, feed, false).await?,
            });
        }
        let look = now.checked_add(LOOKS_EVERY);
        tokio::select! {
            _ = news.changed() => {}
            () = sleep_until(look.into_iter().chain(deadline).min().unwrap_or(now)) => {}
        }
    }
}

async fn read(desk: &Desk, behind: u64) -> Result<Feed, Problem> {
    let now = desk.clock().now();
    let feed = desk.store().revocations(behind, now, TOLD).await;
    Ok(feed.map_err(Fault::from)?)
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
async fn known(store: &Store, headers: &HeaderMap) -> Result<Option<Cursor>, Problem> {
    let tags = headers.get_all(IF_NONE_MATCH).iter();
    let tags = tags
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|tag| tag.trim().trim_start_matches("W/").trim_matches('"'));
    let mut latest = None;
    for tag in tags.take(TAGS) {
        latest = latest.max(Cursor::read(store, tag).await?);
    }
    Ok(latest)
}

/// Nothing was taken back behind what the caller knows, whatever else has happened.
async fn unchanged(store: &Store, known: Cursor) -> Result<Response, Problem> {
    let cursor = known.tell(store).await?;
    Ok((StatusCode::NOT_MODIFIED, tagged(&cursor)).into_response())
}

async fn told(store: &Store, mut feed: Feed, is_complete: bool) -> Result<Response, Problem> {
    let mut revocations = Vec::new();
    let mut room = TOLD_BYTES;
    for revocation in std::mem::take(&mut feed.revocations).iter().rev() {
        let Some(told) = to_json(revocation) else {
            continue;
        };
        let length = told.to_string().len();
        if length > room {
            room = 0;
            feed.fold(revocation.not_before);
        } else {
            room = room.saturating_sub(length);
            revocations.push(told);
        }
    }
    revocations.reverse();
    let cursor = Cursor {
        position: feed.cursor,
        at: feed.at,
    };
    let cursor = cursor.tell(store).await?;
    let mut body = json!({
        "cursor": cursor,
        "complete": is_complete,
        "revocations": revocations,
    });
    if let (Some(epoch), Value::Object(body)) = (feed.epoch, &mut body) {
        body.insert("epoch".to_owned(), json!(epoch.to_rfc3339()));
    }
    Ok((tagged(&cursor), Answer(body)).into_response())
}

fn tagged(cursor: &str) -> [(HeaderName, HeaderValue); 2] {
    let tag = HeaderValue::try_from(format!("\"{cursor}\""));
    [
        (ETAG, tag.unwrap_or(HeaderValue::from_static("\"\""))),
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
