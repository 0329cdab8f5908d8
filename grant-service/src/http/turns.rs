//! How many requests are served at once. Whoever comes when all turns are taken is told so at once: a queue without an end helps nobody.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

use super::problem::{Kind, Problem};
use crate::identity::Doorkeeper;

/// So many turns.
pub(super) fn of(turns: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(turns))
}

/// Serves a request if there is a turn left.
pub(super) async fn take(
    State(turns): State<Arc<Semaphore>>,
    request: Request,
    next: Next,
) -> Response {
    match turns.try_acquire() {
        Ok(_turn) => next.run(request).await,
        Err(_) => {
            Problem::new(Kind::Unavailable, "too many requests at once: try again").into_response()
        }
    }
}

/// Turns of services, and others of people and of whoever has yet to be found, which may take as long as an issuer's keys: neither they nor
/// what they send slowly keeps a turn from a service.
#[derive(Debug, Clone)]
pub(super) struct Sorted {
    doorkeeper: Arc<Doorkeeper>,
    services: Arc<Semaphore>,
    others: Arc<Semaphore>,
}

/// So many turns of services, and so many of others.
pub(super) fn sorted(doorkeeper: Arc<Doorkeeper>, services: usize, others: usize) -> Sorted {
    Sorted {
        doorkeeper,
        services: of(services),
        others: of(others),
    }
}

/// Serves a request if there is a turn left of those that are for its like.
pub(super) async fn take_sorted(
    State(turns): State<Sorted>,
    request: Request,
    next: Next,
) -> Response {
    let turns = if turns.doorkeeper.knows_service(request.headers()) {
        turns.services
    } else {
        turns.others
    };
    take(State(turns), request, next).await
}
