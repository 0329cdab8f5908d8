//! Those who ask, and their tokens.

use hallpass_tokens::{Grant, SigningKey, TokenBuilder};
use serde_json::json;

/// The resource that users hold a grant for in their tokens.
pub(super) const GRANTED: &str = "orders";
/// What they may do with it.
pub(super) const ACTION: &str = "read";

/// The keys of the identity provider, one for each way to sign that is in use.
pub(super) struct Keys {
    pub(super) rsa: SigningKey,
    pub(super) p256: SigningKey,
    pub(super) ed25519: SigningKey,
}

impl Keys {
    pub(super) fn new() -> Self {
        Self {
            rsa: SigningKey::rs256("rsa"),
            p256: SigningKey::es256("p256"),
            ed25519: SigningKey::ed25519("ed25519"),
        }
    }
}

/// The token of a user, with a grant in it.
pub(super) fn granted(user: usize, key: &SigningKey) -> String {
    let grant = Grant::new(GRANTED, &[ACTION]).id(&format!("grant-{user}"));
    of(user).grant(grant).signed_by(key)
}

/// The token of a user who holds no grant.
pub(super) fn plain(user: usize, key: &SigningKey) -> String {
    of(user).signed_by(key)
}

/// The token of a user, which was over long ago.
pub(super) fn expired(user: usize, key: &SigningKey) -> String {
    of(user).issued_at(1_500_000_000).signed_by(key)
}

fn of(user: usize) -> TokenBuilder {
    let name = format!("user-{user}");
    TokenBuilder::for_user(&name)
        .id(&format!("token-{user}"))
        .claim("email", json!(format!("{name}@example.com")))
        .claim("name", json!(format!("User {user}")))
        .claim("groups", json!(["engineers", "on-call"]))
}
