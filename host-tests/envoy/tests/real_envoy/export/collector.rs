//! A collector of logs by OTLP/HTTP that keeps what it is sent.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use hallpass_demo::server::Server;
use serde_json::{Value, json};

type Received = Arc<Mutex<Vec<Value>>>;

/// A running collector. Dropping it closes its port.
pub(super) struct Collector {
    server: Server,
    received: Received,
}

impl Collector {
    /// Starts on `127.0.0.1:port`; port 0 takes a free one.
    pub(super) fn start(port: u16) -> Self {
        let received = Received::default();
        let router = Router::new()
            .route("/v1/logs", post(take))
            .with_state(received.clone());
        Self {
            server: Server::start(port, router).unwrap(),
            received,
        }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Every batch so far.
    pub(super) fn batches(&self) -> Vec<Value> {
        self.received.lock().unwrap().clone()
    }

    /// The path in each record so far.
    pub(super) fn paths(&self) -> Vec<String> {
        let batches = self.batches();
        let records = batches.iter().flat_map(log_records);
        records
            .map(|record| attribute(record, "url.path"))
            .collect()
    }
}

async fn take(State(received): State<Received>, Json(batch): Json<Value>) -> Json<Value> {
    received.lock().unwrap().push(batch);
    Json(json!({}))
}

/// The records in a batch.
pub(super) fn log_records(batch: &Value) -> &Vec<Value> {
    let records = &batch["resourceLogs"][0]["scopeLogs"][0]["logRecords"];
    records
        .as_array()
        .unwrap_or_else(|| panic!("no records: {batch}"))
}

/// A text among a record's attributes.
pub(super) fn attribute(record: &Value, key: &str) -> String {
    let attributes = record["attributes"].as_array().unwrap();
    let found = attributes.iter().find(|attribute| attribute["key"] == key);
    let found = found.unwrap_or_else(|| panic!("no {key}: {record}"));
    found["value"]["stringValue"].as_str().unwrap().to_owned()
}
