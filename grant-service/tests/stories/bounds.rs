//! What one person can do to others by sending much, or long things.

use std::time::Duration;

use hallpass_grants::desk::{Fault, Wish};
use hallpass_grants::life::{Actor, PersonId, Refusal};
use hallpass_grants::store::Revoked;

use crate::world::{ISSUER, World, on_each_database, person, wish};

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
        assert_eq!(
            ask_and_withdraw(&world, "alice").await,
            Err(Refusal::TooMany)
        );
        let after = world.desk.store().end_of_record().await.unwrap();
        assert_eq!(before, after, "nothing is on record");
        ask_and_withdraw(&world, "bob").await.unwrap();
        world.pass(Duration::from_hours(1));
        ask_and_withdraw(&world, "alice").await.unwrap();
    })
    .await;
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
