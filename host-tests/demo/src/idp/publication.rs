//! What the provider publishes: its keys, and the document that says where they are. Whoever runs it can change that while it runs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use hallpass_tokens::{ISSUER, SigningKey, jwks};
use serde_json::{Value, json};
use tokio::sync::watch;

/// Where the key set is.
pub(super) const KEYS_PATH: &str = "/jwks.json";
/// Where the document about the provider is (`OpenID` Connect Discovery 1.0, section 4).
pub(super) const DOCUMENT_PATH: &str = "/.well-known/openid-configuration";

/// The public side of the provider.
#[derive(Debug)]
pub(super) struct Publication {
    /// While it is, requests for the key set are taken and not answered.
    pub(super) held: watch::Sender<bool>,
    asked: AtomicUsize,
    served: RwLock<Served>,
}

#[derive(Debug)]
struct Served {
    keys: Value,
    max_age: Option<Duration>,
    spoiled: Option<Spoiled>,
}

/// What the key endpoint answers in place of the keys.
#[derive(Clone, Debug)]
pub struct Spoiled {
    /// The status.
    pub status: u16,
    /// The body, whatever it is.
    pub body: String,
}

impl Publication {
    pub(super) fn new(keys: &[&SigningKey], held: bool) -> Self {
        Self {
            held: watch::Sender::new(held),
            asked: AtomicUsize::new(0),
            served: RwLock::new(Served {
                keys: jwks(keys),
                max_age: None,
                spoiled: None,
            }),
        }
    }

    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub(super) fn publish(&self, keys: &[&SigningKey]) {
        self.change().keys = jwks(keys);
    }

    pub(super) fn advise(&self, max_age: Duration) {
        self.change().max_age = Some(max_age);
    }

    pub(super) fn spoil(&self, spoiled: Option<Spoiled>) {
        self.change().spoiled = spoiled;
    }

    fn change(&self) -> RwLockWriteGuard<'_, Served> {
        self.served.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> RwLockReadGuard<'_, Served> {
        self.served.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Served {
    fn answer(&self) -> Response {
        if let Some(Spoiled { status, body }) = &self.spoiled {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            // A redirect leads back to where it came from: whoever followed it would ask again.
            let location = [(header::LOCATION, KEYS_PATH)];
            return (status, location, body.clone()).into_response();
        }
        let keys = Json(self.keys.clone());
        match self.max_age {
            Some(max_age) => {
                let advice = format!("public, max-age={}", max_age.as_secs());
                ([(header::CACHE_CONTROL, advice)], keys).into_response()
            }
            None => keys.into_response(),
        }
    }
}

pub(super) async fn key_set(State(publication): State<Arc<Publication>>) -> Response {
    publication.asked.fetch_add(1, Ordering::SeqCst);
    // It fails only when the provider is gone, and then nobody waits for the answer.
    let _ = publication.held.subscribe().wait_for(|held| !held).await;
    publication.read().answer()
}

/// The members that a verifier of tokens reads, and some that others do.
pub(super) async fn document() -> Json<Value> {
    Json(json!({
        "issuer": ISSUER,
        "jwks_uri": format!("{ISSUER}{KEYS_PATH}"),
        "authorization_endpoint": format!("{ISSUER}/login"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256", "RS256", "EdDSA"],
    }))
}
