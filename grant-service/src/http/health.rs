//! Whether the service lives, and whether it can work.

use axum::Router;
use axum::extract::State;
use axum::routing::get;

use super::problem::Problem;
use crate::app::App;
use crate::desk::Fault;

/// `GET /healthz` and `GET /readyz`.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/healthz", get(async || "alive\n"))
        .route("/readyz", get(readiness))
}

async fn readiness(State(app): State<App>) -> Result<&'static str, Problem> {
    app.desk
        .store()
        .end_of_record()
        .await
        .map_err(Fault::from)?;
    Ok("ready\n")
}
