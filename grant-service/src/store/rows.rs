//! From rows to what they stand for, and back. Numbers in the database are signed; a time before 1970 or past year 292 million is none of ours.

use std::time::Duration;

use hallpass_core::time::{UnixMillis, Window};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::life::{
    Active, Approval, Closed, Closing, End, Ended, Grant, GrantId, Pending, PersonId, Request,
    RequestId, Target, Term,
};

use super::StoreFault;

pub(super) fn to_column(time: UnixMillis) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

pub(super) fn span_to_column(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

pub(super) fn from_column(millis: i64) -> UnixMillis {
    UnixMillis::new(millis.try_into().unwrap_or(0))
}

fn time(row: &AnyRow, column: &str) -> Result<UnixMillis, StoreFault> {
    Ok(from_column(row.try_get(column)?))
}

fn maybe_time(row: &AnyRow, column: &str) -> Result<Option<UnixMillis>, StoreFault> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(from_column))
}

fn unexpected(what: &str) -> StoreFault {
    StoreFault::Decode(format!("unexpected {what}").into())
}

fn person(row: &AnyRow) -> Result<PersonId, StoreFault> {
    Ok(PersonId {
        issuer: row.try_get("issuer")?,
        subject: row.try_get("subject")?,
    })
}

fn target(row: &AnyRow) -> Result<Target, StoreFault> {
    Ok(Target {
        resource_type: row.try_get("resource_type")?,
        resource: row.try_get("resource")?,
        action: row.try_get("action")?,
    })
}

pub(super) fn approval(row: &AnyRow) -> Result<Approval, StoreFault> {
    Ok(Approval {
        by: person(row)?,
        at: time(row, "at")?,
    })
}

pub(super) fn request(row: &AnyRow, approvals: Vec<Approval>) -> Result<Request, StoreFault> {
    let duration: Option<i64> = row.try_get("duration")?;
    let term = match (duration, maybe_time(row, "wanted_until")?) {
        (Some(millis), _) => Term::For(Duration::from_millis(millis.try_into().unwrap_or(0))),
        (None, Some(until)) => Term::Until(until),
        (None, None) => return Err(unexpected("request without a term")),
    };
    let request = Pending {
        id: RequestId(row.try_get("id")?),
        requester: person(row)?,
        email: row.try_get("email")?,
        target: target(row)?,
        term,
        reason: row.try_get("reason")?,
        emergency: row.try_get::<i64, _>("emergency")? != 0,
        at: time(row, "at")?,
        until: time(row, "until")?,
        approvals,
    };
    let Some(at) = maybe_time(row, "closed_at")? else {
        return Ok(Request::Pending(request));
    };
    let closing = match row.try_get::<String, _>("state")?.as_str() {
        "approved" => Closing::Approved(GrantId(row.try_get("grant_id")?)),
        "denied" => {
            let issuer: Option<String> = row.try_get("closed_issuer")?;
            let subject: Option<String> = row.try_get("closed_by")?;
            let by = issuer.zip(subject);
            Closing::Denied {
                by: by.map(|(issuer, subject)| PersonId { issuer, subject }),
                why: row
                    .try_get::<Option<String>, _>("closed_why")?
                    .unwrap_or_default(),
            }
        }
        "withdrawn" => Closing::Withdrawn,
        "expired" => Closing::Expired,
        _ => return Err(unexpected("state of a request")),
    };
    Ok(Request::Closed(Closed {
        request,
        closing,
        at,
    }))
}

pub(super) fn grant(row: &AnyRow) -> Result<Grant, StoreFault> {
    let grant = Active {
        id: GrantId(row.try_get("id")?),
        request: RequestId(row.try_get("request")?),
        holder: person(row)?,
        target: target(row)?,
        window: Window {
            from: time(row, "valid_from")?,
            until: time(row, "valid_until")?,
        },
        emergency: row.try_get::<i64, _>("emergency")? != 0,
    };
    let end = match row.try_get::<String, _>("state")?.as_str() {
        "active" => return Ok(Grant::Active(grant)),
        "expired" => End::Expired,
        "revoked" => End::Revoked,
        _ => return Err(unexpected("state of a grant")),
    };
    let at = maybe_time(row, "ended_at")?.ok_or_else(|| unexpected("end of a grant"))?;
    Ok(Grant::Ended(Ended { grant, end, at }))
}
