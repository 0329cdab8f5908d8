//! A service that allows everything at once: what it costs to ask is the proxy's cost alone.

use std::io;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::{any, post};
use hallpass_demo::server::Server;

/// What stands before the path of each request that `ext_authz` asks about.
pub(crate) const EXT_AUTHZ: &str = "/ext_authz";

/// Starts one on a free port.
pub(crate) fn start() -> io::Result<Server> {
    const ALLOW: &str = r#"{"decision":true,"context":{"approval":{"id":"g","approved_until":"9999-01-01T00:00:00Z"}}}"#;
    let decide = || async { ([(CONTENT_TYPE, "application/json")], ALLOW) };
    let let_pass = || async { StatusCode::OK };
    let router = Router::new()
        .route("/access/v1/evaluation", post(decide))
        .route(&format!("{EXT_AUTHZ}/{{*path}}"), any(let_pass));
    Server::start(0, router)
}
