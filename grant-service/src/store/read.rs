//! Reading what is kept. It takes no lock, and sees what was committed.

use hallpass_core::time::UnixMillis;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::feed::KEPT_PAST_END;
use super::rows::{self, to_column};
use super::{Store, StoreFault};
use crate::audit::Link;
use crate::life::{Approval, Grant, GrantId, PersonId, Request, RequestId, Target};

pub(super) const REQUEST_BY_ID: &str = "SELECT * FROM requests WHERE id = $1";
/// In the order of the columns of the index for it, of which there are as many rows as there are live grants.
pub(super) const LIVE_GRANT: &str = "SELECT * FROM grants WHERE state = 'active' AND subject = $1 AND resource = $2 AND action = $3 AND issuer = $4 \
     AND resource_type = $5 AND valid_from <= $6 AND valid_until > $7 ORDER BY valid_until DESC LIMIT 1";
/// Each condition by an index of its own.
pub(super) const ANYTHING_OVERDUE: &str = "SELECT position FROM chain WHERE EXISTS (SELECT 1 FROM grants WHERE state = 'active' AND valid_until <= $1) \
     OR EXISTS (SELECT 1 FROM requests WHERE state = 'pending' AND until <= $1) \
     OR EXISTS (SELECT 1 FROM idempotency WHERE until <= $1) OR EXISTS (SELECT 1 FROM revocations WHERE until <= $2)";
pub(super) const APPROVALS_OF: &str = "SELECT * FROM approvals WHERE request = $1 ORDER BY at";

/// Which grants to list. What is `None` does not matter.
#[derive(Debug, Clone, Default)]
pub struct GrantFilter {
    /// Whose.
    pub holder: Option<PersonId>,
    /// On which resource.
    pub resource: Option<String>,
    /// Only those that count at this time.
    pub live_at: Option<UnixMillis>,
    /// So many at most, the latest end first.
    pub limit: u32,
}

/// Which entries of the record to read. What is `None` does not matter.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Behind this position.
    pub after: u64,
    /// Before this position, to read on where the latest entries end.
    pub before: Option<u64>,
    /// What happened, in a word of [`Event::word`](crate::audit::Event::word).
    pub event: Option<String>,
    /// The subject, or the name of the service, that did it.
    pub actor: Option<String>,
    /// The subject whose request or grant it is about.
    pub subject: Option<String>,
    /// The resource.
    pub resource: Option<String>,
    /// Not before this time.
    pub since: Option<UnixMillis>,
    /// Before this time.
    pub until: Option<UnixMillis>,
    /// So many at most.
    pub limit: u32,
    /// The latest first, and not the earliest.
    pub latest_first: bool,
}

/// Entries, each with its position.
pub type Entries = Vec<(u64, Link)>;

impl Store {
    /// The grant that allows this person this action on this resource now, the one with the latest end if there are several.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn live_grant(
        &self,
        holder: &PersonId,
        target: &Target,
        now: UnixMillis,
        latest_start: UnixMillis,
    ) -> Result<Option<Grant>, StoreFault> {
        let names = [
            &holder.subject,
            &holder.issuer,
            &target.resource,
            &target.action,
        ];
        if !names
            .into_iter()
            .chain([&target.resource_type])
            .all(is_kept)
        {
            return Ok(None);
        }
        let row = sqlx::query(LIVE_GRANT)
            .bind(holder.subject.as_str())
            .bind(target.resource.as_str())
            .bind(target.action.as_str())
            .bind(holder.issuer.as_str())
            .bind(target.resource_type.as_str())
            .bind(to_column(latest_start))
            .bind(to_column(now))
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(rows::grant).transpose()
    }

    /// A grant.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn grant(&self, id: &GrantId) -> Result<Option<Grant>, StoreFault> {
        if !is_kept(&id.0) {
            return Ok(None);
        }
        let row = sqlx::query("SELECT * FROM grants WHERE id = $1")
            .bind(id.0.as_str())
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(rows::grant).transpose()
    }

    /// Some grants.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn grants(&self, filter: &GrantFilter) -> Result<Vec<Grant>, StoreFault> {
        let holder = filter.holder.iter();
        let names = holder.flat_map(|holder| [&holder.subject, &holder.issuer]);
        if !names.chain(&filter.resource).all(is_kept) {
            return Ok(Vec::new());
        }
        // A statement for each set of conditions: one for all would be planned without any of them.
        let holder = filter.holder.as_ref();
        let conditions = match (holder, &filter.resource) {
            (None, None) => "",
            (Some(_), None) => "AND subject = $3 AND issuer = $4",
            (None, Some(_)) => "AND resource = $3",
            (Some(_), Some(_)) => "AND subject = $3 AND issuer = $4 AND resource = $5",
        };
        let live = filter.live_at.map_or("", |_| "AND state = 'active'");
        let statement = format!(
            "SELECT * FROM grants WHERE valid_until > $1 {live} {conditions} ORDER BY valid_until DESC, id LIMIT $2"
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(filter.live_at.map_or(-1, to_column))
            .bind(i64::from(filter.limit));
        if let Some(holder) = holder {
            query = query
                .bind(holder.subject.as_str())
                .bind(holder.issuer.as_str());
        }
        if let Some(resource) = &filter.resource {
            query = query.bind(resource.as_str());
        }
        let rows = query.fetch_all(&self.pool).await?;
        rows.iter().map(rows::grant).collect()
    }

    /// A request.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn request(&self, id: &RequestId) -> Result<Option<Request>, StoreFault> {
        if !is_kept(&id.0) {
            return Ok(None);
        }
        let row = sqlx::query(REQUEST_BY_ID)
            .bind(id.0.as_str())
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(self.with_approvals(&row).await?))
    }

    /// Someone's requests, the latest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn requests_of(
        &self,
        person: &PersonId,
        limit: u32,
    ) -> Result<Vec<Request>, StoreFault> {
        let rows = sqlx::query(
            "SELECT * FROM requests WHERE subject = $1 AND issuer = $2 ORDER BY at DESC, id DESC LIMIT $3",
        )
        .bind(person.subject.as_str())
        .bind(person.issuer.as_str())
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        self.all_with_approvals(&rows).await
    }

    async fn all_with_approvals(&self, rows: &[AnyRow]) -> Result<Vec<Request>, StoreFault> {
        let mut requests = Vec::with_capacity(rows.len());
        for row in rows {
            requests.push(self.with_approvals(row).await?);
        }
        Ok(requests)
    }

    async fn with_approvals(&self, row: &AnyRow) -> Result<Request, StoreFault> {
        let approvals = sqlx::query(APPROVALS_OF)
            .bind(row.try_get::<String, _>("id")?)
            .fetch_all(&self.pool)
            .await?;
        let approvals: Result<Vec<Approval>, _> = approvals.iter().map(rows::approval).collect();
        rows::request(row, approvals?)
    }

    /// Whether something has come to its end and is not yet on record, or may be forgotten.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_anything_overdue(&self, now: UnixMillis) -> Result<bool, StoreFault> {
        let row = sqlx::query(ANYTHING_OVERDUE)
            .bind(to_column(now))
            .bind(to_column(now.saturating_sub(KEPT_PAST_END)))
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.is_some())
    }

    /// The position of the last entry of the record.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_of_record(&self) -> Result<u64, StoreFault> {
        let row = sqlx::query("SELECT position FROM chain WHERE one = 1")
            .fetch_one(&self.pool)
            .await?;
        Ok(unsigned(row.try_get("position")?))
    }

    /// The position and the hash of the last entry of the record, to hold the record itself against.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn chain_end(&self) -> Result<(u64, String), StoreFault> {
        let row = sqlx::query("SELECT position, hash FROM chain WHERE one = 1")
            .fetch_one(&self.pool)
            .await?;
        Ok((unsigned(row.try_get("position")?), row.try_get("hash")?))
    }

    /// Entries of the record.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit(&self, filter: &AuditFilter) -> Result<Entries, StoreFault> {
        const WHICH: &str = "SELECT position, entry, hash FROM audit WHERE position > $1 AND ($2 IS NULL OR event = $2) \
             AND ($3 IS NULL OR actor = $3) AND ($4 IS NULL OR subject = $4) AND ($5 IS NULL OR resource = $5) \
             AND at >= $6 AND at < $7 AND position < $8";
        let texts = [
            &filter.event,
            &filter.actor,
            &filter.subject,
            &filter.resource,
        ];
        if !texts.into_iter().flatten().all(is_kept) {
            return Ok(Vec::new());
        }
        let order = if filter.latest_first { "DESC" } else { "ASC" };
        let statement = format!("{WHICH} ORDER BY position {order} LIMIT $9");
        let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(signed(filter.after))
            .bind(filter.event.clone())
            .bind(filter.actor.clone())
            .bind(filter.subject.clone())
            .bind(filter.resource.clone())
            .bind(filter.since.map_or(0, to_column))
            .bind(filter.until.map_or(i64::MAX, to_column))
            .bind(filter.before.map_or(i64::MAX, signed))
            .bind(i64::from(filter.limit))
            .fetch_all(&self.pool)
            .await?;
        let entry = |row: &AnyRow| {
            let link = Link {
                text: row.try_get("entry")?,
                hash: row.try_get("hash")?,
            };
            Ok((unsigned(row.try_get("position")?), link))
        };
        rows.iter().map(entry).collect()
    }
}

/// Whether there may be something of this name: `PostgreSQL` keeps no other, and fails when it is asked for one.
#[expect(
    clippy::ptr_arg,
    reason = "it goes through texts that are kept as such"
)]
pub(super) fn is_kept(name: &String) -> bool {
    !name.contains('\0')
}

pub(super) fn signed(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(position: i64) -> u64 {
    position.try_into().unwrap_or(0)
}
