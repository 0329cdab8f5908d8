//! Someone who is told what happens: a server of our own that answers as a story wants it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use hallpass_grants::notify::{Receiver, Secret};
use serde_json::Value;
use tokio::net::TcpSocket;

/// What messages are signed with.
pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// One message, as it came.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// A receiver's server.
pub(crate) struct Listener {
    address: SocketAddr,
    socket: Option<TcpSocket>,
    ear: Ear,
}

#[derive(Clone)]
struct Ear {
    answer: Arc<Mutex<StatusCode>>,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Listener {
    /// One that answers.
    pub(crate) async fn up() -> Self {
        let mut listener = Self::down();
        listener.come_up().await;
        listener
    }

    /// One whose port is its own, but where nobody listens: whoever connects is refused.
    pub(crate) fn down() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Self {
            address: socket.local_addr().unwrap(),
            socket: Some(socket),
            ear: Ear {
                answer: Arc::new(Mutex::new(StatusCode::NO_CONTENT)),
                heard: Arc::default(),
            },
        }
    }

    #[allow(clippy::unused_async, reason = "a listener needs a running runtime")]
    pub(crate) async fn come_up(&mut self) {
        let listener = self.socket.take().unwrap().listen(64).unwrap();
        let router = Router::new().fallback(hear).with_state(self.ear.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
    }

    /// One that takes connections and says nothing.
    pub(crate) fn silent() -> (Self, std::net::TcpListener) {
        let mut listener = Self::down();
        let socket = listener.socket.take().unwrap().listen(64).unwrap();
        (listener, socket.into_std().unwrap())
    }

    /// From now on it answers so.
    pub(crate) fn answer(&self, status: StatusCode) {
        *self.ear.answer.lock().unwrap() = status;
    }

    /// What it has heard.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.ear.heard.lock().unwrap().clone()
    }

    /// As a configuration names it.
    pub(crate) fn receiver(&self, name: &str) -> Receiver {
        Receiver {
            name: name.to_owned(),
            url: format!("http://{}/hook", self.address).parse().unwrap(),
            secret: Secret::parse(SECRET).unwrap(),
            events: Vec::new(),
        }
    }
}

impl Heard {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

async fn hear(State(ear): State<Ear>, headers: HeaderMap, body: String) -> impl IntoResponse {
    ear.heard.lock().unwrap().push(Heard { headers, body });
    let status = *ear.answer.lock().unwrap();
    // Only a redirection has anyone look at it.
    (status, [(header::LOCATION, "/elsewhere")])
}
