//! The keys of an issuer: where they are, read from a JWK set, and kept fresh.

mod discovery;
mod keys;
mod locator;
mod store;

pub use discovery::{Address, Discovery};
pub use keys::{Key, KeyFault, KeySet, MAX_KEYS, MAX_SET_BYTES, ParsedSet};
pub use locator::{Location, Locator, Stage};
pub use store::{KeyStore, Keys, RefreshRules, Sought};
