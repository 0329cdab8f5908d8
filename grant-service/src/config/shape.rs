//! The shape of the configuration as it is written. What the members mean is decided where each is validated.

use hallpass_core::config::field::{Expected, Field};
use hallpass_core::config::span::Span;
use hallpass_core::shape;
use serde::Deserialize;
use serde_json::Value;

use crate::audit::Event;

pub(super) type List<T> = Vec<Field<T>>;

shape! {
    /// The configuration of the grant service.
    pub(super) RawConfig {
        listen: String,
        public_url: String,
        sign_in_url: String,
        return_origins: List<String>,
        database: String,
        providers: Value,
        identity_headers: RawIdentityHeaders,
        services: List<RawService>,
        policy: RawPolicy,
        webhooks: List<RawWebhook>,
        revocations: RawRevocations,
    }
}

shape! {
    /// Who is believed to tell who has signed in, and in which headers.
    pub(super) RawIdentityHeaders {
        trusted_proxies: List<String>,
        issuers: List<String>,
        subject: String,
        issuer: String,
        email: String,
        groups: String,
    }
}

shape! {
    /// A program that may call, a proxy for example.
    pub(super) RawService {
        name: String,
        token: Value,
    }
}

shape! {
    /// The rules.
    pub(super) RawPolicy {
        administrators: RawWho,
        auditors: RawWho,
        resources: List<RawRule>,
    }
}

shape! {
    /// What holds for some actions on one resource.
    pub(super) RawRule {
        resource: String,
        r#type: String,
        title: String,
        actions: List<String>,
        requesters: RawWho,
        approvers: RawWho,
        approvals: u64,
        max_duration: Span,
        default_duration: Span,
        pending_for: Span,
        reason_pattern: String,
        reason_hint: String,
        automatic: RawShortcut,
        break_glass: RawShortcut,
    }
}

shape! {
    /// Some people.
    pub(super) RawWho {
        everyone: bool,
        groups: List<String>,
        subjects: List<String>,
        issuers: List<String>,
    }
}

shape! {
    /// A way to a grant that nobody approves.
    pub(super) RawShortcut {
        who: RawWho,
        max_duration: Span,
    }
}

shape! {
    /// Someone who is told what happens.
    pub(super) RawWebhook {
        name: String,
        url: String,
        secret: Value,
        events: List<Told>,
    }
}

shape! {
    /// What becomes of revocations.
    pub(super) RawRevocations {
        remember: Span,
    }
}

/// An event that a webhook is told of.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(transparent)]
pub(super) struct Told(pub(super) Event);

impl Expected for Told {
    const EXPECTED: &'static str = "an event of the record, such as `request_opened`, `request_approved`, `glass_broken` or `grant_revoked`";
}
