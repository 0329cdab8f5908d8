//! Records as OTLP carries them: log records in JSON (OpenTelemetry Protocol 1.x, OTLP/HTTP with the JSON encoding of its messages).
//!
//! A record is encoded once, when its decision is made, and lies in the queue as the text that is sent: what a queue holds is then known
//! to the byte, and a batch is put together by joining texts. Its body is the very line that the log may hold; its attributes are what
//! a query selects by, under OpenTelemetry's own names where it has some.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Record;
use super::line::MAX_TEXT_BYTES;
use crate::line::one_line;
use crate::time::UnixMillis;

/// The name of the event, by which collectors tell these records from others.
const EVENT: &str = "hallpass.decision";
/// The largest answer of a collector that is read.
pub const MAX_ANSWER_BYTES: usize = 4096;

/// A record as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRecord {
    made: UnixMillis,
    text: String,
}

impl LogRecord {
    /// Encodes a record; `line` is its line for the log.
    pub fn new(record: &Record<'_>, line: &str) -> Self {
        let nanoseconds = format!("{}000000", record.made.as_millis());
        let allows = record.decision == "allow";
        let encoded = Encoded {
            time_unix_nano: &nanoseconds,
            observed_time_unix_nano: &nanoseconds,
            severity_number: if allows { 9 } else { 13 },
            severity_text: if allows { "INFO" } else { "WARN" },
            event_name: EVENT,
            body: AnyValue::StringValue(line),
            attributes: attributes(record),
            trace_id: record.trace.map(|trace| trace.trace_id),
            span_id: record.trace.map(|trace| trace.span_id),
            flags: record.trace.map(|trace| trace.flags),
        };
        Self {
            made: record.made,
            text: serde_json::to_string(&encoded).unwrap_or_default(),
        }
    }

    /// When its decision was made.
    pub fn made(&self) -> UnixMillis {
        self.made
    }

    /// How much room it takes, in bytes.
    pub fn size(&self) -> usize {
        self.text.len()
    }
}

/// The members of `LogRecord` in OTLP's `logs.proto`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Encoded<'a> {
    time_unix_nano: &'a str,
    observed_time_unix_nano: &'a str,
    severity_number: u8,
    severity_text: &'static str,
    event_name: &'static str,
    body: AnyValue<'a>,
    attributes: Vec<Attribute<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    span_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flags: Option<u8>,
}

#[derive(Serialize)]
struct Attribute<'a> {
    key: &'static str,
    value: AnyValue<'a>,
}

/// The values that are needed of OTLP's `AnyValue`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum AnyValue<'a> {
    StringValue(&'a str),
    BoolValue(bool),
    IntValue(u16),
    #[serde(rename = "stringValue")]
    Address(IpAddr),
}

fn attributes<'a>(record: &'a Record<'_>) -> Vec<Attribute<'a>> {
    let text = |text: &'a str| AnyValue::StringValue(shortened(text));
    [
        ("hallpass.decision", Some(text(record.decision))),
        (
            "hallpass.enforced",
            Some(AnyValue::BoolValue(record.enforced)),
        ),
        ("hallpass.reason", Some(text(record.reason))),
        (
            "http.response.status_code",
            Some(AnyValue::IntValue(record.status)),
        ),
        ("enduser.id", record.subject.map(text)),
        ("hallpass.issuer", record.issuer.map(text)),
        ("hallpass.resource", record.resource.map(text)),
        ("hallpass.action", record.action.map(text)),
        ("http.request.method", record.method.as_deref().map(text)),
        ("server.address", record.host.as_deref().map(text)),
        ("url.path", record.path.as_deref().map(text)),
        ("client.address", record.source_ip.map(AnyValue::Address)),
        ("hallpass.request_id", record.request_id.map(text)),
        ("hallpass.token_id", record.token_id.map(text)),
        ("hallpass.acr", record.acr.map(text)),
        ("hallpass.grant_id", record.grant_id.map(text)),
        (
            "hallpass.grant_expires",
            record.grant_expires.as_deref().map(text),
        ),
        ("hallpass.config", Some(text(record.config))),
    ]
    .into_iter()
    .filter_map(|(key, value)| value.map(|value| Attribute { key, value }))
    .collect()
}

/// No longer than a text in the line.
fn shortened(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_TEXT_BYTES))
        .unwrap_or_default()
}

/// What stands around the records of every batch: who they are from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    head: String,
}

impl Envelope {
    const TAIL: &str = "]}]}]}";

    /// For records of the proxy that calls itself `instance`; an empty name is none.
    pub fn new(instance: &str) -> Self {
        let mut resource = vec![Attribute {
            key: "service.name",
            value: AnyValue::StringValue("hallpass"),
        }];
        if !instance.is_empty() {
            resource.push(Attribute {
                key: "service.instance.id",
                value: AnyValue::StringValue(shortened(instance)),
            });
        }
        let resource = serde_json::to_string(&resource).unwrap_or_default();
        let version = env!("CARGO_PKG_VERSION");
        Self {
            head: format!(
                r#"{{"resourceLogs":[{{"resource":{{"attributes":{resource}}},"scopeLogs":[{{"scope":{{"name":"hallpass","version":"{version}"}},"logRecords":["#
            ),
        }
    }

    /// The body of a request that carries these records (`ExportLogsServiceRequest`).
    pub fn around(&self, records: &[LogRecord]) -> Vec<u8> {
        let records: Vec<&str> = records.iter().map(|record| record.text.as_str()).collect();
        [&self.head, records.join(",").as_str(), Self::TAIL]
            .concat()
            .into_bytes()
    }
}

/// What a collector that took a batch says of it (`ExportLogsServiceResponse`).
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Acceptance {
    /// How many records it did not take.
    pub rejected: usize,
    /// Why, on one line; empty if it does not say.
    pub message: String,
}

impl Acceptance {
    /// Reads the body of a successful answer. One that cannot be read rejects nothing: the status says that the batch was taken.
    pub fn read(body: &[u8]) -> Self {
        #[derive(Default, Deserialize)]
        #[serde(default, rename_all = "camelCase")]
        struct Answer {
            partial_success: Option<Partial>,
        }
        #[derive(Default, Deserialize)]
        #[serde(default, rename_all = "camelCase")]
        struct Partial {
            rejected_log_records: Value,
            error_message: String,
        }
        if body.len() > MAX_ANSWER_BYTES {
            return Self::default();
        }
        let answer: Answer = serde_json::from_slice(body).unwrap_or_default();
        let partial = answer.partial_success.unwrap_or_default();
        // An `int64` is a string in the JSON of protobuf, and readers are to take a number as well.
        let rejected = match &partial.rejected_log_records {
            Value::String(text) => text.parse().ok(),
            other => other.as_u64(),
        };
        Self {
            rejected: rejected
                .and_then(|count: u64| usize::try_from(count).ok())
                .unwrap_or(0),
            message: one_line(&partial.error_message),
        }
    }
}

#[cfg(test)]
mod tests;
