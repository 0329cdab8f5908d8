//! A thousand clients in one process: streams of a few HTTP/2 connections, so that nobody needs a thousand sockets.
//!
//! What is asked at once on one of them leaves with one write, so that Envoy takes it in one turn.

use std::iter;
use std::net::SocketAddr;
use std::time::Duration;

use h2::client::{self, SendRequest};
use hallpass_envoy_tests::{Answer, Proxy};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use ureq::http::Request;

/// How many connections they share. The shipped configuration takes 100 streams on each.
pub(crate) const CONNECTIONS: usize = 20;
/// Whoever has no answer by then hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// Open connections to a proxy. None of their requests has a body.
type Connection = SendRequest<&'static [u8]>;

/// Clients that ask at the same time.
pub(crate) struct Crowd {
    runtime: Runtime,
    connections: Vec<Connection>,
    to: SocketAddr,
}

impl Crowd {
    /// Connects to `proxy`.
    pub(crate) fn before(proxy: &Proxy) -> Self {
        Self::on(CONNECTIONS, proxy)
    }

    /// Connects to `proxy` so many times.
    pub(crate) fn on(connections: usize, proxy: &Proxy) -> Self {
        let to = proxy.address();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let connections = runtime.block_on(async {
            let mut connected = Vec::new();
            for _ in 0..connections {
                connected.push(connect(to).await);
            }
            connected
        });
        Self {
            runtime,
            connections,
            to,
        }
    }

    /// Sends so many requests at once, spread evenly over the connections, and returns the answers when all are there.
    ///
    /// # Panics
    /// When one of them has no answer in time.
    pub(crate) fn ask(&self, requests: usize, path: &str, token: &str) -> Vec<Answer> {
        self.ask_as(path, iter::repeat_n(token, requests))
    }

    /// The same with one request for each token. The answers are in the order of the tokens.
    ///
    /// # Panics
    /// When one of the requests has no answer in time.
    pub(crate) fn ask_as(
        &self,
        path: &str,
        tokens: impl IntoIterator<Item: AsRef<str>>,
    ) -> Vec<Answer> {
        self.runtime.block_on(async {
            let mut asked = Vec::new();
            for (token, connection) in tokens.into_iter().zip(self.connections.iter().cycle()) {
                let request = Request::get(format!("http://{}{path}", self.to))
                    .header("authorization", format!("Bearer {}", token.as_ref()));
                let request = request.body(()).unwrap();
                asked.push(tokio::spawn(ask(connection.clone(), request)));
            }
            let requests = asked.len();
            let all = async {
                let mut answers = Vec::new();
                for answer in asked {
                    answers.push(answer.await.unwrap());
                }
                answers
            };
            let answers = timeout(PATIENCE, all).await;
            answers.unwrap_or_else(|_| panic!("some of {requests} requests have no answer"))
        })
    }
}

async fn connect(to: SocketAddr) -> Connection {
    let stream = TcpStream::connect(to).await.unwrap();
    let (sender, connection) = client::Builder::new().handshake(stream).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn ask(connection: Connection, request: Request<()>) -> Answer {
    let mut ready = connection.ready().await.unwrap();
    let (answer, _) = ready.send_request(request, true).unwrap();
    let (head, mut body) = answer.await.unwrap().into_parts();
    let mut bytes = Vec::new();
    while let Some(chunk) = body.data().await {
        bytes.extend_from_slice(&chunk.unwrap());
    }
    Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        body: String::from_utf8(bytes).unwrap(),
    }
}
