//! What was asked for once, and must not be asked for twice when it comes again under the same idempotency key.

use hallpass_core::time::UnixMillis;
use sqlx::Row;

use super::{Change, StoreFault};
use crate::life::{PersonId, RequestId};
use crate::store::rows::to_column;

impl Change<'_> {
    /// What was asked for under an idempotency key before: the wish's digest, and the request that came of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn asked_before(
        &mut self,
        person: &PersonId,
        key: &str,
    ) -> Result<Option<(String, RequestId)>, StoreFault> {
        let row = sqlx::query(
            "SELECT digest, request FROM idempotency WHERE issuer = $1 AND subject = $2 AND key = $3",
        )
        .bind(person.issuer.as_str())
        .bind(person.subject.as_str())
        .bind(key)
        .fetch_optional(&mut *self.transaction)
        .await?;
        row.map(|row| Ok((row.try_get("digest")?, RequestId(row.try_get("request")?))))
            .transpose()
    }

    /// Remembers what was asked for under an idempotency key, until this time at least.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remember_asking(
        &mut self,
        person: &PersonId,
        key: &str,
        digest: &str,
        request: &RequestId,
        until: UnixMillis,
    ) -> Result<(), StoreFault> {
        sqlx::query(
            "INSERT INTO idempotency (issuer, subject, key, digest, request, until) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(person.issuer.as_str())
        .bind(person.subject.as_str())
        .bind(key)
        .bind(digest)
        .bind(request.0.as_str())
        .bind(to_column(until))
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }
}
