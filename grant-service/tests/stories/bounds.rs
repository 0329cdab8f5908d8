//! What one person can do to others by sending much, or long things.

use std::time::Duration;

use hallpass_grants::desk::{Fault, Wish};
use hallpass_grants::life::{
    Actor, Closed, Closing, GrantId, Person, PersonId, Policy, Refusal, Request, RequestId, Target,
    TooMany,
};
use hallpass_grants::store::{AuditFilter, GrantFilter, Revoked};

use crate::world::{ISSUER, NOON, World, on_each_database, orders, person, policy, refusal, wish};

/// Takes a request back as soon as it is there, so that the next may come.
async fn ask_and_withdraw(world: &World, name: &str) -> Result<(), Refusal> {
    let person = person(name, &["dev"]);
    let asked = world
        .desk
        .request(&person, wish("read", 60), &world.origin)
        .await;
    let request = match asked {
        Ok(request) => request,
        Err(Fault::Refused(refusal)) => return Err(refusal),
        Err(Fault::Store(fault)) => panic!("{fault}"),
    };
    let id = &request.facts().id;
    world
        .desk
        .withdraw(&person, id, &world.origin)
        .await
        .unwrap();
    Ok(())
}

#[tokio::test]
async fn nobody_asks_for_more_than_one_can_have_in_mind() {
    on_each_database(async |world| {
        for _ in 0..100 {
            ask_and_withdraw(&world, "alice").await.unwrap();
        }
        let before = world.desk.store().end_of_record().await.unwrap();
        let until = NOON.saturating_add(Duration::from_hours(1));
        let refused = Refusal::TooMany(TooMany::Asked { until });
        let told = refused.to_string();
        assert!(told.contains("within an hour"), "{told}");
        assert!(told.contains(&until.to_rfc3339()), "{told}");
        assert_eq!(ask_and_withdraw(&world, "alice").await, Err(refused));
        let after = world.desk.store().end_of_record().await.unwrap();
        assert_eq!(before, after, "nothing is on record");
        ask_and_withdraw(&world, "bob").await.unwrap();
        world.pass(Duration::from_hours(1));
        ask_and_withdraw(&world, "alice").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn nobody_has_more_waiting_than_approvers_can_look_at_until_one_of_it_is_over() {
    on_each_database(async |world| {
        let mut any = policy();
        for rule in &mut any.rules {
            rule.actions.clear();
        }
        let desk = world.replica_with(any).await;
        let alice = person("alice", &["dev"]);
        let ask = |number| {
            let action = format!("read-{number}");
            let desk = &desk;
            let (alice, origin) = (&alice, &world.origin);
            async move { desk.request(alice, wish(&action, 60), origin).await }
        };
        for number in 0..50 {
            ask(number).await.unwrap();
            world.pass(Duration::from_secs(1));
        }
        let until = NOON.saturating_add(Duration::from_hours(1));
        let refused = refusal(ask(50).await);
        assert_eq!(refused, Refusal::TooMany(TooMany::Waiting { until }));
        let told = refused.to_string();
        assert!(told.contains("wait for their decision"), "{told}");
        assert!(told.contains(&until.to_rfc3339()), "{told}");
        world.pass(Duration::from_hours(1) - Duration::from_secs(51));
        assert_eq!(refusal(ask(50).await), refused);
        world.pass(Duration::from_secs(1));
        ask(50).await.unwrap();
    })
    .await;
}

/// Gets a grant at once, for a quarter of an hour.
async fn take(world: &World, person: &Person) -> GrantId {
    let asked = world.desk.request(person, wish("read", 900), &world.origin);
    match asked.await.unwrap() {
        Request::Closed(Closed {
            closing: Closing::Approved(grant),
            ..
        }) => grant,
        other => panic!("{other:?}"),
    }
}

async fn give_up(world: &World, person: &Person, grant: GrantId) {
    let what = Revoked::Grant(grant);
    let given_up = world.desk.revoke(person, &what, "", &world.origin);
    given_up.await.unwrap();
}

#[tokio::test]
async fn nobody_has_more_revocations_remembered_than_one_can_have_good_reasons_for() {
    on_each_database(async |world| {
        let oscar = person("oscar", &["dev", "oncall"]);
        for _ in 0..50 {
            let grant = take(&world, &oscar).await;
            give_up(&world, &oscar, grant).await;
            world.pass(Duration::from_secs(1));
        }
        let before = world.desk.store().end_of_record().await.unwrap();
        let asked = world.desk.request(&oscar, wish("read", 60), &world.origin);
        let refused = refusal(asked.await);
        let until = NOON.saturating_add(Duration::from_mins(15));
        let expected = TooMany::EndedEarly { until };
        assert_eq!(refused, Refusal::TooMany(expected));
        let told = refused.to_string();
        assert!(told.contains("before their ends"), "{told}");
        assert!(told.contains(&until.to_rfc3339()), "{told}");
        let after = world.desk.store().end_of_record().await.unwrap();
        assert_eq!(before, after, "nothing is on record");
        // Others are not held up, and from the moment that was told there is room for one more.
        take(&world, &person("olga", &["dev", "oncall"])).await;
        world.pass(Duration::from_secs(15 * 60 - 51));
        let asked = world.desk.request(&oscar, wish("read", 60), &world.origin);
        assert_eq!(refusal(asked.await), Refusal::TooMany(expected));
        world.pass(Duration::from_secs(1));
        let grant = take(&world, &oscar).await;
        give_up(&world, &oscar, grant).await;
        let asked = world.desk.request(&oscar, wish("read", 60), &world.origin);
        assert!(matches!(
            refusal(asked.await),
            Refusal::TooMany(TooMany::EndedEarly { .. })
        ));
    })
    .await;
}

#[tokio::test]
async fn nobody_saves_up_grants_to_give_them_all_up_at_once() {
    on_each_database(async |world| {
        let long = policy_with_automatic_grants_for(Duration::from_hours(8));
        let desk = world.replica_with(long).await;
        let oscar = person("oscar", &["dev", "oncall"]);
        let ask = || desk.request(&oscar, wish("read", 8 * 3_600), &world.origin);
        for number in 0..100 {
            if number == 60 {
                world.pass(Duration::from_hours(1));
            }
            ask().await.unwrap();
        }
        world.pass(Duration::from_hours(1));
        let until = NOON.saturating_add(Duration::from_hours(8));
        let expected = Refusal::TooMany(TooMany::Held { until });
        assert_eq!(refusal(ask().await), expected);
        assert!(expected.to_string().contains(&until.to_rfc3339()));
        world.pass(Duration::from_hours(6));
        ask().await.unwrap();
    })
    .await;
}

fn policy_with_automatic_grants_for(longest: Duration) -> Policy {
    let mut policy = policy();
    for rule in &mut policy.rules {
        rule.max_duration = longest;
        if let Some(automatic) = &mut rule.automatic {
            automatic.max_duration = longest;
        }
    }
    policy
}

#[tokio::test]
async fn what_waits_for_an_approver_is_found_behind_all_that_waits_for_others() {
    on_each_database(async |world| {
        // Lena's own requests are not hers to approve.
        for number in 0..210 {
            let asker = person(&format!("dev-{number}"), &["dev"]);
            world
                .desk
                .request(&asker, wish("write", 60), &world.origin)
                .await
                .unwrap();
        }
        let lena = person("lena", &["lead"]);
        let waiting = world.desk.waiting_for(&lena, 300).await.unwrap();
        assert_eq!(waiting.len(), 210);
        for request in &waiting {
            world
                .desk
                .approve(&lena, &request.id, &world.origin)
                .await
                .unwrap();
        }
        let last = person("alice", &["dev"]);
        world
            .desk
            .request(&last, wish("read", 60), &world.origin)
            .await
            .unwrap();
        let waiting = world.desk.waiting_for(&lena, 10).await.unwrap();
        let askers: Vec<_> = waiting
            .iter()
            .map(|request| request.requester.subject.as_str())
            .collect();
        assert_eq!(askers, ["alice"], "210 wait for a second approver");
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_a_name_is_neither_asked_for_nor_revoked() {
    on_each_database(async |world| {
        let before = world.desk.store().end_of_record().await.unwrap();
        for name in [String::new(), "x".repeat(513), "a\0b".into(), "a\nb".into()] {
            let mut wish: Wish = wish("read", 60);
            wish.ask.target.resource.clone_from(&name);
            let alice = person("alice", &["dev"]);
            let asked = world.desk.request(&alice, wish, &world.origin).await;
            assert!(
                matches!(
                    asked,
                    Err(Fault::Refused(Refusal::Invalid {
                        field: "resource",
                        ..
                    }))
                ),
                "{name:?}: {asked:?}"
            );
            let whom = PersonId {
                issuer: ISSUER.to_owned(),
                subject: name.clone(),
            };
            for what in [Revoked::Resource(name.clone()), Revoked::Subject(whom)] {
                let actor = Actor::Operator;
                let revoked = world
                    .desk
                    .revoke_as(actor, &what, "why", &world.origin)
                    .await;
                assert!(
                    matches!(revoked, Err(Fault::Refused(Refusal::Invalid { .. }))),
                    "{what:?}"
                );
            }
        }
        let after = world.desk.store().end_of_record().await.unwrap();
        assert_eq!(before, after);
    })
    .await;
}

#[tokio::test]
async fn nothing_is_found_under_a_name_that_no_database_keeps() {
    on_each_database(async |world| {
        let store = world.desk.store();
        let nul = || "a\0b".to_owned();
        assert_eq!(store.grant(&GrantId(nul())).await.unwrap(), None);
        assert_eq!(store.request(&RequestId(nul())).await.unwrap(), None);
        let whose = PersonId {
            issuer: ISSUER.to_owned(),
            subject: nul(),
        };
        let target = Target {
            resource: nul(),
            ..orders("read")
        };
        let now = world.desk.clock().now();
        assert!(!store.is_pending(&whose, &target, now).await.unwrap());
        for filter in [
            GrantFilter {
                holder: Some(whose.clone()),
                ..GrantFilter::default()
            },
            GrantFilter {
                resource: Some(nul()),
                ..GrantFilter::default()
            },
        ] {
            assert_eq!(store.grants(&filter).await.unwrap(), []);
        }
        let filter = |actor: bool, subject: bool, resource: bool| AuditFilter {
            actor: actor.then(nul),
            subject: subject.then(nul),
            resource: resource.then(nul),
            limit: 10,
            ..AuditFilter::default()
        };
        for filter in [
            filter(true, false, false),
            filter(false, true, false),
            filter(false, false, true),
        ] {
            assert_eq!(store.audit(&filter).await.unwrap(), []);
        }
    })
    .await;
}
