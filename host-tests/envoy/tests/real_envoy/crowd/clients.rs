//! A thousand clients in one process: streams of a few HTTP/2 connections, so that nobody needs a thousand sockets.

use std::net::SocketAddr;
use std::time::Duration;

use h2::client::{self, SendRequest};
use hallpass_envoy_tests::{Answer, Proxy};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio::time::timeout;
use ureq::http::Request;

/// How many connections they share. The shipped configuration takes 100 streams on each.
pub(super) const CONNECTIONS: usize = 20;
/// Whoever has no answer by then hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// Open connections to a proxy. None of their requests has a body.
type Connection = SendRequest<&'static [u8]>;

/// Clients that ask at the same time.
pub(super) struct Crowd {
    runtime: Runtime,
    connections: Vec<Connection>,
    to: SocketAddr,
}

impl Crowd {
    /// Connects to `proxy`.
    pub(super) fn before(proxy: &Proxy) -> Self {
        let to = proxy.address();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let connections = runtime.block_on(async {
            let mut connections = Vec::new();
            for _ in 0..CONNECTIONS {
                connections.push(connect(to).await);
            }
            connections
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
    pub(super) fn ask(&self, requests: usize, path: &str, token: &str) -> Vec<Answer> {
        self.runtime.block_on(async {
            let mut asked = JoinSet::new();
            for connection in self.connections.iter().cycle().take(requests) {
                let request = Request::get(format!("http://{}{path}", self.to))
                    .header("authorization", format!("Bearer {token}"));
                asked.spawn(ask(connection.clone(), request.body(()).unwrap()));
            }
            let answers = timeout(PATIENCE, asked.join_all()).await;
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
