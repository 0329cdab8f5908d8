//! A service that allows everything at once: what it costs to ask is the proxy's cost alone.

use std::io;

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{any, post};
use hallpass_demo::server::Server;
use memchr::memmem;

/// What stands before the path of each request that `ext_authz` asks about.
pub(crate) const EXT_AUTHZ: &str = "/ext_authz";

/// What it says to each question.
const ALLOW: &str = r#"{"decision":true,"context":{"approval":{"id":"g","approved_until":"9999-01-01T00:00:00Z"}}}"#;

/// An answer that says that it is JSON.
fn json(body: impl IntoResponse) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], body)
}

/// Starts one on a free port.
pub(crate) fn start() -> io::Result<Server> {
    let decide = || async { json(ALLOW) };
    let decide_all = |questions: Bytes| async move { json(allow_all(&questions)) };
    let let_pass = || async { StatusCode::OK };
    let router = Router::new()
        .route("/access/v1/evaluation", post(decide))
        .route("/access/v1/evaluations", post(decide_all))
        .route(&format!("{EXT_AUTHZ}/{{*path}}"), any(let_pass));
    Server::start(0, router)
}

/// An answer to each of the questions that are asked together.
///
/// They are not read as JSON: in this program, which is not optimised, that would take twenty times as long. Each has one subject, and
/// within a string the quotes would be escaped.
fn allow_all(questions: &[u8]) -> String {
    let count = memmem::find_iter(questions, br#""subject":"#).count();
    let answers = vec![ALLOW; count].join(",");
    format!(r#"{{"evaluations":[{answers}]}}"#)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn questions_that_are_asked_together_are_each_answered_as_one_alone_is() {
        let alone: Value = serde_json::from_str(ALLOW).expect("JSON");
        let subject = json!({ "type": "user", "id": r#""subject":"# });
        let question = json!({ "subject": subject, "context": { "path": "/subject" } });
        for count in [1, 2, 32] {
            let questions = json!({ "evaluations": vec![&question; count] });
            let answer = allow_all(questions.to_string().as_bytes());
            let answer: Value = serde_json::from_str(&answer).expect("JSON");
            assert_eq!(answer, json!({ "evaluations": vec![&alone; count] }));
        }
    }
}
