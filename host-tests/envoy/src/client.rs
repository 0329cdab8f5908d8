//! The client: well-formed requests by a library, and bytes as they are.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;
use ureq::http;

/// The longest that a test waits for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request in the making. Each one opens a connection of its own unless it is [`sent_by`](Self::sent_by) an agent.
#[derive(Debug)]
pub struct Request(http::request::Builder);

impl Request {
    pub(crate) fn new(to: SocketAddr, method: &str, path: &str) -> Self {
        Self(
            http::Request::builder()
                .method(method)
                .uri(format!("http://{to}{path}")),
        )
    }

    /// Carries `token` as a bearer token.
    #[must_use]
    pub fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// Adds a header.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    /// Sends it on a new connection, which may reach any worker.
    ///
    /// # Panics
    /// When there is no answer in time.
    pub fn send(self) -> Answer {
        self.sent_by(&Self::agent())
    }

    /// Sends it with an agent, which keeps its connection, and so stays with one worker.
    ///
    /// # Panics
    /// When there is no answer in time.
    pub fn sent_by(self, agent: &ureq::Agent) -> Answer {
        self.try_by(agent).expect("the proxy answers in time")
    }

    /// Sends it with an agent to a proxy that may cut it.
    ///
    /// # Errors
    /// When there is no whole answer in time.
    ///
    /// # Panics
    /// When the request is not well-formed.
    pub fn try_by(self, agent: &ureq::Agent) -> Result<Answer, ureq::Error> {
        let request = self.0.body(()).expect("a well-formed request");
        let mut answer = agent.run(request)?;
        let body = answer.body_mut().read_to_string()?;
        Ok(Answer {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            body,
        })
    }

    /// An agent that keeps one connection open.
    pub fn agent() -> ureq::Agent {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE));
        config.max_idle_connections(1).build().into()
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: http::HeaderMap,
    /// The body.
    pub body: String,
}

impl Answer {
    /// A header's value, or nothing.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is not.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|fault| panic!("not JSON ({fault}): {}", self.body))
    }

    /// The status and the refusal's reason, if it has one.
    pub fn verdict(&self) -> (u16, Option<String>) {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        (self.status, body["reason"].as_str().map(str::to_owned))
    }

    /// A header as the upstream received it.
    ///
    /// # Panics
    /// When the answer is not the upstream's.
    pub fn received(&self, name: &str) -> Option<String> {
        assert_eq!(self.status, 200, "not the upstream's answer: {self:?}");
        self.json()["headers"][name].as_str().map(str::to_owned)
    }
}

/// Sends `bytes` as they are and returns the status of the answer and the whole answer. The status is 0 when the proxy closes the
/// connection without one.
///
/// # Panics
/// When the proxy neither answers nor closes in time.
pub fn raw(to: SocketAddr, bytes: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(to).expect("the proxy takes connections");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("a timeout can be set");
    // The proxy may close before it has read everything; what it answered until then counts.
    let _ = stream.write_all(bytes);
    let mut answer = String::new();
    let mut chunk = [0; 4096];
    while !is_whole(&answer) {
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => answer.push_str(&String::from_utf8_lossy(&chunk[..read])),
            Err(fault) if fault.kind() == ErrorKind::ConnectionReset => break,
            Err(fault) => panic!("neither an answer nor a close: {fault}; so far: {answer}"),
        }
    }
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    (status.unwrap_or(0), answer)
}

/// Whether the answer has come to its end, which the proxy announces by its length, and only later by closing.
fn is_whole(answer: &str) -> bool {
    let Some((head, body)) = answer.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    length
        .and_then(|length| length.parse().ok())
        .is_some_and(|length: usize| body.len() >= length)
}
