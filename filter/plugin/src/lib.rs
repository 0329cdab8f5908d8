//! Hallpass as a proxy-wasm module.
//!
//! This crate is the driver and knows nothing of identity or grants: a callback becomes a call of [`hallpass_core::flow`], and the step
//! that comes back becomes host calls. [`callbacks`] holds every function that the host calls, [`host`] every one that is called of it,
//! [`root`] what belongs to the worker, [`http`] what belongs to one request, [`worker`] the state they share, [`callouts`] what is asked of
//! other services, [`learning`] what is learned from their answers, [`streams`] the end of requests that stay open, [`sinks`] what is written
//! down, and [`memory`] where memory comes from and how it is compared.
// A trap costs a worker its whole VM, with every cache in it. What could panic is refused at compile time.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::todo,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects
)]

mod callbacks;
mod callouts;
mod host;
mod http;
mod learning;
#[cfg(target_arch = "wasm32")]
mod memory;
mod root;
mod sinks;
mod streams;
mod worker;
