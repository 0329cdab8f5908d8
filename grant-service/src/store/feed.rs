//! What proxies are to know of what was taken back.

use std::time::Duration;

use hallpass_core::time::UnixMillis;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::read::{signed, unsigned};
use super::rows::{from_column, to_column};
use super::{Revoked, Store, StoreFault};
use crate::audit::Hash;
use crate::life::{GrantId, PersonId};

/// So long past its end a revocation is kept, though nobody is told of it any longer. A clock may be ahead for a while, as that of a machine
/// which has just started and not yet asked what time it is: what seems over by it is told again once the clock is right. It bounds the table,
/// and is longer than a clock is likely to be ahead by without anybody noticing.
pub(super) const KEPT_PAST_END: Duration = Duration::from_hours(90 * 24);

/// What was taken back behind a place that is near the end of the record.
const LATER: &str = "SELECT * FROM revocations WHERE position > $1 AND position <= $2 AND until > $3 ORDER BY position DESC LIMIT $4";
/// The same from the beginning. Most that is kept is over, so it is looked for by what is not; the signs keep the places' index out of it.
pub(super) const ALL: &str = "SELECT * FROM revocations WHERE +position > $1 AND +position <= $2 AND until > $3 ORDER BY +position DESC LIMIT $4";

/// What was taken back behind some position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// The position up to which this tells everything.
    pub cursor: u64,
    /// The time at which this is everything: what was over by then is not told.
    pub at: UnixMillis,
    /// Nothing that was given before this time counts any more: the last time that everything was taken back, or a moment that stands for
    /// what is too much to tell one by one.
    pub epoch: Option<UnixMillis>,
    /// What else was taken back, in the order of the record.
    pub revocations: Vec<Revocation>,
}

/// Something that was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// The place in the record.
    pub position: u64,
    /// What.
    pub what: Revoked,
    /// What was given before or at this time no longer counts.
    pub not_before: UnixMillis,
    /// When all of it would be over by itself.
    pub until: UnixMillis,
}

impl Feed {
    /// Tells of this no longer by itself, but by an epoch that takes back at least as much.
    pub fn fold(&mut self, not_before: UnixMillis) {
        self.epoch = self.epoch.max(Some(not_before));
    }
}

impl Store {
    /// What was taken back behind `since` and is not over by itself at `now`; 0 stands for all of that. No more than the latest `limit` are told
    /// one by one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revocations(
        &self,
        since: u64,
        now: UnixMillis,
        limit: u32,
    ) -> Result<Feed, StoreFault> {
        let cursor = self.end_of_record().await?;
        let rows = sqlx::query(if since == 0 { ALL } else { LATER })
            .bind(signed(since))
            .bind(signed(cursor))
            .bind(to_column(now))
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
        let mut feed = Feed {
            cursor,
            at: now,
            epoch: None,
            revocations: Vec::with_capacity(rows.len()),
        };
        for row in rows.iter().rev() {
            let revocation = revocation(row)?;
            match revocation.what {
                Revoked::Everything => feed.fold(revocation.not_before),
                _ => feed.revocations.push(revocation),
            }
        }
        if let Some(earliest) = rows.last().filter(|_| rows.len() >= limit as usize) {
            let before: i64 = earliest.try_get("position")?;
            let row = sqlx::query(
                "SELECT MAX(not_before) AS latest FROM revocations WHERE position > $1 AND position < $2 AND until > $3",
            )
            .bind(signed(since))
            .bind(before)
            .bind(to_column(now))
            .fetch_one(&self.pool)
            .await?;
            if let Some(latest) = row.try_get::<Option<i64>, _>("latest")? {
                feed.fold(from_column(latest));
            }
        }
        Ok(feed)
    }

    /// The hash of the entry at this position, in hexadecimal digits; 0 is before the first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hash_at(&self, position: u64) -> Result<Option<String>, StoreFault> {
        if position == 0 {
            return Ok(Some(Hash::GENESIS.to_string()));
        }
        let row = sqlx::query("SELECT hash FROM audit WHERE position = $1")
            .bind(signed(position))
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| row.try_get("hash")).transpose()
    }
}

fn revocation(row: &AnyRow) -> Result<Revocation, StoreFault> {
    let grant: Option<String> = row.try_get("grant_id")?;
    let issuer: Option<String> = row.try_get("issuer")?;
    let subject: Option<String> = row.try_get("subject")?;
    let resource: Option<String> = row.try_get("resource")?;
    let what = match (grant, issuer.zip(subject), resource) {
        (Some(grant), _, _) => Revoked::Grant(GrantId(grant)),
        (None, Some((issuer, subject)), _) => Revoked::Subject(PersonId { issuer, subject }),
        (None, None, Some(resource)) => Revoked::Resource(resource),
        (None, None, None) => Revoked::Everything,
    };
    Ok(Revocation {
        position: unsigned(row.try_get("position")?),
        what,
        not_before: from_column(row.try_get("not_before")?),
        until: from_column(row.try_get("until")?),
    })
}
