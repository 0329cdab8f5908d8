//! The record, for auditors: a page of it, or all of it as a stream of lines.
//!
//! Each entry is told in the very bytes that were hashed, beside its hash, so that whoever reads all of it can follow the chain themselves.

use std::num::NonZeroU64;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json as Answer, Router};
use futures_util::stream;
use hallpass_core::time::UnixMillis;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::body::Params;
use super::caller::Someone;
use super::problem::{Kind, Problem};
use crate::app::App;
use crate::audit::{Event, Link};
use crate::desk::Fault;
use crate::life::Refusal;
use crate::store::{AuditFilter, Entries, StoreFault};

/// So many entries are read at once.
const PAGE: u32 = 500;
const NDJSON: &str = "application/x-ndjson";

/// `GET /audit`.
pub(super) fn routes() -> Router<App> {
    Router::new().route("/audit", get(read))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    event: Option<Event>,
    actor: Option<String>,
    subject: Option<String>,
    resource: Option<String>,
    since: Option<String>,
    until: Option<String>,
    #[serde(default)]
    after: u64,
    limit: Option<NonZeroU64>,
    format: Option<Format>,
}

/// For whoever cannot say what they accept: a link in a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    Json,
    Ndjson,
}

#[derive(Serialize)]
struct Told {
    entry: Box<RawValue>,
    hash: String,
}

#[derive(Serialize)]
struct Page {
    entries: Vec<Told>,
    /// `after` of the next page; nothing if this is the last.
    next: Option<u64>,
}

async fn read(
    State(app): State<App>,
    Someone { person, .. }: Someone,
    headers: HeaderMap,
    Params(which): Params<Which>,
) -> Result<Response, Problem> {
    if !app.desk.is_auditor(&person) {
        return Err(Refusal::Forbidden.into());
    }
    let limit = which.limit.map(NonZeroU64::get);
    let lines_wanted = match which.format {
        Some(format) => format == Format::Ndjson,
        None => wants_lines(&headers),
    };
    let filter = filter(which)?;
    if lines_wanted {
        return Ok(lines(app, filter, limit.unwrap_or(u64::MAX)));
    }
    let limit = limit.map_or(PAGE, |limit| u32::try_from(limit).unwrap_or(PAGE).min(PAGE));
    let filter = AuditFilter { limit, ..filter };
    let entries = app.desk.store().audit(&filter).await.map_err(Fault::from)?;
    let is_full = u32::try_from(entries.len()).is_ok_and(|count| count == limit);
    let last = entries.last().map(|(position, _)| *position);
    let told = entries.into_iter().map(|(_, link)| told(link));
    let page = Page {
        entries: told.collect::<Result<_, _>>().map_err(Fault::from)?,
        next: last.filter(|_| is_full),
    };
    Ok(Answer(page).into_response())
}

fn filter(which: Which) -> Result<AuditFilter, Problem> {
    Ok(AuditFilter {
        after: which.after,
        before: None,
        event: which.event.map(|event| event.word().to_owned()),
        actor: which.actor,
        subject: which.subject,
        resource: which.resource,
        since: moment("since", which.since)?,
        until: moment("until", which.until)?,
        limit: PAGE,
        latest_first: false,
    })
}

fn moment(name: &str, text: Option<String>) -> Result<Option<UnixMillis>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let moment = UnixMillis::from_rfc3339(&text);
    moment.map(Some).ok_or_else(|| {
        let detail = format!("`{name}`: expected a date and time such as `2026-11-23T21:00:00Z`");
        Problem::new(Kind::Malformed, detail)
    })
}

fn wants_lines(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter();
    accepted
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split([',', ';']))
        .any(|kind| kind.trim().eq_ignore_ascii_case(NDJSON))
}

/// All of it, a page at a time: the next is read when the caller has taken the one before. If the database fails midway, the answer breaks off,
/// and does not look as if it were whole.
fn lines(app: App, filter: AuditFilter, limit: u64) -> Response {
    let pages = stream::try_unfold(Some((filter, limit)), move |rest| {
        let app = app.clone();
        async move {
            let Some((filter, left)) = rest else {
                return Ok(None);
            };
            let limit = u32::try_from(left).unwrap_or(PAGE).min(PAGE);
            let filter = AuditFilter { limit, ..filter };
            let entries = app.desk.store().audit(&filter).await?;
            let count = u32::try_from(entries.len()).unwrap_or(u32::MAX);
            let Some(after) = entries.last().map(|(position, _)| *position) else {
                return Ok(None);
            };
            let left = left.saturating_sub(count.into());
            let is_more = count == limit && left > 0;
            let rest = is_more.then_some((AuditFilter { after, ..filter }, left));
            Ok::<_, StoreFault>(Some((page(entries)?, rest)))
        }
    });
    ([(CONTENT_TYPE, NDJSON)], Body::from_stream(pages)).into_response()
}

fn page(entries: Entries) -> Result<Bytes, StoreFault> {
    let mut lines = Vec::new();
    for (_, link) in entries {
        let line = told(link)?;
        serde_json::to_writer(&mut lines, &line)
            .map_err(|fault| StoreFault::Encode(fault.into()))?;
        lines.push(b'\n');
    }
    Ok(lines.into())
}

fn told(link: Link) -> Result<Told, StoreFault> {
    let entry = RawValue::from_string(link.text);
    Ok(Told {
        entry: entry.map_err(|fault| StoreFault::Decode(fault.into()))?,
        hash: link.hash,
    })
}
