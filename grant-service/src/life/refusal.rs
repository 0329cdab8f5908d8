//! Why a wish is not fulfilled.

use std::fmt;

use hallpass_core::time::UnixMillis;

use super::{MAX_NAME_BYTES, RequestId};

/// A wish that is not fulfilled, and nothing has changed. The text says what to do instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// No rule lets this person request it. Whether there is such a resource is not told.
    NotRequestable,
    /// A field is not as it must be.
    Invalid {
        /// Which.
        field: &'static str,
        /// What was expected.
        expected: String,
    },
    /// The same person waits for the same already.
    Duplicate(RequestId),
    /// This person has asked for more than one can have in mind, or holds or has given up more than proxies can.
    TooMany(TooMany),
    /// The idempotency key was used for another wish.
    KeyReused,
    /// There is no such request, or it is not this person's to see.
    UnknownRequest,
    /// There is no such grant, or it is not this person's to see.
    UnknownGrant,
    /// Nobody decides on their own request.
    OwnRequest,
    /// This person may not decide on it.
    NotAnApprover,
    /// Only the one who asked may withdraw it.
    NotTheRequester,
    /// This person may not do that.
    Forbidden,
    /// It is over already.
    Over(&'static str),
}

/// What there is too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TooMany {
    /// Requests that wait.
    Waiting {
        /// When there is room again at the latest: sooner if one is decided.
        until: UnixMillis,
    },
    /// Requests that were made of late.
    Asked {
        /// When there is room again.
        until: UnixMillis,
    },
    /// Grants whose ends lie ahead, still held or ended early.
    Held {
        /// When there is room again.
        until: UnixMillis,
    },
    /// Grants that ended early, and whose ends lie ahead.
    EndedEarly {
        /// When there is room again.
        until: UnixMillis,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRequestable => {
                f.write_str("this access cannot be requested by you: ask whoever keeps the policy of the grant service")
            }
            Self::Invalid { field, expected } => write!(f, "`{field}`: expected {expected}"),
            Self::Duplicate(RequestId(id)) => {
                write!(f, "you are waiting for the same already: withdraw the request {id} first, or wait for its decision")
            }
            Self::TooMany(what) => what.fmt(f),
            Self::KeyReused => f.write_str(
                "this idempotency key was used for another request: take a new key for a new request",
            ),
            Self::UnknownRequest => f.write_str("there is no such request"),
            Self::UnknownGrant => f.write_str("there is no such grant"),
            Self::OwnRequest => f.write_str("nobody decides on their own request: ask another approver"),
            Self::NotAnApprover => f.write_str("you are not an approver of this resource"),
            Self::NotTheRequester => f.write_str("only the one who asked may withdraw a request"),
            Self::Forbidden => f.write_str("you may not do that"),
            Self::Over(state) => write!(f, "it is {state} already"),
        }
    }
}

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting { until } => write!(
                f,
                "too many of your requests wait for their decision: withdraw one, or try again when one is decided, at the latest at {}",
                until.to_rfc3339()
            ),
            Self::Asked { until } => write!(
                f,
                "you have sent too many requests within an hour: try again at {}",
                until.to_rfc3339()
            ),
            Self::Held { until } => write!(
                f,
                "too many of your grants are not yet at their ends: try again at {}",
                until.to_rfc3339()
            ),
            Self::EndedEarly { until } => write!(
                f,
                "too many of your grants were given up or revoked before their ends, which every proxy must know until then: try again at {}",
                until.to_rfc3339()
            ),
        }
    }
}

impl std::error::Error for Refusal {}

impl TooMany {
    /// When there is room again.
    pub fn until(self) -> UnixMillis {
        match self {
            Self::Waiting { until }
            | Self::Asked { until }
            | Self::Held { until }
            | Self::EndedEarly { until } => until,
        }
    }

    /// How long it is until there is room again, in seconds as `Retry-After` has it: never too early.
    pub fn seconds_left(self, now: UnixMillis) -> u64 {
        let left = self.until().since(now).as_millis().div_ceil(1_000);
        u64::try_from(left).unwrap_or(u64::MAX).max(1)
    }
}

impl Refusal {
    /// A field that cannot be a name.
    pub fn no_name(field: &'static str) -> Self {
        let expected = format!("1 to {MAX_NAME_BYTES} bytes without control characters");
        Self::invalid(field, expected)
    }

    /// A field that is not as it must be.
    pub fn invalid(field: &'static str, expected: impl Into<String>) -> Self {
        Self::Invalid {
            field,
            expected: expected.into(),
        }
    }
}
