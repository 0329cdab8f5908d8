//! The service on the network: what is at which path.
//!
//! Everything here says who calls, reads what was sent, asks the [`desk`](crate::desk) and tells the answer. Nothing is decided here.

mod audit;
mod authzen;
mod body;
mod caller;
mod dress;
mod grants;
mod health;
mod problem;
mod requests;
mod revocations;
mod same_origin;
mod shape;
mod turns;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;
use url::Url;

use crate::desk::Desk;
use crate::identity::Doorkeeper;
use crate::page;

/// A larger body is not read.
const MAX_BODY_BYTES: usize = 64 * 1024;
/// Whoever is not answered in this time is told to try again.
const PATIENCE: Duration = Duration::from_secs(10);
/// So many requests are served at once; those beyond are told to try again.
const AT_ONCE: usize = 512;
/// So many proxies may wait for the next revocation at once.
const WAITING: usize = 1_024;

/// What every request needs.
#[derive(Debug, Clone)]
pub struct App {
    /// What can be asked of the service.
    pub desk: Arc<Desk>,
    /// Who asks.
    pub doorkeeper: Arc<Doorkeeper>,
    /// Where people reach the service with a browser, and proxies by its name; without a path.
    pub public_url: Url,
    /// Where a browser goes to sign in, if it is not clear who uses it. `{return_to}` in it stands for the page to come back to.
    pub sign_in_url: Option<String>,
    /// The issuer of a subject that is named without one: set where only one issuer is trusted.
    pub default_issuer: Option<String>,
    /// Where a page may lead back to, besides the host of `public_url`: the origins of what is protected.
    pub return_origins: Vec<url::Origin>,
}

impl App {
    /// The public address of a path, which begins with `/`.
    pub fn address(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.origin().ascii_serialization())
    }
}

/// All of it.
pub fn router(app: App) -> Router {
    let same_origin = from_fn_with_state(app.clone(), same_origin::check);
    let people = Router::new()
        .merge(requests::routes())
        .merge(grants::routes())
        .merge(audit::routes())
        .fallback(problem::nothing_here)
        .layer(same_origin.clone())
        // They guard their own forms, and tell a person of it as a page.
        .merge(page::routes(&app));
    // Each has turns of its own, so that no crowd of people keeps a proxy from its decisions.
    let decisions = authzen::routes().layer(same_origin);
    let [people, decisions] = [people, decisions].map(|routes| {
        let patience = TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, PATIENCE);
        let turns = from_fn_with_state(turns::of(AT_ONCE), turns::take);
        routes.layer(patience).layer(turns)
    });
    let waits = revocations::routes().layer(from_fn_with_state(turns::of(WAITING), turns::take));
    Router::new()
        .merge(decisions)
        .merge(people)
        .merge(waits)
        .merge(health::routes())
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(CatchPanicLayer::custom(problem::after_panic))
        .layer(from_fn(dress::dress))
        .with_state(app)
}
