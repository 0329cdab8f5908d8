//! Keys whose address the issuer's own document tells.

use super::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn discovery() -> Value {
    with_jwks(json!({ "discovery": { "cluster": "idp" } }))
}

const WELL_KNOWN: &str = "idp.example/.well-known/openid-configuration";

/// The issuer's document, by which its keys are at this path.
fn document(path: &str) -> String {
    let jwks_uri = format!("https://idp.example{path}");
    json!({ "issuer": hallpass_tokens::ISSUER, "jwks_uri": jwks_uri }).to_string()
}

#[test]
fn the_issuers_document_leads_to_its_keys_which_are_awaited_over_both_steps() {
    let mut world = World::with(&discovery());
    assert_eq!(world.asks_for(), WELL_KNOWN);
    world.fetch();
    let (mut waiting, step) = world.send(signed_by(&old_key()));
    assert_eq!(told(&step), "waits for keys");
    assert_eq!(world.answer((200, &document("/v1"))), Progress::HalfWay);
    assert_eq!(world.asks_for(), "idp.example/v1");
    assert_eq!(world.outcome(signed_by(&old_key())), "waits for keys");
    let keys = published(&[&old_key()]);
    assert_eq!(world.answer((200, &keys)), Progress::Ended);
    assert_eq!(world.judges_again(&mut waiting), "identity");
    assert_eq!(world.outcome(signed_by(&old_key())), "identity");
}

#[test]
fn each_fetch_begins_with_the_issuers_document_so_keys_that_moved_are_followed() {
    let mut world = World::with(&discovery());
    world.fetch();
    world.answer((200, &document("/v1")));
    world.answer((200, &published(&[&old_key()])));
    world.pass(300);
    assert_eq!(world.asks_for(), WELL_KNOWN);
    world.fetch();
    world.answer((200, &document("/v2")));
    assert_eq!(world.asks_for(), "idp.example/v2");
    world.answer((200, &published(&[&new_key()])));
    assert_eq!(world.outcome(signed_by(&new_key())), "identity");
    assert_eq!(world.asks_for(), WELL_KNOWN);
}

#[test]
fn a_fetch_that_fails_on_either_step_is_one_failure_and_costs_no_good_key() {
    let mut world = World::with(&discovery());
    world.fetch();
    world.answer((200, &document("/v1")));
    world.answer((200, &published(&[&old_key()])));
    let outcomes = |world: &mut World| {
        let counted: Vec<_> = world.gate.take_counted().collect();
        let of = |counter| {
            let one = counted.iter().find(|(one, _)| *one == counter);
            one.map_or(0, |(_, count)| *count)
        };
        (of(Counter::JwksOk), of(Counter::JwksError))
    };
    assert_eq!(outcomes(&mut world), (1, 0), "two steps are one fetch");
    for answers in [
        &[(404, String::new())][..],
        &[(200, document("/v2")), (404, String::new())],
    ] {
        world.pass(300);
        world.fetch();
        for (status, body) in answers {
            world.answer((*status, body));
        }
        assert_eq!(outcomes(&mut world), (0, 1), "{answers:?}");
        assert_eq!(world.asks_for(), WELL_KNOWN, "{answers:?}");
        assert_eq!(world.outcome(signed_by(&old_key())), "identity");
    }
    world.pass(3_600);
    let refused = world.outcome(signed_by(&old_key()));
    assert_eq!(refused, "503 keys_unavailable", "beyond `max_stale`");
}

#[test]
fn a_document_that_is_not_the_issuers_own_leads_nowhere() {
    let own = hallpass_tokens::ISSUER;
    for (answer, cause) in [
        (
            (
                200,
                json!({ "issuer": "https://evil.example", "jwks_uri": "https://idp.example/keys" }),
            ),
            "evil",
        ),
        (
            (
                200,
                json!({ "issuer": own, "jwks_uri": "https://evil.example/keys" }),
            ),
            "`remote`",
        ),
        ((200, json!({ "issuer": own })), "jwks_uri"),
        ((200, json!([])), "expected a map"),
        (
            (
                302,
                json!({ "issuer": own, "jwks_uri": "https://idp.example/keys" }),
            ),
            "status 302",
        ),
    ] {
        let mut world = World::with(&discovery());
        world.fetch();
        let (mut waiting, _) = world.send(signed_by(&old_key()));
        let (status, document) = answer;
        assert_eq!(
            world.answer((status, &document.to_string())),
            Progress::Ended
        );
        assert_eq!(world.judges_again(&mut waiting), "503 keys_unavailable");
        let notices = world.notices().concat();
        assert!(notices.contains(cause), "{cause}: {notices}");
        assert!(
            notices.contains("path `/.well-known/openid-configuration`"),
            "{notices}"
        );
    }
}
