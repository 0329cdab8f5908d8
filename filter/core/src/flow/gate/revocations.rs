//! How a worker keeps up with what the grant service takes back: what it asks for, and what it makes of the answers.
//!
//! What is taken back is told in the log once; so is a feed that cannot be read any longer, and one that can be again. All of it is another
//! server's text: what is repeated of it fits on one line.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::Gate;
use crate::config::{Config, ServiceSettings};
use crate::line::one_line;
use crate::metrics::Counter;
use crate::revocation::{Change, FeedReply, Follower, Revoked};
use crate::time::UnixMillis;

/// How many revocations are told of one reply.
const MAX_TOLD: usize = 50;

/// The next question to the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedRequest<'a> {
    /// Whom to ask, and how.
    pub service: &'a ServiceSettings,
    /// `:path`, with the cursor.
    pub path: String,
    /// `if-none-match`, if anything is known.
    pub tag: Option<&'a str>,
}

/// The follower of the configured feed, and what is known before it has asked; without a feed there is nothing to know.
pub(super) fn follow(config: &Config) -> (Option<Follower>, Revoked) {
    let service = config.grants.service.as_ref();
    match service.and_then(|service| service.revocations.as_ref()) {
        None => (None, Revoked::default()),
        Some(settings) => {
            let (follower, revoked) = Follower::new(settings.rules);
            (Some(follower), revoked)
        }
    }
}

impl Gate {
    /// What is taken back, as far as is known.
    pub fn revoked(&self) -> &Revoked {
        &self.revoked
    }

    /// The moment of a question to the grant service that is asked now: see [`Gate::on_grant_reply`].
    pub fn asking(&mut self, now: UnixMillis) -> UnixMillis {
        self.revoked.asking(now)
    }

    /// Whether the feed is to be asked now.
    pub fn is_feed_due(&mut self, now: UnixMillis) -> bool {
        let follower = self.follower.as_mut();
        follower.is_some_and(|follower| follower.is_due(&mut self.revoked, now))
    }

    /// What to ask the feed for. `None` if there is none.
    pub fn feed_request(&self) -> Option<FeedRequest<'_>> {
        let told = self.follower.as_ref()?.told();
        let service = self.config.grants.service.as_ref()?;
        let path = &service.revocations.as_ref()?.path;
        Some(FeedRequest {
            service,
            path: match told {
                None => path.clone(),
                Some(told) => {
                    let joint = if path.contains('?') { '&' } else { '?' };
                    let cursor = utf8_percent_encode(&told.cursor, NON_ALPHANUMERIC);
                    format!("{path}{joint}since={cursor}")
                }
            },
            tag: told.and_then(|told| told.tag.as_deref()),
        })
    }

    /// The feed is being asked.
    pub fn feed_asked(&mut self, now: UnixMillis) {
        if let Some(follower) = &mut self.follower {
            follower.started(now);
        }
    }

    /// Takes the feed's reply. If it is not what it should be, what is known stays, and gets older.
    pub fn on_feed_reply(&mut self, reply: FeedReply<'_>, now: UnixMillis) {
        let Some(follower) = &mut self.follower else {
            return;
        };
        match follower.answered(&mut self.revoked, reply, now) {
            Ok((news, change)) => {
                self.count(Counter::RevocationsOk);
                self.tell_of_feed(change);
                self.tell_what_is_revoked(&news);
            }
            Err(change) => {
                self.count(Counter::RevocationsError);
                self.tell_of_feed(change);
            }
        }
    }

    /// The feed was asked and did not answer, and `why`.
    pub fn feed_failed(&mut self, why: &str) {
        if let Some(follower) = &mut self.follower {
            let change = follower.failed(&mut self.revoked, why);
            self.count(Counter::RevocationsError);
            self.tell_of_feed(change);
        }
    }

    /// Whoever waits for the feed's reply waits no longer, which says nothing of the feed.
    pub fn give_up_feed(&mut self) {
        if let Some(follower) = &mut self.follower {
            follower.given_up(&mut self.revoked);
        }
    }

    /// What was taken back since this was last asked, in words. Then it is time to look at requests that are open.
    pub fn take_revocations(&mut self) -> Vec<String> {
        std::mem::take(&mut self.told_revoked)
    }

    /// Goes on with what the gate of before knows, if the same feed is followed.
    #[must_use]
    pub fn succeeding(mut self, before: &mut Self) -> Self {
        let feed = |gate: &Self| {
            let service = gate.config.grants.service.as_ref()?;
            let feed = service.revocations.as_ref()?;
            let place = [&service.cluster, &service.authority, &feed.path];
            Some((place.map(Clone::clone), feed.rules))
        };
        if let (Some((ours, rules)), Some((theirs, _))) = (feed(&self), feed(before))
            && ours == theirs
            && let Some(follower) = before
                .follower
                .take_if(|follower| follower.told().is_some())
        {
            self.follower = Some(follower.succeeded_by(rules));
            self.revoked = std::mem::take(&mut before.revoked);
        }
        self
    }

    fn tell_of_feed(&mut self, change: Change) {
        let news = match change {
            Change::None => return,
            Change::Lost(why) => format!(
                "cannot be read: {}; what it said last counts for a while, and then no grant does that may have been taken back since",
                one_line(&why)
            ),
            Change::Found => "can be read again".to_owned(),
        };
        let Some(service) = &self.config.grants.service else {
            return;
        };
        let path = service.revocations.as_ref().map_or("", |feed| &feed.path);
        self.notices.push(format!(
            "the revocation feed (cluster `{}`, path `{path}`) {news}",
            service.cluster
        ));
    }

    fn tell_what_is_revoked(&mut self, news: &[String]) {
        let told = news.iter().take(MAX_TOLD);
        self.told_revoked
            .extend(told.map(|what| format!("taken back: {}", one_line(what))));
        let more = news.len().saturating_sub(MAX_TOLD);
        if more > 0 {
            self.told_revoked
                .push(format!("taken back: {more} more of the same reply"));
        }
    }
}
