//! What stands beside an entry of the record so that it can be looked for.

use hallpass_core::time::UnixMillis;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::StoreFault;
use super::rows::from_column;
use crate::audit::Entry;
use crate::life::Actor;

/// An entry's columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Indexed {
    pub(super) at: Option<UnixMillis>,
    pub(super) event: String,
    pub(super) actor: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) resource: Option<String>,
    pub(super) action: Option<String>,
    pub(super) request: Option<String>,
    pub(super) grant: Option<String>,
}

impl Indexed {
    /// Those that belong to this entry.
    pub(super) fn of(entry: &Entry) -> Self {
        let target = entry.target.as_ref();
        Self {
            at: UnixMillis::from_rfc3339(&entry.time),
            event: entry.event.word().to_owned(),
            actor: match &entry.actor {
                Actor::Person(person) => Some(person.subject.clone()),
                Actor::Service(name) => Some(name.clone()),
                Actor::Operator | Actor::Itself => None,
            },
            subject: entry.subject.as_ref().map(|person| person.subject.clone()),
            resource: target.map(|target| target.resource.clone()),
            action: target.map(|target| target.action.clone()),
            request: entry.request.clone(),
            grant: entry.grant.clone(),
        }
    }

    /// Those that a row has.
    pub(super) fn kept(row: &AnyRow) -> Result<Self, StoreFault> {
        Ok(Self {
            at: Some(from_column(row.try_get("at")?)),
            event: row.try_get("event")?,
            actor: row.try_get("actor")?,
            subject: row.try_get("subject")?,
            resource: row.try_get("resource")?,
            action: row.try_get("action")?,
            request: row.try_get("request")?,
            grant: row.try_get("grant_id")?,
        })
    }
}
