//! A grant service that keeps a record of its calls, and holds some of its answers until a call comes that puts questions together.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use hallpass_core::time::UnixMillis;
use hallpass_demo::idp::now;
use hallpass_demo::server::Server;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::timeout;

/// Where one question is put by itself.
pub(super) const ALONE: &str = "/access/v1/evaluation";
/// Where several are put together.
pub(super) const TOGETHER: &str = "/access/v1/evaluations";
/// How long an answer is held at most. Then it is 504, and lets nobody pass.
const HELD: Duration = Duration::from_secs(10);

/// A running service. Dropping it closes its port.
pub(super) struct Service {
    server: Server,
    book: Shared,
}

/// One call.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) path: &'static str,
    /// Whom it asks about, in its order.
    pub(super) users: Vec<String>,
    pub(super) at: Instant,
}

type Shared = Arc<Mutex<Book>>;

#[derive(Default)]
struct Book {
    calls: Vec<Call>,
    /// Changes with each of these that puts questions together.
    together: watch::Sender<()>,
    /// How often each follower of the feed came back, by the cursor that it was given.
    followers: BTreeMap<usize, usize>,
}

impl Service {
    /// A service with both endpoints. It denies whoever is named `denied-…`. Its answer to a question by itself about whoever is named
    /// `held-…` it holds until the next call that puts questions together.
    pub(super) fn start() -> Self {
        Self::with(Router::new().route(TOGETHER, post(evaluate_each)))
    }

    /// The same, which only records what comes to the endpoint for questions together, as it does not know it.
    pub(super) fn start_without_the_endpoint() -> Self {
        Self::with(Router::new().route(TOGETHER, post(not_found)))
    }

    fn with(together: Router<Shared>) -> Self {
        let book = Shared::default();
        let router = together
            .route(ALONE, post(evaluate))
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

    /// The calls so far.
    pub(super) fn calls(&self) -> Vec<Call> {
        self.book.lock().unwrap().calls.clone()
    }

    /// Whether it was asked about `user`.
    pub(super) fn was_asked_about(&self, user: &str) -> bool {
        let book = self.book.lock().unwrap();
        book.calls
            .iter()
            .any(|call| call.users.iter().any(|asked| asked == user))
    }

    /// How often each follower of its feed came back.
    pub(super) fn followers(&self) -> Vec<usize> {
        let book = self.book.lock().unwrap();
        book.followers.values().copied().collect()
    }
}

impl Book {
    fn record(&mut self, path: &'static str, questions: &[Value]) -> Vec<String> {
        let user = |question: &Value| question["subject"]["id"].as_str().unwrap().to_owned();
        let users: Vec<_> = questions.iter().map(user).collect();
        self.calls.push(Call {
            path,
            users: users.clone(),
            at: Instant::now(),
        });
        users
    }
}

fn answer(user: &str) -> Value {
    if user.starts_with("denied-") {
        return json!({ "decision": false });
    }
    let end = UnixMillis::from_seconds(now() + 600).unwrap().to_rfc3339();
    let approval = json!({ "id": format!("g-{user}"), "approved_until": end });
    json!({ "decision": true, "context": { "approval": approval } })
}

async fn evaluate(State(book): State<Shared>, Json(question): Json<Value>) -> Response {
    let (users, mut together) = {
        let mut book = book.lock().unwrap();
        let users = book.record(ALONE, &[question]);
        (users, book.together.subscribe())
    };
    let user = &users[0];
    if user.starts_with("held-") && !matches!(timeout(HELD, together.changed()).await, Ok(Ok(()))) {
        return StatusCode::GATEWAY_TIMEOUT.into_response();
    }
    Json(answer(user)).into_response()
}

#[derive(Deserialize)]
struct Questions {
    evaluations: Vec<Value>,
}

/// Writes questions that are put together into the record, and lets go of the answers that are held.
fn take_together(book: &Shared, questions: &Questions) -> Vec<String> {
    let mut book = book.lock().unwrap();
    let users = book.record(TOGETHER, &questions.evaluations);
    book.together.send_replace(());
    users
}

async fn evaluate_each(
    State(book): State<Shared>,
    Json(questions): Json<Questions>,
) -> Json<Value> {
    let users = take_together(&book, &questions);
    let answers: Vec<_> = users.iter().map(|user| answer(user)).collect();
    Json(json!({ "evaluations": answers }))
}

async fn not_found(State(book): State<Shared>, Json(questions): Json<Questions>) -> StatusCode {
    take_together(&book, &questions);
    StatusCode::NOT_FOUND
}

#[derive(Deserialize)]
struct Since {
    since: Option<usize>,
}

/// A feed in which nothing ever stands. Whoever comes first is given a cursor that nobody else has, and is known by it.
async fn feed(State(book): State<Shared>, Query(Since { since }): Query<Since>) -> Json<Value> {
    let mut book = book.lock().unwrap();
    let cursor = since.unwrap_or(book.followers.len());
    book.followers
        .entry(cursor)
        .and_modify(|polls| *polls += 1)
        .or_default();
    Json(json!({ "cursor": cursor.to_string(), "complete": since.is_none(), "revocations": [] }))
}
