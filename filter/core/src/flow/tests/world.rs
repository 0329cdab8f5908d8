//! The world of the stories: a worker's gate and its clock, people with tokens, and a grant service that says what it is told to.

use super::*;
use crate::config::Config;
use crate::grant::DecisionKey;
use crate::grant::service::RawReply;
use crate::token::signature::PureRust;
use hallpass_tokens::{SigningKey, TokenBuilder};
use serde_json::{Value, json};
use std::time::Duration;

pub(super) struct World {
    pub(super) gate: Gate,
    pub(super) now: UnixMillis,
}

impl World {
    /// How often this was counted since anything was last asked for.
    pub(super) fn counted(&mut self, counter: Counter) -> u32 {
        let mut all = self.gate.take_counted();
        let found = all.find(|(one, _)| *one == counter);
        found.map_or(0, |(_, count)| count)
    }

    pub(super) fn new() -> Self {
        Self::with(&config())
    }

    pub(super) fn with(config: &Value) -> Self {
        let config = Config::parse(config.to_string().as_bytes()).unwrap();
        Self {
            gate: Gate::new(Arc::new(config), Box::new(PureRust)),
            now: UnixMillis::from_seconds(NOW).unwrap(),
        }
    }

    pub(super) fn pass(&mut self, seconds: u64) {
        self.now = self.now.saturating_add(Duration::from_secs(seconds));
    }

    pub(super) fn send(&mut self, request: Request) -> (Exchange, Step) {
        let mut exchange = Exchange::new(request.0);
        let step = exchange.start(&mut self.gate, self.now);
        (exchange, step)
    }

    pub(super) fn outcome(&mut self, request: Request) -> String {
        told(&self.send(request).1)
    }

    /// Sends a request that must lead to a question, and answers it.
    pub(super) fn outcome_when_answered(
        &mut self,
        request: Request,
        answer: &str,
        after: u64,
    ) -> String {
        let (mut exchange, step) = self.send(request);
        let Step::Wait(Need::Grant(query)) = step else {
            panic!("no question was asked: {}", told(&step));
        };
        let asked = self.gate.asking(self.now);
        self.pass(after);
        let outcome = self.learn_asked(query.key(), answer, asked);
        told(&exchange.on_grant(&mut self.gate, &outcome, self.now))
    }

    pub(super) fn learn(&mut self, key: DecisionKey, answer: &str) -> GrantOutcome {
        self.learn_asked(key, answer, self.now)
    }

    /// The service answers a question that was asked then.
    pub(super) fn learn_asked(
        &mut self,
        key: DecisionKey,
        answer: &str,
        asked: UnixMillis,
    ) -> GrantOutcome {
        let reply = RawReply::json(answer.as_bytes());
        self.gate
            .on_grant_reply(key, reply, asked, self.now)
            .map_or_else(
                |fault| GrantOutcome::Failed(fault.failure()),
                GrantOutcome::Decided,
            )
    }
}

/// A step in one word.
pub(super) fn told(step: &Step) -> String {
    match step {
        Step::Continue(passage) => passage.reason.as_str().to_owned(),
        Step::Respond(refusal) => format!("{} {}", refusal.answer.status, refusal.reason.as_str()),
        Step::Wait(Need::Keys(_)) => "waits for keys".to_owned(),
        Step::Wait(Need::NewKey(_)) => "waits for a new key".to_owned(),
        Step::Wait(Need::Grant(_)) => "asks".to_owned(),
        Step::Wait(Need::Revocations) => "waits for revocations".to_owned(),
    }
}

pub(super) struct Request(RequestHead);

impl Request {
    pub(super) fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    pub(super) fn new(method: &str, path: &str) -> Self {
        let mut head = RequestHead::default();
        head.headers.push(b":method", method.as_bytes());
        head.headers.push(b":authority", b"admin.example");
        head.headers.push(b":path", path.as_bytes());
        Self(head)
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.0.headers.push(name.as_bytes(), value.as_bytes());
        self
    }

    pub(super) fn from(mut self, address: &str) -> Self {
        self.0.source_ip = address.parse().ok();
        self
    }

    pub(super) fn with_fingerprint(mut self, sha256: &str) -> Self {
        self.0.certificate.get_or_insert_default().sha256 = Some(sha256.to_owned());
        self
    }

    pub(super) fn by(self, token: TokenBuilder) -> Self {
        let token = token.signed_by(&key());
        self.header("authorization", &format!("Bearer {token}"))
    }
}

pub(super) fn key() -> SigningKey {
    SigningKey::es256("e")
}

pub(super) fn alice() -> TokenBuilder {
    TokenBuilder::for_user("alice")
}

pub(super) fn config() -> Value {
    json!({
        "providers": [{
            "name": "corp",
            "issuer": hallpass_tokens::ISSUER,
            "audiences": [hallpass_tokens::AUDIENCE],
            "jwks": { "inline": hallpass_tokens::jwks(&[&key()]) },
            "clock_skew": "0s",
        }],
        "resources": [
            { "name": "health", "match": { "paths": ["/healthz"] }, "access": "public" },
            { "name": "vault", "match": { "paths": ["/vault"] }, "access": "deny" },
            { "name": "profile", "match": { "paths": ["/me"] }, "access": "identity" },
            { "name": "orders", "match": { "paths": ["/orders/{*rest}"] }, "access": "grant", "action": "read",
              "max_grant_lifetime": "8h" },
        ],
        "grants": { "service": { "cluster": "grants" }, "request_url": "https://grants.example/r?r={resource}&a={action}" },
    })
}

pub(super) fn without_service() -> Value {
    let mut config = config();
    config["grants"].as_object_mut().unwrap().remove("service");
    config
}

pub(super) fn with_service(member: &str, value: Value) -> Value {
    let mut config = config();
    config["grants"]["service"][member] = value;
    config
}

pub(super) fn allow_until(seconds: i64) -> String {
    let until = UnixMillis::from_seconds(seconds).unwrap().to_rfc3339();
    json!({ "decision": true, "context": { "approval": { "id": "g-1", "approved_until": until } } })
        .to_string()
}

pub(super) const DENY: &str = r#"{"decision":false}"#;
