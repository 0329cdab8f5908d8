//! The record of one decision: a line of JSON that nobody outside can forge.
//!
//! Every string is escaped by the serializer, so a line break in a subject or a path cannot begin a line of its own. Tokens, cookies and
//! the query of the path are never part of it.

use std::borrow::Cow;
use std::net::IpAddr;

use serde::Serialize;

use crate::denial::Reason;
use crate::headers::HeaderList;
use crate::identity::Identity;
use crate::time::UnixMillis;

/// The longest piece of an unreadable request that is repeated in a record.
const MAX_RAW_BYTES: usize = 1024;

/// Everything that is recorded. What is not known is left out.
#[derive(Debug, Serialize)]
pub struct Record<'a> {
    time: String,
    decision: &'static str,
    enforced: bool,
    reason: &'static str,
    status: u16,
    /// Who asked, if that was found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<&'a str>,
    /// Who vouches for the subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<&'a str>,
    /// What was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<&'a str>,
    /// What was to be done to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<&'a str>,
    /// The method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<Cow<'a, str>>,
    /// The host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<Cow<'a, str>>,
    /// The path, without its query.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<Cow<'a, str>>,
    /// The client's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_ip: Option<IpAddr>,
    /// The host's name for the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<&'a str>,
    /// The token's name (`jti`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_id: Option<&'a str>,
    /// The grant that allowed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_id: Option<&'a str>,
    /// The end of that grant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_expires: Option<String>,
    config: &'a str,
}

impl<'a> Record<'a> {
    /// A record of a decision for `reason`, made under the configuration `config`.
    pub fn new(reason: Reason, config: &'a str, now: UnixMillis) -> Self {
        Self {
            time: now.to_rfc3339(),
            decision: if reason.allows() { "allow" } else { "deny" },
            enforced: true,
            reason: reason.as_str(),
            status: reason.kind().status(),
            subject: None,
            issuer: None,
            resource: None,
            action: None,
            method: None,
            host: None,
            path: None,
            source_ip: None,
            request_id: None,
            token_id: None,
            grant_id: None,
            grant_expires: None,
            config,
        }
    }

    /// Adds method, host and path as they came, for a request that has no canonical form.
    #[must_use]
    pub fn with_raw_request(mut self, headers: &'a HeaderList) -> Self {
        let raw = |name: &'a str| headers.all(name).next().map(lossy);
        self.method = raw(":method");
        self.host = raw(":authority");
        self.path = headers
            .all(":path")
            .next()
            .and_then(|target| target.split(|byte| *byte == b'?').next())
            .map(lossy);
        self
    }

    /// The status of the filter's own answer, where the reason does not say it.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Adds who asked.
    #[must_use]
    pub fn with_identity(mut self, identity: &'a Identity) -> Self {
        self.subject = Some(identity.subject());
        self.issuer = Some(identity.issuer().as_str());
        self.token_id = identity.token_id();
        self
    }

    /// The line.
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes.get(..MAX_RAW_BYTES).unwrap_or(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const NOW: UnixMillis = UnixMillis::new(1_790_000_000_123);

    #[test]
    fn a_line_break_in_a_name_does_not_begin_a_line() {
        let mut record = Record::new(Reason::GrantCached, "c0ffee", NOW);
        record.subject = Some("mallory\nhallpass.audit {\"subject\":\"alice\"}\u{2028}\u{0}");
        let line = record.to_line();
        assert_eq!(line.lines().count(), 1);
        let read: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["subject"], record.subject.unwrap());
        assert_eq!(read["decision"], "allow");
        assert_eq!(read["time"], "2026-09-21T14:13:20.123Z");
    }

    #[test]
    fn an_unreadable_request_is_recorded_without_its_query_and_bounded() {
        let mut headers = HeaderList::default();
        headers.push(b":path", b"/a\xff\n?token=secret");
        headers.push(b":authority", &[b'a'; 5_000]);
        let line = Record::new(Reason::RequestAmbiguous, "c0ffee", NOW)
            .with_raw_request(&headers)
            .to_line();
        assert!(!line.contains("secret"), "{line}");
        assert!(line.len() < 2_000);
        let read: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["path"], "/a\u{fffd}\n");
        assert_eq!(read["status"], 400);
    }
}
