//! The grant service: an `OpenID` `AuthZEN` Authorization API 1.0 decision point.
//!
//! A [`Question`] is everything that is asked, and the key under which the answer may be remembered is made of all of it; a [`Query`] is
//! the same on its way to the service. A [`Ruling`] is what is understood of the answer, which [`reply`] reads.

mod evaluation;
mod form;
mod obligations;
pub mod reply;
pub mod together;

use std::net::IpAddr;
use std::sync::Arc;

use serde::Serialize;
use sha2::Sha256;

use super::{Asker, DecisionKey};
use crate::digest::Digest;
use crate::identity::{Identity, StepUp};
use crate::ids::{Action, GrantId, ResourceName};
use crate::request::CanonicalRequest;
use crate::time::UnixMillis;

pub use reply::{GrantReply, MAX_REPLY_BYTES, RawReply, Remark, ServiceFault};
pub use together::MAX_REPLIES_BYTES;

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

/// What is asked about a request, where it lies: enough to find what was answered before. [`Question::to_query`] makes it one that is sent.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    key: DecisionKey,
    identity: &'a Identity,
    action: &'a Action,
    resource_type: &'a str,
    resource: &'a ResourceName,
    context: Context<'a>,
}

/// The facts of the request that the service is told.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    source_ip: Option<IpAddr>,
    method: Option<&'a str>,
    host: Option<&'a str>,
    path: Option<&'a str>,
}

impl<'a> Context<'a> {
    /// Those of a request that the configuration names.
    pub fn of(facts: &[Fact], request: &'a CanonicalRequest, source_ip: Option<IpAddr>) -> Self {
        let mut context = Self::default();
        for fact in facts {
            match fact {
                Fact::SourceIp => context.source_ip = source_ip,
                Fact::Method => context.method = Some(&request.method),
                Fact::Host => context.host = Some(&request.host),
                Fact::Path => context.path = Some(&request.path),
            }
        }
        context
    }
}

impl<'a> Question<'a> {
    /// Whether `identity` may do `action` to `resource`.
    pub fn new(
        identity: &'a Identity,
        resource: &'a ResourceName,
        resource_type: &'a str,
        action: &'a Action,
        context: Context<'a>,
    ) -> Self {
        let mut hash = Digest(identity.hashed_once(hash_of_identity).clone());
        hash.part(action.as_str());
        hash.part(resource_type);
        hash.part(resource.as_str());
        hash.optional(context.source_ip.map(|ip| ip.to_string()).as_deref());
        hash.optional(context.method);
        hash.optional(context.host);
        hash.optional(context.path);
        Self {
            key: DecisionKey::new(hash.finish()),
            identity,
            action,
            resource_type,
            resource,
            context,
        }
    }

    /// The key under which the answer to exactly this question may be remembered.
    ///
    /// Every part of the question goes in, each with its length before it, so that no two questions share a key by moving text from
    /// one part into the next. Who asks comes first, and is hashed once for all that is ever asked for a token.
    pub fn key(&self) -> DecisionKey {
        self.key
    }

    /// The question as it is sent.
    pub fn to_query(&self) -> Query {
        let identity = self.identity;
        let context = self.context;
        Query {
            key: self.key,
            asker: Asker::of(identity),
            subject: QuerySubject {
                r#type: SUBJECT_TYPE,
                id: identity.subject().to_owned(),
                properties: SubjectProperties {
                    iss: identity.issuer().to_string(),
                    email: identity.email().map(str::to_owned),
                    groups: identity.groups().map(str::to_owned).collect(),
                },
            },
            action: QueryAction {
                name: self.action.to_string(),
            },
            resource: QueryResource {
                r#type: self.resource_type.to_owned(),
                id: self.resource.to_string(),
            },
            context: QueryContext {
                source_ip: context.source_ip,
                method: context.method.map(str::to_owned),
                host: context.host.map(str::to_owned),
                path: context.path.map(str::to_owned),
            },
        }
    }
}

/// The `type` of every subject.
const SUBJECT_TYPE: &str = "user";

fn hash_of_identity(identity: &Identity) -> Sha256 {
    let mut hash = Digest::default();
    hash.part(SUBJECT_TYPE);
    hash.part(identity.subject());
    hash.part(identity.issuer().as_str());
    hash.optional(identity.email());
    hash.count(identity.groups().count());
    for group in identity.groups() {
        hash.part(group);
    }
    hash.0
}

/// One question to the decision point: the body of `POST /access/v1/evaluation`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Query {
    #[serde(skip)]
    key: DecisionKey,
    #[serde(skip)]
    asker: Asker,
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
    /// The request's body.
    pub fn to_body(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The key of the [`Question`].
    pub fn key(&self) -> DecisionKey {
        self.key
    }

    /// Who asks.
    pub fn asker(&self) -> Asker {
        self.asker
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
        /// Only for those who signed in like this.
        step_up: Option<Arc<StepUp>>,
    },
    /// No.
    Deny {
        /// Where access can be requested, if the service named a form of the configured origin.
        form_url: Option<Arc<str>>,
    },
    /// Yes, if the filter does something that it cannot do; so: no (`AuthZEN` Obligations Profile).
    Obliged,
}

impl Ruling {
    /// About what it takes in memory, its key included, in bytes.
    pub fn weight(&self) -> usize {
        const FIXED: usize = 256;
        let more = match self {
            Self::Allow { id, step_up, .. } => {
                let id = id.as_ref().map_or(0, |id| id.as_str().len());
                id.saturating_add(step_up.as_ref().map_or(0, |step_up| step_up.weight()))
            }
            Self::Deny { form_url } => form_url.as_ref().map_or(0, |url| url.len()),
            Self::Obliged => 0,
        };
        FIXED.saturating_add(more)
    }
}

/// What the service decided, and when it was asked: it knows of what had happened by then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// What it decided.
    pub ruling: Ruling,
    /// When it was asked.
    pub asked: UnixMillis,
}

/// What a service that did not decide has failed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// At its work, as far as can be told: no question is to blame for that.
    Service,
    /// At this question: the service says that it is none that it answers, or as many are under way as may be. Whoever asks can bring
    /// that about, so it opens nothing.
    Question,
}

/// What came of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantOutcome {
    /// The service decided.
    Decided(Word),
    /// It did not.
    Failed(Failure),
    /// The filter gave the question up: as many requests wait as may, or its configuration was replaced. That says nothing of the service,
    /// and never opens anything.
    GivenUp,
}

#[cfg(test)]
mod tests;
