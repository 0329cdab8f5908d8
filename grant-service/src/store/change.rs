//! Changing what is kept: one at a time, each with its entries in the record.

use hallpass_core::time::UnixMillis;
use sqlx::{Any, Row, Transaction};
use tokio::sync::MutexGuard;
use tokio::time::timeout;

use super::indexed::Indexed;
use super::open::PATIENCE;
use super::read::{APPROVALS_OF, REQUEST_BY_ID};
use super::rows::{self, span_to_column, to_column};
use super::{Store, StoreFault};
use crate::audit::{Entry, Hash};
use crate::life::{
    Active, Closed, Closing, Ended, Grant, GrantId, Pending, PersonId, Request, RequestId, Target,
    Term,
};

const PENDING_OF: &str = "SELECT COUNT(*) AS many FROM requests WHERE state = 'pending' AND subject = $1 AND issuer = $2 AND until > $3";
const ASKED_SINCE: &str =
    "SELECT COUNT(*) AS many FROM requests WHERE subject = $1 AND issuer = $2 AND at > $3";

/// A change under way. If it is dropped and not committed, nothing has happened.
pub struct Change<'a> {
    transaction: Transaction<'a, Any>,
    position: u64,
    hash: Hash,
    _turn: MutexGuard<'a, ()>,
}

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

impl Store {
    /// Begins a change, when all before it have ended.
    ///
    /// # Errors
    /// When the database fails, or those before take too long.
    pub async fn change(&self) -> Result<Change<'_>, StoreFault> {
        let turn = timeout(PATIENCE, self.turn.lock())
            .await
            .map_err(|_| StoreFault::PoolTimedOut)?;
        let mut transaction = self.pool.begin().await?;
        let end = sqlx::query(
            "UPDATE chain SET position = position WHERE one = 1 RETURNING position, hash",
        )
        .fetch_one(&mut *transaction)
        .await?;
        let hash: String = end.try_get("hash")?;
        Ok(Change {
            position: end.try_get::<i64, _>("position")?.try_into().unwrap_or(0),
            hash: Hash::parse(&hash)
                .ok_or_else(|| StoreFault::Decode("the end of the record is not a hash".into()))?,
            transaction,
            _turn: turn,
        })
    }
}

impl Change<'_> {
    /// Makes it all true, and known to others.
    ///
    /// # Errors
    /// When the database fails; it is then not known whether it happened.
    pub async fn commit(mut self) -> Result<u64, StoreFault> {
        sqlx::query("UPDATE chain SET position = $1, hash = $2 WHERE one = 1")
            .bind(signed(self.position))
            .bind(self.hash.to_string())
            .execute(&mut *self.transaction)
            .await?;
        self.transaction.commit().await?;
        Ok(self.position)
    }

    /// The place in the record that the next entry takes.
    pub fn next_position(&self) -> u64 {
        self.position.saturating_add(1)
    }

    /// Adds an entry to the record, in the [`next_position`](Self::next_position).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record(
        &mut self,
        entry: &Entry,
        now: UnixMillis,
        hooks: &[String],
    ) -> Result<(), StoreFault> {
        let text =
            serde_json::to_string(entry).map_err(|fault| StoreFault::Encode(fault.into()))?;
        self.position = entry.position;
        self.hash = self.hash.of(&text);
        let indexed = Indexed::of(entry);
        sqlx::query(
            "INSERT INTO audit (position, at, event, actor, subject, resource, action, request, grant_id, entry, hash) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(signed(self.position))
        .bind(to_column(now))
        .bind(indexed.event)
        .bind(indexed.actor)
        .bind(indexed.subject)
        .bind(indexed.resource)
        .bind(indexed.action)
        .bind(indexed.request)
        .bind(indexed.grant)
        .bind(text)
        .bind(self.hash.to_string())
        .execute(&mut *self.transaction)
        .await?;
        for hook in hooks {
            sqlx::query(
                "INSERT INTO outbox (hook, position, attempts, due) VALUES ($1, $2, 0, $3)",
            )
            .bind(hook.as_str())
            .bind(signed(self.position))
            .bind(to_column(now))
            .execute(&mut *self.transaction)
            .await?;
        }
        Ok(())
    }

    /// A request, as it is now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn request(&mut self, id: &RequestId) -> Result<Option<Request>, StoreFault> {
        let row = sqlx::query(REQUEST_BY_ID)
            .bind(id.0.as_str())
            .fetch_optional(&mut *self.transaction)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let approvals = sqlx::query(APPROVALS_OF)
            .bind(id.0.as_str())
            .fetch_all(&mut *self.transaction)
            .await?;
        let approvals = approvals
            .iter()
            .map(rows::approval)
            .collect::<Result<_, _>>()?;
        rows::request(&row, approvals).map(Some)
    }

    /// The pending request of the same person for the same access.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pending_twin(
        &mut self,
        person: &PersonId,
        target: &Target,
    ) -> Result<Option<Pending>, StoreFault> {
        let rows = sqlx::query(
            "SELECT * FROM requests WHERE state = 'pending' AND issuer = $1 AND subject = $2 \
             AND resource_type = $3 AND resource = $4 AND action = $5",
        )
        .bind(person.issuer.as_str())
        .bind(person.subject.as_str())
        .bind(target.resource_type.as_str())
        .bind(target.resource.as_str())
        .bind(target.action.as_str())
        .fetch_all(&mut *self.transaction)
        .await?;
        Ok(self.pending(&rows).await?.pop())
    }

    /// How many requests of this person wait, and how many have come after this time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn asked_by(
        &mut self,
        person: &PersonId,
        since: UnixMillis,
    ) -> Result<(u64, u64), StoreFault> {
        let mut counts = [0, 0];
        for (statement, count) in [PENDING_OF, ASKED_SINCE].into_iter().zip(&mut counts) {
            let row = sqlx::query(statement)
                .bind(person.subject.as_str())
                .bind(person.issuer.as_str())
                .bind(to_column(since))
                .fetch_one(&mut *self.transaction)
                .await?;
            *count = row.try_get::<i64, _>("many")?.try_into().unwrap_or(0);
        }
        Ok(counts.into())
    }

    /// Keeps a request that has just come.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_request(&mut self, request: &Pending) -> Result<(), StoreFault> {
        let (duration, until) = match request.term {
            Term::For(duration) => (Some(span_to_column(duration)), None),
            Term::Until(until) => (None, Some(to_column(until))),
        };
        sqlx::query(
            "INSERT INTO requests (id, state, issuer, subject, email, resource_type, resource, action, \
             duration, wanted_until, reason, emergency, at, until) \
             VALUES ($1, 'pending', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )
        .bind(request.id.0.as_str())
        .bind(request.requester.issuer.as_str())
        .bind(request.requester.subject.as_str())
        .bind(request.email.clone())
        .bind(request.target.resource_type.as_str())
        .bind(request.target.resource.as_str())
        .bind(request.target.action.as_str())
        .bind(duration)
        .bind(until)
        .bind(request.reason.as_str())
        .bind(i64::from(request.emergency))
        .bind(to_column(request.at))
        .bind(to_column(request.until))
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }

    /// Keeps the approvals of a request that still waits.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_approvals(&mut self, request: &Pending) -> Result<(), StoreFault> {
        for approval in &request.approvals {
            sqlx::query(
                "INSERT INTO approvals (request, issuer, subject, at) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT DO NOTHING",
            )
            .bind(request.id.0.as_str())
            .bind(approval.by.issuer.as_str())
            .bind(approval.by.subject.as_str())
            .bind(to_column(approval.at))
            .execute(&mut *self.transaction)
            .await?;
        }
        Ok(())
    }

    /// Closes a pending request.
    ///
    /// # Errors
    /// When the database fails, or it does not wait any longer.
    pub async fn close_request(&mut self, closed: &Closed) -> Result<(), StoreFault> {
        self.keep_approvals(&closed.request).await?;
        let (by, why, grant) = match &closed.closing {
            Closing::Approved(grant) => (None, None, Some(grant.0.clone())),
            Closing::Denied { by, why } => (by.as_ref(), Some(why.clone()), None),
            Closing::Withdrawn | Closing::Expired => (None, None, None),
        };
        let done = sqlx::query(
            "UPDATE requests SET state = $1, closed_at = $2, closed_issuer = $3, closed_by = $4, closed_why = $5, grant_id = $6 \
             WHERE id = $7 AND state = 'pending'",
        )
        .bind(closed.closing.word())
        .bind(to_column(closed.at))
        .bind(by.map(|by| by.issuer.clone()))
        .bind(by.map(|by| by.subject.clone()))
        .bind(why)
        .bind(grant)
        .bind(closed.request.id.0.as_str())
        .execute(&mut *self.transaction)
        .await?;
        exactly_one(done.rows_affected())
    }

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

    /// The pending requests that a revocation is about.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pending_requests(&mut self, about: &Revoked) -> Result<Vec<Pending>, StoreFault> {
        let rows = scoped(
            "SELECT * FROM requests WHERE state = 'pending'",
            "grant_id",
            about,
        )
        .fetch_all(&mut *self.transaction)
        .await?;
        self.pending(&rows).await
    }

    async fn pending(&mut self, rows: &[sqlx::any::AnyRow]) -> Result<Vec<Pending>, StoreFault> {
        let mut requests = Vec::with_capacity(rows.len());
        for row in rows {
            let id = RequestId(row.try_get("id")?);
            if let Some(Request::Pending(request)) = self.request(&id).await? {
                requests.push(request);
            }
        }
        Ok(requests)
    }

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

    /// Forgets what is of no use any longer: idempotency keys, and revocations of what is over by itself.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget(&mut self, now: UnixMillis) -> Result<(), StoreFault> {
        for statement in [
            "DELETE FROM idempotency WHERE until <= $1",
            "DELETE FROM revocations WHERE until <= $1",
        ] {
            sqlx::query(statement)
                .bind(to_column(now))
                .execute(&mut *self.transaction)
                .await?;
        }
        Ok(())
    }
}

/// A statement about what a revocation is about. `grant_column` is where the table has a grant's name.
fn scoped<'q>(
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

fn exactly_one(rows: u64) -> Result<(), StoreFault> {
    if rows == 1 {
        Ok(())
    } else {
        Err(StoreFault::RowNotFound)
    }
}

fn signed(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}
