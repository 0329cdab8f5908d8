//! The service on the network: what is at which path.

use std::sync::Arc;

use axum::Router;
use url::Url;

use crate::desk::Desk;
use crate::identity::Doorkeeper;

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
}

/// All of it.
pub fn router(app: App) -> Router {
    Router::new().with_state(app)
}
