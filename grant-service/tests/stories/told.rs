//! Who is told what happens.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hallpass_grants::audit::{Entry, Event};
use hallpass_grants::desk::Hook;
use hallpass_grants::life::Actor;
use hallpass_grants::notify::{Courier, Receiver};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

use crate::listener::{Listener, SECRET};
use crate::world::{World, on_each_database, person, wish};

const A_DAY: Duration = Duration::from_hours(24);

/// Tells a story on each database in which a receiver of this name is told everything.
async fn on_each(story: impl AsyncFn(World)) {
    on_each_database(async |world| story(world.telling(hooks(&["chat"])).await).await).await;
}

fn hooks(names: &[&str]) -> Vec<Hook> {
    let hook = |name: &&str| Hook {
        name: (*name).to_owned(),
        events: Vec::new(),
    };
    names.iter().map(hook).collect()
}

fn courier(world: &World, receivers: Vec<Receiver>) -> Arc<Courier> {
    let pages = "https://grants.example".parse().unwrap();
    Arc::new(Courier::new(world.desk.clone(), receivers, pages).unwrap())
}

/// Someone asks to read the orders, which is one entry.
async fn ask(world: &World, name: &str) {
    let asker = person(name, &["dev"]);
    world
        .desk
        .request(&asker, wish("read", 60), &world.origin)
        .await
        .unwrap();
}

/// The place in the record that a message's id begins with.
fn place(id: &str) -> &str {
    id.split_once('-').unwrap().0
}

async fn left(world: &World) -> u64 {
    world.desk.store().errands_left("chat").await.unwrap()
}

#[tokio::test]
async fn what_happens_is_told_in_words_and_data_and_signed() {
    on_each(async |world| {
        let listener = Listener::up().await;
        ask(&world, "alice").await;
        let courier = courier(&world, vec![listener.receiver("chat")]);
        courier.deliver_due().await.unwrap();
        let [heard] = &listener.heard()[..] else {
            panic!("{:?}", listener.heard());
        };
        let message = heard.json();
        let (_, hash) = world.desk.store().chain_end().await.unwrap();
        let id = format!("1-{}", &hash[..16]);
        assert_eq!(message["id"], id.as_str());
        assert_eq!(message["entry"]["position"], 1);
        assert_eq!(message["type"], "request_opened");
        assert_eq!(message["time"], world.desk.clock().now().to_rfc3339());
        let request = message["entry"]["request"].as_str().unwrap();
        let page = format!("https://grants.example/requests/{request}");
        assert_eq!(message["url"], page);
        let text = format!("alice asks to read orders for 1m: OPS-7 look into it\n{page}");
        assert_eq!(message["text"], text);
        assert_eq!(message["entry"]["target"]["resource"], "orders");
        assert_eq!(heard.header("content-type"), "application/json");
        assert_eq!(heard.header("webhook-id"), id);
        let timestamp = heard.header("webhook-timestamp");
        assert_eq!(timestamp, world.desk.clock().now().as_seconds().to_string());
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(format!("{id}.{timestamp}.{}", heard.body).as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        assert_eq!(heard.header("webhook-signature"), format!("v1,{signature}"));
        courier.deliver_due().await.unwrap();
        assert_eq!(listener.heard().len(), 1, "it is told once");
    })
    .await;
}

#[tokio::test]
async fn a_receiver_hears_what_it_wants_to_hear_in_the_order_of_the_record() {
    let listener = Listener::up().await;
    let receiver = Receiver {
        events: vec![Event::RequestOpened, Event::RequestApproved],
        ..listener.receiver("chat")
    };
    let world = World::new().await.telling(vec![receiver.hook()]).await;
    let lena = person("lena", &["lead"]);
    for name in ["alice", "bob"] {
        let asker = person(name, &["dev"]);
        let request = world.desk.request(&asker, wish("read", 60), &world.origin);
        let request = request.await.unwrap();
        let id = &request.facts().id;
        world.desk.approve(&lena, id, &world.origin).await.unwrap();
    }
    courier(&world, vec![receiver]).deliver_due().await.unwrap();
    let heard = listener.heard();
    let places: Vec<_> = heard
        .iter()
        .map(|heard| heard.json()["entry"]["position"].clone())
        .collect();
    assert_eq!(places, [json!(1), json!(2), json!(4), json!(5)]);
}

#[tokio::test]
async fn what_takes_anothers_place_once_a_backup_was_put_back_is_another_message() {
    on_each(async |world| {
        let listener = Listener::up().await;
        let restored = World::on(world.database).await;
        let restored = restored.telling(hooks(&["chat"])).await;
        for (world, name) in [(&world, "alice"), (&restored, "bob")] {
            ask(world, name).await;
            let courier = courier(world, vec![listener.receiver("chat")]);
            courier.deliver_due().await.unwrap();
        }
        let heard = listener.heard();
        let [before, after] = &heard[..] else {
            panic!("{heard:?}");
        };
        for heard in [before, after] {
            assert_eq!(place(heard.header("webhook-id")), "1");
            assert_eq!(heard.json()["id"], heard.header("webhook-id"));
        }
        assert_ne!(before.header("webhook-id"), after.header("webhook-id"));
    })
    .await;
}

#[tokio::test]
async fn what_a_receiver_failed_to_take_is_told_again_later_and_not_before() {
    on_each(async |world| {
        let listener = Listener::up().await;
        let courier = courier(&world, vec![listener.receiver("chat")]);
        listener.answer(StatusCode::INTERNAL_SERVER_ERROR);
        ask(&world, "alice").await;
        courier.deliver_due().await.unwrap();
        for (seconds, times) in [(0, 1), (4, 1), (1, 2), (9, 2), (1, 3)] {
            world.pass(Duration::from_secs(seconds));
            courier.deliver_due().await.unwrap();
            assert_eq!(
                listener.heard().len(),
                times,
                "after {seconds} more seconds"
            );
        }
        listener.answer(StatusCode::OK);
        world.pass(Duration::from_secs(20));
        courier.deliver_due().await.unwrap();
        let heard = listener.heard();
        assert_eq!(heard.len(), 4);
        let ids: BTreeSet<_> = heard
            .iter()
            .map(|heard| heard.header("webhook-id"))
            .collect();
        assert_eq!(ids.len(), 1, "it is the same message: {ids:?}");
        assert_eq!(left(&world).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_receiver_that_was_down_is_told_everything_when_it_is_up() {
    on_each(async |world| {
        let mut listener = Listener::down();
        let courier = courier(&world, vec![listener.receiver("chat")]);
        for name in ["alice", "bob", "carol"] {
            ask(&world, name).await;
        }
        courier.deliver_due().await.unwrap();
        assert_eq!(left(&world).await, 3);
        listener.come_up().await;
        courier.deliver_due().await.unwrap();
        assert_eq!(listener.heard().len(), 0, "all of them wait by now");
        world.pass(Duration::from_secs(5));
        courier.deliver_due().await.unwrap();
        let heard = listener.heard();
        let ids: Vec<_> = heard
            .iter()
            .map(|heard| place(heard.header("webhook-id")))
            .collect();
        assert_eq!(ids, ["1", "2", "3"]);
        assert_eq!(left(&world).await, 0);
    })
    .await;
}

#[tokio::test]
async fn what_a_receiver_refuses_holds_nothing_else_up() {
    on_each(async |world| {
        let listener = Listener::up().await;
        let courier = courier(&world, vec![listener.receiver("chat")]);
        listener.answer(StatusCode::BAD_REQUEST);
        ask(&world, "alice").await;
        courier.deliver_due().await.unwrap();
        listener.answer(StatusCode::OK);
        ask(&world, "bob").await;
        courier.deliver_due().await.unwrap();
        assert_eq!(place(listener.heard()[1].header("webhook-id")), "2");
        assert_eq!(left(&world).await, 1);
    })
    .await;
}

#[tokio::test]
async fn after_a_day_it_is_given_up() {
    on_each(async |world| {
        let listener = Listener::up().await;
        let courier = courier(&world, vec![listener.receiver("chat")]);
        listener.answer(StatusCode::BAD_GATEWAY);
        ask(&world, "alice").await;
        let begin = world.desk.clock().now();
        while left(&world).await > 0 {
            courier.deliver_due().await.unwrap();
            world.pass(Duration::from_mins(30));
            let since = world.desk.clock().now().since(begin);
            assert!(since < 2 * A_DAY, "it is never given up");
        }
        let times = listener.heard().len();
        assert!((40..60).contains(&times), "{times}");
        listener.answer(StatusCode::OK);
        world.pass(A_DAY);
        courier.deliver_due().await.unwrap();
        assert_eq!(listener.heard().len(), times);
    })
    .await;
}

#[tokio::test]
async fn two_replicas_tell_everything_once() {
    on_each(async |world| {
        let listener = Listener::up().await;
        for number in 0..40 {
            ask(&world, &format!("person{number}")).await;
        }
        let pages = "https://grants.example".parse().unwrap();
        let receivers = vec![listener.receiver("chat")];
        let other = Arc::new(Courier::new(world.other.clone(), receivers, pages).unwrap());
        let one = courier(&world, vec![listener.receiver("chat")]);
        let (one, other) = tokio::join!(one.deliver_due(), other.deliver_due());
        one.and(other).unwrap();
        let heard = listener.heard();
        let ids: BTreeSet<_> = heard
            .iter()
            .map(|heard| heard.header("webhook-id"))
            .collect();
        assert_eq!((heard.len(), ids.len()), (40, 40));
    })
    .await;
}

#[tokio::test]
async fn a_replica_that_died_on_the_way_is_stood_in_for_when_its_lease_is_over() {
    on_each(async |world| {
        let listener = Listener::up().await;
        ask(&world, "alice").await;
        let store = world.desk.store();
        let lease = Duration::from_mins(1);
        let now = world.desk.clock().now();
        let taken = store.next_errand("chat", now, lease).await.unwrap();
        assert!(taken.is_some(), "the other one takes it and dies");
        let courier = courier(&world, vec![listener.receiver("chat")]);
        courier.deliver_due().await.unwrap();
        assert_eq!(listener.heard().len(), 0);
        world.pass(lease);
        courier.deliver_due().await.unwrap();
        assert_eq!(listener.heard().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_receiver_that_never_answers_is_left_in_time_and_delays_nobody() {
    let world = World::new().await;
    let world = world.telling(hooks(&["silent", "chat"])).await;
    let (silent, _open) = Listener::silent();
    let listener = Listener::up().await;
    ask(&world, "alice").await;
    let receivers = vec![silent.receiver("silent"), listener.receiver("chat")];
    let pages = "https://grants.example".parse().unwrap();
    let courier = Courier::new(world.desk.clone(), receivers, pages).unwrap();
    let patience = Duration::from_secs(3);
    let courier = Arc::new(courier.waiting(patience));
    let begin = Instant::now();
    let delivering = tokio::spawn(async move { courier.deliver_due().await });
    while listener.heard().is_empty() {
        assert!(begin.elapsed() < patience, "the silent one delays it");
        tokio::task::yield_now().await;
    }
    assert!(!delivering.is_finished(), "the silent one is not awaited");
    delivering.await.unwrap().unwrap();
    assert!(begin.elapsed() < Duration::from_secs(9), "it is waited for");
    assert_eq!(listener.heard().len(), 1);
    let store = world.desk.store();
    assert_eq!(store.errands_left("silent").await.unwrap(), 1);
}

#[tokio::test]
async fn nobody_is_sent_elsewhere() {
    on_each(async |world| {
        let listener = Listener::up().await;
        listener.answer(StatusCode::TEMPORARY_REDIRECT);
        ask(&world, "alice").await;
        let courier = courier(&world, vec![listener.receiver("chat")]);
        courier.deliver_due().await.unwrap();
        assert_eq!(listener.heard().len(), 1);
        assert_eq!(left(&world).await, 1);
    })
    .await;
}

#[tokio::test]
async fn what_did_not_happen_is_not_told() {
    on_each(async |world| {
        let listener = Listener::up().await;
        let now = world.desk.clock().now();
        let store = world.desk.store();
        let mut change = store.change().await.unwrap();
        let entry = Entry {
            position: change.next_position(),
            time: now.to_rfc3339(),
            event: Event::EverythingRevoked,
            actor: Actor::Itself,
            subject: None,
            target: None,
            request: None,
            grant: None,
            until: None,
            why: None,
            source_ip: None,
            http_request: None,
        };
        let hooks = ["chat".to_owned()];
        change.record(&entry, now, &hooks).await.unwrap();
        drop(change);
        let courier = courier(&world, vec![listener.receiver("chat")]);
        courier.deliver_due().await.unwrap();
        ask(&world, "alice").await;
        courier.deliver_due().await.unwrap();
        let types: Vec<_> = listener
            .heard()
            .iter()
            .map(|heard| heard.json()["type"].clone())
            .collect();
        assert_eq!(types, ["request_opened"]);
    })
    .await;
}

#[tokio::test]
async fn news_is_told_without_being_asked_to() {
    on_each(async |world| {
        let listener = Listener::up().await;
        let courier = courier(&world, vec![listener.receiver("chat")]);
        let running = tokio::spawn(courier.run());
        ask(&world, "alice").await;
        let told = async {
            while left(&world).await > 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), told)
            .await
            .unwrap();
        assert_eq!(listener.heard().len(), 1);
        running.abort();
    })
    .await;
}
