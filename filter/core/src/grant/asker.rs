//! Who asks: what one may take of what all share is reckoned by it.

use crate::digest::Digest;
use crate::identity::Identity;

/// A subject of an issuer, whatever else its tokens say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Asker([u8; 32]);

impl Asker {
    /// Takes a SHA-256 digest.
    pub const fn new(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// Whose this identity is.
    pub fn of(identity: &Identity) -> Self {
        let mut digest = Digest::default();
        digest.part(identity.issuer().as_str());
        digest.part(identity.subject());
        Self(digest.finish())
    }
}
