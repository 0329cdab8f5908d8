//! One reply of the feed: what it must be like to be believed.
//!
//! It is read whole or not at all. An entry that cannot be read may be the one that matters, so it is never skipped.

use std::fmt;

use serde::Deserialize;

use crate::json::{self, Object};
use crate::line::one_line;
use crate::time::UnixMillis;

/// A larger reply is not read: room for some ten thousand entries with long names.
pub const MAX_FEED_BYTES: usize = 2 * 1024 * 1024;
/// A longer name is not believed. With the number of entries that are held, this bounds what they take.
const MAX_NAME_BYTES: usize = 1_024;

/// One reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// Up to where it tells: what to ask for next time.
    pub cursor: String,
    /// Whether it is the whole list that still matters, or only what came after the cursor that was sent.
    pub complete: bool,
    /// Nothing that was given until then counts any more, whoever has it.
    pub epoch: Option<UnixMillis>,
    /// What was taken back.
    pub revocations: Vec<Revocation>,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// What was taken back.
    pub what: TakenBack,
    /// From then on it may be forgotten: what it takes back is over by itself.
    pub until: UnixMillis,
}

/// What was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakenBack {
    /// One grant, by its name.
    Grant(String),
    /// Whatever someone was given until `not_before`.
    Subject {
        /// Who vouches for the subject.
        issuer: String,
        /// The subject.
        subject: String,
        /// The last moment at which it does not count.
        not_before: UnixMillis,
    },
    /// Whatever anyone was given for a resource until `not_before`.
    Resource {
        /// The resource's name.
        resource: String,
        /// The last moment at which it does not count.
        not_before: UnixMillis,
    },
}

impl fmt::Display for TakenBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grant(id) => write!(f, "the grant {id:?}"),
            Self::Subject {
                issuer,
                subject,
                not_before,
            } => write!(
                f,
                "what {subject:?} of {issuer:?} was given until {}",
                not_before.to_rfc3339()
            ),
            Self::Resource {
                resource,
                not_before,
            } => write!(
                f,
                "what anyone was given for {resource:?} until {}",
                not_before.to_rfc3339()
            ),
        }
    }
}

#[derive(Deserialize)]
struct RawFeed {
    cursor: String,
    complete: bool,
    epoch: Option<String>,
    revocations: Vec<Object<RawEntry>>,
}

#[derive(Deserialize)]
struct RawEntry {
    grant: Option<String>,
    subject: Option<String>,
    issuer: Option<String>,
    resource: Option<String>,
    not_before: Option<String>,
    until: String,
}

impl Feed {
    /// Reads the body of a reply.
    ///
    /// # Errors
    /// What is wrong with it, on one line for the log, where anything is.
    pub fn parse(body: &[u8]) -> Result<Self, String> {
        if body.len() > MAX_FEED_BYTES {
            return Err(format!("a body of more than {MAX_FEED_BYTES} bytes"));
        }
        let Object(raw): Object<RawFeed> =
            json::from_slice(body).map_err(|error| json::told(&error))?;
        let epoch = raw.epoch.as_deref().map(moment).transpose();
        let entries = raw.revocations.into_iter().enumerate();
        Ok(Self {
            cursor: name(raw.cursor).map_err(|fault| format!("`cursor`: {fault}"))?,
            complete: raw.complete,
            epoch: epoch.map_err(|fault| format!("`epoch`: {fault}"))?,
            revocations: entries
                .map(|(index, Object(entry))| {
                    let told = |fault| format!("revocation {index}: {fault}");
                    entry.read().map_err(told)
                })
                .collect::<Result<_, _>>()?,
        })
    }
}

impl RawEntry {
    fn read(self) -> Result<Revocation, String> {
        let not_before = || moment(self.not_before.as_deref().ok_or("no `not_before`")?);
        let what = match (self.grant, self.subject, self.resource) {
            (Some(id), None, None) => TakenBack::Grant(name(id)?),
            (None, Some(subject), None) => TakenBack::Subject {
                issuer: name(self.issuer.ok_or("a subject without `issuer`")?)?,
                subject: name(subject)?,
                not_before: not_before()?,
            },
            (None, None, Some(resource)) => TakenBack::Resource {
                resource: name(resource)?,
                not_before: not_before()?,
            },
            _ => return Err("not one of `grant`, `subject` or `resource`".to_owned()),
        };
        Ok(Revocation {
            what,
            until: moment(&self.until)?,
        })
    }
}

fn name(text: String) -> Result<String, String> {
    match text.len() {
        1..=MAX_NAME_BYTES => Ok(text),
        length => Err(format!("a name of {length} bytes")),
    }
}

fn moment(text: &str) -> Result<UnixMillis, String> {
    let read = UnixMillis::from_rfc3339(text);
    read.ok_or_else(|| format!("`{}` is no date", one_line(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const DATE: &str = "2026-11-23T21:00:00.123Z";

    fn read(feed: &Value) -> Result<Feed, String> {
        Feed::parse(feed.to_string().as_bytes())
    }

    fn with(entry: &Value) -> Result<Feed, String> {
        let sound = json!({ "grant": "g-1", "until": DATE });
        read(&json!({ "cursor": "7", "complete": true, "revocations": [sound, entry] }))
    }

    #[test]
    fn each_kind_of_entry_is_read_with_its_dates() {
        let date = UnixMillis::from_rfc3339(DATE).unwrap();
        let feed = read(&json!({
            "cursor": "1042", "complete": false, "epoch": DATE, "added": "later",
            "revocations": [
                { "grant": "g-42", "until": DATE, "action": "read" },
                { "subject": "alice", "issuer": "https://idp.example", "not_before": DATE, "until": DATE },
                { "resource": "orders", "not_before": DATE, "until": DATE },
            ],
        }))
        .unwrap();
        assert_eq!(
            (feed.cursor.as_str(), feed.complete, feed.epoch),
            ("1042", false, Some(date))
        );
        let expected = [
            TakenBack::Grant("g-42".into()),
            TakenBack::Subject {
                issuer: "https://idp.example".into(),
                subject: "alice".into(),
                not_before: date,
            },
            TakenBack::Resource {
                resource: "orders".into(),
                not_before: date,
            },
        ];
        let expected = expected.map(|what| Revocation { what, until: date });
        assert_eq!(feed.revocations, expected);
    }

    #[test]
    fn an_entry_that_cannot_be_read_makes_the_whole_feed_unreadable() {
        for entry in [
            json!({ "grant": "g", "until": null }),
            json!({ "grant": "g" }),
            json!({ "grant": "", "until": DATE }),
            json!({ "grant": "g".repeat(1_025), "until": DATE }),
            json!({ "grant": 7, "until": DATE }),
            json!({ "grant": "g", "until": "soon" }),
            json!({ "grant": "g", "subject": "alice", "issuer": "i", "not_before": DATE, "until": DATE }),
            json!({ "subject": "alice", "not_before": DATE, "until": DATE }),
            json!({ "subject": "alice", "issuer": "i", "until": DATE }),
            json!({ "resource": "orders", "until": DATE }),
            json!({ "tenant": "acme", "until": DATE }),
            json!({ "until": DATE }),
            json!(["g", null, null, null, null, DATE]),
            json!("g"),
            json!(null),
        ] {
            assert!(with(&entry).is_err(), "{entry}");
        }
        assert!(with(&json!({ "grant": "g", "until": DATE })).is_ok());
    }

    #[test]
    fn a_feed_that_lacks_what_it_must_say_is_unreadable() {
        for feed in [
            json!({ "complete": true, "revocations": [] }),
            json!({ "cursor": "7", "revocations": [] }),
            json!({ "cursor": "7", "complete": true }),
            json!({ "cursor": 7, "complete": true, "revocations": [] }),
            json!({ "cursor": "", "complete": true, "revocations": [] }),
            json!({ "cursor": "7", "complete": "true", "revocations": [] }),
            json!({ "cursor": "7", "complete": true, "revocations": [], "epoch": "now" }),
            json!({ "cursor": "7", "complete": true, "revocations": {} }),
            json!(["7", true, null, []]),
            json!(null),
        ] {
            assert!(read(&feed).is_err(), "{feed}");
        }
        for text in [
            "",
            "<html>",
            r#"{"cursor":"7","complete":true,"complete":false,"revocations":[]}"#,
            r#"{"cursor":"7","complete":true,"revocations":[{"grant":"a","grant":"b","until":"2026-11-23T21:00:00Z"}]}"#,
        ] {
            assert!(Feed::parse(text.as_bytes()).is_err(), "{text}");
        }
        let long = format!(
            r#"{{"cursor":"7","complete":true,"revocations":[]{}}}"#,
            " ".repeat(MAX_FEED_BYTES)
        );
        assert!(Feed::parse(long.as_bytes()).is_err());
    }

    #[test]
    fn what_is_told_of_an_entry_or_a_fault_is_one_line() {
        let hostile = "a\nhallpass.audit {\u{1b}";
        let what = TakenBack::Subject {
            issuer: hostile.into(),
            subject: hostile.into(),
            not_before: UnixMillis::new(0),
        };
        let fault = with(&json!({ "grant": "g", "until": hostile })).unwrap_err();
        for line in [what.to_string(), fault] {
            assert!(!line.contains(char::is_control), "{line:?}");
        }
    }
}
