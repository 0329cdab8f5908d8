//! Requests that wait for their decision: whether someone waits for something already, as every denial tells, and all that wait.

use hallpass_core::time::UnixMillis;

use super::read::is_kept;
use super::rows::{self, to_column};
use super::{Store, StoreFault};
use crate::life::{Pending, PersonId, Request, Target};

/// In the order of the columns of the index for it, which has a row for each request that waits.
pub(super) const PENDING: &str = "SELECT id FROM requests WHERE state = 'pending' AND issuer = $1 AND subject = $2 \
     AND resource_type = $3 AND resource = $4 AND action = $5 AND until > $6";

const WAITING: &str = "SELECT * FROM requests WHERE state = 'pending' AND until > $1 AND (at > $2 OR (at = $2 AND id > $3)) \
     ORDER BY at, id LIMIT $4";

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
        let names = [&person.issuer, &person.subject, &target.resource_type];
        let names = names.into_iter().chain([&target.resource, &target.action]);
        if !names.into_iter().all(is_kept) {
            return Ok(false);
        }
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

    /// The requests that wait, the oldest first, behind the last one of an earlier list. Their approvals are left out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn waiting(
        &self,
        now: UnixMillis,
        after: Option<&Pending>,
        limit: u32,
    ) -> Result<Vec<Pending>, StoreFault> {
        let rows = sqlx::query(WAITING)
            .bind(to_column(now))
            .bind(after.map_or(-1, |last| to_column(last.at)))
            .bind(after.map_or("", |last| last.id.0.as_str()))
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
        let mut requests = Vec::with_capacity(rows.len());
        for row in &rows {
            if let Request::Pending(request) = rows::request(row, Vec::new())? {
                requests.push(request);
            }
        }
        Ok(requests)
    }
}
