//! Whether someone waits for something already, as every denial tells.

use hallpass_core::time::UnixMillis;

use super::rows::to_column;
use super::{Store, StoreFault};
use crate::life::{PersonId, Target};

impl Store {
    /// Whether this person has requested this access, and the request waits for its decision.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_pending(
        &self,
        person: &PersonId,
        target: &Target,
        now: UnixMillis,
    ) -> Result<bool, StoreFault> {
        let row = sqlx::query(
            "SELECT id FROM requests WHERE state = 'pending' AND issuer = $1 AND subject = $2 \
             AND resource_type = $3 AND resource = $4 AND action = $5 AND until > $6",
        )
        .bind(person.issuer.as_str())
        .bind(person.subject.as_str())
        .bind(target.resource_type.as_str())
        .bind(target.resource.as_str())
        .bind(target.action.as_str())
        .bind(to_column(now))
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.is_some())
    }
}
