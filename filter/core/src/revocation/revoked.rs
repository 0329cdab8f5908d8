//! What is taken back right now, as decisions look into it: bounded, and quick to say that nothing is.

use std::collections::HashMap;
use std::time::Duration;

use hashlink::DefaultHashBuilder;

use super::{Feed, Revocation, TakenBack};
use crate::identity::Identity;
use crate::ids::{GrantId, ResourceName};
use crate::time::UnixMillis;

/// How many entries are held. Where there are more, everything counts as taken back that was given until then.
pub const MAX_ENTRIES: usize = 10_000;

type Names<V> = HashMap<Box<str>, V, DefaultHashBuilder>;

/// Everything that is taken back, and whether that is all there is to know. Without a feed it is empty, and nothing more is to be known.
#[derive(Debug, Default)]
pub struct Revoked {
    knowledge: Knowledge,
    entries: Entries,
    epoch: Option<Mark>,
    moments: Moments,
}

/// Whether it is known what is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is.
    Current,
    /// Not yet: the first reply is on its way, and worth waiting for.
    Awaited,
    /// It is not: what was given before may have been taken back since.
    Unknown,
}

#[derive(Debug, Clone, Copy, Default)]
enum Knowledge {
    /// There is no feed.
    #[default]
    Unneeded,
    Awaited,
    Until(UnixMillis),
}

/// From when on something counts again.
#[derive(Debug, Clone, Copy)]
struct Mark {
    /// By the service's clock.
    not_before: UnixMillis,
    /// When this worker learned of it, by [`Moments`].
    arrived: UnixMillis,
    until: UnixMillis,
}

#[derive(Debug, Default)]
struct Entries {
    /// With the moment from which on each may be forgotten.
    grants: Names<UnixMillis>,
    /// By issuer, then by subject.
    subjects: Names<Names<Mark>>,
    resources: Names<Mark>,
    count: usize,
}

/// A clock that only says what came after what (Lamport's), near to the proxy's: a question that is asked after a revocation has arrived
/// has a later moment, and one that was asked before has none that is later, also where the proxy's clock is set back in between.
#[derive(Debug)]
struct Moments {
    arrived: UnixMillis,
    asked: UnixMillis,
}

impl Default for Moments {
    fn default() -> Self {
        let never = UnixMillis::new(0);
        Self {
            arrived: never,
            asked: never,
        }
    }
}

impl Revoked {
    /// Nothing yet, and the first reply is awaited.
    pub(super) fn awaited() -> Self {
        Self {
            knowledge: Knowledge::Awaited,
            ..Self::default()
        }
    }

    /// Whether it is known at `now` what is taken back.
    pub fn standing(&self, now: UnixMillis) -> Standing {
        match self.knowledge {
            Knowledge::Unneeded => Standing::Current,
            Knowledge::Awaited => Standing::Awaited,
            Knowledge::Until(until) if now < until => Standing::Current,
            Knowledge::Until(_) => Standing::Unknown,
        }
    }

    /// Whether this grant is, whenever it was given and by whom.
    pub fn takes_grant(&self, id: Option<&GrantId>) -> bool {
        !self.entries.grants.is_empty()
            && id.is_some_and(|id| self.entries.grants.contains_key(id.as_str()))
    }

    /// Whether what a token gives for `resource` is, by when the token was issued. One that does not say may have been issued before.
    pub fn takes_token(&self, who: &Identity, resource: &ResourceName) -> bool {
        self.any(who, resource, |mark| {
            who.issued().is_none_or(|issued| issued <= mark.not_before)
        })
    }

    /// Whether what the service answered about `resource` is, by when it was [asked](Self::asking).
    pub fn takes_answer(&self, who: &Identity, resource: &ResourceName, asked: UnixMillis) -> bool {
        self.any(who, resource, |mark| asked <= mark.arrived)
    }

    fn any(&self, who: &Identity, resource: &ResourceName, takes: impl Fn(&Mark) -> bool) -> bool {
        if self.is_empty() {
            return false;
        }
        let of_issuer = self.entries.subjects.get(who.issuer().as_str());
        let marks = [
            self.epoch.as_ref(),
            self.entries.resources.get(resource.as_str()),
            of_issuer.and_then(|subjects| subjects.get(who.subject())),
        ];
        marks.into_iter().flatten().any(takes)
    }

    /// The moment of a question that is asked now.
    pub fn asking(&mut self, now: UnixMillis) -> UnixMillis {
        if matches!(self.knowledge, Knowledge::Unneeded) {
            return now;
        }
        let after = self
            .moments
            .arrived
            .saturating_add(Duration::from_millis(1));
        let asked = now.max(after);
        self.moments.asked = self.moments.asked.max(asked);
        asked
    }

    /// How many entries are held.
    pub fn len(&self) -> usize {
        self.entries.count
    }

    /// Whether nothing is taken back.
    pub fn is_empty(&self) -> bool {
        self.entries.count == 0 && self.epoch.is_none()
    }

    /// All is known until then.
    pub(super) fn known_until(&mut self, until: UnixMillis) {
        self.knowledge = Knowledge::Until(until);
    }

    /// The first reply did not come.
    pub(super) fn give_up_waiting(&mut self) {
        if matches!(self.knowledge, Knowledge::Awaited) {
            self.known_until(UnixMillis::new(0));
        }
    }

    /// All is known until then at the longest.
    pub(super) fn known_no_longer_than(&mut self, end: UnixMillis) {
        if let Knowledge::Until(until) = self.knowledge {
            self.known_until(until.min(end));
        }
    }

    /// Takes what a reply says. What is news in it, in words.
    pub(super) fn apply(&mut self, feed: Feed, now: UnixMillis) -> Vec<String> {
        let arrived = now.max(self.moments.asked);
        let mut news = Vec::new();
        let before = if feed.complete {
            std::mem::take(&mut self.entries)
        } else {
            Entries::default()
        };
        let mut epoch = feed.epoch;
        let mut left_out = 0_usize;
        for entry in feed.revocations {
            // What it takes back is over by itself.
            if entry.until <= now {
                continue;
            }
            match self.entries.add(&entry, arrived, &before) {
                Added::Known => {}
                Added::New => news.push(entry.what.to_string()),
                Added::Full => left_out = left_out.saturating_add(1),
            }
        }
        let last = self.epoch.map(|mark| mark.not_before);
        if left_out > 0 {
            news.push(format!(
                "everything that was given until now, since {left_out} revocations are more than the {MAX_ENTRIES} that fit"
            ));
            epoch = epoch.max(last).max(Some(now));
        }
        if let Some(not_before) = epoch
            && (left_out > 0 || epoch > last)
        {
            news.push(format!(
                "everything that was given until {}",
                not_before.to_rfc3339()
            ));
            self.epoch = Some(Mark {
                not_before,
                arrived,
                until: UnixMillis::new(u64::MAX),
            });
        }
        if !news.is_empty() {
            self.moments.arrived = arrived;
        }
        news
    }

    /// Forgets what is over.
    pub(super) fn forget_over(&mut self, now: UnixMillis) {
        self.entries.retain(now);
    }
}

enum Added {
    /// It says no more than what is held.
    Known,
    New,
    /// There is no room.
    Full,
}

impl Entries {
    /// Adds an entry. Where it is in here or was in `before`, it arrived then.
    fn add(&mut self, entry: &Revocation, arrived: UnixMillis, before: &Self) -> Added {
        let has_room = self.count < MAX_ENTRIES;
        let until = entry.until;
        let mark = |not_before| Mark {
            not_before,
            arrived,
            until,
        };
        let (added, is_one_more) = match &entry.what {
            TakenBack::Grant(id) => {
                let is_known = self.grants.contains_key(id.as_str());
                if !is_known && !has_room {
                    return Added::Full;
                }
                let kept = self.grants.entry(id.as_str().into()).or_insert(until);
                *kept = until.max(*kept);
                let was_known = before.grants.contains_key(id.as_str());
                (is_known || was_known, !is_known)
            }
            TakenBack::Subject {
                issuer,
                subject,
                not_before,
            } => {
                let known = self.subject(issuer, subject);
                if known.is_none() && !has_room {
                    return Added::Full;
                }
                let old = known.or_else(|| before.subject(issuer, subject));
                let (mark, is_known) = mark(*not_before).with(old);
                let subjects = self.subjects.entry(issuer.as_str().into()).or_default();
                subjects.insert(subject.as_str().into(), mark);
                (is_known, known.is_none())
            }
            TakenBack::Resource {
                resource,
                not_before,
            } => {
                let known = self.resources.get(resource.as_str()).copied();
                if known.is_none() && !has_room {
                    return Added::Full;
                }
                let old = known.or_else(|| before.resources.get(resource.as_str()).copied());
                let (mark, is_known) = mark(*not_before).with(old);
                self.resources.insert(resource.as_str().into(), mark);
                (is_known, known.is_none())
            }
        };
        self.count = self.count.saturating_add(is_one_more.into());
        if added { Added::Known } else { Added::New }
    }

    fn subject(&self, issuer: &str, subject: &str) -> Option<Mark> {
        self.subjects.get(issuer)?.get(subject).copied()
    }

    fn retain(&mut self, now: UnixMillis) {
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

#[cfg(test)]
mod tests;
