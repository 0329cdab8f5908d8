//! Reading a database as it is, to prove its record: nothing is changed, not even brought up to date.

use std::str::FromStr;

use anyhow::{Context, Result, anyhow};
use sqlx::Row;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions, AnyRow, install_default_drivers};
use tokio::sync::Mutex;

use super::indexed::Indexed;
use super::open::which;
use super::{Store, StoreFault};
use crate::audit::{Entry, Link};

/// An entry as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The place in the record that its row has.
    pub position: u64,
    /// The entry and its hash.
    pub link: Link,
    /// Whether its row is found by what the entry says: who, what and when.
    pub is_indexed_right: bool,
}

impl Store {
    /// Opens a database that is there, to read it.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn open_to_read(url: &str) -> Result<Self> {
        install_default_drivers();
        let url = match url.split_once(':') {
            Some(("sqlite", _)) if !url.contains('?') => format!("{url}?mode=ro"),
            _ => url.to_owned(),
        };
        let options = AnyConnectOptions::from_str(&url).context("the database's address")?;
        let which = which(&options.database_url);
        let pool = AnyPoolOptions::new().max_connections(1);
        let pool = pool.connect_with(options).await;
        Ok(Self {
            // Its own words are those of its cause, which would follow.
            pool: pool.map_err(|fault| anyhow!("cannot open the database {which}: {fault}"))?,
            turn: Mutex::new(()),
        })
    }

    /// Entries behind this position, so many at most, with what their rows say of them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn kept_entries(&self, after: u64, limit: u32) -> Result<Vec<Kept>, StoreFault> {
        let rows = sqlx::query(
            "SELECT position, at, event, actor, subject, resource, action, request, grant_id, entry, hash FROM audit \
             WHERE position > $1 ORDER BY position LIMIT $2",
        )
        .bind(i64::try_from(after).unwrap_or(i64::MAX))
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(kept).collect()
    }
}

fn kept(row: &AnyRow) -> Result<Kept, StoreFault> {
    let text: String = row.try_get("entry")?;
    let entry: Option<Entry> = serde_json::from_str(&text).ok();
    let indexed = Indexed::kept(row)?;
    Ok(Kept {
        position: row.try_get::<i64, _>("position")?.try_into().unwrap_or(0),
        link: Link {
            text,
            hash: row.try_get("hash")?,
        },
        is_indexed_right: entry.is_some_and(|entry| Indexed::of(&entry) == indexed),
    })
}
