//! What a caller is told when a wish comes to nothing: `application/problem+json` (RFC 9457), by one map from what went wrong to status and type.

use std::any::Any;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use hallpass_core::time::UnixMillis;
use serde_json::{Map, Value, json};

use super::shape::Misshapen;
use crate::desk::Fault;
use crate::identity::Stranger;
use crate::life::{Refusal, RequestId};

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// What was sent is not as it must be.
    Malformed,
    /// The body is not said to be JSON.
    NotJson,
    /// The body is too large.
    TooLarge,
    /// There is no credential, or it does not hold.
    Unauthenticated,
    /// The caller is known, and may not do that.
    Forbidden,
    /// Another site's page sent it.
    CrossSite,
    /// There is nothing at this path.
    NothingHere,
    /// There is something at this path, but not by this method.
    MethodNotAllowed,
    /// No rule lets this person request it.
    NotRequestable,
    /// The denial that it answers is too old.
    ExpiredDenial,
    /// It is there already, or its idempotency key belongs to another.
    Duplicate,
    /// There is no such request.
    UnknownRequest,
    /// There is no such grant.
    UnknownGrant,
    /// It is over already.
    Over,
    /// One person asks for too much.
    TooMany,
    /// The service cannot answer now.
    Unavailable,
    /// The service has a fault.
    Internal,
}

/// What a caller is told.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    kind: Kind,
    detail: String,
    more: Map<String, Value>,
    /// `WWW-Authenticate`, in answer to a credential that does not hold.
    challenge: Option<&'static str>,
    /// `Retry-After`, where it is known when trying again helps.
    seconds_left: Option<u64>,
}

impl Kind {
    /// The status, the `type` and the `title`. Types of the Access Request and Approval Profile (section "Error Responses") keep their names.
    fn told(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Malformed => (
                StatusCode::BAD_REQUEST,
                "urn:hallpass:grants:malformed",
                "The request is not as it must be",
            ),
            Self::NotJson => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "urn:hallpass:grants:not_json",
                "The body must be JSON",
            ),
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "urn:hallpass:grants:too_large",
                "The body is too large",
            ),
            Self::Unauthenticated => (
                StatusCode::UNAUTHORIZED,
                "urn:hallpass:grants:unauthenticated",
                "Sign in first",
            ),
            Self::Forbidden => (
                StatusCode::FORBIDDEN,
                "urn:hallpass:grants:forbidden",
                "You may not do that",
            ),
            Self::CrossSite => (
                StatusCode::FORBIDDEN,
                "urn:hallpass:grants:cross_site",
                "The request came from another site",
            ),
            Self::NothingHere => (
                StatusCode::NOT_FOUND,
                "urn:hallpass:grants:nothing_here",
                "There is nothing at this address",
            ),
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "urn:hallpass:grants:method_not_allowed",
                "This address takes another method",
            ),
            Self::NotRequestable => (
                StatusCode::BAD_REQUEST,
                "urn:openid:authzen:access-request:error:not_requestable",
                "This access cannot be requested",
            ),
            Self::ExpiredDenial => (
                StatusCode::GONE,
                "urn:openid:authzen:access-request:error:expired_denial",
                "The denial is too old",
            ),
            Self::Duplicate => (
                StatusCode::CONFLICT,
                "urn:openid:authzen:access-request:error:duplicate_request",
                "There is such a request already",
            ),
            Self::UnknownRequest => (
                StatusCode::NOT_FOUND,
                "urn:openid:authzen:access-request:error:unknown_task",
                "There is no such request",
            ),
            Self::UnknownGrant => (
                StatusCode::NOT_FOUND,
                "urn:hallpass:grants:unknown_grant",
                "There is no such grant",
            ),
            Self::Over => (
                StatusCode::CONFLICT,
                "urn:openid:authzen:access-request:error:invalid_task_state",
                "It is over already",
            ),
            Self::TooMany => (
                StatusCode::TOO_MANY_REQUESTS,
                "urn:hallpass:grants:too_many",
                "You ask for too much",
            ),
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "urn:hallpass:grants:unavailable",
                "Try again",
            ),
            Self::Internal => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "urn:hallpass:grants:internal",
                "The grant service has a fault",
            ),
        }
    }
}

impl Problem {
    /// Of this kind, with what to know about this case.
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            more: Map::new(),
            challenge: None,
            seconds_left: None,
        }
    }

    /// Why a wish is not fulfilled now, and how long it is until it may be.
    pub(super) fn at(now: UnixMillis, fault: Fault) -> Self {
        let seconds_left = match &fault {
            Fault::Refused(Refusal::TooMany(what)) => Some(what.seconds_left(now)),
            _ => None,
        };
        Self {
            seconds_left,
            ..fault.into()
        }
    }

    fn with(mut self, name: &str, value: Value) -> Self {
        self.more.insert(name.to_owned(), value);
        self
    }

    fn challenging(self, challenge: &'static str) -> Self {
        Self {
            challenge: Some(challenge),
            ..self
        }
    }

    /// Its HTTP status.
    pub(super) fn status(&self) -> StatusCode {
        self.kind.told().0
    }

    /// What it says about this case.
    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    /// As the `AuthZEN` Authorization API, section "Error Responses", has it: an error message, as a JSON string. It knows neither 413 nor 415.
    pub(super) fn into_message(self) -> Response {
        let status = match self.status() {
            StatusCode::UNSUPPORTED_MEDIA_TYPE | StatusCode::PAYLOAD_TOO_LARGE => {
                StatusCode::BAD_REQUEST
            }
            status => status,
        };
        let body = Value::String(self.detail.clone());
        self.respond(status, "application/json", &body)
    }

    fn respond(&self, status: StatusCode, content_type: &'static str, body: &Value) -> Response {
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        if let Some(challenge) = self.challenge {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(seconds) = self.seconds_left {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, kind, title) = self.kind.told();
        let mut body = json!({
            "type": kind,
            "title": title,
            "status": status.as_u16(),
            "detail": self.detail,
        });
        if let Value::Object(members) = &mut body {
            members.extend(self.more.clone());
        }
        self.respond(status, "application/problem+json", &body)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let kind = match &refusal {
            Refusal::NotRequestable => Kind::NotRequestable,
            Refusal::Invalid { .. } => Kind::Malformed,
            Refusal::TooMany(_) => Kind::TooMany,
            Refusal::Duplicate(_) | Refusal::KeyReused => Kind::Duplicate,
            Refusal::UnknownRequest => Kind::UnknownRequest,
            Refusal::UnknownGrant => Kind::UnknownGrant,
            Refusal::OwnRequest
            | Refusal::NotAnApprover
            | Refusal::NotTheRequester
            | Refusal::Forbidden => Kind::Forbidden,
            Refusal::Over(_) => Kind::Over,
        };
        let problem = Self::new(kind, refusal.to_string());
        match refusal {
            Refusal::Duplicate(RequestId(id)) => problem.with("task", json!({ "id": id })),
            Refusal::Invalid { field, .. } => problem.with("field", json!(field)),
            _ => problem,
        }
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Refused(refusal) => refusal.into(),
            Fault::Store(why) => {
                tracing::error!(%why, "the database failed");
                Self::new(Kind::Unavailable, "the database failed: try again")
            }
        }
    }
}

impl From<Misshapen> for Problem {
    fn from(misshapen: Misshapen) -> Self {
        Self::new(Kind::Malformed, misshapen.to_string())
    }
}

impl From<Stranger> for Problem {
    fn from(stranger: Stranger) -> Self {
        // RFC 6750, section 3.1: no error code for who has not tried.
        match stranger {
            Stranger::Unnamed => Self::new(Kind::Unauthenticated, "it is not clear who calls")
                .challenging(r#"Bearer realm="hallpass-grants""#),
            Stranger::Refused(why) => Self::new(Kind::Unauthenticated, why)
                .challenging(r#"Bearer realm="hallpass-grants", error="invalid_token""#),
            Stranger::Unknowable => Self::new(
                Kind::Unavailable,
                "it cannot be told now who calls, since keys are not to be had: try again",
            ),
        }
    }
}

/// What is told about an address that is none.
pub(super) async fn nothing_here() -> Problem {
    Problem::new(
        Kind::NothingHere,
        "see the grant service's guide for what it answers",
    )
}

/// What is told about a method that an address does not take. Those that it takes are put into `Allow` by whoever keeps the routes.
pub(super) async fn another_method() -> Problem {
    Problem::new(
        Kind::MethodNotAllowed,
        "`allow` tells the methods that this address takes",
    )
}

/// What is told when the program has failed; the reason is for the log.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands it over")]
pub(super) fn after_panic(why: Box<dyn Any + Send>) -> Response {
    let why = why
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| why.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("unknown");
    tracing::error!(why, "a request made the service panic");
    Problem::new(Kind::Internal, "what happened is in the service's log").into_response()
}
