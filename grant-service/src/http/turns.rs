//! How many requests are served at once. Whoever comes when all turns are taken is told so at once: a queue without an end helps nobody.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

use super::problem::{Kind, Problem};

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
