//! The reference grant service: it completes the loop of just-in-time access. A person requests it, others approve it, it ends by itself or is
//! taken back, and every step is on record.
//!
//! The rooms, each using only those above it:
//!
//! | room | owns |
//! | --- | --- |
//! | [`life`] | what a request and a grant go through, as types that allow nothing else; who may do what. Pure: no clock, no database |
//! | [`audit`] | the record: entries that are chained by hashes |
//! | [`clock`] | what time it is |
//! | [`store`] | what is kept, and the one lock under which it changes; `SQLite` or `PostgreSQL` |
//! | [`desk`] | what can be asked of the service, each as one transaction |
//! | [`outbound`] | how others are called |
//! | [`notify`] | who is told what happens, and how until they know |
//! | [`config`] | what operators write |
//! | [`identity`] | who calls: a person or a program |
//! | [`app`] | what every request needs |
//! | `intake` | how much is read of a body, and for how long |
//! | `page` | what people see and press in a browser |
//! | [`http`] | what is at which path: the decision point, the life of a request, the feed of revocations, the record, the pages |
//! | [`serve`] | the running service |
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

pub mod app;
pub mod audit;
pub mod clock;
pub mod config;
pub mod desk;
pub mod http;
pub mod identity;
mod intake;
pub mod life;
pub mod notify;
pub mod outbound;
mod page;
pub mod serve;
pub mod store;
