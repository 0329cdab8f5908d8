//! The identity provider: signs tokens for whoever is asked for, and publishes the keys.
//!
//! - `GET /token?user=alice` answers with a token; `expires_in=SECONDS`, `alg=RS256|ES256|EdDSA` and any number of
//!   `grant=RESOURCE:ACTION:SECONDS` shape it.
//! - `GET /sign-in?return_to=URL` is a page for a browser, on which one chooses who one is; the token goes into the cookie `hallpass`.
//!   `GET /login?user=alice` does the same without asking.
//! - `GET /jwks.json` is the key set, and `GET /.well-known/openid-configuration` the document that says so.

mod people;
mod publication;
mod return_to;
mod sign_in;
mod token_request;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use hallpass_tokens::{SigningKey, TokenBuilder};
use serde_json::json;

use publication::Publication;
pub use publication::Spoiled;
use token_request::TokenRequest;

use crate::server::Server;

/// The provider's keys, one for each algorithm.
static KEYS: LazyLock<[SigningKey; 3]> = LazyLock::new(|| {
    [
        SigningKey::es256("demo-ec"),
        SigningKey::rs256("demo-rsa"),
        SigningKey::ed25519("demo-ed"),
    ]
});

/// The key that signs unless another algorithm is asked for.
pub fn signing_key() -> &'static SigningKey {
    &KEYS[0]
}

/// The key that signs with `algorithm`, named as in JOSE.
pub fn key_for(algorithm: &str) -> Option<&'static SigningKey> {
    KEYS.iter().find(|key| key.algorithm().name() == algorithm)
}

/// The present, in Unix seconds.
///
/// # Panics
/// When the clock stands before 1970.
pub fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("the clock is past 1970");
    i64::try_from(since.as_secs()).expect("the clock is before the year 292 billion")
}

/// What the provider says about `user`: valid from now on for an hour, of the tenant `acme`, with an address, and in the groups of the
/// demo's person of that name.
pub fn token_for(user: &str) -> TokenBuilder {
    static ISSUED: AtomicUsize = AtomicUsize::new(0);
    TokenBuilder::for_user(user)
        .issued_at(now())
        .id(&format!(
            "token-{}-{}",
            now(),
            ISSUED.fetch_add(1, Ordering::Relaxed)
        ))
        .claim("tenant", json!("acme"))
        .claim("email", json!(format!("{user}@example.com")))
        .claim("groups", json!(people::groups_of(user)))
}

/// A running identity provider.
#[derive(Debug)]
pub struct IdentityProvider {
    server: Server,
    publication: Arc<Publication>,
}

impl IdentityProvider {
    /// Starts on `127.0.0.1:port`; port 0 takes a free one.
    ///
    /// # Errors
    /// When the port cannot be listened on.
    pub fn start(port: u16) -> io::Result<Self> {
        Self::start_with(port, false)
    }

    /// Starts with a key endpoint that takes requests but answers none before [`release_keys`](Self::release_keys).
    ///
    /// # Errors
    /// When the port cannot be listened on.
    pub fn start_holding_keys(port: u16) -> io::Result<Self> {
        Self::start_with(port, true)
    }

    fn start_with(port: u16, held: bool) -> io::Result<Self> {
        let publication = Arc::new(Publication::new(&KEYS.each_ref(), held));
        let router = Router::new()
            .route("/token", get(token))
            .route("/login", get(sign_in::login))
            .route(sign_in::PATH, get(sign_in::page).post(sign_in::enter))
            .route(sign_in::OUT_PATH, post(sign_in::out))
            .route(sign_in::STYLE_PATH, get(sign_in::style))
            .route(publication::KEYS_PATH, get(publication::key_set))
            .route(publication::DOCUMENT_PATH, get(publication::document))
            .with_state(publication.clone());
        Ok(Self {
            server: Server::start(port, router)?,
            publication,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// How many requests for the key set have arrived.
    pub fn keys_asked(&self) -> usize {
        self.publication.asked()
    }

    /// Answers the held requests for the key set, and all later ones.
    pub fn release_keys(&self) {
        self.publication.held.send_replace(false);
    }

    /// Publishes these keys and no others, from now on. What `/token` signs with stays the same.
    pub fn publish(&self, keys: &[&SigningKey]) {
        self.publication.publish(keys);
    }

    /// Tells from now on how long the keys count, as `Cache-Control: max-age`.
    pub fn advise(&self, max_age: Duration) {
        self.publication.advise(max_age);
    }

    /// Answers requests for the key set with something else from now on, or with the keys again.
    pub fn spoil_keys(&self, spoiled: Option<Spoiled>) {
        self.publication.spoil(spoiled);
    }

    /// Serves until the process ends.
    ///
    /// # Errors
    /// When serving fails.
    pub fn serve_forever(self) -> io::Result<()> {
        self.server.serve_forever()
    }
}

async fn token(RawQuery(query): RawQuery) -> impl IntoResponse {
    match TokenRequest::parse(query.as_deref().unwrap_or_default()) {
        Ok(request) => (StatusCode::OK, request.sign()),
        Err(fault) => (StatusCode::BAD_REQUEST, fault),
    }
}
