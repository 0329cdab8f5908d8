//! The module's memory: [`SpareFirst`] allocates it, and [`compare`] compares it.
//!
//! Both do in fewer instructions what wasm otherwise has from libraries that are made to be small. They are a crate of their own so that
//! they are tested by themselves, natively and in wasm; the plugin only puts them in place.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod compare;
mod spare;

pub use compare::compare;
pub use spare::SpareFirst;
