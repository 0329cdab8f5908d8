//! Requests: what is asked of them before they change, and how they do.

use hallpass_core::time::UnixMillis;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::taken_back::scoped;
use super::{Change, Revoked, StoreFault, exactly_one};
use crate::life::{Closed, Closing, Pending, PersonId, Request, RequestId, Target, Term};
use crate::store::read::{APPROVALS_OF, REQUEST_BY_ID};
use crate::store::rows::{self, from_column, span_to_column, to_column};

const NTH_PENDING: &str = "SELECT until AS moment FROM requests WHERE state = 'pending' AND subject = $1 AND issuer = $2 AND until > $3 \
     ORDER BY until DESC LIMIT 1 OFFSET $4";
const NTH_ASKED: &str = "SELECT at AS moment FROM requests WHERE subject = $1 AND issuer = $2 AND at > $3 \
     ORDER BY at DESC LIMIT 1 OFFSET $4";

impl Change<'_> {
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

    /// Of this person's requests: until when the one that is the `pending`th from the last waits, and when the one came that is the `asked`th from
    /// the last, if that was after `since`. Neither is there if there are fewer.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn asked_by(
        &mut self,
        person: &PersonId,
        (now, pending): (UnixMillis, u32),
        (since, asked): (UnixMillis, u32),
    ) -> Result<(Option<UnixMillis>, Option<UnixMillis>), StoreFault> {
        let mut moments = [None, None];
        let counted = [(NTH_PENDING, now, pending), (NTH_ASKED, since, asked)];
        for ((statement, after, nth), moment) in counted.into_iter().zip(&mut moments) {
            let row = sqlx::query(statement)
                .bind(person.subject.as_str())
                .bind(person.issuer.as_str())
                .bind(to_column(after))
                .bind(i64::from(nth.saturating_sub(1)))
                .fetch_optional(&mut *self.transaction)
                .await?;
            if let Some(row) = row {
                *moment = Some(from_column(row.try_get("moment")?));
            }
        }
        Ok(moments.into())
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

    pub(super) async fn pending(&mut self, rows: &[AnyRow]) -> Result<Vec<Pending>, StoreFault> {
        let mut requests = Vec::with_capacity(rows.len());
        for row in rows {
            let id = RequestId(row.try_get("id")?);
            if let Some(Request::Pending(request)) = self.request(&id).await? {
                requests.push(request);
            }
        }
        Ok(requests)
    }
}
