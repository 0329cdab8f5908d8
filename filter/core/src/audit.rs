//! The record of one decision: a line of JSON that nobody outside can forge.
//!
//! Every string is escaped, so a line break in a subject or a path cannot begin a line of its own, and bounded. Tokens, cookies and the
//! query of the path are never part of it. The same facts may be left with the request as [`Properties`], and leave for a collector: see
//! [`export`].

pub mod export;
mod line;
pub mod otlp;
mod pending;
mod properties;
mod trace;

use std::borrow::Cow;
use std::net::IpAddr;

use crate::config::Config;
use crate::denial::Reason;
use crate::headers::HeaderList;
use crate::identity::Identity;
use crate::ids::GrantId;
use crate::time::UnixMillis;
use line::{Line, member};
use otlp::LogRecord;

pub use pending::PendingLines;
pub use properties::Properties;
pub use trace::Trace;

/// What begins each line of a record in the proxy's log, and no other line.
pub const MARK: &str = "hallpass.audit ";

/// What is written down of a decision, as far as the configuration wants it.
#[derive(Debug)]
pub struct Written {
    /// The line for the log.
    pub line: Option<String>,
    /// What is left with the request.
    pub properties: Option<Properties>,
    /// The record for the collector.
    pub export: Option<LogRecord>,
}

impl Written {
    /// Whether anything is written down of a decision for `reason`.
    pub fn is_wanted(config: &Config, reason: Reason) -> bool {
        Wanted::of(config, reason).anything()
    }

    /// Writes down a decision for `reason`. The record is not made where nobody wants it.
    pub fn of<'a>(
        config: &Config,
        reason: Reason,
        record: impl FnOnce() -> Record<'a>,
    ) -> Option<Box<Self>> {
        let wanted = Wanted::of(config, reason);
        if !wanted.anything() {
            return None;
        }
        let record = record();
        let line = (wanted.line || wanted.export).then(|| record.to_line());
        let export = line.as_deref().filter(|_| wanted.export);
        Some(Box::new(Self {
            properties: wanted.properties.then(|| Properties::of(&record)),
            export: export.map(|line| LogRecord::new(&record, line)),
            line: line.filter(|_| wanted.line),
        }))
    }
}

/// Which parts of [`Written`] somebody wants.
struct Wanted {
    line: bool,
    properties: bool,
    export: bool,
}

impl Wanted {
    fn of(config: &Config, reason: Reason) -> Self {
        let audit = &config.audit;
        let otlp = audit.otlp.as_ref();
        Self {
            line: audit.log.takes(reason),
            properties: audit.filter_state,
            export: otlp.is_some_and(|otlp| otlp.decisions.takes(reason)),
        }
    }

    fn anything(&self) -> bool {
        self.line || self.properties || self.export
    }
}

/// Everything that is recorded. What is not known is left out.
#[derive(Debug)]
pub struct Record<'a> {
    made: UnixMillis,
    time: String,
    decision: &'static str,
    /// Whether the decision is held to.
    pub enforced: bool,
    reason: &'static str,
    status: u16,
    /// Who asked, if that was found out.
    pub subject: Option<&'a str>,
    /// Who vouches for the subject.
    pub issuer: Option<&'a str>,
    /// What was asked for.
    pub resource: Option<&'a str>,
    /// What was to be done to it.
    pub action: Option<&'a str>,
    /// The method.
    pub method: Option<Cow<'a, str>>,
    /// The host.
    pub host: Option<Cow<'a, str>>,
    /// The path, without its query.
    pub path: Option<Cow<'a, str>>,
    /// The client's address.
    pub source_ip: Option<IpAddr>,
    /// The host's name for the request.
    pub request_id: Option<&'a str>,
    /// The token's name (`jti`).
    pub token_id: Option<&'a str>,
    /// How strongly the subject signed in (`acr`).
    pub acr: Option<&'a str>,
    /// The grant that allowed it, or would have if nothing had been wrong with it.
    pub grant_id: Option<&'a str>,
    /// The end of that grant.
    pub grant_expires: Option<String>,
    config: &'a str,
    /// The trace that the request belongs to, for whom it is exported to.
    pub trace: Option<Trace<'a>>,
}

impl<'a> Record<'a> {
    /// A record of a decision for `reason`, made under the configuration `config`.
    pub fn new(reason: Reason, config: &'a str, now: UnixMillis) -> Self {
        Self {
            made: now,
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
            acr: None,
            grant_id: None,
            grant_expires: None,
            config,
            trace: None,
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
        self.acr = identity.acr();
        self
    }

    /// Adds the grant that was found.
    #[must_use]
    pub fn with_grant(mut self, id: Option<&'a GrantId>, until: Option<UnixMillis>) -> Self {
        self.grant_id = id.map(GrantId::as_str);
        self.grant_expires = until.map(UnixMillis::to_rfc3339);
        self
    }

    /// The line.
    pub fn to_line(&self) -> String {
        // Each member is named, so that none that is added is forgotten.
        let Self {
            made: _,
            trace: _,
            time,
            decision,
            enforced,
            reason,
            status,
            subject,
            issuer,
            resource,
            action,
            method,
            host,
            path,
            source_ip,
            request_id,
            token_id,
            acr,
            grant_id,
            grant_expires,
            config,
        } = self;
        let mut line = Line::beginning_with("time", time);
        line.text(member!("decision"), Some(decision));
        line.plain(member!("enforced"), enforced);
        line.text(member!("reason"), Some(reason));
        line.plain(member!("status"), status);
        line.text(member!("subject"), *subject);
        line.text(member!("issuer"), *issuer);
        line.text(member!("resource"), *resource);
        line.text(member!("action"), *action);
        line.text(member!("method"), method.as_deref());
        line.text(member!("host"), host.as_deref());
        line.text(member!("path"), path.as_deref());
        line.address(member!("source_ip"), *source_ip);
        line.text(member!("request_id"), *request_id);
        line.text(member!("token_id"), *token_id);
        line.text(member!("acr"), *acr);
        line.text(member!("grant_id"), *grant_id);
        line.text(member!("grant_expires"), grant_expires.as_deref());
        line.text(member!("config"), Some(config));
        line.end()
    }
}

/// Of what is too long to be recorded no more is read than shows that it is.
fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    let most = line::MAX_TEXT_BYTES.saturating_add(1);
    String::from_utf8_lossy(bytes.get(..most).unwrap_or(bytes))
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
        assert!(!line.contains(['\n', '\u{2028}']), "{line:?}");
        let read: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["subject"], record.subject.unwrap());
        assert_eq!(read["decision"], "allow");
        assert_eq!(read["time"], "2026-09-21T14:13:20.123Z");
    }

    #[test]
    fn a_line_has_every_member_in_the_order_of_the_documentation() {
        for (address, written) in [("192.0.2.7", "192.0.2.7"), ("2001:DB8::7", "2001:db8::7")] {
            let id = GrantId::new("g-42");
            let mut record = Record::new(Reason::GrantCached, "c0ffee", NOW)
                .with_grant(Some(&id), Some(UnixMillis::new(1_790_003_600_000)));
            record.subject = Some("alice");
            record.issuer = Some("https://idp.example");
            record.resource = Some("orders");
            record.action = Some("read");
            record.method = Some("GET".into());
            record.host = Some("admin.example".into());
            record.path = Some("/orders/7".into());
            record.source_ip = address.parse().ok();
            record.request_id = Some("f3b1");
            record.token_id = Some("token-1");
            record.acr = Some("phr");
            let expected = format!(
                "{}{written}{}",
                r#"{"time":"2026-09-21T14:13:20.123Z","decision":"allow","enforced":true,"reason":"grant_cached","status":200,"subject":"alice","issuer":"https://idp.example","resource":"orders","action":"read","method":"GET","host":"admin.example","path":"/orders/7","source_ip":""#,
                r#"","request_id":"f3b1","token_id":"token-1","acr":"phr","grant_id":"g-42","grant_expires":"2026-09-21T15:13:20.000Z","config":"c0ffee"}"#,
            );
            assert_eq!(record.to_line(), expected);
        }
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
