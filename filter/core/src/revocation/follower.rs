//! Keeping up with the feed: when to ask, what to send, and for how long what is known counts.
//!
//! Nothing is sent here. There is one question at a time; it is asked again each interval, whether or not it was answered, and the time for
//! which its answer counts begins when it was asked.

use std::time::Duration;

use super::{Feed, Revoked};
use crate::time::UnixMillis;

/// A longer entity tag is not sent back.
const MAX_TAG_BYTES: usize = 1_024;

/// How closely the feed is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FollowRules {
    /// It is asked again so long after it was asked.
    pub interval: Duration,
    /// What is known counts for so long after it was asked for.
    pub max_stale: Duration,
}

/// How far this worker has come with the feed.
#[derive(Debug)]
pub struct Follower {
    rules: FollowRules,
    told: Option<Told>,
    /// When the question was asked that is under way.
    asked: Option<UnixMillis>,
    planned: UnixMillis,
    due: UnixMillis,
    /// The latest time that was seen.
    seen: UnixMillis,
    is_lost: bool,
}

/// Up to where the feed has told, by its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Goes back as `since`.
    pub cursor: String,
    /// Goes back as `if-none-match` (RFC 9110, section 13.1.2), if there is one.
    pub tag: Option<String>,
}

/// A reply as it came over the wire.
#[derive(Debug, Clone, Copy)]
pub struct FeedReply<'a> {
    /// The HTTP status.
    pub status: u16,
    /// `etag`.
    pub tag: Option<&'a [u8]>,
    /// The body.
    pub body: &'a [u8],
}

/// What is different from now on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Change {
    /// Nothing that an operator has not been told.
    #[default]
    None,
    /// The feed cannot be read any longer, and why.
    Lost(String),
    /// It can be read again.
    Found,
}

impl Follower {
    /// Nothing is known yet, and the first question is due.
    pub fn new(rules: FollowRules) -> (Self, Revoked) {
        let start = UnixMillis::new(0);
        let follower = Self {
            rules,
            told: None,
            asked: None,
            planned: start,
            due: start,
            seen: start,
            is_lost: false,
        };
        (follower, Revoked::awaited())
    }

    /// Goes on where another has come to, by these rules. Its question under way is nobody's any longer.
    #[must_use]
    pub fn succeeded_by(self, rules: FollowRules) -> Self {
        Self {
            rules,
            asked: None,
            due: self.planned,
            ..self
        }
    }

    /// Whether to ask now: nothing is under way, and it is time, or the clock was set back and nobody knows when that will be.
    pub fn is_due(&mut self, revoked: &mut Revoked, now: UnixMillis) -> bool {
        if now < self.seen {
            // How old it is cannot be told any longer; it does not get older than it may all the same.
            revoked.known_no_longer_than(now.saturating_add(self.rules.max_stale));
        }
        self.seen = now;
        self.asked.is_none() && !(self.planned..self.due).contains(&now)
    }

    /// Up to where the feed has told; nothing where the whole of it is to be asked for.
    pub fn told(&self) -> Option<&Told> {
        self.told.as_ref()
    }

    /// It is asked now.
    pub fn started(&mut self, now: UnixMillis) {
        self.asked = Some(now);
        self.seen = now;
        self.planned = now;
        self.due = now.saturating_add(self.rules.interval);
    }

    /// Takes the reply: what is taken back from now on, in words.
    ///
    /// # Errors
    /// The change that a reply makes which cannot be read; what is known stays, and gets older.
    pub fn answered(
        &mut self,
        revoked: &mut Revoked,
        reply: FeedReply<'_>,
        now: UnixMillis,
    ) -> Result<(Vec<String>, Change), Change> {
        let news = match self.read(reply) {
            Ok(Some(feed)) => {
                self.told = Some(Told {
                    cursor: feed.cursor.clone(),
                    tag: reply.tag.and_then(tag),
                });
                revoked.apply(feed, now)
            }
            Ok(None) => Vec::new(),
            Err(fault) => {
                // What it does not understand may be the cursor: the whole list needs none.
                if reply.status < 500 {
                    self.told = None;
                }
                return Err(self.failed(revoked, &format!("status {}: {fault}", reply.status)));
            }
        };
        let asked = self.asked.take().unwrap_or(now).min(now);
        revoked.forget_over(now);
        revoked.known_until(asked.saturating_add(self.rules.max_stale));
        let change = if std::mem::take(&mut self.is_lost) {
            Change::Found
        } else {
            Change::None
        };
        Ok((news, change))
    }

    /// What a reply says; nothing where that is what is known already.
    fn read(&self, reply: FeedReply<'_>) -> Result<Option<Feed>, String> {
        match reply.status {
            200 => {
                let feed = Feed::parse(reply.body)?;
                if self.told.is_none() && !feed.complete {
                    return Err("a part of the list, and the whole was asked for".to_owned());
                }
                Ok(Some(feed))
            }
            304 if self.told.is_some() => Ok(None),
            401 | 403 => Err("it refuses the filter's own credentials, which are configured in `grants.service.headers`".to_owned()),
            _ => Err("expected status 200".to_owned()),
        }
    }

    /// Nobody waits any longer for what is under way.
    pub fn given_up(&mut self, revoked: &mut Revoked) {
        self.asked = None;
        revoked.give_up_waiting();
    }

    /// There was no reply that can be read, and `why`. Requests that wait for the first one do not wait for another.
    pub fn failed(&mut self, revoked: &mut Revoked, why: &str) -> Change {
        self.given_up(revoked);
        if std::mem::replace(&mut self.is_lost, true) {
            Change::None
        } else {
            Change::Lost(why.to_owned())
        }
    }
}

/// An entity tag that can be sent back (RFC 9110, section 8.8.3).
fn tag(bytes: &[u8]) -> Option<String> {
    let is_sound = bytes.len() <= MAX_TAG_BYTES && bytes.iter().all(|b| (0x21..=0x7e).contains(b));
    let text = std::str::from_utf8(bytes).ok().filter(|_| is_sound)?;
    Some(text.to_owned())
}

#[cfg(test)]
mod tests;
