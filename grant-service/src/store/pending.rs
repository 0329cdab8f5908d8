//! Whether someone waits for something already, as every denial tells.

use hallpass_core::time::UnixMillis;

use super::rows::to_column;
use super::{Store, StoreFault};
use crate::life::{PersonId, Target};

/// In the order of the columns of the index for it, which has a row for each request that waits.
pub(super) const PENDING: &str = "SELECT id FROM requests WHERE state = 'pending' AND issuer = $1 AND subject = $2 \
     AND resource_type = $3 AND resource = $4 AND action = $5 AND until > $6";

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
        let row = sqlx::query(PENDING)
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
