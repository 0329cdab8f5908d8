//! The record: who did what, when, why and from where, in entries of which each holds the hash of the one before. Whoever changes, removes or
//! inserts one breaks the chain behind it.

mod chain;
mod entry;
mod proof;
mod words;

pub use chain::{Broken, Hash, Link, name_of, verify};
pub use entry::{Entry, Event};
pub use proof::{Head, Proof};
