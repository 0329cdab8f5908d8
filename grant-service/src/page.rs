//! What people see and press in a browser: pages that are whole without script, and pleasant with a little of it.
//!
//! A page decides nothing. It asks the [`desk`](crate::desk) in the name of who looks at it and shows what the desk tells them; a form is a wish
//! at the desk, and what is refused there is told beside the field or at the top. After a wish that is fulfilled the browser is sent on (303),
//! so that reloading repeats nothing.
//!
//! Nothing but the page's own style sheet and script is loaded, nothing inline runs, no other site may frame a page or send its forms.

mod approvals;
mod ask;
mod fields;
mod files;
mod frame;
mod grants;
mod guard;
mod incident;
mod notice;
mod record;
mod request;
mod return_to;
mod term;
mod trouble;
mod visitor;
mod words;

use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Router, http::HeaderValue, http::header, response::Response};

use crate::app::App;
use trouble::Trouble;

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; \
    frame-ancestors 'none'; base-uri 'none'";

/// All pages, and the files that they load.
pub(crate) fn routes(app: &App) -> Router<App> {
    let pages = Router::new()
        .route("/", get(|| async { Redirect::to("/grants") }))
        .route("/request", get(ask::show).post(ask::send))
        .route("/requests/{id}", get(request::show))
        .route("/requests/{id}/withdraw", post(request::withdraw))
        .route("/requests/{id}/approve", post(approvals::approve))
        .route("/requests/{id}/deny", post(approvals::deny))
        .route("/grants", get(grants::show))
        .route("/grants/{id}/revoke", post(grants::revoke))
        .route("/grants/all", get(incident::show))
        .route("/grants/all/revoke", post(incident::revoke))
        .route("/approvals", get(approvals::show))
        .route("/record", get(record::show))
        .method_not_allowed_fallback(async || Trouble::AnotherMethod)
        .layer(from_fn_with_state(app.clone(), guard::same_origin))
        .layer(map_response(protect));
    pages.merge(files::routes())
}

/// What every page tells the browser about itself.
async fn protect(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Not `no-referrer`: under it a browser tells no origin with a form, and the guard goes by that.
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
