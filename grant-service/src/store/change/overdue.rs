//! What time alone brings to its end.

use hallpass_core::time::UnixMillis;

use super::{Change, StoreFault};
use crate::life::{Active, Grant, Pending};
use crate::store::feed::KEPT_PAST_END;
use crate::store::rows::{self, to_column};

impl Change<'_> {
    /// Active grants whose end has come, and pending requests that nobody decided in time; so many of each at most.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn overdue(
        &mut self,
        now: UnixMillis,
        limit: u32,
    ) -> Result<(Vec<Active>, Vec<Pending>), StoreFault> {
        let rows = sqlx::query(
            "SELECT * FROM grants WHERE state = 'active' AND valid_until <= $1 ORDER BY valid_until LIMIT $2",
        )
        .bind(to_column(now))
        .bind(i64::from(limit))
        .fetch_all(&mut *self.transaction)
        .await?;
        let mut grants = Vec::with_capacity(rows.len());
        for row in &rows {
            if let Grant::Active(grant) = rows::grant(row)? {
                grants.push(grant);
            }
        }
        let rows = sqlx::query(
            "SELECT * FROM requests WHERE state = 'pending' AND until <= $1 ORDER BY until LIMIT $2",
        )
        .bind(to_column(now))
        .bind(i64::from(limit))
        .fetch_all(&mut *self.transaction)
        .await?;
        Ok((grants, self.pending(&rows).await?))
    }

    /// Forgets what is of no use any longer: idempotency keys, and revocations of what has long been over by itself.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget(&mut self, now: UnixMillis) -> Result<(), StoreFault> {
        for (statement, until) in [
            ("DELETE FROM idempotency WHERE until <= $1", now),
            (
                "DELETE FROM revocations WHERE until <= $1",
                now.saturating_sub(KEPT_PAST_END),
            ),
        ] {
            sqlx::query(statement)
                .bind(to_column(until))
                .execute(&mut *self.transaction)
                .await?;
        }
        Ok(())
    }
}
