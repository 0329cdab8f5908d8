//! A worker of the proxy as the core knows it, and the requests that come to it.

pub(crate) mod scenes;

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;
use std::sync::Arc;

use hallpass_core::config::{AuditLog, Config};
use hallpass_core::flow::{Attempt, Authenticated, Exchange, Gate, Need, Step};
use hallpass_core::grant::GrantOutcome;
use hallpass_core::grant::service::RawReply;
use hallpass_core::headers::{Entry, HeaderList};
use hallpass_core::request::RequestHead;
use hallpass_core::time::UnixMillis;
use hallpass_core::token::Algorithm;
use hallpass_core::token::signature::{PublicKey, SignatureFault, SignatureVerifier};
use hallpass_tokens::NOW;
use serde_json::Value;

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 1, 2, 3));

/// What a worker knows, at a moment that does not pass.
pub(crate) struct Worker {
    gate: Gate,
    now: UnixMillis,
    /// Whether the driver asks the proxy for the peer's address.
    wants_source: bool,
}

/// A header map as the proxy hands it over: one buffer, and where everything lies in it.
#[derive(Clone)]
pub(crate) struct Arrival {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

impl Arrival {
    /// What a browser sends by way of a proxy: eleven headers, if it has a token.
    pub(crate) fn new(path: &str, token: Option<&str>) -> Self {
        let mut arrival = Self {
            bytes: Vec::new(),
            entries: Vec::new(),
        };
        let headers = [
            (":method", "GET"),
            (":scheme", "https"),
            (":authority", "admin.example"),
            (":path", path),
            ("accept", "application/json"),
            ("accept-encoding", "gzip, deflate, br"),
            ("accept-language", "en"),
            ("user-agent", "Mozilla/5.0 (X11; Linux x86_64)"),
            ("x-forwarded-for", "10.1.2.3"),
            ("x-request-id", "7c5e8d1f-2f0b-4a52-8f0e-5d0a4b1c9e77"),
        ];
        for (name, value) in headers {
            arrival.push(name, value);
        }
        if let Some(token) = token {
            arrival.push("authorization", &format!("Bearer {token}"));
        }
        arrival
    }

    fn into_head(self, source_ip: Option<IpAddr>) -> RequestHead {
        RequestHead {
            headers: HeaderList::within(self.bytes, self.entries).unwrap_or_default(),
            source_ip,
            more_follows: false,
            certificate: None,
        }
    }

    fn push(&mut self, name: &str, value: &str) {
        let name = self.put(name);
        let value = self.put(value);
        self.entries.push(Entry::new(name, value));
    }

    fn put(&mut self, text: &str) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(text.as_bytes());
        start..self.bytes.len()
    }
}

/// Takes every signature for good: what verifying costs is not the question here, and there are many tokens.
struct Credulous;

impl SignatureVerifier for Credulous {
    fn verify(
        &self,
        _: Algorithm,
        _: &PublicKey,
        _: &[u8],
        _: &[u8],
    ) -> Result<(), SignatureFault> {
        Ok(())
    }
}

impl Worker {
    pub(crate) fn new(config: &Value) -> Self {
        let config = Config::parse(config.to_string().as_bytes())
            .unwrap_or_else(|faults| panic!("the configuration is not sound: {faults:?}"));
        Self {
            wants_source: config.audit.log != AuditLog::None,
            gate: Gate::new(Arc::new(config), Box::new(Credulous)),
            now: UnixMillis::from_seconds(NOW).expect("a date"),
        }
    }

    /// Does for a request what the driver does, but for the calls of the host.
    pub(crate) fn judge(mut self, arrival: Arrival) -> Self {
        let (_, step) = self.start(arrival);
        match &step {
            Step::Continue(passage) => {
                for name in &passage.edits.remove {
                    black_box(&**name);
                }
                for addition in passage.edits.additions() {
                    black_box(addition);
                }
                black_box(passage.audit.as_ref().map(|written| &written.line));
            }
            Step::Respond(refusal) => {
                black_box(&*refusal.answer.body);
                black_box(refusal.audit.as_ref().map(|written| &written.line));
            }
            Step::Wait(_) => {}
        }
        self.write_down();
        self
    }

    fn start(&mut self, arrival: Arrival) -> (Exchange, Step) {
        let source = self.wants_source.then_some(PEER);
        let mut exchange = Exchange::new(arrival.into_head(source));
        let step = exchange.start(&mut self.gate, self.now);
        (exchange, step)
    }

    fn write_down(&mut self) {
        black_box(self.gate.held());
        for notice in self.gate.take_notices() {
            black_box(notice);
        }
    }

    /// Lets a request come that is not counted; a grant service allows what it asks. What it comes to, in a word.
    fn meet(&mut self, arrival: Arrival) -> &'static str {
        let (mut exchange, mut step) = self.start(arrival);
        if let Step::Wait(Need::Grant(query)) = &step {
            let body = format!(
                r#"{{"decision":true,"context":{{"approval":{{"id":"g-42","approved_until":"{}"}}}}}}"#,
                UnixMillis::from_seconds(NOW + 3_600)
                    .expect("a date")
                    .to_rfc3339()
            );
            let reply = RawReply::json(body.as_bytes());
            let word = self
                .gate
                .on_grant_reply(query.key(), reply, self.now, self.now);
            let outcome = GrantOutcome::Decided(word.expect("a decision"));
            step = exchange.on_grant(&mut self.gate, &outcome, self.now);
        }
        self.write_down();
        match step {
            Step::Continue(passage) => passage.reason.as_str(),
            Step::Respond(refusal) => refusal.reason.as_str(),
            Step::Wait(_) => "waits",
        }
    }

    /// Finds out who sent a request, and nothing else.
    fn remember(&mut self, arrival: &Arrival) {
        let head = arrival.clone().into_head(None);
        let mut attempt = Attempt::new(self.now);
        let found = self.gate.authenticate(&head, &mut attempt, self.now);
        assert!(matches!(found, Authenticated::Known(_)), "{found:?}");
        self.write_down();
    }

    /// Lets the like of a request come a few times, until it comes to `reason`, as the one that is counted will.
    pub(crate) fn used_to(mut self, arrival: Arrival, reason: &str) -> (Self, Arrival) {
        for _ in 0..3 {
            self.meet(arrival.clone());
        }
        assert_eq!(self.meet(arrival.clone()), reason, "the scene is another");
        (self, arrival)
    }
}
