//! What is still to be told to whom. Rows come with the entries that they tell of, in the same transaction; several replicas may work them off.

use std::time::Duration;

use hallpass_core::time::UnixMillis;
use sqlx::Row;

use super::rows::to_column;
use super::{Store, StoreFault};

/// Something to be told that nobody else is telling now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errand {
    /// To whom, by the name in the configuration.
    pub hook: String,
    /// The place in the record of what it is about.
    pub position: u64,
    /// The entry there, as its JSON.
    pub entry: String,
    /// Its hash, in hexadecimal digits.
    pub hash: String,
    /// How often it was tried, this time included.
    pub attempts: u32,
    lease_end: i64,
}

impl Store {
    /// Takes the earliest entry that this hook is to be told of now. Whoever does not settle it within the lease leaves it to others.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_errand(
        &self,
        hook: &str,
        now: UnixMillis,
        lease: Duration,
    ) -> Result<Option<Errand>, StoreFault> {
        let lease_end = to_column(now.saturating_add(lease));
        loop {
            let row = sqlx::query(
                "SELECT outbox.position, attempts, due, entry, hash FROM outbox JOIN audit ON audit.position = outbox.position \
                 WHERE hook = $1 AND due <= $2 ORDER BY outbox.position LIMIT 1",
            )
            .bind(hook)
            .bind(to_column(now))
            .fetch_optional(&self.pool)
            .await?;
            let Some(row) = row else { return Ok(None) };
            let position: i64 = row.try_get("position")?;
            let attempts = row.try_get::<i64, _>("attempts")?.saturating_add(1);
            let _turn = self.turn.lock().await;
            let taken = sqlx::query(
                "UPDATE outbox SET due = $1, attempts = $2 WHERE hook = $3 AND position = $4 AND due = $5",
            )
            .bind(lease_end)
            .bind(attempts)
            .bind(hook)
            .bind(position)
            .bind(row.try_get::<i64, _>("due")?)
            .execute(&self.pool)
            .await?;
            // Otherwise another replica was quicker.
            if taken.rows_affected() == 1 {
                return Ok(Some(Errand {
                    hook: hook.to_owned(),
                    position: position.try_into().unwrap_or(0),
                    entry: row.try_get("entry")?,
                    hash: row.try_get("hash")?,
                    attempts: attempts.try_into().unwrap_or(u32::MAX),
                    lease_end,
                }));
            }
        }
    }

    /// It is told.
    ///
    /// # Errors
    /// When the database fails; it is then told once more.
    pub async fn strike_errand(&self, errand: &Errand) -> Result<(), StoreFault> {
        let _turn = self.turn.lock().await;
        sqlx::query("DELETE FROM outbox WHERE hook = $1 AND position = $2")
            .bind(errand.hook.as_str())
            .bind(signed(errand.position))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// It could not be told, and is tried again at this time.
    ///
    /// # Errors
    /// When the database fails; it is then tried again when the lease ends.
    pub async fn put_off_errand(
        &self,
        errand: &Errand,
        until: UnixMillis,
    ) -> Result<(), StoreFault> {
        let _turn = self.turn.lock().await;
        sqlx::query("UPDATE outbox SET due = $1 WHERE hook = $2 AND position = $3 AND due = $4")
            .bind(to_column(until))
            .bind(errand.hook.as_str())
            .bind(signed(errand.position))
            .bind(errand.lease_end)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Nothing can be told to this hook now: whatever would be tried before this time waits until then.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hold_errands(&self, hook: &str, until: UnixMillis) -> Result<(), StoreFault> {
        let _turn = self.turn.lock().await;
        sqlx::query("UPDATE outbox SET due = $1 WHERE hook = $2 AND due < $1")
            .bind(to_column(until))
            .bind(hook)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Gives up what this hook should have been told of until this time. Says how many entries that were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn give_up_errands(&self, hook: &str, until: UnixMillis) -> Result<u64, StoreFault> {
        let _turn = self.turn.lock().await;
        let done = sqlx::query(
            "DELETE FROM outbox WHERE hook = $1 AND position IN (SELECT position FROM audit WHERE at <= $2)",
        )
        .bind(hook)
        .bind(to_column(until))
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected())
    }

    /// The hooks that are still to be told something.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hooks_with_errands(&self) -> Result<Vec<String>, StoreFault> {
        let rows = sqlx::query("SELECT DISTINCT hook FROM outbox")
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|row| row.try_get("hook")).collect()
    }

    /// How much is still to be told to this hook.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn errands_left(&self, hook: &str) -> Result<u64, StoreFault> {
        let row = sqlx::query("SELECT COUNT(*) AS count FROM outbox WHERE hook = $1")
            .bind(hook)
            .fetch_one(&self.pool)
            .await?;
        Ok(row.try_get::<i64, _>("count")?.try_into().unwrap_or(0))
    }
}

fn signed(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}
