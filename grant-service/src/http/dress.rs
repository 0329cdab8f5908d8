//! What every answer gets, and one line in the log for each. The line has the path and no more of the address: queries name people, and headers
//! hold tokens.

use std::time::Instant;

use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

/// The client's or proxy's name for a request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What programs ask all day long.
const ROUTINE: [&str; 5] = [
    "/access/v1/evaluation",
    "/access/v1/evaluations",
    "/revocations",
    "/healthz",
    "/readyz",
];

/// Adds what every answer has, and logs it.
pub(super) async fn dress(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let id = request.headers().get(REQUEST_ID).cloned();
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    let told = id
        .as_ref()
        .and_then(|id| id.to_str().ok())
        .unwrap_or("-")
        .to_owned();
    if let Some(id) = id {
        headers.insert(REQUEST_ID, id);
    }
    let status = response.status().as_u16();
    let millis = started.elapsed().as_millis();
    if status >= 500 {
        tracing::warn!(%method, path, status, millis, request_id = told, "answered");
    } else if ROUTINE.contains(&path.as_str()) {
        tracing::debug!(%method, path, status, millis, request_id = told, "answered");
    } else {
        tracing::info!(%method, path, status, millis, request_id = told, "answered");
    }
    response
}
