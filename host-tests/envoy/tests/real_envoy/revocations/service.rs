//! A grant service that allows everyone until it takes that back, and says so in its feed.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use hallpass_core::time::UnixMillis;
use hallpass_demo::idp::now;
use hallpass_demo::server::Server;
use serde::Deserialize;
use serde_json::{Value, json};

/// A running service. Dropping it closes its port.
pub(super) struct Service {
    server: Server,
    book: Shared,
}

type Shared = Arc<Mutex<Book>>;

#[derive(Default)]
struct Book {
    refused: HashSet<String>,
    /// In the order in which they were taken back: their number is the cursor.
    revocations: Vec<Value>,
    asked: usize,
    unchanged: usize,
}

const END: &str = "2999-01-01T00:00:00Z";

impl Service {
    pub(super) fn start() -> Self {
        let book = Shared::default();
        let router = Router::new()
            .route("/access/v1/evaluation", post(evaluate))
            .route("/revocations", get(feed))
            .with_state(book.clone());
        Self {
            server: Server::start(0, router).unwrap(),
            book,
        }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Says no about `subject` from now on.
    pub(super) fn refuse(&self, subject: &str) {
        self.book.lock().unwrap().refused.insert(subject.to_owned());
    }

    /// Takes a grant back.
    pub(super) fn take_back(&self, grant: &str) {
        let entry = json!({ "grant": grant, "until": END });
        self.book.lock().unwrap().revocations.push(entry);
    }

    /// How often it was asked about a request.
    pub(super) fn asked(&self) -> usize {
        self.book.lock().unwrap().asked
    }

    /// How often it said that nothing is new.
    pub(super) fn unchanged(&self) -> usize {
        self.book.lock().unwrap().unchanged
    }
}

async fn evaluate(State(book): State<Shared>, Json(question): Json<Value>) -> Json<Value> {
    let mut book = book.lock().unwrap();
    book.asked += 1;
    let subject = question["subject"]["id"].as_str().unwrap();
    if book.refused.contains(subject) {
        return Json(json!({ "decision": false }));
    }
    let end = UnixMillis::from_seconds(now() + 600).unwrap().to_rfc3339();
    let approval = json!({ "id": format!("s-{subject}"), "approved_until": end });
    Json(json!({ "decision": true, "context": { "approval": approval } }))
}

#[derive(Deserialize)]
struct Since {
    since: Option<usize>,
}

async fn feed(
    State(book): State<Shared>,
    Query(Since { since }): Query<Since>,
    headers: HeaderMap,
) -> Response {
    let mut book = book.lock().unwrap();
    let cursor = book.revocations.len();
    let tag = format!("\"{cursor}\"");
    if headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|known| *known == *tag)
    {
        book.unchanged += 1;
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let news = &book.revocations[since.unwrap_or(0)..];
    let feed =
        json!({ "cursor": cursor.to_string(), "complete": since.is_none(), "revocations": news });
    ([(header::ETAG, tag)], Json(feed)).into_response()
}
