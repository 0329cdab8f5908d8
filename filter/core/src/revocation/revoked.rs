//! What is taken back right now, as decisions look into it, and whether that is all there is to know.

use std::time::Duration;

use super::Feed;
use super::entries::{Added, Entries, MAX_ENTRIES, Mark};
use crate::identity::Identity;
use crate::ids::{GrantId, ResourceName};
use crate::time::UnixMillis;

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
        !self.is_empty() && id.is_some_and(|id| self.entries.holds_grant(id.as_str()))
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
        let marks = [
            self.epoch,
            self.entries.of_resource(resource.as_str()),
            self.entries
                .of_subject(who.issuer().as_str(), who.subject()),
        ];
        marks.iter().flatten().any(takes)
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
        self.entries.len()
    }

    /// Whether nothing is taken back.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.epoch.is_none()
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

#[cfg(test)]
mod tests;
