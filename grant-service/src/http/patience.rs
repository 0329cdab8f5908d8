//! Whoever is not answered in time is told to try again: a turn that never ends is lost to others.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use super::problem::{Kind, Problem};

/// So long a request may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Answers a request in this time, with what there is to say or with word that there is nothing yet.
pub(super) async fn bound(
    State(patience): State<Duration>,
    request: Request,
    next: Next,
) -> Response {
    timeout(patience, next.run(request))
        .await
        .unwrap_or_else(|_| {
            let detail = "the answer took too long: try again";
            Problem::new(Kind::Unavailable, detail).into_response()
        })
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::http::header::CONTENT_TYPE;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn whoever_is_not_answered_in_time_is_told_so_as_a_problem() {
        let router = Router::new()
            .route("/never", get(std::future::pending::<()>))
            .layer(from_fn_with_state(Duration::from_millis(1), bound));
        let asked = Request::get("/never").body(Body::empty()).unwrap();
        let response = router.oneshot(asked).await.unwrap();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        let body = to_bytes(response.into_body(), 1_000).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body["type"], "urn:hallpass:grants:unavailable");
        assert_eq!(body["detail"], "the answer took too long: try again");
    }
}
