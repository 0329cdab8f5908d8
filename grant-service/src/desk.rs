//! What can be asked of the service. Each wish is one transaction: it reads what is, has [`life`](crate::life) judge, keeps what comes of it,
//! and puts it on record.

mod decide;
mod expire;
mod look;
mod open;
mod revoke;
mod writing;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::audit::Event;
use crate::clock::Clock;
use crate::life::{Person, Policy, Refusal};
use crate::store::{Store, StoreFault};

pub use decide::Decided;
pub use look::Evaluation;
pub use open::Wish;

/// The clocks of two replicas may differ by so much: a grant that one gives now does not begin later for the other.
pub(crate) const CLOCKS_DIFFER: Duration = Duration::from_secs(5);

/// The service's desk.
#[derive(Debug)]
pub struct Desk {
    store: Store,
    policy: Arc<Policy>,
    clock: Clock,
    hooks: Vec<Hook>,
    /// How long proxies must remember that something was revoked: longer than the longest grant that a token may carry.
    remember: Duration,
    /// The position of the last entry of the record that this process has written.
    news: watch::Sender<u64>,
}

/// Someone who is told what happens.
#[derive(Debug, Clone)]
pub struct Hook {
    /// Its name in the configuration.
    pub name: String,
    /// What it is told; empty stands for everything.
    pub events: Vec<Event>,
}

/// Why a wish came to nothing.
#[derive(Debug)]
pub enum Fault {
    /// It is refused, and nothing has changed.
    Refused(Refusal),
    /// The database failed. Whether anything has changed is not known.
    Store(StoreFault),
}

impl Desk {
    /// A desk at this store, under these rules.
    pub fn new(store: Store, policy: Arc<Policy>, clock: Clock) -> Self {
        Self {
            store,
            policy,
            clock,
            hooks: Vec::new(),
            remember: Duration::from_hours(7 * 24),
            news: watch::Sender::new(0),
        }
    }

    /// With these to be told what happens.
    #[must_use]
    pub fn telling(mut self, hooks: Vec<Hook>) -> Self {
        self.hooks = hooks;
        self
    }

    /// With revocations of subjects, resources and everything remembered for so long.
    #[must_use]
    pub fn remembering(mut self, remember: Duration) -> Self {
        self.remember = remember;
        self
    }

    /// The rules.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What is kept.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What time it is here.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Tells when something new is on record, written by this process.
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// Whether this person may revoke anything.
    pub fn is_administrator(&self, person: &Person) -> bool {
        self.policy.administrators.includes(person)
    }

    /// Whether this person may read the record of everything.
    pub fn is_auditor(&self, person: &Person) -> bool {
        self.policy.auditors.includes(person) || self.is_administrator(person)
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreFault> for Fault {
    fn from(fault: StoreFault) -> Self {
        Self::Store(fault)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Store(_) => f.write_str("the database failed: try again"),
        }
    }
}

impl std::error::Error for Fault {}
