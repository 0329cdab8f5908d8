//! The grant service: an `OpenID` `AuthZEN` Authorization API 1.0 decision point.
//!
//! A [`Query`] is everything that is asked, and the key under which the answer may be remembered is made of all of it. A reply that is
//! not exactly a decision is a failure of the service: never an allow, never a deny, never remembered.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::DecisionKey;
use crate::cache_control::CacheControl;
use crate::identity::{Identity, is_header_value};
use crate::ids::{Action, GrantId, ResourceName};
use crate::json::{self, Object};
use crate::request::CanonicalRequest;
use crate::time::UnixMillis;

/// A larger reply is not read.
pub const MAX_REPLY_BYTES: usize = 64 * 1024;
/// A longer grant id is not believed.
const MAX_ID_BYTES: usize = 256;

/// A fact of the request that the service may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// The client's address.
    SourceIp,
    /// The method.
    Method,
    /// The host.
    Host,
    /// The path.
    Path,
}

impl Fact {
    /// Every fact that can be configured.
    pub const ALL: [Self; 4] = [Self::SourceIp, Self::Method, Self::Host, Self::Path];

    /// The name in the configuration and in the query's `context`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SourceIp => "source_ip",
            Self::Method => "method",
            Self::Host => "host",
            Self::Path => "path",
        }
    }
}

/// One question to the decision point: the body of `POST /access/v1/evaluation`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Query {
    subject: QuerySubject,
    action: QueryAction,
    resource: QueryResource,
    #[serde(skip_serializing_if = "QueryContext::is_empty")]
    context: QueryContext,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct QuerySubject {
    r#type: &'static str,
    id: String,
    properties: SubjectProperties,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct SubjectProperties {
    iss: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    groups: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct QueryAction {
    name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct QueryResource {
    r#type: String,
    id: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
struct QueryContext {
    #[serde(skip_serializing_if = "Option::is_none")]
    source_ip: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

impl QueryContext {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Query {
    /// Asks whether `identity` may do `action` to `resource`.
    pub fn new(
        identity: &Identity,
        resource: &ResourceName,
        resource_type: &str,
        action: &Action,
    ) -> Self {
        Self {
            subject: QuerySubject {
                r#type: "user",
                id: identity.subject().to_owned(),
                properties: SubjectProperties {
                    iss: identity.issuer().to_string(),
                    email: identity.email().map(str::to_owned),
                    groups: identity.groups().map(str::to_owned).collect(),
                },
            },
            action: QueryAction {
                name: action.to_string(),
            },
            resource: QueryResource {
                r#type: resource_type.to_owned(),
                id: resource.to_string(),
            },
            context: QueryContext::default(),
        }
    }

    /// Adds the facts that the configuration names.
    #[must_use]
    pub fn with_facts(
        mut self,
        facts: &[Fact],
        request: &CanonicalRequest,
        source_ip: Option<IpAddr>,
    ) -> Self {
        for fact in facts {
            match fact {
                Fact::SourceIp => self.context.source_ip = source_ip,
                Fact::Method => self.context.method = Some(request.method.clone()),
                Fact::Host => self.context.host = Some(request.host.clone()),
                Fact::Path => self.context.path = Some(request.path.clone()),
            }
        }
        self
    }

    /// The request's body.
    pub fn to_body(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The key under which the answer to exactly this question may be remembered.
    ///
    /// Every part of the question goes in, each with its length before it, so that no two questions share a key by moving text from
    /// one part into the next.
    pub fn key(&self) -> DecisionKey {
        let mut hash = KeyHash(Sha256::new());
        let QuerySubject {
            r#type,
            id,
            properties: SubjectProperties { iss, email, groups },
        } = &self.subject;
        hash.part(r#type);
        hash.part(id);
        hash.part(iss);
        hash.optional(email.as_deref());
        hash.count(groups.len());
        for group in groups {
            hash.part(group);
        }
        hash.part(&self.action.name);
        hash.part(&self.resource.r#type);
        hash.part(&self.resource.id);
        let QueryContext {
            source_ip,
            method,
            host,
            path,
        } = &self.context;
        hash.optional(source_ip.map(|ip| ip.to_string()).as_deref());
        hash.optional(method.as_deref());
        hash.optional(host.as_deref());
        hash.optional(path.as_deref());
        DecisionKey::new(hash.0.finalize().into())
    }
}

struct KeyHash(Sha256);

impl KeyHash {
    fn count(&mut self, count: usize) {
        self.0.update((count as u64).to_le_bytes());
    }

    fn part(&mut self, text: &str) {
        self.count(text.len());
        self.0.update(text);
    }

    fn optional(&mut self, text: Option<&str>) {
        self.0.update([u8::from(text.is_some())]);
        if let Some(text) = text {
            self.part(text);
        }
    }
}

/// What the service decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// Yes.
    Allow {
        /// The grant's own name.
        id: Option<GrantId>,
        /// The grant's end (`approval.approved_until`).
        until: Option<UnixMillis>,
    },
    /// No.
    Deny,
    /// Yes, if the filter does something that it cannot do; so: no (`AuthZEN` Obligations Profile).
    Obliged,
}

impl Ruling {
    /// About what it takes in memory, its key included, in bytes.
    pub fn weight(&self) -> usize {
        const FIXED: usize = 256;
        match self {
            Self::Allow { id: Some(id), .. } => FIXED.saturating_add(id.as_str().len()),
            Self::Allow { id: None, .. } | Self::Deny | Self::Obliged => FIXED,
        }
    }
}

/// A decision, and how long the service lets it be remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantReply {
    /// The decision.
    pub ruling: Ruling,
    /// `Cache-Control` (RFC 9111, section 5.2.2): zero for `no-store` and `no-cache`, `None` where it does not say.
    pub max_age: Option<Duration>,
}

/// What came of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantOutcome {
    /// The service decided.
    Decided(Ruling),
    /// It did not.
    Failed,
    /// The filter gave the question up: as many requests wait as may, or its configuration was replaced. That says nothing of the service,
    /// and never opens anything.
    GivenUp,
}

/// Why a reply is not a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceFault {
    /// The status is not 200: an error, a redirect, a proxy's word that the service is gone.
    Status(u16),
    /// The body is too large.
    TooLarge,
    /// The content type is not JSON.
    ContentType,
    /// The body is not what the specification says.
    Body(String),
}

impl fmt::Display for ServiceFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "status {status}, expected 200"),
            Self::TooLarge => write!(f, "a body of more than {MAX_REPLY_BYTES} bytes"),
            Self::ContentType => f.write_str("a content type that is not application/json"),
            Self::Body(why) => write!(f, "a body that is no decision: {why}"),
        }
    }
}

/// A reply as it came over the wire.
#[derive(Debug, Clone, Copy)]
pub struct RawReply<'a> {
    /// The HTTP status.
    pub status: u16,
    /// `content-type`.
    pub content_type: Option<&'a [u8]>,
    /// `cache-control`.
    pub cache_control: Option<&'a [u8]>,
    /// The body.
    pub body: &'a [u8],
}

#[derive(Deserialize)]
struct Evaluation {
    decision: bool,
    context: Option<Value>,
}

#[derive(Deserialize, Default)]
struct EvaluationContext {
    approval: Option<Object<Approval>>,
    obligations: Option<Vec<Value>>,
}

#[derive(Deserialize)]
struct Approval {
    id: Option<String>,
    approved_until: Option<String>,
}

impl GrantReply {
    /// Reads a reply.
    ///
    /// # Errors
    /// [`ServiceFault`] for everything that is not a decision in the words of the specification.
    pub fn parse(reply: RawReply<'_>) -> Result<Self, ServiceFault> {
        if reply.status != 200 {
            return Err(ServiceFault::Status(reply.status));
        }
        if reply.body.len() > MAX_REPLY_BYTES {
            return Err(ServiceFault::TooLarge);
        }
        if !reply.content_type.is_some_and(is_json) {
            return Err(ServiceFault::ContentType);
        }
        let Object(evaluation): Object<Evaluation> =
            json::from_slice(reply.body).map_err(|error| ServiceFault::Body(json::told(&error)))?;
        Ok(Self {
            ruling: evaluation.ruling().map_err(ServiceFault::Body)?,
            max_age: reply.cache_control.and_then(max_age),
        })
    }
}

impl Evaluation {
    /// A denial is one whatever else the service says; an allow must be understood as a whole.
    fn ruling(self) -> Result<Ruling, String> {
        if !self.decision {
            return Ok(Ruling::Deny);
        }
        let context = match self.context {
            None => EvaluationContext::default(),
            Some(context) => {
                let read = Object::<EvaluationContext>::deserialize(context);
                read.map_err(|error| json::told(&error))?.0
            }
        };
        if context.obligations.is_some_and(|list| !list.is_empty()) {
            return Ok(Ruling::Obliged);
        }
        match context.approval {
            Some(Object(approval)) => approval.ruling(),
            None => Ok(Ruling::Allow {
                id: None,
                until: None,
            }),
        }
    }
}

impl Approval {
    fn ruling(self) -> Result<Ruling, String> {
        let until = self
            .approved_until
            .map(|text| {
                UnixMillis::from_rfc3339(&text).ok_or("`approved_until` is not an RFC 3339 time")
            })
            .transpose()?;
        let sound = |id: &str| id.len() <= MAX_ID_BYTES && is_header_value(id);
        if self.id.as_deref().is_some_and(|id| !sound(id)) {
            return Err("`approval.id` is too long or holds control characters".to_owned());
        }
        Ok(Ruling::Allow {
            id: self.id.as_deref().map(GrantId::new),
            until,
        })
    }
}

fn is_json(content_type: &[u8]) -> bool {
    let essence = content_type
        .split(|byte| *byte == b';')
        .next()
        .unwrap_or_default();
    essence
        .trim_ascii()
        .eq_ignore_ascii_case(b"application/json")
}

/// How long the answer may be remembered, where the service says.
fn max_age(cache_control: &[u8]) -> Option<Duration> {
    let control = CacheControl::parse(cache_control);
    if control.is_for_now_only {
        Some(Duration::ZERO)
    } else {
        control.max_age
    }
}

#[cfg(test)]
mod tests;
