//! A decision point that allows everything at once: what it costs to ask is the proxy's cost alone.

use std::io;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;
use hallpass_demo::server::Server;

/// Starts one on a free port.
pub(crate) fn start() -> io::Result<Server> {
    const ALLOW: &str = r#"{"decision":true,"context":{"approval":{"id":"g","approved_until":"9999-01-01T00:00:00Z"}}}"#;
    let decide = || async { ([(CONTENT_TYPE, "application/json")], ALLOW) };
    Server::start(
        0,
        Router::new().route("/access/v1/evaluation", post(decide)),
    )
}
