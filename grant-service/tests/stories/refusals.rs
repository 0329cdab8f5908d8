//! What is refused leaves nothing behind: no request, no grant, no entry in the record.

use std::time::Duration;

use hallpass_grants::audit::Event;
use hallpass_grants::desk::{Fault, Wish};
use hallpass_grants::life::{Actor, GrantId, Policy, Refusal, Request, RequestId, Term};
use hallpass_grants::store::Revoked;

use crate::world::{NOON, World, on_each_database, person, policy, refusal, told, wish};

fn keyed(mut wish: Wish, key: &str) -> Wish {
    wish.idempotency_key = Some(key.to_owned());
    wish
}

#[tokio::test]
async fn a_request_that_is_over_is_over_for_everyone() {
    on_each_database(async |world| {
        let World { desk, origin, .. } = &world;
        let (alice, lena) = (person("alice", &["dev"]), person("lena", &["lead"]));
        for state in ["approved", "denied", "withdrawn", "expired"] {
            let id = world.ask(&alice, wish("read", 60)).await;
            match state {
                "approved" => drop(desk.approve(&lena, &id, origin).await.unwrap()),
                "denied" => drop(desk.deny(&lena, &id, "no", origin).await.unwrap()),
                "withdrawn" => drop(desk.withdraw(&alice, &id, origin).await.unwrap()),
                _ => {
                    world.pass(Duration::from_hours(1));
                    let late = told(desk.approve(&lena, &id, origin).await);
                    assert_eq!(
                        late,
                        Err(Refusal::Over("expired")),
                        "before it is on record"
                    );
                    desk.expire().await.unwrap();
                }
            }
            let before = world.record().await;
            let over = Err(Refusal::Over(state));
            for answer in [
                desk.approve(&lena, &id, origin).await,
                desk.deny(&lena, &id, "no", origin).await,
                desk.withdraw(&alice, &id, origin).await,
            ] {
                assert_eq!(told(answer), over);
            }
            let request = world.other.store().request(&id).await.unwrap().unwrap();
            assert_eq!(request.state(), state);
            assert_eq!(world.record().await, before);
        }
    })
    .await;
}

#[tokio::test]
async fn whoever_may_not_is_refused_and_nothing_is_on_record() {
    on_each_database(async |world| {
        let World { desk, origin, .. } = &world;
        let (alice, bob) = (person("alice", &["dev", "lead"]), person("bob", &["dev"]));
        let id = world.ask(&alice, wish("read", 60)).await;
        let before = world.record().await;
        let unknown = RequestId("r-0".to_owned());
        let nul = "no\0";
        for (what, answer, expected) in [
            (
                "their own",
                desk.approve(&alice, &id, origin).await,
                Refusal::OwnRequest,
            ),
            (
                "no approver",
                desk.approve(&bob, &id, origin).await,
                Refusal::NotAnApprover,
            ),
            (
                "no approver's no",
                desk.deny(&bob, &id, "no", origin).await,
                Refusal::NotAnApprover,
            ),
            (
                "someone else's",
                desk.withdraw(&bob, &id, origin).await,
                Refusal::NotTheRequester,
            ),
            (
                "unknown",
                desk.approve(&bob, &unknown, origin).await,
                Refusal::UnknownRequest,
            ),
            (
                "no text",
                desk.deny(&person("lena", &["lead"]), &id, nul, origin)
                    .await,
                Refusal::invalid("reason", "at most 1000 characters of text"),
            ),
            (
                "no requester",
                desk.request(&person("eve", &[]), wish("read", 60), origin)
                    .await,
                Refusal::NotRequestable,
            ),
            (
                "no such action",
                desk.request(&bob, wish("drop", 60), origin).await,
                Refusal::NotRequestable,
            ),
            (
                "too long",
                desk.request(&bob, wish("read", 3_601), origin).await,
                Refusal::invalid("duration", "between 1s and 1h"),
            ),
            (
                "no key",
                desk.request(&bob, keyed(wish("read", 60), ""), origin)
                    .await,
                Refusal::invalid("idempotency-key", "1 to 255 bytes"),
            ),
        ] {
            assert_eq!(refusal(answer), expected, "{what}");
        }
        assert_eq!(world.record().await, before);
    })
    .await;
}

#[tokio::test]
async fn a_grant_is_taken_back_by_its_holder_an_approver_or_an_administrator() {
    on_each_database(async |world| {
        let World { desk, origin, .. } = &world;
        let oscar = person("oscar", &["dev", "oncall"]);
        let (lena, ada) = (person("lena", &["lead"]), person("ada", &["security"]));
        let bob = person("bob", &["dev"]);
        for who in [&oscar, &lena, &ada] {
            world.ask(&oscar, wish("read", 60)).await;
            let what = Revoked::Grant(world.live(&oscar, "read").await.unwrap().id);
            let before = world.record().await;
            let stranger = refusal(desk.revoke(&bob, &what, "mine", origin).await);
            assert_eq!(
                stranger,
                Refusal::UnknownGrant,
                "whether there is one is not told"
            );
            let all = refusal(
                desk.revoke(&lena, &Revoked::Everything, "all", origin)
                    .await,
            );
            assert_eq!(all, Refusal::Forbidden);
            assert_eq!(world.record().await, before);
            assert!(world.live(&oscar, "read").await.is_some());

            assert_eq!(desk.revoke(who, &what, "done", origin).await.unwrap(), 1);
            assert_eq!(world.live(&oscar, "read").await, None);
            let again = refusal(world.other.revoke(who, &what, "done", origin).await);
            assert_eq!(again, Refusal::Over("revoked"));
        }
        let none = Revoked::Grant(GrantId("g-0".to_owned()));
        let unknown = refusal(desk.revoke(&ada, &none, "why", origin).await);
        assert_eq!(unknown, Refusal::UnknownGrant);
    })
    .await;
}

#[tokio::test]
async fn a_key_stands_for_one_wish_of_one_person_for_a_day() {
    on_each_database(async |world| {
        let World {
            desk,
            other,
            origin,
            ..
        } = &world;
        let (alice, bob) = (person("alice", &["dev"]), person("bob", &["dev"]));
        let first = world.ask(&alice, keyed(wish("read", 60), "k")).await;
        let again = other
            .request(&alice, keyed(wish("read", 60), "k"), origin)
            .await
            .unwrap();
        assert_eq!(again.facts().id, first);
        for changed in [
            wish("write", 60),
            wish("read", 61),
            Wish {
                ask: hallpass_grants::life::Ask {
                    emergency: true,
                    ..wish("read", 60).ask
                },
                idempotency_key: None,
            },
            Wish {
                ask: hallpass_grants::life::Ask {
                    term: Some(Term::Until(NOON.saturating_add(Duration::from_mins(1)))),
                    ..wish("read", 60).ask
                },
                idempotency_key: None,
            },
        ] {
            let reused = refusal(desk.request(&alice, keyed(changed, "k"), origin).await);
            assert_eq!(reused, Refusal::KeyReused);
        }
        let anothers = world.ask(&bob, keyed(wish("write", 60), "k")).await;
        assert_ne!(anothers, first, "it is nobody else's key");

        desk.withdraw(&alice, &first, origin).await.unwrap();
        let as_it_is = other
            .request(&alice, keyed(wish("read", 60), "k"), origin)
            .await
            .unwrap();
        assert_eq!(
            (as_it_is.state(), &as_it_is.facts().id),
            ("withdrawn", &first)
        );
        world.pass(Duration::from_hours(24));
        while desk.expire().await.unwrap() {}
        let a_day_later = world.ask(&alice, keyed(wish("read", 60), "k")).await;
        assert_ne!(a_day_later, first);
    })
    .await;
}

#[tokio::test]
async fn who_waits_already_is_told_for_what_until_it_is_too_old() {
    on_each_database(async |world| {
        let World {
            desk,
            other,
            origin,
            ..
        } = &world;
        let alice = person("alice", &["dev"]);
        let first = world.ask(&alice, wish("read", 60)).await;
        let twin = refusal(other.request(&alice, wish("read", 30), origin).await);
        assert_eq!(twin, Refusal::Duplicate(first.clone()));
        world.ask(&alice, wish("write", 60)).await;
        world.pass(Duration::from_hours(1));
        // Nobody has looked for what ended by itself yet.
        let second = world.ask(&alice, wish("read", 30)).await;
        let states = [first.clone(), second.clone()]
            .map(|id| async move { desk.store().request(&id).await.unwrap().unwrap().state() });
        let [first_state, second_state] = states;
        assert_eq!(
            (first_state.await, second_state.await),
            ("expired", "pending")
        );
        let record = world.record().await;
        let expired = record
            .iter()
            .find(|entry| entry.event == Event::RequestExpired)
            .unwrap();
        assert_eq!(expired.actor, Actor::Itself);
        assert_eq!(expired.request, Some(first.0));
        let last = record.last().unwrap();
        assert_eq!(
            (last.event, &last.actor),
            (Event::RequestOpened, &Actor::Person(alice.id))
        );
    })
    .await;
}

#[tokio::test]
async fn what_a_rule_grants_at_once_is_nobodys_approval() {
    on_each_database(async |world| {
        let oscar = person("oscar", &["dev", "oncall"]);
        let sam = person("sam", &["sre"]);
        let mut loud = wish("write", 60);
        loud.ask.emergency = true;
        world.ask(&oscar, wish("read", 60)).await;
        world.ask(&sam, loud).await;
        let record = world.record().await;
        let told: Vec<_> = record
            .iter()
            .map(|entry| (entry.event, entry.actor.clone()))
            .collect();
        let (oscar, sam) = (Actor::Person(oscar.id), Actor::Person(sam.id));
        assert_eq!(
            told,
            [
                (Event::RequestOpened, oscar),
                (Event::RequestApproved, Actor::Itself),
                (Event::GrantGiven, Actor::Itself),
                (Event::RequestOpened, sam.clone()),
                (Event::RequestApproved, Actor::Itself),
                (Event::GlassBroken, sam),
            ]
        );
        assert_eq!(record[1].sentence(), "oscar may read orders by a rule");
        assert_eq!(record[4].sentence(), "sam may write orders by a rule");
    })
    .await;
}

#[tokio::test]
async fn an_emergency_leaves_a_louder_trail() {
    on_each_database(async |world| {
        let sam = person("sam", &["sre"]);
        let mut loud = wish("write", 60);
        loud.ask.emergency = true;
        world.ask(&sam, loud).await;
        let events = [
            Event::RequestOpened,
            Event::RequestApproved,
            Event::GlassBroken,
        ];
        assert_eq!(world.events().await, events);
        assert!(world.live(&sam, "write").await.unwrap().emergency);
        let glass = world.record().await.pop().unwrap();
        assert_eq!(glass.why.as_deref(), Some("OPS-7 look into it"));
        assert_eq!(glass.actor, Actor::Person(sam.id));
    })
    .await;
}

#[tokio::test]
async fn a_replica_with_other_rules_judges_by_them() {
    on_each_database(async |world| {
        let World { desk, origin, .. } = &world;
        let (alice, lena) = (person("alice", &["dev"]), person("lena", &["lead"]));
        let id = world.ask(&alice, wish("write", 600)).await;
        assert_eq!(told(desk.approve(&lena, &id, origin).await), Ok("pending"));

        let without = world.replica_with(Policy::default()).await;
        let refused = told(without.approve(&lena, &id, origin).await);
        assert_eq!(refused, Err(Refusal::NotAnApprover));
        let mut lighter = policy();
        for rule in &mut lighter.rules {
            rule.approvals = 1;
            rule.max_duration = Duration::from_mins(1);
        }
        let lighter = world.replica_with(lighter).await;
        assert_eq!(
            told(lighter.approve(&lena, &id, origin).await),
            Ok("approved")
        );
        let grant = world.live(&alice, "write").await.unwrap();
        assert_eq!(
            grant.window.until,
            NOON.saturating_add(Duration::from_mins(1))
        );
    })
    .await;
}

#[tokio::test]
async fn a_name_that_the_database_cannot_keep_is_nobodys() {
    on_each_database(async |world| {
        let mut target = crate::world::orders("read");
        target.resource = "or\0ders".to_owned();
        for (who, target) in [
            (person("al\0ice", &[]), crate::world::orders("read")),
            (person("alice", &[]), target),
        ] {
            match world.desk.evaluate(&who.id, &target).await {
                Ok(evaluation) => assert_eq!(evaluation, hallpass_grants::desk::Evaluation::Denied),
                Err(Fault::Refused(refusal)) => panic!("{refusal}"),
                Err(Fault::Store(fault)) => panic!("{:?}: {fault}", world.database),
            }
        }
        let mut nul = wish("read", 60);
        nul.ask.reason = "because\0".to_owned();
        let asked: Result<Request, _> = world
            .desk
            .request(&person("alice", &["dev"]), nul, &world.origin)
            .await;
        assert!(matches!(
            refusal(asked),
            Refusal::Invalid {
                field: "reason",
                ..
            }
        ));
    })
    .await;
}
