//! The servers that a proxy asks: the grant service with its feed of revocations, and the issuer. They say what they would say at that
//! moment, in the form in which it goes over the wire.

use std::collections::HashMap;

use hallpass_core::time::UnixMillis;
use hallpass_tokens::{ISSUER, SigningKey, jwks};
use serde::Deserialize;
use serde_json::json;

use crate::people::{KEY, subject, user};

/// Everything given ends a few hours after the simulation.
const ENDS: i64 = hallpass_tokens::NOW + 6 * 3_600;

/// All servers.
pub(crate) struct Service {
    keys: Vec<u8>,
    allow: Vec<u8>,
    ends: String,
    /// Who loses what they have, and when, in the order of time.
    revocations: Vec<Revocation>,
    revoked: HashMap<u32, UnixMillis>,
}

/// A user loses everything that they were given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Revocation {
    pub(crate) at: UnixMillis,
    pub(crate) user: u32,
}

/// What the feed says.
pub(crate) struct FeedAnswer {
    pub(crate) status: u16,
    pub(crate) tag: String,
    pub(crate) body: Vec<u8>,
}

#[derive(Deserialize)]
struct Asked<'a> {
    #[serde(borrow)]
    subject: AskedSubject<'a>,
}

#[derive(Deserialize)]
struct AskedSubject<'a> {
    id: &'a str,
}

impl Service {
    /// A service that takes back what it is told to, each at its time.
    pub(crate) fn new(mut revocations: Vec<Revocation>) -> Self {
        revocations.sort_by_key(|revocation| revocation.at);
        let ends = UnixMillis::from_seconds(ENDS).expect("a moment");
        let ends = ends.to_rfc3339();
        let allow = json!({ "decision": true, "context": { "approval": { "id": "g-1", "approved_until": ends } } });
        let revoked = revocations.iter().map(|it| (it.user, it.at)).collect();
        Self {
            keys: jwks(&[&SigningKey::es256(KEY)]).to_string().into_bytes(),
            allow: allow.to_string().into_bytes(),
            ends,
            revocations,
            revoked,
        }
    }

    /// When the user lost what they had, if that has come by now.
    pub(crate) fn revoked(&self, user: u32, now: UnixMillis) -> Option<UnixMillis> {
        self.revoked.get(&user).copied().filter(|at| *at <= now)
    }

    /// The revocations of this place and later ones, in the order in which they are made.
    pub(crate) fn revocations_from(&self, place: usize) -> &[Revocation] {
        &self.revocations[place..]
    }

    /// The answer to a question of the filter.
    pub(crate) fn decide(&self, question: &[u8], now: UnixMillis) -> &[u8] {
        let asked: Asked<'_> = serde_json::from_slice(question).expect("a question");
        let user = user(asked.subject.id).expect("one of ours");
        match self.revoked(user, now) {
            None => &self.allow,
            Some(_) => br#"{"decision":false}"#,
        }
    }

    /// The feed, to a reader who knows it up to `cursor`.
    pub(crate) fn feed(&self, cursor: Option<&str>, now: UnixMillis) -> FeedAnswer {
        let known = cursor.map_or(0, |cursor| cursor.parse().expect("one of ours"));
        let made = self.revocations.partition_point(|it| it.at <= now);
        let tag = format!("\"{made}\"");
        if cursor.is_some() && known == made {
            return FeedAnswer {
                status: 304,
                tag,
                body: Vec::new(),
            };
        }
        let entries = self.revocations[known..made].iter().map(|it| {
            json!({
                "subject": subject(it.user),
                "issuer": ISSUER,
                "not_before": it.at.to_rfc3339(),
                "until": self.ends,
            })
        });
        let feed = json!({
            "cursor": made.to_string(),
            "complete": cursor.is_none(),
            "revocations": entries.collect::<Vec<_>>(),
        });
        FeedAnswer {
            status: 200,
            tag,
            body: feed.to_string().into_bytes(),
        }
    }

    /// The issuer's keys.
    pub(crate) fn keys(&self) -> &[u8] {
        &self.keys
    }
}
