//! A doorkeeper with a scripted clock, and an issuer that publishes its keys.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hallpass_core::time::UnixMillis;
use hallpass_tokens::{AUDIENCE, ISSUER, NOW, SigningKey, TokenBuilder, jwks};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::clock::Clock;
use crate::config::Config;
use crate::identity::{Caller, Doorkeeper, Stranger};

pub(super) const EDGE: &str = "the token of the edge";
pub(super) const PROXY: &str = "10.0.0.2";
pub(super) const ANYONE: &str = "203.0.113.9";

pub(super) struct World {
    pub(super) door: Doorkeeper,
    now: Arc<AtomicU64>,
}

impl World {
    /// With the issuer's keys from there. A proxy is trusted and a service known.
    pub(super) fn with_keys(keys: &Value) -> Self {
        Self::of(&json!([provider(ISSUER, keys)]))
    }

    pub(super) fn of(providers: &Value) -> Self {
        let config = json!({
            "listen": "127.0.0.1:0",
            "public_url": "https://grants.example",
            "providers": providers,
            "identity_headers": { "trusted_proxies": [PROXY] },
            "services": [
                { "name": "other", "token": "the token of another" },
                { "name": "edge", "token": EDGE },
            ],
            "policy": {},
        });
        let config = Config::parse(&config.to_string()).unwrap();
        let now = u64::try_from(NOW).unwrap() * 1_000;
        let now = Arc::new(AtomicU64::new(now));
        let clock = now.clone();
        let clock = Clock::new(move || UnixMillis::new(clock.load(Ordering::SeqCst)));
        Self {
            door: Doorkeeper::new(&config, clock).unwrap(),
            now,
        }
    }

    /// With keys that are written down.
    pub(super) fn usual() -> Self {
        Self::with_keys(&json!({ "inline": jwks(&[&key()]) }))
    }

    pub(super) fn pass(&self, span: Duration) {
        let millis = u64::try_from(span.as_millis()).unwrap();
        self.now.fetch_add(millis, Ordering::SeqCst);
    }

    /// Who it is that sends this token from anywhere.
    pub(super) async fn bearer(&self, token: &str) -> Result<Caller, Stranger> {
        let value = format!("Bearer {token}");
        self.who(ANYONE, &[("authorization", &value)]).await
    }

    pub(super) async fn who(
        &self,
        peer: &str,
        list: &[(&'static str, &str)],
    ) -> Result<Caller, Stranger> {
        self.door.who(&headers(list), peer.parse().unwrap()).await
    }
}

pub(super) fn headers(list: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in list {
        headers.append(*name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

pub(super) fn provider(issuer: &str, keys: &Value) -> Value {
    json!({
        "name": issuer,
        "issuer": issuer,
        "audiences": [AUDIENCE],
        "jwks": keys,
        "token_sources": [{ "header": "authorization" }, { "cookie": "session" }],
    })
}

pub(super) fn key() -> SigningKey {
    SigningKey::es256("kid-1")
}

pub(super) fn alice() -> TokenBuilder {
    TokenBuilder::for_user("alice")
        .claim("email", json!("alice@example.com"))
        .claim("groups", json!(["dev", "on call"]))
}

/// The subject, if it is a person.
pub(super) fn subject(found: Result<Caller, Stranger>) -> Result<String, Stranger> {
    found.map(|caller| match caller {
        Caller::Person(person) => person.id.subject,
        Caller::Service(name) => format!("service {name}"),
    })
}

/// An issuer's server.
pub(super) struct Issuer {
    pub(super) address: SocketAddr,
    published: Arc<Published>,
}

struct Published {
    keys: Mutex<(StatusCode, Value)>,
    asked: AtomicUsize,
}

impl Issuer {
    pub(super) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let published = Arc::new(Published {
            keys: Mutex::new((StatusCode::OK, jwks(&[&key()]))),
            asked: AtomicUsize::new(0),
        });
        let document = json!({
            "issuer": format!("http://{address}"),
            "jwks_uri": format!("http://{address}/jwks.json"),
        });
        let router = Router::new()
            .route("/jwks.json", get(answer))
            .route(
                "/.well-known/openid-configuration",
                get(async move || axum::Json(document)),
            )
            .route(
                "/moved",
                get(async || (StatusCode::FOUND, [(header::LOCATION, "/jwks.json")])),
            )
            .route("/large", get(async || " ".repeat(300_000)))
            .with_state(published.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, published }
    }

    /// Where its keys are, in the configuration's words.
    pub(super) fn keys_at(&self, path: &str) -> Value {
        json!({ "remote": { "url": format!("http://{}{path}", self.address) } })
    }

    pub(super) fn publish(&self, status: StatusCode, keys: Value) {
        *self.published.keys.lock().unwrap() = (status, keys);
    }

    /// How often it was asked for its keys.
    pub(super) fn asked(&self) -> usize {
        self.published.asked.load(Ordering::SeqCst)
    }
}

async fn answer(State(published): State<Arc<Published>>) -> Response {
    published.asked.fetch_add(1, Ordering::SeqCst);
    let (status, keys) = published.keys.lock().unwrap().clone();
    (status, axum::Json(keys)).into_response()
}
