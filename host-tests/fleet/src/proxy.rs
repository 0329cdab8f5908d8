//! One proxy from its start on: its workers, and the requests that come to them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use hallpass_core::config::Config;
use hallpass_core::grant::shelf::SharedPlaces;
use hallpass_core::time::UnixMillis;
use hallpass_tokens::NOW;

use crate::chance::Chance;
use crate::measured::{Entries, Ledger, Measured};
use crate::people::People;
use crate::service::{Revocation, Service};
use crate::worker::Worker;
use crate::{Fleet, Run};

/// All proxies start within it.
const STARTS: Duration = Duration::from_secs(1);

/// What happens at the proxy of this number.
pub(crate) fn simulate(
    fleet: &Fleet,
    run: &Run,
    config: &Arc<Config>,
    people: &People,
    proxy: u32,
) -> Measured {
    let mut chance = Chance::of(proxy);
    let first = UnixMillis::from_seconds(NOW).expect("a moment");
    let end = first.saturating_add(run.lasts);
    let start = first.saturating_add(chance.shorter_than(STARTS));
    let service = Service::new(revocations(fleet, run, proxy, first, &mut chance));
    let mut ledger = Ledger::new(first);

    let places = Places::default();
    // The main thread has a gate too, as the last.
    let threads = fleet.workers + 1;
    let mut workers: Vec<Worker> = (0..threads)
        .map(|_| Worker::start(config.clone(), Box::new(places.clone()), fleet.way, start))
        .collect();

    let mut visits = Visits::new(fleet, proxy, start, chance);
    loop {
        let nexts = workers.iter().map(Worker::next).enumerate();
        let (worker, next) = nexts.min_by_key(|(_, next)| *next).expect("a worker");
        let visit = visits.next;
        if next.min(visit) >= end {
            break;
        }
        if next <= visit {
            workers[worker].go_on(&service, &mut ledger, next);
        } else {
            let (user, resource, worker) = visits.come();
            let head = people.request(user, resource);
            workers[worker].request(head, user, &service, &mut ledger, visit);
        }
    }

    let mut measured = ledger.measured;
    for worker in &workers[..workers.len() - 1] {
        let held = worker.held();
        measured.decisions += &Entries::of(held.decisions);
        measured.tokens += &Entries::of(held.tokens);
    }
    measured
}

/// Some of the proxy's users, each of whom loses what they have at some moment of the steady time; it ends early enough for all to be felt.
fn revocations(
    fleet: &Fleet,
    run: &Run,
    proxy: u32,
    first: UnixMillis,
    chance: &mut Chance,
) -> Vec<Revocation> {
    let (user, users) = fleet.users_of(proxy);
    let longest = fleet.allow_ttl.max(fleet.interval.unwrap_or_default()) + Duration::from_secs(1);
    let span = run.lasts.saturating_sub(run.settles + longest);
    if users == 0 || span.is_zero() {
        return Vec::new();
    }
    let mut revoked = HashMap::new();
    for _ in 0..run.revocations.min(users) {
        let at = first.saturating_add(run.settles + chance.shorter_than(span));
        revoked.insert(user + chance.below(users), at);
    }
    let revoked = revoked.into_iter();
    revoked.map(|(user, at)| Revocation { at, user }).collect()
}

/// Who comes when. That each user comes at random moments is the same as that someone comes at random moments, and it may be anyone.
struct Visits {
    users: (u32, u32),
    resources: u32,
    workers: u32,
    rate: f64,
    start: UnixMillis,
    /// In seconds since the start.
    passed: f64,
    next: UnixMillis,
    chance: Chance,
}

impl Visits {
    fn new(fleet: &Fleet, proxy: u32, start: UnixMillis, chance: Chance) -> Self {
        let mut visits = Self {
            users: fleet.users_of(proxy),
            resources: fleet.resources,
            workers: fleet.workers,
            rate: fleet.requests_a_second(proxy),
            start,
            passed: 0.0,
            next: start,
            chance,
        };
        visits.wait();
        visits
    }

    fn wait(&mut self) {
        if self.rate <= 0.0 {
            self.next = UnixMillis::new(u64::MAX);
            return;
        }
        self.passed += self.chance.wait(self.rate);
        self.next = self
            .start
            .saturating_add(Duration::from_secs_f64(self.passed));
    }

    /// The next comes: a user, for a resource, to a worker.
    fn come(&mut self) -> (u32, u32, usize) {
        let (first, users) = self.users;
        let user = first + self.chance.below(users);
        let resource = self.chance.below(self.resources);
        let worker = self.chance.below(self.workers);
        self.wait();
        (user, resource, worker as usize)
    }
}

/// What the workers of a proxy share.
#[derive(Clone, Default)]
struct Places(Rc<RefCell<HashMap<u32, Vec<u8>>>>);

impl SharedPlaces for Places {
    fn read(&self, place: u32) -> Option<Vec<u8>> {
        self.0.borrow().get(&place).cloned()
    }

    fn write(&self, place: u32, content: &[u8]) {
        self.0.borrow_mut().insert(place, content.to_vec());
    }
}
