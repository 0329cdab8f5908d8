//! Tokens that the keys at hand do not verify: new keys, exchanged ones, strangers and forgers.

use super::*;
use hallpass_tokens::with_flipped_signature as forged;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// A request whose token names the old key, which did not sign it.
fn forgery() -> Request {
    bearing(&forged(&alice().signed_by(&old_key())))
}

#[test]
fn a_token_of_a_key_that_was_just_published_waits_and_passes() {
    let mut world = World::knowing(&remote(), &[&old_key()]);
    world.pass(60);
    let (mut waiting, step) = world.send(signed_by(&new_key()));
    assert_eq!(told(&step), "waits for a new key");
    assert_eq!(world.gate.due_keys(world.now), [0]);
    world.fetch();
    assert_eq!(
        world.outcome(signed_by(&old_key())),
        "identity",
        "meanwhile"
    );
    world.answer((200, &published(&[&old_key(), &new_key()])));
    assert_eq!(world.judges_again(&mut waiting), "identity");
    for key in [old_key(), new_key()] {
        assert_eq!(world.outcome(signed_by(&key)), "identity");
    }
}

#[test]
fn a_key_that_the_issuer_does_not_have_is_refused_and_so_is_every_other_until_the_cool_down_ends() {
    let mut world = World::knowing(&remote(), &[&old_key()]);
    world.pass(60);
    let stranger = |kid: &str| signed_by(&SigningKey::ed25519(kid));
    let (mut waiting, _) = world.send(stranger("0"));
    world.fetch();
    world.answer((200, &published(&[&old_key()])));
    assert_eq!(world.judges_again(&mut waiting), "401 token_key_unknown");
    for second in 0..10 {
        let kid = second.to_string();
        assert_eq!(world.outcome(stranger(&kid)), "401 token_key_unknown");
        assert_eq!(world.outcome(signed_by(&old_key())), "identity");
        assert!(
            world.gate.due_keys(world.now).is_empty(),
            "after {second} s"
        );
        world.pass(1);
    }
    assert_eq!(world.outcome(stranger("0")), "waits for a new key");
}

#[test]
fn a_token_that_came_during_a_refresh_may_wait_for_one_more_fetch_and_no_longer() {
    let mut world = World::knowing(&remote(), &[&old_key()]);
    world.pass(300);
    world.fetch();
    world.pass(1);
    let (mut waiting, step) = world.send(signed_by(&new_key()));
    assert_eq!(told(&step), "waits for a new key");
    world.pass(1);
    world.answer((200, &published(&[&old_key()])));
    assert_eq!(world.judges_again(&mut waiting), "waits for a new key");
    world.fetch();
    world.pass(60);
    world.answer((200, &published(&[&old_key()])));
    assert_eq!(world.judges_again(&mut waiting), "401 token_key_unknown");
}

#[test]
fn while_the_issuer_is_away_an_unknown_key_is_not_called_unknown_and_known_ones_serve() {
    let mut world = World::knowing(&remote(), &[&old_key()]);
    world.pass(60);
    let (mut waiting, _) = world.send(signed_by(&new_key()));
    world.fetch();
    world.answer((503, ""));
    assert_eq!(world.judges_again(&mut waiting), "503 keys_unavailable");
    assert_eq!(world.outcome(signed_by(&new_key())), "503 keys_unavailable");
    assert_eq!(world.outcome(signed_by(&old_key())), "identity");
}

#[test]
fn want_of_room_says_nothing_of_a_key() {
    let mut world = World::knowing(&remote(), &[&old_key()]);
    let (mut exchange, _) = world.send(signed_by(&new_key()));
    let step = exchange.without_keys(&mut world.gate, world.now);
    assert_eq!(told(&step), "503 keys_unavailable");
}

#[test]
fn a_token_that_would_be_refused_anyway_causes_no_fetch() {
    let mut config = remote();
    config["providers"][0]["algorithms"] = json!(["ES256", "EdDSA"]);
    config["providers"][0]["required_claims"] = json!({ "tenant": ["acme"] });
    let sound = || alice().claim("tenant", json!("acme"));
    let outcome = |token: &str| {
        let mut world = World::knowing(&config, &[&old_key()]);
        let outcome = world.outcome(bearing(token));
        (outcome, world.gate.due_keys(world.now))
    };
    for (what, token) in [
        ("expired", sound().expires_in(-3600)),
        ("not yet valid", sound().not_before(NOW + 3600)),
        ("another's", sound().audience("billing")),
        ("without the claim", alice()),
        ("bound", sound().claim("cnf", json!({}))),
        ("of another type", sound().header("typ", json!("dpop+jwt"))),
        ("of another issuer", sound().issuer("https://evil.example")),
    ] {
        for token in [
            token.clone().signed_by(&new_key()),
            forged(&token.signed_by(&old_key())),
        ] {
            let (outcome, due) = outcome(&token);
            assert!(outcome.starts_with("401"), "{what}: {outcome}");
            assert!(due.is_empty(), "{what}");
        }
    }
    let (refused, due) = outcome(&sound().signed_by(&SigningKey::rs256("new")));
    assert_eq!(refused, "401 token_algorithm_not_allowed");
    assert!(due.is_empty(), "of another algorithm");
    for token in [
        sound().signed_by(&new_key()),
        forged(&sound().signed_by(&old_key())),
    ] {
        assert_eq!(outcome(&token).0, "waits for a new key");
    }
}

/// An issuer that had published one set until a token of another comes.
fn exchanged(before: &str, after: &str, token: &str) -> (World, String) {
    let mut world = World::with(&remote());
    world.fetch();
    world.answer((200, before));
    world.pass(60);
    let (mut waiting, step) = world.send(bearing(token));
    assert_eq!(told(&step), "waits for a new key");
    world.fetch();
    world.pass(1);
    world.answer((200, after));
    let outcome = world.judges_again(&mut waiting);
    (world, outcome)
}

#[test]
fn a_token_of_a_key_that_was_exchanged_under_the_same_name_waits_and_passes() {
    for (old, new) in [
        (SigningKey::rs256("same"), SigningKey::other_rs256("same")),
        (SigningKey::es256("same"), SigningKey::ed25519("same")),
    ] {
        let by_new = alice().signed_by(&new);
        let (mut world, outcome) = exchanged(&published(&[&old]), &published(&[&new]), &by_new);
        assert_eq!(outcome, "identity", "{new:?}");
        let by_old = world.outcome(signed_by(&old));
        assert!(by_old.starts_with("401"), "{old:?}: {by_old}");
    }
}

#[test]
fn a_token_without_a_name_for_its_key_waits_for_the_only_one_that_fits() {
    let (old, new) = (SigningKey::rs256(""), SigningKey::other_rs256(""));
    let unnamed = |keys: &[&SigningKey]| {
        let mut set = hallpass_tokens::jwks(keys);
        for key in set["keys"].as_array_mut().unwrap() {
            key.as_object_mut().unwrap().remove("kid");
        }
        set.to_string()
    };
    let token = |key: &SigningKey| alice().without_header("kid").signed_by(key);
    for (what, before) in [
        ("exchanged", unnamed(&[&old])),
        ("one of two", unnamed(&[&old, &new])),
        ("the first of its kind", unnamed(&[&key()])),
    ] {
        let (mut world, outcome) = exchanged(&before, &unnamed(&[&new]), &token(&new));
        assert_eq!(outcome, "identity", "{what}");
        let by_old = world.outcome(bearing(&token(&old)));
        assert_eq!(by_old, "401 token_signature_invalid", "{what}");
    }
}

#[test]
fn a_forged_token_waits_for_one_fetch_per_cool_down_and_is_refused_at_once_in_between() {
    let mut world = World::knowing(&remote(), &[&old_key()]);
    world.pass(60);
    let (mut waiting, step) = world.send(forgery());
    assert_eq!(told(&step), "waits for a new key");
    world.fetch();
    assert_eq!(world.outcome(signed_by(&old_key())), "identity");
    world.answer((200, &published(&[&old_key()])));
    let refused = "401 token_signature_invalid";
    assert_eq!(world.judges_again(&mut waiting), refused);
    for second in 0..10 {
        assert_eq!(world.outcome(forgery()), refused, "after {second} s");
        let stranger = world.outcome(signed_by(&new_key()));
        assert_eq!(stranger, "401 token_key_unknown", "one bound for both");
        assert!(world.gate.due_keys(world.now).is_empty());
        world.pass(1);
    }
    assert_eq!(world.outcome(forgery()), "waits for a new key");
}

#[test]
fn while_the_issuer_is_away_nobody_can_know_whether_it_has_exchanged_a_key() {
    let mut world = World::knowing(&remote(), &[&old_key()]);
    world.pass(60);
    let (mut waiting, _) = world.send(forgery());
    world.fetch();
    world.answer((503, ""));
    assert_eq!(world.judges_again(&mut waiting), "503 keys_unavailable");
    assert_eq!(world.outcome(forgery()), "503 keys_unavailable");
    assert!(world.gate.due_keys(world.now).is_empty());
    assert_eq!(world.outcome(signed_by(&old_key())), "identity");
}

#[test]
fn a_forged_token_costs_one_signature_check_for_each_set_of_keys_however_often_it_waits() {
    let (mut world, checks) = World::counting_checks(&remote());
    world.fetch();
    world.answer((200, &published(&[&old_key()])));
    world.pass(300);
    world.fetch();
    world.pass(1);
    let (mut waiting, _) = world.send(forgery());
    world.pass(1);
    world.answer((200, &published(&[&old_key()])));
    assert_eq!(world.judges_again(&mut waiting), "waits for a new key");
    world.fetch();
    world.pass(1);
    assert_eq!(checks.get(), 1, "the keys are the same");
    world.answer((200, &published(&[&old_key(), &new_key()])));
    let refused = "401 token_signature_invalid";
    assert_eq!(world.judges_again(&mut waiting), refused);
    assert_eq!(checks.get(), 2, "the keys are others");
}

#[test]
fn a_key_that_the_configuration_does_not_have_is_nowhere_else() {
    let mut world = World::new();
    assert_eq!(
        world.outcome(signed_by(&new_key())),
        "401 token_key_unknown"
    );
    assert_eq!(world.outcome(forgery()), "401 token_signature_invalid");
}
