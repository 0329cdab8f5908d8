//! The grant service's double in tests of the filter: holds grants in memory and decides by the `OpenID` `AuthZEN` Authorization API, holds
//! answers back and counts calls. It asks nobody who they are.
//!
//! - `POST /access/v1/evaluation` is the decision point.
//! - `POST /grants` with `{"subject", "resource", "action", "seconds"}` gives a grant; `DELETE /grants` takes all of a
//!   `{"subject", "resource", "action"}` back.
//! - `GET /revocations` is a feed in which nothing ever stands.
//! - `GET /calls` says how often the decision point was asked, and the questions.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::{DateTime, SecondsFormat};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::idp::now;
use crate::server::Server;

/// The entity tag of the feed.
const NOTHING_REVOKED: &str = "\"0\"";

/// A running double of the grant service.
#[derive(Debug)]
pub struct GrantService {
    server: Server,
    book: Arc<Mutex<Book>>,
}

impl GrantService {
    /// Starts on `127.0.0.1:port`; port 0 takes a free one.
    ///
    /// # Errors
    /// When the port cannot be listened on.
    pub fn start(port: u16) -> io::Result<Self> {
        let book = Arc::<Mutex<Book>>::default();
        let router = Router::new()
            .route("/access/v1/evaluation", post(evaluate))
            .route("/grants", post(give).delete(take_back))
            .route("/revocations", get(revocations))
            .route("/calls", get(calls))
            .with_state(book.clone());
        Ok(Self {
            server: Server::start(port, router)?,
            book,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Grants `action` on `resource` to `subject` for `seconds`, counted from the running second on.
    pub fn give(&self, subject: &str, resource: &str, action: &str, seconds: i64) -> Grant {
        open(&self.book).give(
            &Claim {
                subject: subject.into(),
                resource: resource.into(),
                action: action.into(),
            },
            seconds,
        )
    }

    /// Takes questions from now on but answers none before [`release`](Self::release).
    pub fn hold(&self) {
        open(&self.book).held.send_replace(true);
    }

    /// Answers the held questions, and all later ones at once.
    pub fn release(&self) {
        open(&self.book).held.send_replace(false);
    }

    /// How often the decision point was asked.
    pub fn calls(&self) -> usize {
        open(&self.book).calls.len()
    }

    /// The questions that the decision point was asked about `subject`, oldest first.
    pub fn calls_for(&self, subject: &str) -> Vec<Call> {
        open(&self.book)
            .calls
            .iter()
            .filter(|call| call.question["subject"]["id"] == subject)
            .cloned()
            .collect()
    }

    /// Serves until the process ends.
    ///
    /// # Errors
    /// When serving fails.
    pub fn serve_forever(self) -> io::Result<()> {
        self.server.serve_forever()
    }
}

/// Who may do what to which resource.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Claim {
    /// The user's name.
    pub subject: String,
    /// The resource's name.
    pub resource: String,
    /// The action's name.
    pub action: String,
}

/// A claim that holds until `until`.
#[derive(Clone, Debug, Serialize)]
pub struct Grant {
    /// The grant's name.
    pub id: String,
    /// What it allows.
    #[serde(flatten)]
    pub claim: Claim,
    /// The Unix second at which it is over.
    pub until: i64,
}

impl Grant {
    /// The same as a date and time (RFC 3339).
    pub fn until_text(&self) -> String {
        DateTime::from_timestamp(self.until, 0)
            .unwrap_or(DateTime::UNIX_EPOCH)
            .to_rfc3339_opts(SecondsFormat::Secs, true)
    }
}

/// One question to the decision point.
#[derive(Clone, Debug, Serialize)]
pub struct Call {
    /// The caller's `x-request-id`, or nothing.
    pub request_id: String,
    /// The question's body.
    pub question: Value,
}

/// All that the service knows.
#[derive(Debug, Default)]
struct Book {
    grants: Vec<Grant>,
    given: usize,
    calls: Vec<Call>,
    /// While it is, questions are taken and not answered.
    held: watch::Sender<bool>,
}

impl Book {
    fn give(&mut self, claim: &Claim, seconds: i64) -> Grant {
        self.given += 1;
        let grant = Grant {
            id: format!("g-{}", self.given),
            claim: claim.clone(),
            until: now().saturating_add(seconds),
        };
        self.grants.push(grant.clone());
        grant
    }

    fn answer(&self, claim: &Claim, now: i64) -> Value {
        let live = self
            .grants
            .iter()
            .filter(|grant| grant.claim == *claim && now < grant.until);
        let Some(grant) = live.max_by_key(|grant| grant.until) else {
            let reason = format!(
                "{} holds no grant to {} {}",
                claim.subject, claim.action, claim.resource
            );
            return json!({ "decision": false, "context": { "reason": reason } });
        };
        let approval = json!({ "id": grant.id, "approved_until": grant.until_text() });
        json!({ "decision": true, "context": { "approval": approval } })
    }
}

type Shared = State<Arc<Mutex<Book>>>;

fn open(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn evaluate(
    State(book): Shared,
    headers: HeaderMap,
    Json(question): Json<Value>,
) -> impl IntoResponse {
    let member = |pointer| {
        question
            .pointer(pointer)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let (Some(subject), Some(resource), Some(action)) = (
        member("/subject/id"),
        member("/resource/id"),
        member("/action/name"),
    ) else {
        return (
            StatusCode::BAD_REQUEST,
            Json(json!("expected subject.id, resource.id and action.name")),
        );
    };
    let request_id = headers
        .get("x-request-id")
        .and_then(|id| id.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let mut held = {
        let mut book = open(&book);
        book.calls.push(Call {
            request_id,
            question,
        });
        book.held.subscribe()
    };
    // It fails only when the service is gone, and then nobody waits for the answer.
    let _ = held.wait_for(|held| !held).await;
    let claim = Claim {
        subject,
        resource,
        action,
    };
    (StatusCode::OK, Json(open(&book).answer(&claim, now())))
}

/// A wish for a grant. As JSON it is read whatever its content type, so that a plain `curl -d` will do.
#[derive(Deserialize)]
struct Wish {
    #[serde(flatten)]
    claim: Claim,
    seconds: i64,
}

async fn give(State(book): Shared, body: Bytes) -> impl IntoResponse {
    match serde_json::from_slice::<Wish>(&body) {
        Ok(wish) => {
            let grant = open(&book).give(&wish.claim, wish.seconds);
            let answer = json!({ "id": grant.id, "approved_until": grant.until_text() });
            (StatusCode::CREATED, Json(answer))
        }
        Err(fault) => (
            StatusCode::BAD_REQUEST,
            Json(json!({ "fault": fault.to_string() })),
        ),
    }
}

async fn take_back(State(book): Shared, body: Bytes) -> impl IntoResponse {
    match serde_json::from_slice::<Claim>(&body) {
        Ok(claim) => {
            open(&book).grants.retain(|grant| grant.claim != claim);
            (StatusCode::NO_CONTENT, String::new())
        }
        Err(fault) => (StatusCode::BAD_REQUEST, fault.to_string()),
    }
}

async fn revocations(headers: HeaderMap) -> Response {
    let tag = [(header::ETAG, NOTHING_REVOKED)];
    if headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|tag| tag == NOTHING_REVOKED)
    {
        return (StatusCode::NOT_MODIFIED, tag).into_response();
    }
    let feed = json!({ "cursor": "0", "complete": true, "revocations": [] });
    (tag, Json(feed)).into_response()
}

async fn calls(State(book): Shared) -> Json<Value> {
    let book = open(&book);
    Json(json!({ "count": book.calls.len(), "calls": book.calls }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(subject: &str, resource: &str, action: &str) -> Claim {
        Claim {
            subject: subject.into(),
            resource: resource.into(),
            action: action.into(),
        }
    }

    #[test]
    fn a_grant_allows_its_claim_until_its_end_and_nothing_else() {
        let mut book = Book::default();
        let grant = book.give(&claim("alice", "orders", "read"), 60);
        let decision = |claim: &Claim, at| book.answer(claim, at)["decision"] == true;
        assert!(decision(&claim("alice", "orders", "read"), grant.until - 1));
        assert!(
            !decision(&claim("alice", "orders", "read"), grant.until),
            "at its end it is over"
        );
        for other in [
            claim("bob", "orders", "read"),
            claim("alice", "invoices", "read"),
            claim("alice", "orders", "write"),
        ] {
            assert!(!decision(&other, grant.until - 1), "{other:?}");
        }
    }
}
