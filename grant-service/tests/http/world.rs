//! A service that answers without a network, on a database of its own, with a clock that moves when told.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode};
use hallpass_core::time::UnixMillis;
use hallpass_grants::app::App;
use hallpass_grants::clock::Clock;
use hallpass_grants::config::Config;
use hallpass_grants::desk::Desk;
use hallpass_grants::http::router;
use hallpass_grants::identity::Doorkeeper;
use hallpass_grants::life::{Policy, Rule, Shortcut, Who};
use hallpass_grants::store::Store;
use serde_json::{Value, json};
use tower::ServiceExt;

/// When the stories begin.
pub(crate) const NOON: UnixMillis = UnixMillis::new(1_790_000_000_000);
/// The issuer of everybody's tokens.
pub(crate) const ISSUER: &str = "https://idp.example";
/// Where people reach the service.
const PUBLIC_URL: &str = "https://grants.example";
/// The token of a proxy.
const TOKEN: &str = "the-token-of-a-proxy";
/// Where the identity headers come from.
const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Who sends a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum By {
    /// Someone of these groups, separated by commas.
    Person(&'static str, &'static str),
    /// A proxy with its service token.
    Proxy,
    /// Whoever has no credential.
    Nobody,
}

pub(crate) const ALICE: By = By::Person("alice", "dev");
pub(crate) const OSCAR: By = By::Person("oscar", "dev,oncall");
pub(crate) const LENA: By = By::Person("lena", "lead");
pub(crate) const ADA: By = By::Person("ada", "security");
pub(crate) const AUDREY: By = By::Person("audrey", "audit");
pub(crate) const MALLORY: By = By::Person("mallory", "");

/// Everything that a story needs.
pub(crate) struct World {
    pub(crate) desk: Arc<Desk>,
    router: Router,
    now: Arc<AtomicU64>,
    directory: Arc<tempfile::TempDir>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(policy()).await
    }

    pub(crate) async fn with(policy: Policy) -> Self {
        let directory = Arc::new(tempfile::tempdir().unwrap());
        let now = Arc::new(AtomicU64::new(NOON.as_millis()));
        Self::on(directory, now, Arc::new(policy), &json!([])).await
    }

    /// With people who may come with tokens of these providers.
    pub(crate) async fn believing(providers: &Value) -> Self {
        let directory = Arc::new(tempfile::tempdir().unwrap());
        let now = Arc::new(AtomicU64::new(NOON.as_millis()));
        Self::on(directory, now, Arc::new(policy()), providers).await
    }

    /// Another process on the same database.
    pub(crate) async fn replica(&self) -> Self {
        let policy = Arc::new(self.desk.policy().clone());
        let (directory, now) = (self.directory.clone(), self.now.clone());
        Self::on(directory, now, policy, &json!([])).await
    }

    async fn on(
        directory: Arc<tempfile::TempDir>,
        now: Arc<AtomicU64>,
        policy: Arc<Policy>,
        providers: &Value,
    ) -> Self {
        let url = format!("sqlite:{}", directory.path().join("grants.db").display());
        let store = Store::open(&url).await.unwrap();
        let clock = now.clone();
        let clock = Clock::new(move || UnixMillis::new(clock.load(Ordering::SeqCst)));
        let desk = Arc::new(Desk::new(store, policy, clock.clone()));
        let app = App {
            desk: desk.clone(),
            doorkeeper: Arc::new(doorkeeper(clock.clone(), providers)),
            public_url: PUBLIC_URL.parse().unwrap(),
            sign_in_url: None,
            default_issuer: Some(ISSUER.to_owned()),
            return_origins: Vec::new(),
        };
        Self {
            desk,
            router: router(app),
            now,
            directory,
        }
    }

    pub(crate) fn pass(&self, span: Duration) {
        let millis = u64::try_from(span.as_millis()).unwrap();
        self.now.fetch_add(millis, Ordering::SeqCst);
    }

    /// The clock is set back.
    pub(crate) fn step_back(&self, span: Duration) {
        let millis = u64::try_from(span.as_millis()).unwrap();
        self.now.fetch_sub(millis, Ordering::SeqCst);
    }

    /// How many entries the record has: what has changed nothing has added none.
    pub(crate) async fn recorded(&self) -> u64 {
        self.desk.store().end_of_record().await.unwrap()
    }

    pub(crate) async fn get(&self, by: By, path: &str) -> Reply {
        self.send(request(by, "GET", path), Body::empty()).await
    }

    pub(crate) async fn post(&self, by: By, path: &str, body: &Value) -> Reply {
        self.post_text(by, path, &body.to_string()).await
    }

    pub(crate) async fn post_text(&self, by: By, path: &str, body: &str) -> Reply {
        let request = request(by, "POST", path).header("content-type", "application/json");
        self.send(request, Body::from(body.to_owned())).await
    }

    pub(crate) async fn send(&self, request: axum::http::request::Builder, body: Body) -> Reply {
        let request = request.body(body).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Reply {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }
}

/// A request by someone, to be given a body.
pub(crate) fn request(by: By, method: &str, path: &str) -> axum::http::request::Builder {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .extension(ConnectInfo(SocketAddr::new(PROXY, 40_000)));
    match by {
        By::Person(name, groups) => {
            let named = request
                .header("x-hallpass-subject", name)
                .header("x-hallpass-issuer", ISSUER);
            // Of who is in no group the filter tells none, and no empty list.
            match groups {
                "" => named,
                groups => named.header("x-hallpass-groups", groups),
            }
        }
        By::Proxy => request.header("authorization", format!("Bearer {TOKEN}")),
        By::Nobody => request,
    }
}

impl Reply {
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        let value = value.unwrap_or_else(|| panic!("no {name}: {self:?}"));
        value.to_str().unwrap()
    }
}

/// One that believes a proxy on this machine, and knows a service.
fn doorkeeper(clock: Clock, providers: &Value) -> Doorkeeper {
    let mut config = json!({
        "listen": "127.0.0.1:0",
        "public_url": PUBLIC_URL,
        "identity_headers": { "trusted_proxies": [PROXY.to_string()] },
        "services": [{ "name": "edge", "token": TOKEN }],
        "policy": { "administrators": { "groups": ["security"] } },
    });
    if providers != &json!([]) {
        config["providers"] = providers.clone();
    }
    Doorkeeper::new(&Config::parse(&config.to_string()).unwrap(), clock).unwrap()
}

pub(crate) fn group(name: &str) -> Who {
    Who {
        groups: [name.to_owned()].into(),
        ..Who::default()
    }
}

/// A rule that lets developers ask, leads approve, and who is on call have it at once.
pub(crate) fn rule(resource_type: &str, resource: &str, actions: &[&str]) -> Rule {
    let hour = Duration::from_hours(1);
    Rule {
        resource_type: resource_type.to_owned(),
        resource: resource.to_owned(),
        actions: actions.iter().map(|&action| action.to_owned()).collect(),
        title: "Orders".to_owned(),
        requesters: group("dev"),
        approvers: group("lead"),
        approvals: 1,
        max_duration: hour,
        default_duration: hour / 2,
        pending_for: hour,
        reason: None,
        reason_hint: None,
        automatic: Some(Shortcut {
            who: group("oncall"),
            max_duration: hour,
        }),
        break_glass: None,
    }
}

pub(crate) fn policy() -> Policy {
    let write = Rule {
        approvals: 2,
        ..rule("http", "orders", &["write"])
    };
    Policy {
        rules: vec![rule("http", "orders", &["read"]), write],
        administrators: group("security"),
        auditors: group("audit"),
    }
}
