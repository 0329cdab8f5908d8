//! Keys that are fetched: waiting for them, looking for new ones, and answers that bring none.

use super::*;
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

fn discovery() -> Value {
    with_jwks(json!({ "discovery": { "cluster": "idp" } }))
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

fn signed_by(key: &SigningKey) -> Request {
    let token = alice().signed_by(key);
    Request::get("/me").header("authorization", &format!("Bearer {token}"))
}

impl World {
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
    for (what, token, key) in [
        ("expired", sound().expires_in(-3600), new_key()),
        ("not yet valid", sound().not_before(NOW + 3600), new_key()),
        ("another's", sound().audience("billing"), new_key()),
        ("without the claim", alice(), new_key()),
        ("bound", sound().claim("cnf", json!({})), new_key()),
        (
            "of another type",
            sound().header("typ", json!("dpop+jwt")),
            new_key(),
        ),
        ("of another algorithm", sound(), SigningKey::rs256("new")),
        (
            "without a key's name",
            sound().without_header("kid"),
            new_key(),
        ),
        (
            "of another issuer",
            sound().issuer("https://evil.example"),
            new_key(),
        ),
    ] {
        let mut world = World::knowing(&config, &[&old_key()]);
        let token = token.signed_by(&key);
        let request = Request::get("/me").header("authorization", &format!("Bearer {token}"));
        let outcome = world.outcome(request);
        assert!(outcome.starts_with("401"), "{what}: {outcome}");
        assert!(world.gate.due_keys(world.now).is_empty(), "{what}");
    }
    let mut world = World::knowing(&config, &[&old_key()]);
    let token = sound().signed_by(&new_key());
    let request = Request::get("/me").header("authorization", &format!("Bearer {token}"));
    assert_eq!(world.outcome(request), "waits for a new key");
}

#[test]
fn a_key_that_the_configuration_does_not_have_is_nowhere_else() {
    let mut world = World::new();
    assert_eq!(
        world.outcome(signed_by(&new_key())),
        "401 token_key_unknown"
    );
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
        let counted: Vec<Counter> = world.gate.take_counted().collect();
        let of = |counter| counted.iter().filter(|one| **one == counter).count();
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
    let counted: Vec<Counter> = world.gate.take_counted().collect();
    assert_eq!(
        counted.iter().filter(|c| **c == Counter::JwksError).count(),
        2
    );
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
