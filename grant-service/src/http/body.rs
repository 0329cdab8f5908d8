//! Reading what was sent: a body of JSON, or the query.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use hallpass_core::json;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::problem::{Kind, Problem};
use crate::intake;

/// A JSON document in which no object names a member twice.
pub(super) struct Json(pub(super) Value);

/// A body of which nothing is read: none, or one of JSON.
pub(super) struct Nothing;

/// No parameter at all: what would it be that is asked for and not done.
pub(super) struct NoParams;

/// The parameters of the query. One that is not known is refused: a filter with a typing error must not list everything.
pub(super) struct Params<T>(pub(super) T);

impl<S: Send + Sync> FromRequest<S> for Json {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let typed = is_json(request.headers());
        let bytes = read(request, state).await?;
        if !typed {
            let detail = "`content-type`: expected `application/json`";
            return Err(Problem::new(Kind::NotJson, detail));
        }
        parse(&bytes).map(Self)
    }
}

impl<S: Send + Sync> FromRequest<S> for Nothing {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if request.headers().contains_key(CONTENT_TYPE) {
            return Json::from_request(request, state).await.map(|Json(_)| Self);
        }
        if read(request, state).await?.is_empty() {
            return Ok(Self);
        }
        let detail = "`content-type`: expected `application/json`, or no body";
        Err(Problem::new(Kind::NotJson, detail))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(params)) => Ok(Self(params)),
            Err(rejection) => Err(Problem::new(Kind::Malformed, rejection.body_text())),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unknown {}

impl<S: Send + Sync> FromRequestParts<S> for NoParams {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = Params::<Unknown>::from_request_parts(parts, state).await;
        params.map(|_| Self)
    }
}

async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    let body = intake::in_time(Bytes::from_request(request, state)).await;
    body.map_err(|_| Problem::new(Kind::Malformed, "the body took too long to come"))?
        .map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                let detail = format!("the body has more than {} bytes", intake::MAX_BYTES);
                Problem::new(Kind::TooLarge, detail)
            } else {
                Problem::new(Kind::Malformed, "the body ended too early")
            }
        })
}

fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    json::from_slice(bytes).map_err(|fault| {
        let detail = format!("the body is not JSON as it must be: {}", json::told(&fault));
        Problem::new(Kind::Malformed, detail)
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let only = types.next().filter(|_| types.next().is_none());
    let essence = only
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}
