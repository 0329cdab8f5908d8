//! Changing what is kept: one at a time, each with its entries in the record.

mod asking;
mod grants;
mod overdue;
mod requests;
mod taken_back;

use hallpass_core::time::UnixMillis;
use sqlx::{Any, Row, Transaction};
use tokio::sync::MutexGuard;
use tokio::time::timeout;

use super::indexed::Indexed;
use super::open::PATIENCE;
use super::rows::to_column;
use super::{Store, StoreFault};
use crate::audit::{Entry, Hash};

#[cfg(test)]
pub(super) use grants::{NTH_END, NTH_END_OF_REVOKED};
pub use taken_back::Revoked;

/// A change under way. If it is dropped and not committed, nothing has happened.
pub struct Change<'a> {
    transaction: Transaction<'a, Any>,
    position: u64,
    hash: Hash,
    _turn: MutexGuard<'a, ()>,
}

impl Store {
    /// Begins a change, when all before it have ended.
    ///
    /// # Errors
    /// When the database fails, or those before take too long.
    pub async fn change(&self) -> Result<Change<'_>, StoreFault> {
        let turn = timeout(PATIENCE, self.turn.lock())
            .await
            .map_err(|_| StoreFault::PoolTimedOut)?;
        let mut transaction = self.pool.begin().await?;
        let end = sqlx::query(
            "UPDATE chain SET position = position WHERE one = 1 RETURNING position, hash",
        )
        .fetch_one(&mut *transaction)
        .await?;
        let hash: String = end.try_get("hash")?;
        Ok(Change {
            position: end.try_get::<i64, _>("position")?.try_into().unwrap_or(0),
            hash: Hash::parse(&hash)
                .ok_or_else(|| StoreFault::Decode("the end of the record is not a hash".into()))?,
            transaction,
            _turn: turn,
        })
    }
}

impl Change<'_> {
    /// Makes it all true, and known to others.
    ///
    /// # Errors
    /// When the database fails; it is then not known whether it happened.
    pub async fn commit(mut self) -> Result<u64, StoreFault> {
        sqlx::query("UPDATE chain SET position = $1, hash = $2 WHERE one = 1")
            .bind(signed(self.position))
            .bind(self.hash.to_string())
            .execute(&mut *self.transaction)
            .await?;
        self.transaction.commit().await?;
        Ok(self.position)
    }

    /// The place in the record that the next entry takes.
    pub fn next_position(&self) -> u64 {
        self.position.saturating_add(1)
    }

    /// Adds an entry to the record, in the [`next_position`](Self::next_position).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record(
        &mut self,
        entry: &Entry,
        now: UnixMillis,
        hooks: &[String],
    ) -> Result<(), StoreFault> {
        let text =
            serde_json::to_string(entry).map_err(|fault| StoreFault::Encode(fault.into()))?;
        self.position = entry.position;
        self.hash = self.hash.of(&text);
        let indexed = Indexed::of(entry);
        sqlx::query(
            "INSERT INTO audit (position, at, event, actor, subject, resource, action, request, grant_id, entry, hash) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(signed(self.position))
        .bind(to_column(now))
        .bind(indexed.event)
        .bind(indexed.actor)
        .bind(indexed.subject)
        .bind(indexed.resource)
        .bind(indexed.action)
        .bind(indexed.request)
        .bind(indexed.grant)
        .bind(text)
        .bind(self.hash.to_string())
        .execute(&mut *self.transaction)
        .await?;
        for hook in hooks {
            sqlx::query(
                "INSERT INTO outbox (hook, position, attempts, due) VALUES ($1, $2, 0, $3)",
            )
            .bind(hook.as_str())
            .bind(signed(self.position))
            .bind(to_column(now))
            .execute(&mut *self.transaction)
            .await?;
        }
        Ok(())
    }
}

fn exactly_one(rows: u64) -> Result<(), StoreFault> {
    if rows == 1 {
        Ok(())
    } else {
        Err(StoreFault::RowNotFound)
    }
}

fn signed(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}
