//! A service with a scripted clock, some rules and some people, and a browser of which only the requests are real.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode, header};
use hallpass_core::time::UnixMillis;
use hallpass_grants::app::App;
use hallpass_grants::clock::Clock;
use hallpass_grants::config::Config;
use hallpass_grants::desk::{Desk, Wish};
use hallpass_grants::http::router;
use hallpass_grants::identity::Doorkeeper;
use hallpass_grants::life::{
    Ask, GrantId, Origin, Person, PersonId, Policy, Request as Asking, RequestId, Rule, Shortcut,
    Target, Term, Who,
};
use hallpass_grants::store::{AuditFilter, Store};
use regex::Regex;
use serde_json::json;
use tower::ServiceExt;
use url::Url;

/// When the stories begin.
pub(crate) const NOON: UnixMillis = UnixMillis::new(1_790_000_000_000);
/// The issuer of everybody's tokens.
pub(crate) const ISSUER: &str = "https://idp.example";
/// Where the service is.
pub(crate) const HOME: &str = "https://grants.example";

/// Everything that a story needs.
pub(crate) struct World {
    pub(crate) desk: Arc<Desk>,
    pub(crate) router: Router,
    now: Arc<AtomicU64>,
    _directory: tempfile::TempDir,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::build(
            HOME,
            policy(),
            None,
            Some("https://idp.example/in?to={return_to}"),
        )
        .await
    }

    /// With no way to sign in configured.
    pub(crate) async fn without_sign_in() -> Self {
        Self::build(HOME, policy(), None, None).await
    }

    /// On the machine's clock and at this address, for a real browser.
    pub(crate) async fn real(home: &str, policy: Policy) -> Self {
        Self::build(home, policy, Some(Clock::system()), None).await
    }

    async fn build(
        home: &str,
        policy: Policy,
        clock: Option<Clock>,
        sign_in: Option<&str>,
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", directory.path().join("grants.db").display());
        Self::on(&url, directory, home, policy, clock, sign_in).await
    }

    /// The same on `PostgreSQL`.
    pub(crate) async fn on_postgres() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = hallpass_postgres::shared().new_database().unwrap();
        Self::on(&url, directory, HOME, policy(), None, None).await
    }

    async fn on(
        url: &str,
        directory: tempfile::TempDir,
        home: &str,
        policy: Policy,
        clock: Option<Clock>,
        sign_in: Option<&str>,
    ) -> Self {
        let store = Store::open(url).await.unwrap();
        let now = Arc::new(AtomicU64::new(NOON.as_millis()));
        let scripted = now.clone();
        let clock = clock.unwrap_or_else(|| {
            Clock::new(move || UnixMillis::new(scripted.load(Ordering::SeqCst)))
        });
        let desk = Arc::new(Desk::new(store, Arc::new(policy), clock));
        let router = router(App {
            desk: desk.clone(),
            doorkeeper: Arc::new(doorkeeper()),
            public_url: Url::parse(home).unwrap(),
            sign_in_url: sign_in.map(str::to_owned),
            default_issuer: None,
            return_origins: vec![Url::parse("https://admin.example").unwrap().origin()],
        });
        Self {
            desk,
            router,
            now,
            _directory: directory,
        }
    }

    pub(crate) fn pass(&self, span: Duration) {
        let millis = u64::try_from(span.as_millis()).unwrap();
        self.now.fetch_add(millis, Ordering::SeqCst);
    }

    /// A request as it is; the proxy is at the address that is trusted.
    pub(crate) async fn send(&self, mut request: Request<Body>) -> Answer {
        let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 4711));
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let bytes = to_bytes(body, 1 << 20).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    /// Someone opens a page.
    pub(crate) async fn open(&self, who: &Person, path: &str) -> Answer {
        let request = signed_in(Request::get(path), who)
            .body(Body::empty())
            .unwrap();
        self.send(request).await
    }

    /// Someone sends a form of ours.
    pub(crate) async fn submit(&self, who: &Person, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.submit_from(
            who,
            path,
            fields,
            &[("sec-fetch-site", "same-origin"), ("origin", HOME)],
        )
        .await
    }

    /// Someone's browser sends a form, and tells where it is from by these headers.
    pub(crate) async fn submit_from(
        &self,
        who: &Person,
        path: &str,
        fields: &[(&str, &str)],
        told: &[(&str, &str)],
    ) -> Answer {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let mut request = signed_in(Request::post(path), who)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        for (name, value) in told {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(form)).unwrap()).await
    }

    /// Someone asks for access, by no page.
    pub(crate) async fn ask(&self, who: &Person, action: &str, reason: &str) -> Asking {
        let wish = Wish {
            ask: Ask {
                target: target("orders", action),
                term: Some(Term::For(Duration::from_mins(10))),
                reason: reason.to_owned(),
                emergency: false,
            },
            idempotency_key: None,
        };
        self.desk
            .request(who, wish, &Origin::default())
            .await
            .unwrap()
    }

    /// Someone holds a grant.
    pub(crate) async fn grant(&self, who: &Person) -> (RequestId, GrantId) {
        let asked = self.ask(who, "read", "OPS-7 look into it").await;
        let id = asked.facts().id.clone();
        let approved = self
            .desk
            .approve(&lena(), &id, &Origin::default())
            .await
            .unwrap();
        let Asking::Closed(closed) = approved else {
            panic!("one approval is enough");
        };
        match closed.closing {
            hallpass_grants::life::Closing::Approved(grant) => (id, grant),
            other => panic!("{other:?}"),
        }
    }

    /// The events on record, the earliest first.
    pub(crate) async fn events(&self) -> Vec<String> {
        let filter = AuditFilter {
            limit: 1_000,
            ..AuditFilter::default()
        };
        let entries = self.desk.store().audit(&filter).await.unwrap();
        let event = |text: &str| {
            let entry: hallpass_grants::audit::Entry = serde_json::from_str(text).unwrap();
            entry.event.word().to_owned()
        };
        entries.iter().map(|(_, link)| event(&link.text)).collect()
    }
}

impl Answer {
    /// Where the browser is sent.
    pub(crate) fn location(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.text);
        self.headers[header::LOCATION].to_str().unwrap()
    }

    /// The value of a hidden field.
    pub(crate) fn hidden(&self, name: &str) -> &str {
        let field = format!("name=\"{name}\" value=\"");
        let (_, value) = self.text.split_once(&field).unwrap();
        value.split_once('"').unwrap().0
    }
}

/// One that believes a proxy on this machine.
fn doorkeeper() -> Doorkeeper {
    let config = json!({
        "listen": "127.0.0.1:0",
        "public_url": HOME,
        "identity_headers": { "trusted_proxies": ["127.0.0.1"] },
        "policy": {},
    });
    Doorkeeper::new(
        &Config::parse(&config.to_string()).unwrap(),
        Clock::system(),
    )
    .unwrap()
}

fn signed_in(request: axum::http::request::Builder, who: &Person) -> axum::http::request::Builder {
    let request = request
        .header("x-hallpass-subject", &who.id.subject)
        .header("x-hallpass-issuer", &who.id.issuer)
        .header("x-hallpass-groups", who.groups.join(","))
        .header("x-request-id", "req-1")
        .header(header::ACCEPT, "text/html");
    match &who.email {
        Some(email) => request.header("x-hallpass-email", email),
        None => request,
    }
}

/// Someone of these groups.
pub(crate) fn person(name: &str, groups: &[&str]) -> Person {
    Person {
        id: PersonId {
            issuer: ISSUER.to_owned(),
            subject: name.to_owned(),
        },
        email: Some(format!("{name}@example.com")),
        groups: groups.iter().map(|&group| group.to_owned()).collect(),
    }
}

/// A developer.
pub(crate) fn alice() -> Person {
    person("alice", &["dev"])
}

/// A lead, who approves.
pub(crate) fn lena() -> Person {
    person("lena", &["lead"])
}

/// An administrator.
pub(crate) fn ada() -> Person {
    person("ada", &["security"])
}

pub(crate) fn target(resource: &str, action: &str) -> Target {
    Target {
        resource_type: "http".to_owned(),
        resource: resource.to_owned(),
        action: action.to_owned(),
    }
}

fn group(name: &str) -> Who {
    Who {
        groups: [name.to_owned()].into(),
        ..Who::default()
    }
}

/// Developers may ask to read and write orders, with a ticket; leads approve, and for writing it takes two. Payments are somebody else's.
pub(crate) fn policy() -> Policy {
    let hour = Duration::from_hours(1);
    let rule = |resource: &str, title: &str, requesters, action: &str, approvals| Rule {
        resource_type: "http".to_owned(),
        resource: resource.to_owned(),
        actions: [action.to_owned()].into(),
        title: title.to_owned(),
        requesters: group(requesters),
        approvers: group("lead"),
        approvals,
        max_duration: hour,
        default_duration: hour / 2,
        pending_for: hour,
        reason: Some(Regex::new("^OPS-[0-9]+").unwrap()),
        reason_hint: Some("The ticket, such as OPS-7, and what you will do.".to_owned()),
        automatic: Some(Shortcut {
            who: group("oncall"),
            max_duration: hour / 4,
        }),
        break_glass: Some(Shortcut {
            who: group("sre"),
            max_duration: hour / 2,
        }),
    };
    let mut anything = rule("<b>tools</b>", "", "dev", "use", 1);
    anything.actions.clear();
    Policy {
        rules: vec![
            rule("orders", "Orders", "dev", "read", 1),
            rule("orders", "Orders", "dev", "write", 2),
            rule("payments", "Payments", "finance", "read", 1),
            anything,
        ],
        administrators: group("security"),
        auditors: group("audit"),
    }
}
