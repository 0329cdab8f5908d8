//! What is kept: in one file of `SQLite`, or in `PostgreSQL`, by the same statements.
//!
//! Whatever changes does so in a [`Change`]: a transaction that begins by locking the end of the record. Changes come one after the other, in
//! all replicas together, and each sees what the one before it left. That is what makes a race between two approvers, or between an approval
//! and a revocation, have an order; and the record needs one anyway. Reading takes no lock.

mod change;
mod feed;
mod indexed;
mod inspect;
mod open;
mod outbox;
mod pending;
#[cfg(test)]
mod plans;
mod read;
mod rows;

pub use change::{Change, Revoked};
pub use feed::{Feed, Revocation};
pub use inspect::Kept;
pub use open::{Store, is_unproven};
pub use outbox::Errand;
pub use read::{AuditFilter, Entries, GrantFilter};

/// The database does not do what it is asked.
pub type StoreFault = sqlx::Error;
