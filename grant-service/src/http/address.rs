//! What an address may be made of.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;

use super::problem::nothing_here;

/// A path that is no text once it is decoded names nothing, whoever asks, and nobody looks for what it names.
pub(super) async fn is_text(request: Request, next: Next) -> Response {
    if percent_decode_str(request.uri().path())
        .decode_utf8()
        .is_err()
    {
        return nothing_here().await.into_response();
    }
    next.run(request).await
}
