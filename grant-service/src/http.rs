//! The service on the network: what is at which path.
//!
//! Everything here says who calls, reads what was sent, asks the [`desk`](crate::desk) and tells the answer. Nothing is decided here.

mod address;
mod audit;
mod authzen;
mod body;
mod caller;
mod dress;
mod grants;
mod health;
mod patience;
mod problem;
mod requests;
mod revocations;
mod same_origin;
mod shape;
mod turns;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use tower_http::catch_panic::CatchPanicLayer;

use crate::app::App;
use crate::{intake, page};

/// So many requests are served at once; those beyond are told to try again.
const AT_ONCE: usize = 512;
/// So many at once of people, and of whoever has yet to be found, where it is services that mostly ask.
const OTHERS_AT_ONCE: usize = 64;
/// So many proxies may wait for the next revocation at once.
const WAITING: usize = 1_024;
/// So many requests have a turn at once, of whatever kind: decisions, waiting for a revocation, and all else.
pub const TURNS: usize = AT_ONCE + OTHERS_AT_ONCE + WAITING + OTHERS_AT_ONCE + AT_ONCE;

/// All of it.
pub fn router(app: App) -> Router {
    let same_origin = from_fn_with_state(app.clone(), same_origin::check);
    let patience = from_fn_with_state(patience::PATIENCE, patience::bound);
    let people = Router::new()
        .merge(requests::routes())
        .merge(grants::routes())
        .merge(audit::routes())
        .fallback(problem::nothing_here)
        .method_not_allowed_fallback(problem::another_method)
        .layer(same_origin.clone())
        // They guard their own forms, and tell a person of it as a page.
        .merge(page::routes(&app))
        .layer(patience.clone())
        .layer(from_fn_with_state(turns::of(AT_ONCE), turns::take));
    // Each has turns of its own, and services have theirs, so that no crowd of people or strangers keeps a proxy from its decisions or from
    // what was revoked.
    let for_services = |services| {
        let turns = turns::sorted(app.doorkeeper.clone(), services, OTHERS_AT_ONCE);
        from_fn_with_state(turns, turns::take_sorted)
    };
    let decisions = authzen::routes()
        .method_not_allowed_fallback(problem::another_method)
        .layer(same_origin)
        .layer(patience.clone())
        .layer(for_services(AT_ONCE));
    let waits = revocations::routes()
        .method_not_allowed_fallback(problem::another_method)
        .layer(for_services(WAITING));
    let health = health::routes().method_not_allowed_fallback(problem::another_method);
    Router::new()
        .merge(decisions)
        .merge(people)
        .merge(waits)
        .merge(health)
        .layer(DefaultBodyLimit::max(intake::MAX_BYTES))
        .layer(from_fn(address::is_text))
        .layer(CatchPanicLayer::custom(problem::after_panic))
        .layer(from_fn(dress::dress))
        .with_state(app)
}
