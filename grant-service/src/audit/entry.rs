//! One entry of the record.

use serde::{Deserialize, Serialize};

use crate::life::{Actor, PersonId, Target};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Someone asks for access.
    RequestOpened,
    /// An approver says yes, and more approvals are needed.
    RequestSeconded,
    /// The last approval that it takes, or a rule that grants at once.
    RequestApproved,
    /// An approver says no, or what it asks for was revoked meanwhile.
    RequestDenied,
    /// The one who asked took it back.
    RequestWithdrawn,
    /// Nobody decided in time.
    RequestExpired,
    /// A grant begins.
    GrantGiven,
    /// A grant begins that someone took in an emergency.
    GlassBroken,
    /// A grant has come to its end.
    GrantExpired,
    /// A grant was taken back.
    GrantRevoked,
    /// All that a subject holds was taken back.
    SubjectRevoked,
    /// All that is held on a resource was taken back.
    ResourceRevoked,
    /// Everything was taken back.
    EverythingRevoked,
}

impl Event {
    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::RequestOpened => "request_opened",
            Self::RequestSeconded => "request_seconded",
            Self::RequestApproved => "request_approved",
            Self::RequestDenied => "request_denied",
            Self::RequestWithdrawn => "request_withdrawn",
            Self::RequestExpired => "request_expired",
            Self::GrantGiven => "grant_given",
            Self::GlassBroken => "glass_broken",
            Self::GrantExpired => "grant_expired",
            Self::GrantRevoked => "grant_revoked",
            Self::SubjectRevoked => "subject_revoked",
            Self::ResourceRevoked => "resource_revoked",
            Self::EverythingRevoked => "everything_revoked",
        }
    }
}

/// One entry. Its JSON text, in this order of members, is what is hashed and kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place in the record; the first is 1, and none is left out.
    pub position: u64,
    /// When, as date and time (RFC 3339) with milliseconds.
    pub time: String,
    /// What.
    pub event: Event,
    /// Who.
    pub actor: Actor,
    /// Whose request or grant it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<PersonId>,
    /// What access it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// The request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<String>,
    /// The grant's end, or the moment at which a request is too old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Why, in the words of whoever did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// From which address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ip: Option<String>,
    /// In which HTTP request (`x-request-id`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_request: Option<String>,
}
