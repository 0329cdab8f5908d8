//! Grants: they begin, and they end.

use hallpass_core::time::UnixMillis;
use sqlx::Row;

use super::taken_back::scoped;
use super::{Change, Revoked, StoreFault, exactly_one};
use crate::life::{Active, Ended, Grant, GrantId, PersonId};
use crate::store::rows::{self, from_column, to_column};

pub(in crate::store) const NTH_END: &str = "SELECT valid_until FROM grants WHERE subject = $1 AND issuer = $2 AND valid_until > $3 \
     ORDER BY valid_until DESC LIMIT 1 OFFSET $4";
pub(in crate::store) const NTH_END_OF_REVOKED: &str = "SELECT valid_until FROM grants WHERE subject = $1 AND issuer = $2 AND valid_until > $3 \
     AND state = 'revoked' ORDER BY valid_until DESC LIMIT 1 OFFSET $4";

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

    /// Of this person's grants whose ends lie ahead: the end of the one that is the `all`th from the last, and of those among them that ended
    /// early, the end of the `early`th from the last. Neither is there if there are fewer; from that moment on there are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ends_of(
        &mut self,
        person: &PersonId,
        now: UnixMillis,
        all: u32,
        early: u32,
    ) -> Result<(Option<UnixMillis>, Option<UnixMillis>), StoreFault> {
        let mut ends = [None, None];
        let counted = [(NTH_END, all), (NTH_END_OF_REVOKED, early)];
        for ((statement, nth), end) in counted.into_iter().zip(&mut ends) {
            let row = sqlx::query(statement)
                .bind(person.subject.as_str())
                .bind(person.issuer.as_str())
                .bind(to_column(now))
                .bind(i64::from(nth.saturating_sub(1)))
                .fetch_optional(&mut *self.transaction)
                .await?;
            if let Some(row) = row {
                *end = Some(from_column(row.try_get("valid_until")?));
            }
        }
        Ok(ends.into())
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
