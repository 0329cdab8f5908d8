//! A desk with a scripted clock, some rules, and some people.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hallpass_core::time::UnixMillis;
use hallpass_grants::clock::Clock;
use hallpass_grants::desk::{Desk, Wish};
use hallpass_grants::life::{
    Ask, Origin, Person, PersonId, Policy, Rule, Shortcut, Target, Term, Who,
};
use hallpass_grants::store::Store;

/// When the stories begin.
pub(crate) const NOON: UnixMillis = UnixMillis::new(1_790_000_000_000);
/// The issuer of everybody's tokens.
pub(crate) const ISSUER: &str = "https://idp.example";

/// Everything that a story needs.
pub(crate) struct World {
    pub(crate) desk: Desk,
    pub(crate) origin: Origin,
    now: Arc<AtomicU64>,
    _directory: tempfile::TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", directory.path().join("grants.db").display());
        let store = Store::open(&url).await.unwrap();
        let now = Arc::new(AtomicU64::new(NOON.as_millis()));
        let clock = now.clone();
        let clock = Clock::new(move || UnixMillis::new(clock.load(Ordering::SeqCst)));
        Self {
            desk: Desk::new(store, Arc::new(policy()), clock),
            origin: Origin::default(),
            now,
            _directory: directory,
        }
    }

    pub(crate) fn pass(&self, span: Duration) {
        let millis = u64::try_from(span.as_millis()).unwrap();
        self.now.fetch_add(millis, Ordering::SeqCst);
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
fn policy() -> Policy {
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
