//! One digest of several texts: each goes in with its length before it, so that none means the same by moving text from one into the next.

use sha2::{Digest as _, Sha256};

/// SHA-256 of the parts so far.
#[derive(Clone, Default)]
pub(crate) struct Digest(pub(crate) Sha256);

impl Digest {
    pub(crate) fn count(&mut self, count: usize) {
        self.0.update((count as u64).to_le_bytes());
    }

    pub(crate) fn part(&mut self, text: &str) {
        self.count(text.len());
        self.0.update(text);
    }

    pub(crate) fn optional(&mut self, text: Option<&str>) {
        self.0.update([u8::from(text.is_some())]);
        if let Some(text) = text {
            self.part(text);
        }
    }

    pub(crate) fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

/// The first half of a digest in hexadecimal: enough to tell things apart.
pub(crate) fn first_half(digest: [u8; 32]) -> String {
    let half = digest.first_chunk().copied().unwrap_or_default();
    format!("{:032x}", u128::from_be_bytes(half))
}
