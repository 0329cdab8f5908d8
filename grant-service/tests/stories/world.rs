//! Two replicas' desks at one database, with a scripted clock, some rules, and some people.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hallpass_core::time::UnixMillis;
use hallpass_grants::audit::{Entry, Event, Hash, verify};
use hallpass_grants::clock::Clock;
use hallpass_grants::desk::{Decided, Desk, Evaluation, Fault, Hook, Wish};
use hallpass_grants::life::{
    Active, Ask, Origin, Person, PersonId, Policy, Refusal, RequestId, Rule, Shortcut, Target,
    Term, Who,
};
use hallpass_grants::store::{AuditFilter, Store};
use sqlx::AnyPool;

/// When the stories begin.
pub(crate) const NOON: UnixMillis = UnixMillis::new(1_790_000_000_000);
/// The issuer of everybody's tokens.
pub(crate) const ISSUER: &str = "https://idp.example";

/// Everything that a story needs.
pub(crate) struct World {
    pub(crate) desk: Arc<Desk>,
    /// Another replica; on `SQLite`, another program that has the same file open.
    pub(crate) other: Arc<Desk>,
    pub(crate) origin: Origin,
    pub(crate) database: Database,
    /// The database's address.
    pub(crate) url: String,
    now: Arc<AtomicU64>,
    _directory: tempfile::TempDir,
}

/// What the service can keep its things in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Database {
    Sqlite,
    Postgres,
}

/// Tells a story once on `SQLite` and once on `PostgreSQL`.
pub(crate) async fn on_each_database(story: impl AsyncFn(World)) {
    for database in [Database::Sqlite, Database::Postgres] {
        eprintln!("on {database:?}:");
        story(World::on(database).await).await;
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::on(Database::Sqlite).await
    }

    pub(crate) async fn on(database: Database) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = match database {
            Database::Sqlite => {
                format!("sqlite:{}", directory.path().join("grants.db").display())
            }
            Database::Postgres => hallpass_postgres::shared().new_database().unwrap(),
        };
        let now = Arc::new(AtomicU64::new(NOON.as_millis()));
        Self {
            desk: replica(&url, policy(), &now).await,
            other: replica(&url, policy(), &now).await,
            origin: Origin::default(),
            database,
            url,
            now,
            _directory: directory,
        }
    }

    /// One more replica, under other rules.
    pub(crate) async fn replica_with(&self, policy: Policy) -> Arc<Desk> {
        replica(&self.url, policy, &self.now).await
    }

    /// The same, but from now on these are told what happens at the desk.
    pub(crate) async fn telling(self, hooks: Vec<Hook>) -> Self {
        let store = Store::open(&self.url).await.unwrap();
        let clock = self.desk.clock().clone();
        let desk = Desk::new(store, Arc::new(policy()), clock).telling(hooks);
        Self {
            desk: Arc::new(desk),
            ..self
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

    /// Someone asks, and must wait or gets it at once.
    pub(crate) async fn ask(&self, asker: &Person, wish: Wish) -> RequestId {
        let request = self.desk.request(asker, wish, &self.origin).await.unwrap();
        request.facts().id.clone()
    }

    /// The grant that lets this person do that to the orders now: both replicas say the same.
    pub(crate) async fn live(&self, who: &Person, action: &str) -> Option<Active> {
        let here = self.desk.evaluate(&who.id, &orders(action)).await.unwrap();
        let there = self.other.evaluate(&who.id, &orders(action)).await.unwrap();
        assert_eq!(here, there);
        match here {
            Evaluation::Allowed(grant) => Some(grant),
            Evaluation::Denied => None,
        }
    }

    /// The whole record, whose chain holds up to its end.
    pub(crate) async fn record(&self) -> Vec<Entry> {
        let filter = AuditFilter {
            limit: u32::MAX,
            ..AuditFilter::default()
        };
        let store = self.other.store();
        let links = store.audit(&filter).await.unwrap();
        let mut end = (0, Hash::GENESIS);
        for (_, link) in &links {
            end = verify(end, link).unwrap();
        }
        let (position, hash) = end;
        assert_eq!(
            store.chain_end().await.unwrap(),
            (position, hash.to_string())
        );
        let entry = |link: &str| serde_json::from_str(link).unwrap();
        links.iter().map(|(_, link)| entry(&link.text)).collect()
    }

    /// What happened, in the order of the record.
    pub(crate) async fn events(&self) -> Vec<Event> {
        self.record()
            .await
            .iter()
            .map(|entry| entry.event)
            .collect()
    }

    /// Waits until so many replicas wait for the end of the record, as `PostgreSQL` tells. Of a file nothing tells it: whoever finds it locked
    /// just tries again.
    pub(crate) async fn until_they_wait(&self, pool: &AnyPool, many: i64) {
        assert_eq!(self.database, Database::Postgres);
        let waiting = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let until = async {
            while sqlx::query_scalar::<_, i64>(waiting)
                .fetch_one(pool)
                .await
                .unwrap()
                < many
            {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(4), until)
            .await
            .unwrap();
    }

    /// A way to the database that is not the service's.
    pub(crate) async fn back_door(&self) -> AnyPool {
        AnyPool::connect(&self.url).await.unwrap()
    }
}

async fn replica(url: &str, policy: Policy, now: &Arc<AtomicU64>) -> Arc<Desk> {
    let store = Store::open(url).await.unwrap();
    let now = now.clone();
    let clock = Clock::new(move || UnixMillis::new(now.load(Ordering::SeqCst)));
    Arc::new(Desk::new(store, Arc::new(policy), clock))
}

/// Why it was refused.
pub(crate) fn refusal<T: std::fmt::Debug>(answer: Result<T, Fault>) -> Refusal {
    match answer {
        Err(Fault::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

/// The state that a request is in after a decision, or why there was none.
pub(crate) fn told(answer: Decided) -> Result<&'static str, Refusal> {
    match answer {
        Ok(request) => Ok(request.state()),
        Err(Fault::Refused(refusal)) => Err(refusal),
        Err(Fault::Store(fault)) => panic!("the database failed: {fault}"),
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

pub(crate) fn orders(action: &str) -> Target {
    Target {
        resource_type: "http".to_owned(),
        resource: "orders".to_owned(),
        action: action.to_owned(),
    }
}

/// A wish to do this to the orders for so many seconds.
pub(crate) fn wish(action: &str, seconds: u64) -> Wish {
    Wish {
        ask: Ask {
            target: orders(action),
            term: Some(Term::For(Duration::from_secs(seconds))),
            reason: "OPS-7 look into it".to_owned(),
            emergency: false,
        },
        idempotency_key: None,
    }
}

fn group(name: &str) -> Who {
    Who {
        groups: [name.to_owned()].into(),
        ..Who::default()
    }
}

/// Developers may ask to read and write orders; leads approve, and for writing it takes two.
pub(crate) fn policy() -> Policy {
    let hour = Duration::from_hours(1);
    let rule = |action: &str, approvals| Rule {
        resource_type: "http".to_owned(),
        resource: "orders".to_owned(),
        actions: [action.to_owned()].into(),
        title: "Orders".to_owned(),
        requesters: group("dev"),
        approvers: group("lead"),
        approvals,
        max_duration: hour,
        default_duration: hour / 2,
        pending_for: hour,
        reason: None,
        reason_hint: None,
        automatic: Some(Shortcut {
            who: group("oncall"),
            max_duration: hour / 4,
        }),
        break_glass: Some(Shortcut {
            who: group("sre"),
            max_duration: hour / 2,
        }),
    };
    Policy {
        rules: vec![rule("read", 1), rule("write", 2)],
        administrators: group("security"),
        auditors: group("audit"),
    }
}
