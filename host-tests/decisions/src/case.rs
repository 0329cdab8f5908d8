//! One case, and the world that it plays in unless it says otherwise.

use std::collections::BTreeMap;

use hallpass_tokens::{AUDIENCE, ISSUER, NOW, SigningKey, TokenBuilder, jwks};
use serde_json::{Value, json};

/// A request in its world, and what must become of it.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it shows, as a sentence.
    pub name: &'static str,
    /// The configuration.
    pub config: Value,
    /// The Unix second at which the request comes.
    pub at: i64,
    /// Its method.
    pub method: &'static str,
    /// Its URL, which is split and never corrected.
    pub url: String,
    /// Its token, for `authorization: Bearer`.
    pub token: Option<String>,
    /// Its other headers.
    pub headers: Vec<(&'static str, String)>,
    /// The client's address.
    pub source_ip: Option<&'static str>,
    /// What the issuer's keys are like.
    pub keys: Keys,
    /// What the grant service is like.
    pub service: Service,
    /// What must become of it.
    pub expected: Expected,
}

/// What the issuer's keys are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// The issuer publishes [`published`].
    Published,
    /// They cannot be had.
    Unreachable,
}

/// What the grant service is like.
#[derive(Clone, Debug)]
pub enum Service {
    /// It must not be asked.
    Unasked,
    /// It answers with this.
    Replies(Value),
    /// It cannot be reached.
    Unreachable,
}

/// What must become of a request.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// Whether it passes.
    pub allows: bool,
    /// Why.
    pub reason: &'static str,
    /// What the client gets, or would get if it were not for monitor mode; 200 for what is allowed.
    pub status: u16,
    /// Whether it passes all the same, in monitor mode.
    pub is_monitored: bool,
    /// Whether the filter answers it itself, although it is allowed.
    pub is_answered: bool,
    /// Headers that the upstream does not get.
    pub removed: Vec<&'static str>,
    /// What is left of the cookies, where the token was one of them.
    pub cookies: Option<&'static str>,
    /// Headers that the upstream gets from the filter.
    pub set: BTreeMap<&'static str, String>,
    /// The path that the upstream gets, where it is another.
    pub path: Option<&'static str>,
    /// The authority that the upstream gets, where it is another.
    pub authority: Option<&'static str>,
    /// Where the refused client is sent to ask for access.
    pub request_url: Option<String>,
}

/// The keys that the issuer publishes.
pub fn published() -> Value {
    jwks(&[&key(), &SigningKey::rs256("rsa")])
}

pub(crate) fn key() -> SigningKey {
    SigningKey::es256("kid-1")
}

pub(crate) fn alice() -> TokenBuilder {
    TokenBuilder::for_user("alice")
}

fn config() -> Value {
    json!({
        "providers": [{
            "name": "corp",
            "issuer": ISSUER,
            "audiences": [AUDIENCE],
            "algorithms": ["ES256", "RS256"],
            "jwks": { "remote": { "cluster": "idp", "uri": "https://idp.example/jwks.json" } },
            "token_sources": [{ "header": "authorization" }, { "cookie": "hallpass" }],
            "max_token_age": "24h",
        }],
        "resources": [
            { "name": "health", "match": { "paths": ["/healthz"] }, "access": "public" },
            { "name": "profile", "match": { "paths": ["/me", "/me/{*rest}"] }, "access": "identity" },
            { "name": "internal", "match": { "paths": ["/internal/{*rest}"] }, "access": "deny" },
            { "name": "orders", "match": { "hosts": ["admin.example"], "paths": ["/orders/{*rest}"], "methods": ["GET", "HEAD"] },
              "access": "grant", "action": "read", "max_grant_lifetime": "8h" },
            { "name": "orders", "match": { "hosts": ["*.example"], "paths": ["/orders/{*rest}"], "methods": ["POST"] },
              "access": "grant" },
        ],
        "grants": {
            "service": { "cluster": "grants", "context": ["source_ip", "method"] },
            "request_url": "https://grants.example/request?resource={resource}&action={action}",
        },
        "claim_headers": { "tenant": "x-tenant" },
    })
}

impl Case {
    /// A request to `https://admin.example` with this path.
    pub(crate) fn get(name: &'static str, path: &str) -> Self {
        Self {
            name,
            config: config(),
            at: NOW,
            method: "GET",
            url: format!("https://admin.example{path}"),
            token: None,
            headers: Vec::new(),
            source_ip: None,
            keys: Keys::Published,
            service: Service::Unasked,
            expected: Expected::default(),
        }
    }

    /// An order that is read by Alice, by this token.
    pub(crate) fn order(name: &'static str, token: TokenBuilder) -> Self {
        Self::get(name, "/orders/7").by(token)
    }

    pub(crate) fn method(mut self, method: &'static str) -> Self {
        self.method = method;
        self
    }

    pub(crate) fn url(mut self, url: &str) -> Self {
        url.clone_into(&mut self.url);
        self
    }

    pub(crate) fn after(mut self, seconds: i64) -> Self {
        self.at += seconds;
        self
    }

    pub(crate) fn by(self, token: TokenBuilder) -> Self {
        self.bearing(token.signed_by(&key()))
    }

    pub(crate) fn bearing(mut self, token: String) -> Self {
        self.token = Some(token);
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Under the usual configuration with the value at a JSON pointer put in or replaced.
    pub(crate) fn under(mut self, pointer: &str, value: Value) -> Self {
        let (parent, member) = pointer.rsplit_once('/').expect("a JSON pointer");
        self.config.pointer_mut(parent).expect("a place")[member] = value;
        self
    }

    pub(crate) fn without_service(mut self) -> Self {
        let grants = self.config["grants"].as_object_mut();
        grants.expect("an object").remove("service");
        self
    }

    pub(crate) fn answered(mut self, reply: Value) -> Self {
        self.service = Service::Replies(reply);
        self
    }

    /// It must pass for this reason.
    pub(crate) fn passes(mut self, reason: &'static str) -> Self {
        self.expected.allows = true;
        self.expected.reason = reason;
        self.expected.status = 200;
        if self.token.is_some() {
            self.expected.removed.push("authorization");
        }
        self
    }

    /// It must pass for this reason, and the upstream is told that it is Alice's.
    pub(crate) fn passes_as_alice(self, reason: &'static str) -> Self {
        self.passes(reason)
            .set("x-hallpass-subject", "alice")
            .set("x-hallpass-issuer", ISSUER)
    }

    pub(crate) fn set(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.expected.set.insert(name, value.into());
        self
    }

    pub(crate) fn removed(mut self, name: &'static str) -> Self {
        self.expected.removed.push(name);
        self
    }

    /// The filter must answer it itself, with what everybody may know.
    pub(crate) fn answered_by_the_filter(mut self, status: u16) -> Self {
        self.expected.is_answered = true;
        self = self.passes("public");
        self.expected.status = status;
        self
    }

    /// From a client at this address.
    pub(crate) fn from(mut self, address: &'static str) -> Self {
        self.source_ip = Some(address);
        self
    }

    /// It must be refused for this reason.
    pub(crate) fn refused(mut self, status: u16, reason: &'static str) -> Self {
        self.expected.reason = reason;
        self.expected.status = status;
        self
    }

    /// It must be decided to be refused for this reason, and pass all the same.
    pub(crate) fn passes_monitored(mut self, status: u16, reason: &'static str) -> Self {
        self.expected.is_monitored = true;
        if self.token.is_some() {
            self.expected.removed.push("authorization");
        }
        self.refused(status, reason)
    }

    /// It must be refused, and the client told where to ask for this action on this resource.
    pub(crate) fn refused_with_link(
        mut self,
        reason: &'static str,
        (resource, action): (&str, &str),
    ) -> Self {
        let url = format!("https://grants.example/request?resource={resource}&action={action}");
        self.expected.request_url = Some(url);
        self.refused(403, reason)
    }
}
