//! What the grant service says: which replies are a decision. What of a body is understood is found out by [`super::evaluation`].
//!
//! A reply that is not exactly a decision is a failure: never an allow, never a deny, never remembered.

use std::fmt;
use std::time::Duration;

use super::{Failure, Ruling, evaluation};
use crate::cache_control::CacheControl;
use crate::line::one_line;
use crate::origin::Origin;

/// A larger reply is not read.
pub const MAX_REPLY_BYTES: usize = 64 * 1024;

/// A decision, and how long the service lets it be remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantReply {
    /// The decision.
    pub ruling: Ruling,
    /// `Cache-Control` (RFC 9111, section 5.2.2): zero for `no-store` and `no-cache`, `None` where it does not say.
    pub max_age: Option<Duration>,
    /// What an operator should know about the reply.
    pub remarks: Vec<Remark>,
}

/// Something about a decision that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// It is told as the answer to another question: `X-Request-ID` is not what was sent.
    RequestId(String),
    /// It names a form for requesting access that nobody is sent to, for this reason.
    Form(String),
    /// It obliges the filter to something that it cannot do.
    Obligation(String),
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RequestId(echoed) => write!(
                f,
                "the grant service answered with another `X-Request-ID` than it was sent: {}",
                one_line(echoed)
            ),
            Self::Form(why) => write!(
                f,
                "the `form_url` of the grant service's denial is not shown: {}",
                one_line(why)
            ),
            Self::Obligation(what) => write!(
                f,
                "an allow of the grant service counts as a denial, for it has {}",
                one_line(what)
            ),
        }
    }
}

/// Why a reply is not a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceFault {
    /// The status is not 200: an error, a redirect, a proxy's word that the service is gone.
    Status(u16),
    /// A proxy's circuit breaker has let the question not through: as many are under way as may be.
    Overflow,
    /// The body has more than so many bytes.
    TooLarge(usize),
    /// The content type is not JSON.
    ContentType,
    /// The body is not what the specification says.
    Body(String),
    /// An answer to one of several questions tells an error in place of a decision.
    Error {
        /// The status that it names, if it names one.
        status: Option<u64>,
        /// In its words.
        message: String,
    },
}

impl ServiceFault {
    /// Whether it says something of the service as a whole. What the service makes of one question says nothing of the next: whoever can
    /// ask what it does not understand must not keep others from asking.
    pub fn is_of_the_service(&self) -> bool {
        match self {
            Self::Status(status) => {
                !(400..500).contains(status) || matches!(status, 401 | 403 | 407 | 408 | 429)
            }
            Self::Overflow
            | Self::TooLarge(_)
            | Self::ContentType
            | Self::Body(_)
            | Self::Error { .. } => false,
        }
    }

    /// What has failed. A status of 4xx that is not about the filter itself says that the question is none that the service answers, and
    /// so does an error that is told of one of several, unless it names itself one of the service's. That a breaker overflows says nothing
    /// of the service: those who ask bring it about.
    pub fn failure(&self) -> Failure {
        match self {
            Self::Status(400..500) if !self.is_of_the_service() => Failure::Question,
            Self::Overflow => Failure::Question,
            Self::Error { status, .. } if status.is_none_or(|status| status < 500) => {
                Failure::Question
            }
            Self::Status(_)
            | Self::TooLarge(_)
            | Self::ContentType
            | Self::Body(_)
            | Self::Error { .. } => Failure::Service,
        }
    }

    /// Whether one of several questions may be to blame, so that the others, put by themselves, have an answer. A service that is down or
    /// has too much to do is not asked again for that.
    pub fn may_be_of_one_question(&self) -> bool {
        match self {
            Self::Overflow => false,
            fault => !fault.is_of_the_service() || *fault == Self::Status(500),
        }
    }
}

impl fmt::Display for ServiceFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status @ (401 | 403)) => write!(
                f,
                "status {status}: it refuses the filter's own credentials, which are configured in `grants.service.headers`"
            ),
            Self::Status(status) => write!(f, "status {status}, expected 200"),
            Self::Overflow => f.write_str(
                "the circuit breaker of its cluster has not let the question through (`x-envoy-overloaded`): as many are under way as it allows",
            ),
            Self::TooLarge(most) => write!(f, "a body of more than {most} bytes"),
            Self::ContentType => f.write_str("a content type that is not application/json"),
            Self::Body(why) => write!(f, "a body that is no decision: {why}"),
            Self::Error { status, message } => {
                f.write_str("an error in place of a decision:")?;
                if let Some(status) = status {
                    write!(f, " status {status}")?;
                }
                write!(f, " {}", one_line(message))
            }
        }
    }
}

/// A reply as it came over the wire.
#[derive(Debug, Clone, Copy)]
pub struct RawReply<'a> {
    /// The HTTP status.
    pub status: u16,
    /// Whether it has `x-envoy-overloaded`: then a proxy answers in the service's place.
    pub is_overflow: bool,
    /// `content-type`.
    pub content_type: Option<&'a [u8]>,
    /// `cache-control`.
    pub cache_control: Option<&'a [u8]>,
    /// `x-request-id`.
    pub request_id: Option<&'a [u8]>,
    /// The `x-request-id` of the question.
    pub asked_as: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
}

impl<'a> RawReply<'a> {
    /// A reply of status 200 with this JSON, that says nothing of how long it counts.
    pub const fn json(body: &'a [u8]) -> Self {
        Self {
            status: 200,
            is_overflow: false,
            content_type: Some(b"application/json"),
            cache_control: None,
            request_id: None,
            asked_as: None,
            body,
        }
    }
}

impl GrantReply {
    /// Reads a reply. `own_forms` is where people are sent to request access, and forms of nobody else are shown.
    ///
    /// # Errors
    /// [`ServiceFault`] for everything that is not a decision in the words of the specification.
    pub fn parse(reply: RawReply<'_>, own_forms: Option<&Origin>) -> Result<Self, ServiceFault> {
        reply.check(MAX_REPLY_BYTES)?;
        let (ruling, remark) =
            evaluation::read(reply.body, own_forms).map_err(ServiceFault::Body)?;
        Ok(Self {
            ruling,
            max_age: reply.cache_control.and_then(max_age),
            remarks: reply.other_request_id().into_iter().chain(remark).collect(),
        })
    }
}

impl RawReply<'_> {
    /// Whether it may be a decision, for all that is not in its body.
    pub(super) fn check(&self, most_bytes: usize) -> Result<(), ServiceFault> {
        if self.status == 503 && self.is_overflow {
            return Err(ServiceFault::Overflow);
        }
        if self.status != 200 {
            return Err(ServiceFault::Status(self.status));
        }
        if self.body.len() > most_bytes {
            return Err(ServiceFault::TooLarge(most_bytes));
        }
        if !self.content_type.is_some_and(is_json) {
            return Err(ServiceFault::ContentType);
        }
        Ok(())
    }

    /// `AuthZEN` 1.0: the service must repeat the id that it was sent. Which question an answer is for is known without it.
    pub(crate) fn other_request_id(&self) -> Option<Remark> {
        let echoed = self.request_id?;
        let is_same = self.asked_as.is_some_and(|sent| sent.as_bytes() == echoed);
        (!is_same).then(|| Remark::RequestId(String::from_utf8_lossy(echoed).into_owned()))
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
