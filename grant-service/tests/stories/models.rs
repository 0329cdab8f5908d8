//! Random lives against a model that is as simple as the rules are: what one replica or the other does next, the model does too, on each database.
//! Whatever happens, both know the same requests and grants, allow the same, and have put the same on record.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use chacha20::ChaCha8Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use hallpass_core::time::UnixMillis;
use hallpass_grants::audit::Event;
use hallpass_grants::desk::Desk;
use hallpass_grants::life::{Actor, Person, Refusal, Request, RequestId, Term};
use hallpass_grants::store::Revoked;

use crate::world::{Database, World, person, wish};

mod naive;

use naive::{Model, Wanted};

const STEPS: usize = 300;
const HOUR: u64 = 3_600_000;

/// Who there is, each with groups that let them do something else.
const PEOPLE: [(&str, &[&str]); 7] = [
    ("alice", &["dev"]),
    ("bob", &["dev", "lead"]),
    ("lena", &["lead"]),
    ("leo", &["lead"]),
    ("oscar", &["dev", "oncall"]),
    ("sam", &["dev", "sre"]),
    ("ada", &["security"]),
];
const ACTIONS: [(&str, usize); 2] = [("read", 1), ("write", 2)];

/// Random numbers, the same ones in each run.
struct Dice(ChaCha8Rng);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.0.next_u32()).unwrap() % end
    }
}

/// One life: what was decided by dice, done by a replica and by the model.
struct Life {
    world: World,
    model: Model,
    dice: Dice,
    seed: u64,
    steps: usize,
}

impl Drop for Life {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self {
                world, seed, steps, ..
            } = self;
            eprintln!("{:?}, seed {seed}, step {steps}", world.database);
        }
    }
}

fn named(number: usize) -> Person {
    let (name, groups) = PEOPLE[number];
    person(name, groups)
}

impl Life {
    async fn new(database: Database, seed: u64) -> Self {
        let world = World::on(database).await;
        let now = world.desk.clock().now().as_millis();
        Self {
            world,
            model: Model {
                now,
                ..Model::default()
            },
            dice: Dice(ChaCha8Rng::seed_from_u64(seed)),
            seed,
            steps: 0,
        }
    }

    async fn step(&mut self) {
        let desk = [&self.world.desk, &self.world.other][self.dice.below(2)].clone();
        let known = self.model.requests.len();
        self.steps += 1;
        match self.dice.below(24) {
            0..=5 => self.ask(&desk).await,
            6..=14 if known > 0 => self.decide(&desk).await,
            15 if known > 0 => self.withdraw(&desk).await,
            16 if known > 0 => self.revoke(&desk).await,
            17 => {
                desk.expire().await.unwrap();
                self.model.expire();
            }
            18..=20 => self.step_back(),
            _ => self.pass(),
        }
    }

    fn pass(&mut self) {
        let millis = [1_u64, 1_000, 10_000, 30_000, 60_000, 600_000, HOUR][self.dice.below(7)];
        self.world.pass(Duration::from_millis(millis));
        self.model.now += millis;
    }

    fn step_back(&mut self) {
        let millis = [1_u64, 2_000, 60_000][self.dice.below(3)];
        self.world.step_back(Duration::from_millis(millis));
        self.model.now -= millis;
    }

    async fn ask(&mut self, desk: &Desk) {
        let (who, action) = (self.dice.below(PEOPLE.len()), self.dice.below(2));
        let millis =
            [500_u64, 1_000, 60_000, 900_000, 1_800_000, HOUR, HOUR + 1][self.dice.below(7)];
        let emergency = self.dice.below(4) == 0;
        let mut wish = wish(ACTIONS[action].0, 0);
        wish.ask.emergency = emergency;
        let term = if self.dice.below(3) == 0 {
            let until = self.model.now + millis;
            wish.ask.term = Some(Term::Until(UnixMillis::new(until)));
            Wanted::Until(until)
        } else {
            wish.ask.term = Some(Term::For(Duration::from_millis(millis)));
            Wanted::Millis(millis)
        };
        let answer = desk.request(&named(who), wish, &self.world.origin).await;
        let id = answer
            .as_ref()
            .ok()
            .map(|request| request.facts().id.clone());
        let expected = self.model.ask(who, action, term, emergency);
        assert_eq!(crate::world::told(answer), expected);
        if let (Some(id), Some(known)) = (id, self.model.requests.last_mut()) {
            known.id = id;
        }
    }

    /// One of the latest requests, since most of the others are over.
    fn some_request(&mut self) -> usize {
        let known = self.model.requests.len();
        known - 1 - self.dice.below(known.min(3))
    }

    async fn decide(&mut self, desk: &Desk) {
        // Leads as often as anyone.
        let by = [self.dice.below(PEOPLE.len()), 1 + self.dice.below(3)][self.dice.below(2)];
        let (request, yes) = (self.some_request(), self.dice.below(6) > 0);
        let (id, origin) = (self.model.requests[request].id.clone(), &self.world.origin);
        let answer = if yes {
            desk.approve(&named(by), &id, origin).await
        } else {
            desk.deny(&named(by), &id, "no", origin).await
        };
        assert_eq!(
            crate::world::told(answer),
            self.model.decide(by, request, yes)
        );
    }

    async fn withdraw(&mut self, desk: &Desk) {
        let request = self.some_request();
        let known = &self.model.requests[request];
        let (id, asker) = (known.id.clone(), known.who);
        let by = [asker, self.dice.below(PEOPLE.len())][self.dice.below(2)];
        let answer = desk.withdraw(&named(by), &id, &self.world.origin).await;
        assert_eq!(crate::world::told(answer), self.model.withdraw(by, request));
    }

    async fn revoke(&mut self, desk: &Desk) {
        let ada = named(6);
        let whose = self.dice.below(PEOPLE.len());
        let (what, whose, event) = match self.dice.below(4) {
            0..=1 => (
                Revoked::Subject(named(whose).id),
                Some(whose),
                Event::SubjectRevoked,
            ),
            2 => (
                Revoked::Resource("orders".to_owned()),
                None,
                Event::ResourceRevoked,
            ),
            _ => (Revoked::Everything, None, Event::EverythingRevoked),
        };
        let stranger = desk
            .revoke(&named(0), &what, "mine", &self.world.origin)
            .await;
        assert_eq!(crate::world::refusal(stranger), Refusal::Forbidden);
        let ended = desk
            .revoke(&ada, &what, "incident", &self.world.origin)
            .await;
        assert_eq!(ended.unwrap(), self.model.revoke(whose, event));
    }

    /// What either replica allows is what the model allows.
    async fn compare_what_is_allowed(&self) {
        for (who, (person, _)) in PEOPLE.iter().enumerate() {
            for (action, (name, _)) in ACTIONS.iter().enumerate() {
                let live = self.world.live(&named(who), name).await;
                let until = live.map(|grant| grant.window.until.as_millis());
                assert_eq!(until, self.model.allows(who, action), "{person} {name}");
            }
        }
    }

    async fn compare_all(&self) {
        let store = self.world.other.store();
        for known in &self.model.requests {
            let request = store.request(&known.id).await.unwrap().unwrap();
            assert_eq!(request.state(), known.state, "{known:?}");
            let yes: BTreeSet<_> = known.yes.iter().map(|&who| named(who).id).collect();
            let by = request
                .facts()
                .approvals
                .iter()
                .map(|given| given.by.clone());
            assert_eq!(by.collect::<BTreeSet<_>>(), yes, "{known:?}");
        }
        let mut events = self.world.events().await;
        let mut expected = self.model.record.clone();
        // What ends at the same moment does so in no order.
        events.sort_by_key(|event| event.word());
        expected.sort_by_key(|event| event.word());
        assert_eq!(events, expected);
    }

    /// What must hold whatever the rules are, told from the record and the requests alone.
    async fn check_every_grant(&self) {
        let record = self.world.record().await;
        let opened: HashMap<_, _> = record
            .iter()
            .filter(|entry| entry.event == Event::RequestOpened)
            .map(|entry| (entry.request.clone(), entry))
            .collect();
        let mut given = 0;
        for entry in &record {
            let decides = [Event::RequestSeconded, Event::RequestDenied];
            let by_someone =
                matches!(&entry.actor, Actor::Person(by) if Some(by) == entry.subject.as_ref());
            assert!(!(decides.contains(&entry.event) && by_someone), "{entry:?}");
            if ![Event::GrantGiven, Event::GlassBroken].contains(&entry.event) {
                continue;
            }
            given += 1;
            let wish = opened[&entry.request];
            assert_eq!(
                (&wish.subject, &wish.target),
                (&entry.subject, &entry.target)
            );
            let id = RequestId(entry.request.clone().unwrap());
            let request = self.world.desk.store().request(&id).await.unwrap().unwrap();
            let Request::Closed(closed) = request else {
                panic!("a grant of a request that waits: {entry:?}");
            };
            let asked = &closed.request;
            let by: BTreeSet<_> = asked.approvals.iter().map(|given| &given.by).collect();
            assert!(!by.contains(&asked.requester), "their own: {entry:?}");
            let needed = ACTIONS
                .iter()
                .find(|(name, _)| *name == asked.target.action)
                .unwrap()
                .1;
            let helped_themselves = ["oscar", "sam"].contains(&asked.requester.subject.as_str());
            assert!(
                by.len() >= needed || (by.is_empty() && helped_themselves),
                "{entry:?}"
            );
        }
        let kept = self
            .model
            .requests
            .iter()
            .filter(|known| known.grant.is_some());
        assert_eq!(kept.count(), given);
    }
}

#[tokio::test]
async fn whatever_people_do_the_service_is_where_the_rules_lead() {
    for seed in 0..2 {
        for database in [Database::Sqlite, Database::Postgres] {
            let mut life = Life::new(database, seed).await;
            for _ in 0..STEPS {
                life.step().await;
                life.compare_what_is_allowed().await;
            }
            life.compare_all().await;
            life.check_every_grant().await;
            let grants = life
                .model
                .requests
                .iter()
                .filter(|known| known.grant.is_some());
            let count = grants.count();
            assert!(count >= 8, "there was little life: {count} grants");
        }
    }
}
