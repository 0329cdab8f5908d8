//! The keys of an issuer: read from a JWK set, and kept fresh.

mod keys;
mod store;

pub use keys::{Key, KeyFault, KeySet, MAX_SET_BYTES, ParsedSet};
pub use store::{KeyStore, Keys, RefreshRules};
