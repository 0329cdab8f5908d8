//! Where the keys come from, and answers of the key server that hold none.

use std::time::Duration;

use hallpass_demo::idp::{IdentityProvider, Spoiled};
use hallpass_tokens::SigningKey;
use serde_json::json;

use crate::world::{World, ask_until, token, wait_until};

const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn the_keys_are_found_by_the_issuers_own_document() {
    let world = World::new(IdentityProvider::start(0).unwrap(), |setup| {
        setup.plugin(|plugin| {
            plugin["providers"][0]["jwks"] =
                json!({ "discovery": { "cluster": "idp", "timeout": "20s" } });
        })
    });
    let answer = world.proxy.get("/me").token(&token("carol")).send();
    assert_eq!(answer.status, 200, "{answer:?}");
    let new = SigningKey::ed25519("new");
    world
        .idp
        .publish(&[hallpass_demo::idp::signing_key(), &new]);
    let token = hallpass_demo::idp::token_for("carol").signed_by(&new);
    let answer = world.proxy.get("/me").token(&token).send();
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[test]
fn the_issuers_word_on_how_long_its_keys_count_brings_the_next_fetch_nearer() {
    let idp = IdentityProvider::start(0).unwrap();
    idp.advise(Duration::from_secs(1));
    let world = World::new(idp, |setup| {
        setup.plugin(|plugin| {
            plugin["providers"][0]["jwks"]["remote"]["cool_down"] = json!("1s");
        })
    });
    wait_until("fetched again and again", PATIENCE, || {
        world.idp.keys_asked() >= 9
    });
}

#[test]
fn a_key_server_that_answers_with_something_else_costs_nobody_a_good_key_and_is_told() {
    let world = World::new(IdentityProvider::start(0).unwrap(), |setup| {
        setup.plugin(|plugin| {
            plugin["providers"][0]["jwks"]["remote"]["refresh"] = json!("1s");
        })
    });
    let carol = token("carol");
    let ask = || world.proxy.get("/me").token(&carol).send();
    ask_until("the keys are there", PATIENCE, ask, |answer| {
        answer.status == 200
    });
    let megabytes = format!("{{\"keys\":[],\"padding\":\"{}\"}}", "x".repeat(20 << 20));
    for (status, body, cause) in [
        (200, "<html>Sign in</html>", "status 200: expected value"),
        (200, r#"{"keys":[]}"#, "no key that can be used"),
        (200, &megabytes, "status 200: larger than 262144 bytes"),
        (302, "", "status 302"),
        (500, "", "status 500"),
    ] {
        let body = body.to_owned();
        world.idp.spoil_keys(Some(Spoiled { status, body }));
        let told = || {
            let lines = world.proxy.log().so_far();
            let ours = lines.iter().filter(|line| {
                line.contains("provider `demo` (cluster `idp`, path `/jwks.json`)")
                    && line.contains(cause)
            });
            ours.count()
        };
        wait_until("each worker has been told", PATIENCE, || {
            assert_eq!(ask().status, 200);
            told() >= 4
        });
    }
    world.idp.spoil_keys(None);
    assert_eq!(ask().status, 200);
}
