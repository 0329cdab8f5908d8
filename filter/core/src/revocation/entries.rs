//! The entries of the feed that still matter: bounded, each known since it first arrived, forgotten at its end.

use std::collections::HashMap;

use hashlink::DefaultHashBuilder;

use super::{Revocation, TakenBack};
use crate::time::UnixMillis;

/// How many entries are held. Where there are more, everything counts as taken back that was given until then.
pub const MAX_ENTRIES: usize = 10_000;

type Names<V> = HashMap<Box<str>, V, DefaultHashBuilder>;

/// From when on something counts again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    /// By the service's clock.
    pub(super) not_before: UnixMillis,
    /// When this worker learned of it, by a clock that never goes back.
    pub(super) arrived: UnixMillis,
    /// From then on it may be forgotten.
    pub(super) until: UnixMillis,
}

/// What is taken back, by what it is.
#[derive(Debug, Default)]
pub(super) struct Entries {
    /// With the moment from which on each may be forgotten.
    grants: Names<UnixMillis>,
    /// By issuer, then by subject.
    subjects: Names<Names<Mark>>,
    resources: Names<Mark>,
    count: usize,
}

/// What came of adding an entry.
pub(super) enum Added {
    /// It says no more than what is held.
    Known,
    New,
    /// There is no room.
    Full,
}

impl Entries {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether this grant is taken back.
    pub(super) fn holds_grant(&self, id: &str) -> bool {
        self.grants.contains_key(id)
    }

    /// What is taken back of a subject's.
    pub(super) fn of_subject(&self, issuer: &str, subject: &str) -> Option<Mark> {
        self.subjects.get(issuer)?.get(subject).copied()
    }

    /// What is taken back of what was given for a resource.
    pub(super) fn of_resource(&self, resource: &str) -> Option<Mark> {
        self.resources.get(resource).copied()
    }

    /// Adds an entry. Where it is in here or was in `before`, it arrived then.
    pub(super) fn add(&mut self, entry: &Revocation, arrived: UnixMillis, before: &Self) -> Added {
        let has_room = self.count < MAX_ENTRIES;
        let until = entry.until;
        let mark = |not_before| Mark {
            not_before,
            arrived,
            until,
        };
        let (added, is_one_more) = match &entry.what {
            TakenBack::Grant(id) => {
                let is_known = self.holds_grant(id);
                if !is_known && !has_room {
                    return Added::Full;
                }
                let kept = self.grants.entry(id.as_str().into()).or_insert(until);
                *kept = until.max(*kept);
                let was_known = before.holds_grant(id);
                (is_known || was_known, !is_known)
            }
            TakenBack::Subject {
                issuer,
                subject,
                not_before,
            } => {
                let known = self.of_subject(issuer, subject);
                if known.is_none() && !has_room {
                    return Added::Full;
                }
                let old = known.or_else(|| before.of_subject(issuer, subject));
                let (mark, is_known) = mark(*not_before).with(old);
                let subjects = self.subjects.entry(issuer.as_str().into()).or_default();
                subjects.insert(subject.as_str().into(), mark);
                (is_known, known.is_none())
            }
            TakenBack::Resource {
                resource,
                not_before,
            } => {
                let known = self.of_resource(resource);
                if known.is_none() && !has_room {
                    return Added::Full;
                }
                let old = known.or_else(|| before.of_resource(resource));
                let (mark, is_known) = mark(*not_before).with(old);
                self.resources.insert(resource.as_str().into(), mark);
                (is_known, known.is_none())
            }
        };
        self.count = self.count.saturating_add(is_one_more.into());
        if added { Added::Known } else { Added::New }
    }

    /// Forgets what is over.
    pub(super) fn retain(&mut self, now: UnixMillis) {
        self.grants.retain(|_, until| now < *until);
        self.resources.retain(|_, mark| now < mark.until);
        let mut count = self.grants.len().saturating_add(self.resources.len());
        self.subjects.retain(|_, subjects| {
            subjects.retain(|_, mark| now < mark.until);
            count = count.saturating_add(subjects.len());
            !subjects.is_empty()
        });
        self.count = count;
    }
}

impl Mark {
    /// What this and the mark of before come to, and whether that says no more than the one of before.
    fn with(self, before: Option<Self>) -> (Self, bool) {
        let Some(before) = before else {
            return (self, false);
        };
        let until = self.until.max(before.until);
        if before.not_before >= self.not_before {
            (Self { until, ..before }, true)
        } else {
            (Self { until, ..self }, false)
        }
    }
}
