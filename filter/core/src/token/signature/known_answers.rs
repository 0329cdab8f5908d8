//! placeholder
use super::PublicKey;
use crate::token::Algorithm;
pub(super) struct KnownAnswer {
    pub(super) algorithm: Algorithm,
    jwk: &'static str,
    signature: &'static str,
}
pub(super) const KNOWN_ANSWERS: [KnownAnswer; 0] = [];
impl KnownAnswer {
    pub(super) const MESSAGE: &'static [u8] = b"";
    pub(super) fn read(&self) -> Option<(PublicKey, Vec<u8>)> {
        let _ = (self.jwk, self.signature);
        None
    }
}
