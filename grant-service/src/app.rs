//! What every request needs, whether a page or a program is to answer it.

use std::sync::Arc;

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
