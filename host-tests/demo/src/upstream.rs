//! The upstream: echoes each request as it arrived, so that one sees what the proxy let through.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use axum::extract::{Request, State};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::server::Server;

/// A running upstream.
#[derive(Debug)]
pub struct Upstream {
    server: Server,
    served: Arc<Mutex<Served>>,
}

/// One request, as it arrived.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// When it did.
    pub at: SystemTime,
    /// Its headers; the values of one that stands several times are joined with commas.
    pub headers: BTreeMap<String, String>,
}

/// What arrived, by path (without the query).
#[derive(Debug, Default)]
struct Served {
    counts: HashMap<String, usize>,
    /// Of the paths for which this was asked.
    records: HashMap<String, Vec<Arrival>>,
}

impl Upstream {
    /// Starts on `127.0.0.1:port`; port 0 takes a free one.
    ///
    /// # Errors
    /// When the port cannot be listened on.
    pub fn start(port: u16) -> io::Result<Self> {
        let served = Arc::<Mutex<Served>>::default();
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
        open(&self.served).counts.get(path).copied().unwrap_or(0)
    }

    /// Keeps a record of each request for `path` (without the query) from now on.
    pub fn record(&self, path: &str) {
        open(&self.served)
            .records
            .entry(path.to_owned())
            .or_default();
    }

    /// The requests for `path` since it is [recorded](Self::record), oldest first.
    pub fn recorded(&self, path: &str) -> Vec<Arrival> {
        let served = open(&self.served);
        served.records.get(path).cloned().unwrap_or_default()
    }

    /// Serves until the process ends.
    ///
    /// # Errors
    /// When serving fails.
    pub fn serve_forever(self) -> io::Result<()> {
        self.server.serve_forever()
    }
}

fn open(served: &Mutex<Served>) -> MutexGuard<'_, Served> {
    served.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn echo(State(served): State<Arc<Mutex<Served>>>, request: Request) -> Json<Value> {
    let at = SystemTime::now();
    let path = request.uri().path();
    let mut headers: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, value) in request.headers() {
        headers
            .entry(name.as_str())
            .or_default()
            .push(String::from_utf8_lossy(value.as_bytes()).into_owned());
    }
    let headers: BTreeMap<String, String> = headers
        .into_iter()
        .map(|(name, values)| (name.to_owned(), values.join(", ")))
        .collect();
    let count = {
        let mut served = open(&served);
        if let Some(record) = served.records.get_mut(path) {
            record.push(Arrival {
                at,
                headers: headers.clone(),
            });
        }
        let count = served.counts.entry(path.to_owned()).or_default();
        *count += 1;
        *count
    };
    Json(json!({
        "method": request.method().as_str(),
        "path": request.uri().to_string(),
        "count": count,
        "headers": headers,
    }))
}
