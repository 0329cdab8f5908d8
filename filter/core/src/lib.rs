//! Every decision of Hallpass, as pure functions.
//!
//! Nothing in here reads a clock, opens a connection or knows a proxy: time comes in as a parameter, and what must be fetched goes out
//! as a value. That makes each rule testable on its own, and the same code runs in the filter, in tests and in command-line tools.
//!
//! The rooms, each using only those above it, and of its own row those that stand before it (`token` and `jwks` use each other):
//!
//! | room | owns |
//! | --- | --- |
//! | [`time`], [`ids`], [`line`], [`printable`], [`json`], `digest` | moments and windows; names as types; what strangers wrote, on one line and on a terminal; JSON that repeats no member; one digest of several texts |
//! | [`headers`], [`certificate`], [`request`], [`request_ids`], [`forwarded`], `preflight` | a request as bytes, and its one canonical form; a name for one that comes without; where it comes from; what a browser asks before it |
//! | [`origin`], [`cache`], [`cache_control`] | whose address a URL is; what was found out once and holds for a while; how long a service says that its answer does |
//! | [`token`], [`jwks`] | from a request's bytes to verified claims; the keys that verify them |
//! | [`identity`], [`grant`], [`revocation`] | who asks, and how they signed in; permission that ends; what is taken back before its end |
//! | [`denial`] | the closed list of reasons, and the answer that each leads to |
//! | [`policy`], [`bearer`], [`decision`] | what is asked for, under which conditions; what one token tells; whether it may be |
//! | [`flight`], [`streams`], [`contexts`] | asking once for many; what is open, and until when; whose a request is |
//! | [`resource_metadata`], [`config`], [`audit`], [`metrics`], [`edits`] | where clients learn to sign in; what operators write and read; what upstreams see |
//! | [`flow`] | one request's way through all of these |
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
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

pub mod audit;
pub mod bearer;
pub mod cache;
pub mod cache_control;
pub mod certificate;
pub mod config;
pub mod contexts;
pub mod decision;
pub mod denial;
mod digest;
pub mod edits;
pub mod flight;
pub mod flow;
pub mod forwarded;
pub mod grant;
pub mod headers;
pub mod identity;
pub mod ids;
pub mod json;
pub mod jwks;
pub mod line;
pub mod metrics;
pub mod origin;
pub mod policy;
mod preflight;
pub mod printable;
pub mod request;
pub mod request_ids;
pub mod resource_metadata;
pub mod revocation;
pub mod streams;
pub mod time;
pub mod token;
