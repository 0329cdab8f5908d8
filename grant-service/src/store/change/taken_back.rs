//! What is taken back, of which grants and requests that is true, and how proxies are told.

use hallpass_core::time::UnixMillis;
use sqlx::Any;

use super::{Change, StoreFault, signed};
use crate::life::{GrantId, PersonId};
use crate::store::rows::to_column;

/// What is taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revoked {
    /// One grant.
    Grant(GrantId),
    /// All that someone holds.
    Subject(PersonId),
    /// All that is held on a resource, of whatever type.
    Resource(String),
    /// Everything.
    Everything,
}

impl Change<'_> {
    /// Tells the proxies what was taken back by the entry at the [`next_position`](Self::next_position).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn announce(
        &mut self,
        about: &Revoked,
        not_before: UnixMillis,
        until: UnixMillis,
    ) -> Result<(), StoreFault> {
        let (grant, person, resource) = match about {
            Revoked::Grant(id) => (Some(id.0.clone()), None, None),
            Revoked::Subject(person) => (None, Some(person.clone()), None),
            Revoked::Resource(name) => (None, None, Some(name.clone())),
            Revoked::Everything => (None, None, None),
        };
        sqlx::query(
            "INSERT INTO revocations (position, grant_id, issuer, subject, resource, not_before, until) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(signed(self.next_position()))
        .bind(grant)
        .bind(person.as_ref().map(|person| person.issuer.clone()))
        .bind(person.map(|person| person.subject))
        .bind(resource)
        .bind(to_column(not_before))
        .bind(to_column(until))
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }
}

/// A statement about what a revocation is about. `grant_column` is where the table has a grant's name.
pub(super) fn scoped<'q>(
    select: &str,
    grant_column: &str,
    about: &'q Revoked,
) -> sqlx::query::Query<'q, Any, sqlx::any::AnyArguments> {
    let condition = match about {
        Revoked::Grant(_) => format!("{grant_column} = $1"),
        Revoked::Subject(_) => "issuer = $1 AND subject = $2".to_owned(),
        Revoked::Resource(_) => "resource = $1".to_owned(),
        Revoked::Everything => "1 = 1".to_owned(),
    };
    let query = sqlx::query(sqlx::AssertSqlSafe(format!(
        "{select} AND {condition} ORDER BY id"
    )));
    match about {
        Revoked::Grant(id) => query.bind(id.0.as_str()),
        Revoked::Subject(person) => query
            .bind(person.issuer.as_str())
            .bind(person.subject.as_str()),
        Revoked::Resource(name) => query.bind(name.as_str()),
        Revoked::Everything => query,
    }
}
