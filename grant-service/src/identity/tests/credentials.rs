//! Which credentials hold.

use std::net::IpAddr;

use hallpass_tokens::{SigningKey, TokenBuilder, unsigned, with_flipped_signature};
use serde_json::json;

use super::world::{ANYONE, EDGE, PROXY, World, alice, headers, key, subject};
use crate::clock::Clock;
use crate::config::Config;
use crate::identity::{Caller, Doorkeeper, Stranger};
use crate::life::{Person, PersonId};

fn refused(found: Result<Caller, Stranger>) -> String {
    match found {
        Err(Stranger::Refused(why)) => why,
        other => panic!("it is refused, not {other:?}"),
    }
}

#[tokio::test]
async fn a_token_tells_who_someone_is_from_header_or_cookie() {
    let world = World::usual();
    let token = alice().signed_by(&key());
    let person = Caller::Person(Person {
        id: PersonId {
            issuer: "https://idp.example".to_owned(),
            subject: "alice".to_owned(),
        },
        email: Some("alice@example.com".to_owned()),
        groups: vec!["dev".to_owned(), "on call".to_owned()],
    });
    assert_eq!(world.bearer(&token).await, Ok(person.clone()));
    let cookie = format!("a=b; session={token}");
    let by_cookie = world.who(ANYONE, &[("cookie", &cookie)]).await;
    assert_eq!(by_cookie, Ok(person));
}

#[tokio::test]
async fn a_token_that_does_not_hold_is_refused_with_what_to_do() {
    let world = World::usual();
    let sound = alice().signed_by(&key());
    for (token, told) in [
        (alice().expires_in(-60).signed_by(&key()), "expired"),
        (
            alice().audience("orders-ui").signed_by(&key()),
            "another service",
        ),
        (
            alice().issuer("https://evil.example").signed_by(&key()),
            "not trusted",
        ),
        (unsigned(&sound), "algorithm"),
        (with_flipped_signature(&sound), "signature"),
        (
            alice().signed_by(&SigningKey::es256("kid-2")),
            "current key",
        ),
        (
            alice()
                .claim("cnf", json!({ "jkt": "x" }))
                .signed_by(&key()),
            "bound",
        ),
        (TokenBuilder::for_user("").signed_by(&key()), "claim"),
        ("the token of the edgf".to_owned(), "well-formed"),
        ("x".to_owned(), "well-formed"),
    ] {
        let why = refused(world.bearer(&token).await);
        assert!(why.contains(told), "{why}, expected {told}");
    }
    let two = [("authorization", "Bearer a"), ("authorization", "Bearer b")];
    assert!(refused(world.who(ANYONE, &two).await).contains("more than one"));
}

#[tokio::test]
async fn a_request_without_a_credential_is_of_nobody() {
    let world = World::usual();
    for list in [
        &[][..],
        &[("authorization", "Basic YTpi")],
        &[("cookie", "a=b")],
    ] {
        assert_eq!(world.who(ANYONE, list).await, Err(Stranger::Unnamed));
        assert_eq!(world.who(PROXY, list).await, Err(Stranger::Unnamed));
    }
}

#[tokio::test]
async fn a_program_is_known_by_its_token_and_by_no_other() {
    let world = World::usual();
    let edge = Ok(Caller::Service("edge".to_owned()));
    assert_eq!(world.bearer(EDGE).await, edge);
    let scheme = format!("bearer {EDGE}");
    assert_eq!(world.who(PROXY, &[("authorization", &scheme)]).await, edge);
    for wrong in [
        "the token of the edg",
        "the token of the edge!",
        "The token of the edge",
    ] {
        refused(world.bearer(wrong).await);
    }
    let as_cookie = format!("session={EDGE}");
    refused(world.who(ANYONE, &[("cookie", &as_cookie)]).await);
}

#[tokio::test]
async fn identity_headers_count_from_a_trusted_proxy_alone() {
    let world = World::usual();
    let ada = [
        ("x-hallpass-subject", "ada"),
        ("x-hallpass-issuer", "https://idp.example"),
        ("x-hallpass-groups", "security"),
    ];
    assert_eq!(subject(world.who(PROXY, &ada).await), Ok("ada".to_owned()));
    for stranger in [ANYONE, "10.0.0.3", "127.0.0.1", "::1"] {
        assert_eq!(
            world.who(stranger, &ada).await,
            Err(Stranger::Unnamed),
            "{stranger}"
        );
        let token = format!("Bearer {}", alice().signed_by(&key()));
        let spoofed = [&ada[..], &[("authorization", &token)]].concat();
        let Ok(Caller::Person(person)) = world.who(stranger, &spoofed).await else {
            panic!("the token holds");
        };
        assert_eq!(person.id.subject, "alice");
        assert!(!person.groups.contains(&"security".to_owned()));
    }
}

#[tokio::test]
async fn a_proxys_word_and_a_token_must_be_about_the_same_person() {
    let world = World::usual();
    let told = |subject: &'static str, issuer: &'static str| {
        [
            ("x-hallpass-subject", subject),
            ("x-hallpass-issuer", issuer),
        ]
    };
    let by_both = async |told: [(&'static str, &str); 2], token: &str| {
        let value = format!("Bearer {token}");
        let list = [&told[..], &[("authorization", &value)]].concat();
        world.who(PROXY, &list).await
    };
    let token = alice().signed_by(&key());
    let same = by_both(told("alice", "https://idp.example"), &token).await;
    assert_eq!(subject(same), Ok("alice".to_owned()));
    for told in [
        told("ada", "https://idp.example"),
        told("alice", "https://other.example"),
    ] {
        refused(by_both(told, &token).await);
    }
    let alice_told = told("alice", "https://idp.example");
    refused(by_both(alice_told, EDGE).await);
    refused(by_both(alice_told, &alice().expires_in(-60).signed_by(&key())).await);
}

#[tokio::test]
async fn without_providers_a_token_is_nobodys() {
    let config = json!({
        "listen": "127.0.0.1:0",
        "public_url": "https://grants.example",
        "identity_headers": { "trusted_proxies": [PROXY] },
        "policy": {},
    });
    let config = Config::parse(&config.to_string()).unwrap();
    let door = Doorkeeper::new(&config, Clock::system()).unwrap();
    let proxy: IpAddr = PROXY.parse().unwrap();
    let ada = [
        ("x-hallpass-subject", "ada"),
        ("x-hallpass-issuer", "https://idp.example"),
    ];
    assert_eq!(
        subject(door.who(&headers(&ada), proxy).await),
        Ok("ada".to_owned())
    );
    let with_token = [&ada[..], &[("authorization", "Bearer a.b.c")]].concat();
    refused(door.who(&headers(&with_token), proxy).await);
}

#[tokio::test]
async fn only_a_trusted_proxy_tells_for_whom_it_asks() {
    let world = World::usual();
    let list = headers(&[
        ("x-forwarded-for", "6.6.6.6, 198.51.100.7"),
        ("x-request-id", "4f3c"),
    ]);
    let origin = |peer: &str| world.door.origin(&list, peer.parse().unwrap());
    let source = |peer: &str| origin(peer).source_ip.unwrap().to_string();
    assert_eq!(source(PROXY), "198.51.100.7");
    assert_eq!(source(ANYONE), ANYONE);
    assert_eq!(source("::ffff:203.0.113.9"), ANYONE);
    assert_eq!(origin(ANYONE).request_id.as_deref(), Some("4f3c"));
    let odd = headers(&[("x-request-id", "a b")]);
    assert_eq!(
        world.door.origin(&odd, PROXY.parse().unwrap()).request_id,
        None
    );
}
