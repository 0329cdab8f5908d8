//! The identity provider: signs tokens for whoever is asked for, and publishes the keys.
//!
//! - `GET /token?user=alice` answers with a token; `expires_in=SECONDS`, `alg=RS256|ES256|EdDSA` and any number of
//!   `grant=RESOURCE:ACTION:SECONDS` shape it.
//! - `GET /login?user=alice` puts the same token into the cookie `hallpass`, for a browser.
//! - `GET /jwks.json` is the key set, and `GET /.well-known/openid-configuration` the document that says so.

mod publication;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::RawQuery;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use hallpass_tokens::{Grant, SigningKey, TokenBuilder};
use html_escape::encode_text;
use serde_json::json;

use publication::Publication;
pub use publication::Spoiled;

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

/// What the provider says about `user`: valid from now on for an hour, of the tenant `acme`, with an address and a group.
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
        .claim("groups", json!(["dev"]))
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
            .route("/login", get(login))
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

async fn login(RawQuery(query): RawQuery) -> impl IntoResponse {
    match TokenRequest::parse(query.as_deref().unwrap_or_default()) {
        Ok(request) => {
            let page = format!(
                "<!doctype html><html lang=en><meta charset=utf-8><title>Signed in</title>\
                 <p>Signed in as <b>{}</b>. The cookie <code>hallpass</code> now holds the token, for every port of this host.",
                encode_text(&request.user)
            );
            let cookie = format!(
                "hallpass={}; Path=/; HttpOnly; SameSite=Lax",
                request.sign()
            );
            (StatusCode::OK, [(header::SET_COOKIE, cookie)], Html(page)).into_response()
        }
        Err(fault) => (StatusCode::BAD_REQUEST, fault).into_response(),
    }
}

/// What a client of `/token` or `/login` asks for.
struct TokenRequest {
    user: String,
    expires_in: i64,
    key: &'static SigningKey,
    grants: Vec<Grant>,
}

impl TokenRequest {
    fn parse(query: &str) -> Result<Self, String> {
        let mut request = Self {
            user: String::new(),
            expires_in: 3600,
            key: signing_key(),
            grants: Vec::new(),
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "user" => request.user = value.into_owned(),
                "expires_in" => request.expires_in = parse_seconds(&value)?,
                "alg" => request.key = parse_algorithm(&value)?,
                "grant" => request.grants.push(parse_grant(&value)?),
                _ => {
                    return Err(format!(
                        "unknown parameter `{name}`: expected user, expires_in, alg or grant"
                    ));
                }
            }
        }
        if request.user.is_empty() {
            return Err("expected a user: /token?user=alice".to_owned());
        }
        Ok(request)
    }

    fn sign(&self) -> String {
        let token = token_for(&self.user).expires_in(self.expires_in);
        self.grants
            .iter()
            .cloned()
            .fold(token, TokenBuilder::grant)
            .signed_by(self.key)
    }
}

fn parse_seconds(text: &str) -> Result<i64, String> {
    text.parse()
        .map_err(|_| format!("expires_in `{text}`: expected seconds"))
}

fn parse_algorithm(text: &str) -> Result<&'static SigningKey, String> {
    key_for(text).ok_or_else(|| format!("alg `{text}`: expected ES256, RS256 or EdDSA"))
}

fn parse_grant(text: &str) -> Result<Grant, String> {
    let fault = || format!("grant `{text}`: expected RESOURCE:ACTION:SECONDS");
    let [resource, action, seconds] = text.split(':').collect::<Vec<_>>()[..] else {
        return Err(fault());
    };
    let seconds: i64 = seconds.parse().map_err(|_| fault())?;
    Ok(Grant::new(resource, &[action])
        .id("embedded-1")
        .until(now().saturating_add(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_request_names_what_is_wrong_with_it() {
        let cases = [
            ("", "expected a user"),
            ("user=alice&expires_in=soon", "expires_in `soon`"),
            ("user=alice&alg=HS256", "alg `HS256`"),
            ("user=alice&grant=orders:read", "grant `orders:read`"),
            ("user=alice&colour=red", "unknown parameter `colour`"),
        ];
        for (query, expected) in cases {
            let fault = TokenRequest::parse(query)
                .err()
                .unwrap_or_else(|| panic!("`{query}` was taken"));
            assert!(fault.contains(expected), "`{query}`: {fault}");
        }
    }
}
