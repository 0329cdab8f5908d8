//! What a form or an address carries. One that cannot be read is answered by a page, too.

use axum::extract::{Form, FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::trouble::Trouble;
use crate::intake;

/// What a form carries.
#[derive(Debug)]
pub(super) struct Sent<T>(pub(super) T);

/// What the address carries behind its `?`.
#[derive(Debug)]
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Sent<T> {
    type Rejection = Trouble;

    async fn from_request(request: Request, state: &S) -> Result<Self, Trouble> {
        let form = intake::in_time(Form::from_request(request, state)).await;
        match form {
            Ok(Ok(Form(fields))) => Ok(Self(fields)),
            Ok(Err(fault)) if fault.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(Trouble::TooLong)
            }
            Ok(Err(_)) | Err(_) => Err(Trouble::Unreadable),
        }
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Trouble> {
        let query = Query::try_from_uri(&parts.uri);
        query
            .map(|Query(fields)| Self(fields))
            .map_err(|_| Trouble::Unreadable)
    }
}
