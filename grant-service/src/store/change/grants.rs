//! Grants: they begin, and they end.

use super::taken_back::scoped;
use super::{Change, Revoked, StoreFault, exactly_one};
use crate::life::{Active, Ended, Grant, GrantId};
use crate::store::rows::{self, to_column};

impl Change<'_> {
    /// A grant, as it is now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn grant(&mut self, id: &GrantId) -> Result<Option<Grant>, StoreFault> {
        let row = sqlx::query("SELECT * FROM grants WHERE id = $1")
            .bind(id.0.as_str())
            .fetch_optional(&mut *self.transaction)
            .await?;
        row.as_ref().map(rows::grant).transpose()
    }

    /// Keeps a grant that begins.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_grant(&mut self, grant: &Active) -> Result<(), StoreFault> {
        sqlx::query(
            "INSERT INTO grants (id, request, state, issuer, subject, resource_type, resource, action, valid_from, valid_until, emergency) \
             VALUES ($1, $2, 'active', $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(grant.id.0.as_str())
        .bind(grant.request.0.as_str())
        .bind(grant.holder.issuer.as_str())
        .bind(grant.holder.subject.as_str())
        .bind(grant.target.resource_type.as_str())
        .bind(grant.target.resource.as_str())
        .bind(grant.target.action.as_str())
        .bind(to_column(grant.window.from))
        .bind(to_column(grant.window.until))
        .bind(i64::from(grant.emergency))
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// Ends an active grant.
    ///
    /// # Errors
    /// When the database fails, or it is not active any longer.
    pub async fn end_grant(&mut self, ended: &Ended) -> Result<(), StoreFault> {
        let done = sqlx::query(
            "UPDATE grants SET state = $1, ended_at = $2 WHERE id = $3 AND state = 'active'",
        )
        .bind(ended.end.word())
        .bind(to_column(ended.at))
        .bind(ended.grant.id.0.as_str())
        .execute(&mut *self.transaction)
        .await?;
        exactly_one(done.rows_affected())
    }

    /// The active grants that a revocation is about.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn active_grants(&mut self, about: &Revoked) -> Result<Vec<Active>, StoreFault> {
        let rows = scoped("SELECT * FROM grants WHERE state = 'active'", "id", about)
            .fetch_all(&mut *self.transaction)
            .await?;
        let grants = rows
            .iter()
            .map(rows::grant)
            .collect::<Result<Vec<_>, _>>()?;
        let active = |grant| match grant {
            Grant::Active(grant) => Some(grant),
            Grant::Ended(_) => None,
        };
        Ok(grants.into_iter().filter_map(active).collect())
    }
}
