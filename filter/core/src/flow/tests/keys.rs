//! Keys that are fetched: waiting for them, and answers that bring none.

mod discovery;
mod seeking;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use super::*;
use crate::token::Algorithm;
use crate::token::signature::{PublicKey, PureRust, SignatureFault, SignatureVerifier};
use hallpass_tokens::SigningKey;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// What a story's issuer answers: a status and a body.
type Answer<'a> = (u16, &'a str);

fn with_jwks(jwks: Value) -> Value {
    let mut config = config();
    config["providers"][0]["jwks"] = jwks;
    config
}

fn remote() -> Value {
    with_jwks(json!({ "remote": { "cluster": "idp", "uri": "/keys" } }))
}

fn old_key() -> SigningKey {
    key()
}

fn new_key() -> SigningKey {
    SigningKey::ed25519("new")
}

fn published(keys: &[&SigningKey]) -> String {
    hallpass_tokens::jwks(keys).to_string()
}

fn bearing(token: &str) -> Request {
    Request::get("/me").header("authorization", &format!("Bearer {token}"))
}

fn signed_by(key: &SigningKey) -> Request {
    bearing(&alice().signed_by(key))
}

/// Counts what it is asked.
struct Counting(Rc<Cell<u32>>);

impl SignatureVerifier for Counting {
    fn verify(
        &self,
        algorithm: Algorithm,
        key: &PublicKey,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureFault> {
        self.0.set(self.0.get() + 1);
        PureRust.verify(algorithm, key, message, signature)
    }
}

impl World {
    /// A world, and how many signatures were checked in it.
    fn counting_checks(config: &Value) -> (Self, Rc<Cell<u32>>) {
        let checks = Rc::new(Cell::new(0));
        let mut world = Self::with(config);
        world.gate = Gate::new(world.gate.config(), Box::new(Counting(checks.clone())));
        (world, checks)
    }

    fn fetch(&mut self) {
        self.gate.fetch_started(0, self.now);
    }

    fn answer(&mut self, (status, body): Answer<'_>) -> Progress {
        let reply = KeysReply {
            status,
            cache_control: None,
            body: body.as_bytes(),
        };
        self.gate.on_keys_reply(0, reply, self.now)
    }

    /// A world whose issuer has published these keys.
    fn knowing(config: &Value, keys: &[&SigningKey]) -> Self {
        let mut world = Self::with(config);
        world.fetch();
        assert_eq!(world.answer((200, &published(keys))), Progress::Ended);
        world
    }

    fn asks_for(&self) -> String {
        let request = self.gate.keys_request(0).unwrap();
        format!("{}{}", request.address.authority, request.address.path)
    }

    fn judges_again(&mut self, exchange: &mut Exchange) -> String {
        told(&exchange.on_keys(&mut self.gate, self.now))
    }

    fn notices(&mut self) -> Vec<String> {
        self.gate.take_notices()
    }
}

/// Orders need a grant of the service, and no token is remembered.
fn forgetful() -> Value {
    let mut config = remote();
    config["token_cache"] = json!({ "max_entries": 0 });
    config
}

#[test]
fn a_token_that_is_not_remembered_is_verified_once_though_it_waits_for_the_grant_service() {
    let (mut world, checks) = World::counting_checks(&forgetful());
    world.fetch();
    world.answer((200, &published(&[&old_key()])));
    let request = Request::get("/orders/7").by(alice());
    let outcome = world.outcome_when_answered(request, &allow_until(NOW + 3600), 1);
    assert_eq!((&*outcome, checks.get()), ("grant_service", 1));
}

#[test]
fn a_token_that_ended_or_had_not_begun_at_its_answer_does_not_pass_whether_or_not_it_is_remembered()
{
    for config in [remote(), forgetful()] {
        let mut world = World::knowing(&config, &[&old_key()]);
        let request = Request::get("/orders/7").by(alice().expires_in(5));
        let outcome = world.outcome_when_answered(request, &allow_until(NOW + 3600), 5);
        assert_eq!(outcome, "401 token_expired");

        let mut world = World::knowing(&config, &[&old_key()]);
        let token = alice().claim("nbf", json!(NOW));
        let (mut waiting, step) = world.send(Request::get("/orders/7").by(token));
        let Step::Wait(Need::Grant(query)) = step else {
            panic!("no question was asked: {}", told(&step));
        };
        let outcome = world.learn(query.key(), &allow_until(NOW + 3600));
        world.now = world.now.saturating_sub(Duration::from_mins(10));
        let step = waiting.on_grant(&mut world.gate, &outcome, world.now);
        assert_eq!(told(&step), "401 token_not_yet_valid");
    }
}

#[test]
fn a_token_is_counted_once_though_it_waits_for_the_grant_service() {
    for config in [remote(), forgetful()] {
        let mut world = World::knowing(&config, &[&old_key()]);
        world.gate.take_counted().for_each(drop);
        let request = Request::get("/orders/7").by(alice());
        world.outcome_when_answered(request, &allow_until(NOW + 3600), 1);
        let counted: Vec<_> = world.gate.take_counted().collect();
        let of_tokens = |(counter, _): &&(Counter, u32)| {
            matches!(counter, Counter::TokenHit | Counter::TokenMiss)
        };
        let of_tokens: Vec<_> = counted.iter().filter(of_tokens).collect();
        assert_eq!(of_tokens, [&(Counter::TokenMiss, 1)]);
    }
}

#[test]
fn a_token_whose_key_was_withdrawn_while_it_waited_for_the_grant_service_does_not_pass() {
    for config in [remote(), forgetful()] {
        let mut world = World::knowing(&config, &[&old_key()]);
        let (mut waiting, step) = world.send(Request::get("/orders/7").by(alice()));
        let Step::Wait(Need::Grant(query)) = step else {
            panic!("no question was asked: {}", told(&step));
        };
        world.pass(300);
        world.fetch();
        world.answer((200, &published(&[&new_key()])));
        let outcome = world.learn(query.key(), &allow_until(NOW + 3600));
        let step = waiting.on_grant(&mut world.gate, &outcome, world.now);
        assert_eq!(told(&step), "401 token_key_unknown");
    }
}

#[test]
fn a_request_before_the_first_keys_waits_and_is_never_told_that_its_token_is_bad() {
    let mut world = World::with(&remote());
    assert_eq!(world.gate.due_keys(world.now), [0]);
    world.fetch();
    let (mut waiting, step) = world.send(signed_by(&old_key()));
    assert_eq!(told(&step), "waits for keys");
    world.answer((200, &published(&[&old_key()])));
    assert_eq!(world.judges_again(&mut waiting), "identity");
    assert_eq!(world.outcome(signed_by(&old_key())), "identity");
}

#[test]
fn keys_that_cannot_be_had_are_the_filters_problem_and_not_the_tokens() {
    for answer in [
        (503, ""),
        (302, ""),
        (204, ""),
        (500, &*published(&[&old_key()])),
        (200, "<html>"),
        (200, r#"{"keys":[]}"#),
    ] {
        let mut world = World::with(&remote());
        world.fetch();
        let (mut waiting, _) = world.send(signed_by(&old_key()));
        assert_eq!(world.answer(answer), Progress::Ended);
        let refused = "503 keys_unavailable";
        assert_eq!(world.judges_again(&mut waiting), refused, "{answer:?}");
        assert_eq!(world.outcome(signed_by(&old_key())), refused, "{answer:?}");
        world.pass(60);
        assert_eq!(world.gate.due_keys(world.now), [0], "it is tried again");
    }
}

#[test]
fn a_failure_is_told_with_provider_cluster_path_status_and_cause_on_one_line() {
    let mut world = World::knowing(&remote(), &[&old_key()]);
    world.fetch();
    world.answer((200, r#"{"keys\nforged line":1,"keys\nforged line":2}"#));
    world.fetch();
    world
        .gate
        .fetch_failed(0, "the proxy never answered", world.now);
    let notices = world.notices();
    let origin = "the keys of provider `corp` (cluster `idp`, path `/keys`) could not be fetched: ";
    assert!(
        notices[0].starts_with(&format!("{origin}status 200: ")),
        "{notices:?}"
    );
    assert_eq!(notices[1], format!("{origin}the proxy never answered"));
    assert!(notices.iter().all(|notice| !notice.contains('\n')));
    assert_eq!(world.counted(Counter::JwksError), 2);
}

#[test]
fn a_fault_that_repeats_a_document_is_cut_short() {
    let mut world = World::with(&remote());
    let endless = "k".repeat(100_000);
    world.answer((200, &json!({ "keys": [{ "kty": endless }] }).to_string()));
    world.answer((200, &format!(r#"{{"{endless}":1,"{endless}":2}}"#)));
    for notice in world.notices() {
        assert!(notice.len() < 1_000, "{} bytes", notice.len());
    }
}

#[test]
fn a_bad_key_among_good_ones_is_told_once_and_not_with_each_refresh() {
    let mut world = World::with(&remote());
    let bad = json!({ "kty": "oct", "kid": "bad", "k": "c2VjcmV0" });
    let set = |bad: Value| json!({ "keys": [old_key().jwk(), bad] }).to_string();
    for told in [1, 0, 0] {
        world.fetch();
        world.answer((200, &set(bad.clone())));
        let notices = world.notices();
        assert_eq!(notices.len(), told, "{notices:?}");
        assert!(notices.iter().all(|notice| {
            notice.contains("provider `corp`")
                && notice.contains("key 1")
                && !notice.contains("c2VjcmV0")
        }));
        assert_eq!(world.outcome(signed_by(&old_key())), "identity");
        world.pass(300);
    }
    world.fetch();
    world.answer((200, &set(json!(7))));
    assert_eq!(world.notices().len(), 1, "another fault is news");
}

#[test]
fn the_issuers_word_brings_the_next_fetch_nearer() {
    let mut world = World::with(&remote());
    world.fetch();
    let keys = published(&[&old_key()]);
    let reply = KeysReply {
        status: 200,
        cache_control: Some(b"public, max-age=60"),
        body: keys.as_bytes(),
    };
    world.gate.on_keys_reply(0, reply, world.now);
    world.pass(59);
    assert!(world.gate.due_keys(world.now).is_empty());
    world.pass(1);
    assert_eq!(world.gate.due_keys(world.now), [0]);
}
