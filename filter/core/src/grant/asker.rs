//! Who asks: what one may take of what all share is reckoned by it.

/// A subject of an issuer, whatever else its tokens say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Asker([u8; 32]);

impl Asker {
    /// Takes a SHA-256 digest.
    pub const fn new(digest: [u8; 32]) -> Self {
        Self(digest)
    }
}
