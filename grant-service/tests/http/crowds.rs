//! Crowds: however many people and strangers there are, and however slowly they send, proxies are served.

use std::convert::Infallible;
use std::net::TcpListener;
use std::pin::Pin;

use axum::body::Body;
use futures_util::{FutureExt, stream};
use hallpass_tokens::{AUDIENCE, SigningKey, TokenBuilder};
use serde_json::{Value, json};

use crate::world::{ALICE, By, ISSUER, LENA, Reply, World, request};

type Sending<'a> = Pin<Box<dyn Future<Output = Reply> + 'a>>;

/// An issuer that takes connections, and never tells its keys.
fn silent_issuer() -> (TcpListener, Value) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
    let provider = json!({
        "name": "idp",
        "issuer": ISSUER,
        "audiences": [AUDIENCE],
        "jwks": { "remote": { "url": url } },
    });
    (listener, json!([provider]))
}

/// Someone sends a body that does not come.
fn slow<'a>(world: &'a World, path: &str) -> Sending<'a> {
    let asked = request(ALICE, "POST", path).header("content-type", "application/json");
    let never = Body::from_stream(stream::pending::<Result<Vec<u8>, Infallible>>());
    Box::pin(world.send(asked, never))
}

/// Someone sends a token by a key that must be asked for.
fn forged<'a>(world: &'a World, method: &str, path: &str, number: usize) -> Sending<'a> {
    let key = SigningKey::es256(&format!("kid-{number}"));
    let token = TokenBuilder::for_user("alice").signed_by(&key);
    let asked = request(By::Nobody, method, path)
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {token}"));
    Box::pin(world.send(asked, Body::empty()))
}

/// Those that are not answered at once: each has a turn.
fn left_waiting(crowd: Vec<Sending<'_>>) -> Vec<Sending<'_>> {
    crowd.into_iter().filter_map(if_waiting).collect()
}

fn if_waiting(mut sending: Sending<'_>) -> Option<Sending<'_>> {
    match (&mut sending).now_or_never() {
        Some(reply) => {
            reply.expect(503);
            None
        }
        None => Some(sending),
    }
}

fn question() -> Value {
    json!({
        "subject": { "type": "user", "id": "alice" },
        "action": { "name": "read" },
        "resource": { "type": "http", "id": "orders" },
    })
}

#[tokio::test]
async fn no_crowd_of_people_or_strangers_keeps_a_proxy_from_its_decisions() {
    let (_listener, providers) = silent_issuer();
    for is_of_strangers in [false, true] {
        let world = World::believing(&providers).await;
        for path in ["/access/v1/evaluation", "/access/v1/evaluations"] {
            let crowd = (0..600).map(|number| {
                if is_of_strangers {
                    forged(&world, "POST", path, number)
                } else {
                    slow(&world, path)
                }
            });
            let waiting = left_waiting(crowd.collect());
            assert!(!waiting.is_empty(), "they are served in their turn");
            let lena = world.post(LENA, path, &question()).await.expect(503);
            assert!(lena.body.contains("too many requests"), "{}", lena.body);
            world.post(By::Proxy, path, &question()).await.expect(200);
            drop(waiting);
            world.post(ALICE, path, &question()).await.expect(200);
        }
    }
}

#[tokio::test]
async fn no_crowd_of_strangers_keeps_a_proxy_from_what_was_revoked() {
    let (_listener, providers) = silent_issuer();
    let world = World::believing(&providers).await;
    let crowd = (0..1_100).map(|number| forged(&world, "GET", "/revocations", number));
    let waiting = left_waiting(crowd.collect());
    assert!(!waiting.is_empty(), "they are served in their turn");
    world.get(ALICE, "/revocations").await.expect(503);
    world.get(By::Proxy, "/revocations").await.expect(200);
}
