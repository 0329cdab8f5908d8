//! Requests that another site's page sends in a person's name are refused.
//!
//! A browser adds the person's cookie to them, and a proxy in front would believe it. Whatever changes something must come from a page of this
//! service (or from no page at all, as when a person types the address), which browsers tell in `Sec-Fetch-Site` (Fetch Metadata), older ones in
//! `Origin` (RFC 6454, section 7). Who sends neither is no browser, and has no cookie that it does not know of.

use axum::extract::{Request, State};
use axum::http::header::ORIGIN;
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::{Kind, Problem};
use crate::app::App;

/// Lets a request pass that changes nothing, or comes from here.
pub(super) async fn check(State(app): State<App>, request: Request, next: Next) -> Response {
    let own = app.public_url.origin().ascii_serialization();
    if is_safe(request.method()) || is_from(&own, request.headers()) {
        return next.run(request).await;
    }
    let detail = "another site's page sent this request: use the pages of the grant service itself";
    Problem::new(Kind::CrossSite, detail).into_response()
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn is_from(own: &str, headers: &HeaderMap) -> bool {
    let every = |name: &str, holds: &dyn Fn(&[u8]) -> bool| {
        headers
            .get_all(name)
            .iter()
            .all(|value| holds(value.as_bytes()))
    };
    if headers.contains_key("sec-fetch-site") {
        return every("sec-fetch-site", &|site| {
            matches!(site, b"same-origin" | b"none")
        });
    }
    every(ORIGIN.as_str(), &|origin| origin == own.as_bytes())
}
