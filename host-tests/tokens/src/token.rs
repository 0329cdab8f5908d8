//! Builds and signs identity tokens, sound ones by default and malformed ones on request.

use serde_json::{Map, Value, json};

use crate::key::encode;
use crate::{Grant, SigningKey};

/// The issuer of a default token.
pub const ISSUER: &str = "https://idp.example";
/// The audience of a default token.
pub const AUDIENCE: &str = "orders-api";
/// The Unix second at which a default token is issued: the present of the tests.
pub const NOW: i64 = 1_790_000_000;
/// How many seconds a default token lives.
pub const LIFETIME: i64 = 3_600;

/// A token in the making. Each call overrides a default or an earlier call; the order of the calls does not matter.
#[derive(Clone, Debug)]
pub struct TokenBuilder {
    claims: Map<String, Value>,
    headers: Map<String, Value>,
    removed_claims: Vec<String>,
    removed_headers: Vec<String>,
    issued_at: i64,
    end: End,
    grants: Vec<Value>,
    raw_claims: Option<Vec<u8>>,
    raw_header: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Debug)]
enum End {
    After(i64),
    At(i64),
}

impl TokenBuilder {
    /// A sound token for `subject`: from [`ISSUER`] for [`AUDIENCE`], issued and valid at [`NOW`], ending [`LIFETIME`] seconds later.
    #[must_use]
    pub fn for_user(subject: &str) -> Self {
        let claims = [
            ("sub", subject),
            ("iss", ISSUER),
            ("aud", AUDIENCE),
            ("jti", "token-1"),
        ];
        Self {
            claims: claims
                .map(|(name, value)| (name.to_owned(), json!(value)))
                .into_iter()
                .collect(),
            headers: Map::new(),
            removed_claims: Vec::new(),
            removed_headers: Vec::new(),
            issued_at: NOW,
            end: End::After(LIFETIME),
            grants: Vec::new(),
            raw_claims: None,
            raw_header: None,
        }
    }

    /// Sets `iss`.
    #[must_use]
    pub fn issuer(self, issuer: &str) -> Self {
        self.claim("iss", json!(issuer))
    }

    /// Sets `aud` to one audience; use [`claim`](Self::claim) for a list.
    #[must_use]
    pub fn audience(self, audience: &str) -> Self {
        self.claim("aud", json!(audience))
    }

    /// Sets `jti`.
    #[must_use]
    pub fn id(self, id: &str) -> Self {
        self.claim("jti", json!(id))
    }

    /// Sets `iat`, and with it the default `nbf` and the start of the lifetime, to a Unix second.
    #[must_use]
    pub fn issued_at(mut self, second: i64) -> Self {
        self.issued_at = second;
        self
    }

    /// Sets `exp` to `seconds` after `iat`.
    #[must_use]
    pub fn expires_in(mut self, seconds: i64) -> Self {
        self.end = End::After(seconds);
        self
    }

    /// Sets `exp` to a Unix second.
    #[must_use]
    pub fn expires_at(mut self, second: i64) -> Self {
        self.end = End::At(second);
        self
    }

    /// Sets `nbf` to a Unix second.
    #[must_use]
    pub fn not_before(self, second: i64) -> Self {
        self.claim("nbf", json!(second))
    }

    /// Sets any claim to any value.
    #[must_use]
    pub fn claim(mut self, name: &str, value: Value) -> Self {
        self.claims.insert(name.to_owned(), value);
        self
    }

    /// Leaves a claim out, a default one included.
    #[must_use]
    pub fn without_claim(mut self, name: &str) -> Self {
        self.removed_claims.push(name.to_owned());
        self
    }

    /// Sets any member of the token's header; by default there are `alg`, `kid` and `typ`.
    #[must_use]
    pub fn header(mut self, name: &str, value: Value) -> Self {
        self.headers.insert(name.to_owned(), value);
        self
    }

    /// Leaves a member of the token's header out.
    #[must_use]
    pub fn without_header(mut self, name: &str) -> Self {
        self.removed_headers.push(name.to_owned());
        self
    }

    /// Adds a grant to the claim `grants`.
    #[must_use]
    pub fn grant(mut self, grant: Grant) -> Self {
        self.grants.push(grant.into_json());
        self
    }

    /// Sets the claim `grants` to any value.
    #[must_use]
    pub fn grants_json(self, value: Value) -> Self {
        self.claim("grants", value)
    }

    /// Signs these bytes as the claims, whatever they are.
    #[must_use]
    pub fn raw_claims(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.raw_claims = Some(bytes.into());
        self
    }

    /// Signs under these bytes as the header, whatever they are.
    #[must_use]
    pub fn raw_header(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.raw_header = Some(bytes.into());
        self
    }

    /// The signed token in compact form.
    #[must_use]
    pub fn signed_by(self, key: &SigningKey) -> String {
        let header = self.header_bytes(key);
        let claims = self.claims_bytes();
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        let signature = key.sign(signed.as_bytes());
        format!("{signed}.{}", encode(&signature))
    }

    fn header_bytes(&self, key: &SigningKey) -> Vec<u8> {
        if let Some(raw) = &self.raw_header {
            return raw.clone();
        }
        let defaults = [
            ("alg", key.algorithm().name()),
            ("kid", key.kid()),
            ("typ", "JWT"),
        ];
        let mut header: Map<_, _> = defaults
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .into_iter()
            .collect();
        header.extend(self.headers.clone());
        header.retain(|name, _| !self.removed_headers.contains(name));
        Value::Object(header).to_string().into_bytes()
    }

    fn claims_bytes(&self) -> Vec<u8> {
        if let Some(raw) = &self.raw_claims {
            return raw.clone();
        }
        let mut claims = Map::new();
        claims.insert("iat".to_owned(), json!(self.issued_at));
        claims.insert("nbf".to_owned(), json!(self.issued_at));
        claims.insert("exp".to_owned(), json!(self.expiry()));
        if !self.grants.is_empty() {
            claims.insert("grants".to_owned(), json!(self.grants));
        }
        claims.extend(self.claims.clone());
        claims.retain(|name, _| !self.removed_claims.contains(name));
        Value::Object(claims).to_string().into_bytes()
    }

    fn expiry(&self) -> i64 {
        match self.end {
            End::After(seconds) => self.issued_at.saturating_add(seconds),
            End::At(second) => second,
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;
    use crate::{unsigned, with_flipped_signature};

    fn part(token: &str, index: usize) -> Value {
        let part = token.split('.').nth(index).expect("three parts");
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
    }

    #[test]
    fn a_default_token_is_sound_for_an_hour() {
        let token = TokenBuilder::for_user("alice").signed_by(&SigningKey::es256("k"));
        assert_eq!(
            part(&token, 0),
            json!({ "alg": "ES256", "kid": "k", "typ": "JWT" })
        );
        let expected = json!({ "sub": "alice", "iss": ISSUER, "aud": AUDIENCE, "jti": "token-1", "iat": NOW, "nbf": NOW, "exp": NOW + 3600 });
        assert_eq!(part(&token, 1), expected);
    }

    #[test]
    fn the_order_of_the_calls_does_not_matter() {
        let key = SigningKey::ed25519("k");
        let one = TokenBuilder::for_user("alice")
            .expires_in(60)
            .issued_at(1000)
            .signed_by(&key);
        let other = TokenBuilder::for_user("alice")
            .issued_at(1000)
            .expires_in(60)
            .signed_by(&key);
        assert_eq!(one, other);
        assert_eq!(part(&one, 1)["exp"], 1060);
    }

    #[test]
    fn what_is_left_out_is_absent() {
        let builder = TokenBuilder::for_user("alice")
            .without_claim("exp")
            .without_header("kid");
        let token = builder.signed_by(&SigningKey::ed25519("k"));
        assert_eq!(part(&token, 1).get("exp"), None);
        assert_eq!(part(&token, 0).get("kid"), None);
    }

    #[test]
    fn grants_are_embedded() {
        let grant = Grant::new("orders", &["read"]).id("g-42").until(NOW + 5);
        let token = TokenBuilder::for_user("alice")
            .grant(grant)
            .signed_by(&SigningKey::ed25519("k"));
        let expected =
            json!([{ "id": "g-42", "resource": "orders", "actions": ["read"], "exp": NOW + 5 }]);
        assert_eq!(part(&token, 1)["grants"], expected);
    }

    #[test]
    fn tampering_keeps_the_claims() {
        let token = TokenBuilder::for_user("alice").signed_by(&SigningKey::ed25519("k"));
        for tampered in [with_flipped_signature(&token), unsigned(&token)] {
            assert_ne!(tampered, token);
            assert_eq!(part(&tampered, 1), part(&token, 1));
        }
        assert_eq!(part(&unsigned(&token), 0)["alg"], "none");
    }
}
