//! A clock that steps, and two clocks that differ.

use std::time::Duration;

use hallpass_grants::audit::Event;
use hallpass_grants::life::{Refusal, Term};
use hallpass_grants::store::Revoked;

use crate::world::{NOON, World, on_each_database, person, refusal, wish};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_grant_that_is_over_stays_over_when_the_clock_is_set_back() {
    on_each_database(async |world| {
        let oscar = person("oscar", &["dev", "oncall"]);
        world.ask(&oscar, wish("read", 60)).await;
        world.pass(Duration::from_millis(59_999));
        assert!(
            world.live(&oscar, "read").await.is_some(),
            "to the last millisecond"
        );
        world.pass(SECOND / 1_000);
        assert_eq!(
            world.live(&oscar, "read").await,
            None,
            "at its end it is over"
        );
        world.desk.expire().await.unwrap();
        for _ in 0..3 {
            world.step_back(MINUTE / 2);
            assert_eq!(world.live(&oscar, "read").await, None);
            world.other.expire().await.unwrap();
            world.pass(MINUTE / 2);
        }
        let ends = world
            .events()
            .await
            .into_iter()
            .filter(|&event| event == Event::GrantExpired);
        assert_eq!(ends.count(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_grant_does_not_begin_before_its_time_but_for_the_difference_of_clocks() {
    on_each_database(async |world| {
        let oscar = person("oscar", &["dev", "oncall"]);
        world.ask(&oscar, wish("read", 60)).await;
        world.step_back(SECOND * 5);
        assert!(
            world.live(&oscar, "read").await.is_some(),
            "the other replica's clock"
        );
        world.step_back(SECOND / 1_000);
        assert_eq!(
            world.live(&oscar, "read").await,
            None,
            "that is no difference of clocks"
        );
        world.step_back(Duration::from_hours(24 * 365));
        assert_eq!(world.live(&oscar, "read").await, None);
        world.pass(Duration::from_hours(24 * 365) + SECOND * 6);
        assert!(world.live(&oscar, "read").await.is_some());
        world.pass(MINUTE);
        assert_eq!(world.live(&oscar, "read").await, None);
    })
    .await;
}

#[tokio::test]
async fn no_grant_is_given_past_its_end_however_the_clock_steps() {
    on_each_database(async |world| {
        let World { desk, origin, .. } = &world;
        let (alice, lena) = (person("alice", &["dev"]), person("lena", &["lead"]));
        let mut until = wish("read", 0);
        let end = NOON.saturating_add(MINUTE);
        until.ask.term = Some(Term::Until(end));
        let id = world.ask(&alice, until).await;
        // A clock that is an hour slow makes no longer grant than the rule's longest.
        world.step_back(Duration::from_hours(2));
        desk.approve(&lena, &id, origin).await.unwrap();
        let grant = world.live(&alice, "read").await.unwrap();
        assert_eq!(
            grant.window.until,
            NOON.saturating_sub(Duration::from_hours(1))
        );
        world.pass(Duration::from_hours(2));
        assert_eq!(world.live(&alice, "read").await, None);

        let lasting = world.ask(&alice, wish("write", 60)).await;
        desk.approve(&lena, &lasting, origin).await.unwrap();
        world.pass(Duration::from_hours(1));
        let late = desk
            .approve(&person("leo", &["lead"]), &lasting, origin)
            .await;
        assert_eq!(refusal(late), Refusal::Over("expired"));
        assert_eq!(world.live(&alice, "write").await, None);
    })
    .await;
}

#[tokio::test]
async fn what_is_taken_back_is_over_for_a_replica_whose_clock_is_behind() {
    on_each_database(async |world| {
        let oscar = person("oscar", &["dev", "oncall"]);
        world.ask(&oscar, wish("read", 60)).await;
        world.pass(MINUTE);
        let ada = person("ada", &["security"]);
        let ended = world
            .desk
            .revoke(&ada, &Revoked::Everything, "incident", &world.origin)
            .await;
        assert_eq!(ended.unwrap(), 0, "it had ended by itself");
        world.step_back(SECOND * 3);
        assert_eq!(world.live(&oscar, "read").await, None);
        let ends: Vec<_> = world.events().await.split_off(3);
        assert_eq!(ends, [Event::EverythingRevoked, Event::GrantExpired]);
    })
    .await;
}
