//! The upstream: echoes each request as it arrived, so that one sees what the proxy let through.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::server::Server;

/// A running upstream.
#[derive(Debug)]
pub struct Upstream {
    server: Server,
    served: Served,
}

/// How many requests arrived, by path.
type Served = Arc<Mutex<HashMap<String, usize>>>;

impl Upstream {
    /// Starts on `127.0.0.1:port`; port 0 takes a free one.
    ///
    /// # Errors
    /// When the port cannot be listened on.
    pub fn start(port: u16) -> io::Result<Self> {
        let served = Served::default();
        let router = Router::new().fallback(echo).with_state(served.clone());
        Ok(Self {
            server: Server::start(port, router)?,
            served,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// How many requests for `path` (without the query) have arrived.
    pub fn served(&self, path: &str) -> usize {
        self.served
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(path)
            .copied()
            .unwrap_or(0)
    }

    /// Serves until the process ends.
    ///
    /// # Errors
    /// When serving fails.
    pub fn serve_forever(self) -> io::Result<()> {
        self.server.serve_forever()
    }
}

async fn echo(State(served): State<Served>, request: Request) -> Json<Value> {
    let path = request.uri().path().to_owned();
    let count = {
        let mut served = served.lock().unwrap_or_else(PoisonError::into_inner);
        let count = served.entry(path).or_default();
        *count += 1;
        *count
    };
    let mut headers: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, value) in request.headers() {
        headers
            .entry(name.as_str())
            .or_default()
            .push(String::from_utf8_lossy(value.as_bytes()).into_owned());
    }
    Json(json!({
        "method": request.method().as_str(),
        "path": request.uri().to_string(),
        "count": count,
        "headers": headers.into_iter().map(|(name, values)| (name.to_owned(), values.join(", ").into())).collect::<serde_json::Map<_, Value>>(),
    }))
}
