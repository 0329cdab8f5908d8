//! What proxies are told of what was taken back.

use std::time::Duration;

use hallpass_grants::audit::Event;
use hallpass_grants::life::{Person, Refusal};
use hallpass_grants::store::{Feed, Revoked};

use crate::world::{NOON, World, on_each_database, person, refusal, wish};

const MINUTE: Duration = Duration::from_mins(1);
const WEEK: Duration = Duration::from_hours(7 * 24);
const MONTH: Duration = Duration::from_hours(30 * 24);

async fn feed(world: &World, since: u64) -> Feed {
    feed_of(world, since, 1_000).await
}

/// The same, where no more than so many are told one by one.
async fn feed_of(world: &World, since: u64, limit: u32) -> Feed {
    let now = world.desk.clock().now();
    let (here, there) = (world.desk.store(), world.other.store());
    let here = here.revocations(since, now, limit).await.unwrap();
    let there = there.revocations(since, now, limit).await.unwrap();
    assert_eq!(here, there, "whichever replica is asked");
    here
}

fn told(feed: &Feed) -> Vec<Revoked> {
    feed.revocations
        .iter()
        .map(|revocation| revocation.what.clone())
        .collect()
}

async fn revoke(world: &World, what: &Revoked) -> usize {
    let ada = person("ada", &["security"]);
    world
        .other
        .revoke(&ada, what, "incident", &world.origin)
        .await
        .unwrap()
}

async fn on_call(world: &World, name: &str) -> (Person, Revoked) {
    let oscar = person(name, &["dev", "oncall"]);
    world.ask(&oscar, wish("read", 60)).await;
    let grant = world.live(&oscar, "read").await.unwrap();
    (oscar, Revoked::Grant(grant.id))
}

#[tokio::test]
async fn the_feed_tells_what_came_after_a_cursor_and_nothing_twice() {
    on_each_database(async |world| {
        let start = feed(&world, 0).await;
        assert_eq!(
            (start.cursor, start.epoch, &start.revocations[..]),
            (0, None, &[][..])
        );
        let (_, first) = on_call(&world, "oscar").await;
        let (olga, second) = on_call(&world, "olga").await;
        revoke(&world, &first).await;
        let after_first = feed(&world, 0).await;
        assert_eq!(told(&after_first), std::slice::from_ref(&first));
        assert_eq!(
            after_first.revocations[0].until,
            NOON.saturating_add(MINUTE)
        );

        let subject = Revoked::Subject(olga.id);
        assert_eq!(revoke(&world, &subject).await, 1);
        let news = feed(&world, after_first.cursor).await;
        assert_eq!(told(&news), [subject.clone(), second.clone()]);
        assert_eq!(news.revocations[0].until, NOON.saturating_add(WEEK));
        assert_eq!(told(&feed(&world, news.cursor).await), []);
        assert_eq!(
            told(&feed(&world, 0).await),
            [first, subject, second],
            "the whole of it"
        );

        on_call(&world, "otto").await;
        let nothing_new = feed(&world, news.cursor).await;
        assert!(nothing_new.cursor > news.cursor, "the record has gone on");
        assert_eq!(told(&nothing_new), []);
    })
    .await;
}

#[tokio::test]
async fn the_feed_forgets_what_is_over_by_itself() {
    on_each_database(async |world| {
        let (_, grant) = on_call(&world, "oscar").await;
        revoke(&world, &grant).await;
        let resource = Revoked::Resource("orders".to_owned());
        revoke(&world, &resource).await;
        world.pass(MINUTE);
        world.desk.expire().await.unwrap();
        assert_eq!(told(&feed(&world, 0).await), [resource]);
        world.pass(WEEK);
        world.other.expire().await.unwrap();
        assert_eq!(told(&feed(&world, 0).await), []);
        assert_eq!(world.record().await.len(), 5, "the record forgets nothing");
    })
    .await;
}

#[tokio::test]
async fn what_is_over_by_itself_takes_nobodys_place_in_the_feed() {
    on_each_database(async |world| {
        let mut revoked = Vec::new();
        for name in ["oscar", "olga"] {
            let (_, grant) = on_call(&world, name).await;
            revoke(&world, &grant).await;
        }
        for name in ["orders", "stock"] {
            let resource = Revoked::Resource(name.to_owned());
            revoke(&world, &resource).await;
            revoked.push(resource);
        }
        let folded = feed_of(&world, 0, 2).await;
        assert_eq!(folded.epoch, Some(NOON), "two are told, and two folded");
        world.pass(MINUTE);
        for limit in [2, 3] {
            let feed = feed_of(&world, 0, limit).await;
            assert_eq!(told(&feed), revoked, "of {limit}");
            assert_eq!(feed.epoch, None, "of {limit}: nothing is left to fold");
        }
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_was_ahead_makes_nothing_forgotten_that_still_matters() {
    on_each_database(async |world| {
        let (_, grant) = on_call(&world, "oscar").await;
        revoke(&world, &grant).await;
        let after_first = feed(&world, 0).await.cursor;
        let resource = Revoked::Resource("orders".to_owned());
        revoke(&world, &resource).await;
        revoke(&world, &Revoked::Everything).await;
        // What ends meanwhile has the service look at all that may be forgotten.
        on_call(&world, "olga").await;
        world.pass(MONTH);
        assert!(!world.desk.expire().await.unwrap());
        let ends = world.events().await;
        assert_eq!(ends.last(), Some(&Event::GrantExpired));
        let ahead = feed(&world, 0).await;
        assert_eq!((told(&ahead), ahead.epoch), (Vec::new(), None));

        world.step_back(MONTH);
        let anew = feed(&world, 0).await;
        let all = vec![grant, resource.clone()];
        assert_eq!((told(&anew), anew.epoch), (all, Some(NOON)));
        let news = feed(&world, after_first).await;
        assert_eq!((told(&news), news.epoch), (vec![resource], Some(NOON)));
    })
    .await;
}

#[tokio::test]
async fn what_is_only_kept_for_a_clock_that_may_be_ahead_is_no_work_and_ends_too() {
    on_each_database(async |world| {
        revoke(&world, &Revoked::Everything).await;
        let kept = WEEK + 3 * MONTH;
        world.pass(kept.saturating_sub(MINUTE));
        let is_overdue = async || {
            let now = world.desk.clock().now();
            world.desk.store().is_anything_overdue(now).await.unwrap()
        };
        assert!(!is_overdue().await, "nobody takes the lock for it");
        world.pass(MINUTE);
        assert!(is_overdue().await);
        world.desk.expire().await.unwrap();
        assert!(!is_overdue().await);
        world.step_back(kept);
        assert_eq!(feed(&world, 0).await.epoch, None, "it is forgotten");
    })
    .await;
}

#[tokio::test]
async fn the_last_time_that_everything_was_taken_back_is_the_epoch() {
    on_each_database(async |world| {
        revoke(&world, &Revoked::Everything).await;
        world.pass(MINUTE);
        let last = world.desk.clock().now();
        revoke(&world, &Revoked::Everything).await;
        world.step_back(MINUTE * 2);
        revoke(&world, &Revoked::Everything).await;
        let feed = feed(&world, 0).await;
        assert_eq!(feed.epoch, Some(last), "however the clock steps");
        assert_eq!(told(&feed), []);
    })
    .await;
}

#[tokio::test]
async fn what_nobody_could_take_back_is_not_in_the_feed() {
    on_each_database(async |world| {
        let (oscar, grant) = on_call(&world, "oscar").await;
        world.pass(MINUTE);
        let late = world
            .desk
            .revoke(&oscar, &grant, "done", &world.origin)
            .await;
        assert_eq!(refusal(late), Refusal::Over("expired"));
        assert_eq!(told(&feed(&world, 0).await), []);
    })
    .await;
}
