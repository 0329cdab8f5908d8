//! Keys that are fetched, and what becomes of people while they are not to be had.

use std::time::Duration;

use axum::http::StatusCode;
use hallpass_tokens::{SigningKey, jwks};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::world::{Issuer, World, alice, key, provider, subject};
use crate::identity::Stranger;

fn is_refused<T>(found: &Result<T, Stranger>) -> bool {
    matches!(found, Err(Stranger::Refused(_)))
}

#[tokio::test]
async fn keys_are_fetched_once_for_all_who_wait_for_them() {
    let issuer = Issuer::new().await;
    let world = std::sync::Arc::new(World::with_keys(&issuer.keys_at("/jwks.json")));
    let mut waiting = JoinSet::new();
    for _ in 0..20 {
        let world = world.clone();
        let token = alice().signed_by(&key());
        waiting.spawn(async move { subject(world.bearer(&token).await) });
    }
    for found in waiting.join_all().await {
        assert_eq!(found, Ok("alice".to_owned()));
    }
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn an_issuer_that_is_away_leaves_people_unknowable_until_it_is_back() {
    let issuer = Issuer::new().await;
    issuer.publish(StatusCode::INTERNAL_SERVER_ERROR, json!("out of order"));
    let world = World::with_keys(&issuer.keys_at("/jwks.json"));
    let token = alice().signed_by(&key());
    assert_eq!(world.bearer(&token).await, Err(Stranger::Unknowable));
    assert_eq!(world.bearer(&token).await, Err(Stranger::Unknowable));
    assert_eq!(issuer.asked(), 1, "it is left alone for a while");
    issuer.publish(StatusCode::OK, jwks(&[&key()]));
    world.pass(Duration::from_secs(1));
    assert_eq!(subject(world.bearer(&token).await), Ok("alice".to_owned()));

    issuer.publish(StatusCode::BAD_GATEWAY, json!(null));
    world.pass(Duration::from_mins(6));
    assert_eq!(
        subject(world.bearer(&token).await),
        Ok("alice".to_owned()),
        "its last keys serve on"
    );
}

#[tokio::test]
async fn what_is_no_answer_of_the_issuer_opens_nothing() {
    let issuer = Issuer::new().await;
    let token = alice().signed_by(&key());
    for path in ["/moved", "/large", "/nowhere"] {
        let world = World::with_keys(&issuer.keys_at(path));
        assert_eq!(
            world.bearer(&token).await,
            Err(Stranger::Unknowable),
            "{path}"
        );
    }
    assert_eq!(issuer.asked(), 0, "a redirect is not followed");
    issuer.publish(StatusCode::OK, json!({ "keys": "none" }));
    let world = World::with_keys(&issuer.keys_at("/jwks.json"));
    assert_eq!(world.bearer(&token).await, Err(Stranger::Unknowable));

    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let gone = json!({ "remote": { "url": format!("http://{address}/jwks.json") } });
    assert_eq!(
        World::with_keys(&gone).bearer(&token).await,
        Err(Stranger::Unknowable)
    );
}

#[tokio::test]
async fn an_issuer_that_does_not_answer_is_waited_for_no_longer_than_configured() {
    // It takes connections, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks.json", silent.local_addr().unwrap());
    let world = World::with_keys(&json!({ "remote": { "url": url, "timeout": "50ms" } }));
    let token = alice().signed_by(&key());
    assert_eq!(world.bearer(&token).await, Err(Stranger::Unknowable));
}

#[tokio::test]
async fn a_new_key_is_sought_once_in_a_while_whatever_strangers_send() {
    let issuer = Issuer::new().await;
    let world = World::with_keys(&issuer.keys_at("/jwks.json"));
    assert!(world.bearer(&alice().signed_by(&key())).await.is_ok());
    world.pass(Duration::from_secs(1));
    for number in 0..30 {
        let unknown = SigningKey::es256(&format!("kid-{number}-of-a-stranger"));
        let found = world.bearer(&alice().signed_by(&unknown)).await;
        assert!(is_refused(&found), "{found:?}");
    }
    assert_eq!(issuer.asked(), 2);

    let new = SigningKey::ed25519("kid-2");
    issuer.publish(StatusCode::OK, jwks(&[&key(), &new]));
    let token = alice().signed_by(&new);
    assert!(
        is_refused(&world.bearer(&token).await),
        "it was asked just now"
    );
    world.pass(Duration::from_secs(10));
    assert_eq!(subject(world.bearer(&token).await), Ok("alice".to_owned()));
    assert_eq!(issuer.asked(), 3);
}

#[tokio::test]
async fn a_key_that_is_withdrawn_ends_what_it_signed() {
    let issuer = Issuer::new().await;
    let world = World::with_keys(&issuer.keys_at("/jwks.json"));
    let token = alice().signed_by(&key());
    assert!(world.bearer(&token).await.is_ok());
    issuer.publish(StatusCode::OK, jwks(&[&SigningKey::ed25519("kid-2")]));
    world.pass(Duration::from_mins(5));
    // The keys are due, and the next who comes has them fetched. Until they are there the last ones count.
    while world.bearer(&token).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(is_refused(&world.bearer(&token).await));
}

#[tokio::test]
async fn keys_are_found_through_the_issuers_document() {
    let issuer = Issuer::new().await;
    let name = format!("http://{}", issuer.address);
    let world = World::of(&json!([provider(&name, &json!({ "discovery": {} }))]));
    let token = alice().issuer(&name).signed_by(&key());
    assert_eq!(subject(world.bearer(&token).await), Ok("alice".to_owned()));
}

#[tokio::test]
async fn keys_are_fetched_before_anyone_needs_them() {
    let issuer = Issuer::new().await;
    let world = World::with_keys(&issuer.keys_at("/jwks.json"));
    let fetched = async {
        while issuer.asked() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = world.door.refresh() => {}
        () = fetched => {}
    }
    assert_eq!(issuer.asked(), 1);
}
