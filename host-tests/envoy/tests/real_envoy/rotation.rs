//! The identity provider changes its keys while requests keep coming: nobody with a sound token may feel it.

use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hallpass_demo::idp::{IdentityProvider, token_for};
use hallpass_tokens::{SigningKey, with_flipped_signature};
use serde_json::json;

use crate::world::{Ends, World, ask_until, token, wait_until};

/// The longest that anything in here may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Workers of the proxy, each of which has keys of its own.
const WORKERS: usize = 2;
/// The shortest time that can be configured between two fetches for unknown keys.
const COOL_DOWN: Duration = Duration::from_secs(1);
/// How many requests each client gets through before the next stage: in-flight ones of the stage before are done then.
const STAGE: usize = 25;

/// The keys that the provider signs with, one after the other, each of another kind.
fn keys() -> [SigningKey; 4] {
    [
        SigningKey::es256("2026-a"),
        SigningKey::ed25519("2026-b"),
        SigningKey::rs256("2026-c"),
        SigningKey::other_rs256("2026-d"),
    ]
}

/// A provider and users who send a request each with a fresh token as fast as they can.
struct Load<'a> {
    world: &'a World,
    /// The key that the provider signs with right now. Whoever uses it, or the next, holds its lock until the answer is there.
    signing: RwLock<SigningKey>,
    /// The key that it signed with before, while that is published.
    retired: RwLock<Option<SigningKey>>,
    /// How many requests each client has got through.
    passed: [AtomicUsize; 4],
    over: AtomicBool,
}

impl<'a> Load<'a> {
    fn new(world: &'a World, first: &SigningKey) -> Self {
        Self {
            world,
            signing: RwLock::new(first.clone()),
            retired: RwLock::new(None),
            passed: Default::default(),
            over: AtomicBool::new(false),
        }
    }

    /// Runs `rotate` while the clients run. Half of them use the present key, half the retired one while there is one.
    fn during(&self, rotate: impl FnOnce()) {
        thread::scope(|scope| {
            for (client, passed) in self.passed.iter().enumerate() {
                scope.spawn(move || {
                    // Also when this client fails, the others must come to an end.
                    let _ends = Ends(&self.over);
                    while !self.over.load(Ordering::SeqCst) {
                        if client % 2 == 0 {
                            self.request(&self.signing.read().unwrap());
                        } else {
                            self.request_with_retired();
                        }
                        passed.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
            let _ends = Ends(&self.over);
            rotate();
        });
    }

    fn request_with_retired(&self) {
        match &*self.retired.read().unwrap() {
            Some(retired) => self.request(retired),
            None => self.request(&self.signing.read().unwrap()),
        }
    }

    fn request(&self, key: &SigningKey) {
        let token = token_for("carol").signed_by(key);
        let answer = self.world.proxy.get("/me").token(&token).send();
        assert_eq!(answer.status, 200, "signed by {key:?}: {answer:?}");
    }

    /// Waits until every client has got through some more requests.
    fn goes_on(&self, what: &str) {
        let passed = || {
            self.passed
                .each_ref()
                .map(|passed| passed.load(Ordering::SeqCst))
        };
        let before = passed();
        wait_until(what, PATIENCE, || {
            let done = passed()
                .into_iter()
                .zip(before)
                .all(|(now, before)| now >= before + STAGE);
            assert!(done || !self.over.load(Ordering::SeqCst), "a client failed");
            done
        });
    }

    /// Waits until each worker has asked for the keys again.
    fn each_worker_asks(&self, what: &str) {
        let before = self.world.idp.keys_asked();
        wait_until(what, PATIENCE, || {
            // The proxy's main thread holds keys of its own. In two rounds each has had its turn, however they come.
            self.world.idp.keys_asked() >= before + 2 * (WORKERS + 1)
        });
    }

    /// The provider publishes `new` beside `old`, signs with it, and withdraws `old`.
    fn rotate(&self, old: &SigningKey, new: &SigningKey, between: impl FnOnce()) {
        self.goes_on("served with the old key");
        self.world.idp.publish(&[old, new]);
        between();
        *self.signing.write().unwrap() = new.clone();
        *self.retired.write().unwrap() = Some(old.clone());
        self.goes_on("served with both keys");
        *self.retired.write().unwrap() = None;
        self.goes_on("served with the new key alone");
        self.world.idp.publish(&[new]);
        self.goes_on("served after the old key was withdrawn");
    }

    /// The provider publishes `new` in place of the key that it signs with, and signs with it from that instant on.
    fn exchange(&self, new: &SigningKey) {
        self.goes_on("served with the key of before");
        let mut signing = self.signing.write().unwrap();
        self.world.idp.publish(&[new]);
        *signing = new.clone();
        drop(signing);
        self.goes_on("served with the key in its place");
    }
}

/// A world whose provider publishes `first`, and whose filter fetches the keys each `refresh`.
fn world(first: &SigningKey, refresh: &str) -> World {
    let idp = IdentityProvider::start(0).unwrap();
    idp.publish(&[first]);
    World::new(idp, |setup| {
        setup.plugin(|plugin| {
            let remote = &mut plugin["providers"][0]["jwks"]["remote"];
            remote["refresh"] = json!(refresh);
            remote["cool_down"] = json!("1s");
            // A busy machine is no failure of the provider.
            remote["timeout"] = json!("20s");
            plugin["audit"]["log"] = json!("none");
        })
    })
}

#[test]
fn a_rotation_that_is_announced_is_not_felt_and_the_withdrawn_key_counts_no_longer() {
    let keys = keys();
    let world = world(&keys[0], "1s");
    let load = Load::new(&world, &keys[0]);
    load.during(|| {
        for pair in keys.windows(2) {
            load.rotate(&pair[0], &pair[1], || {
                load.each_worker_asks("the new key is fetched before it is used");
            });
            let old = token_for("carol").signed_by(&pair[0]);
            let ask = || world.proxy.get("/me").token(&old).send();
            let refused = ask_until("withdrawn", PATIENCE, ask, |answer| answer.status != 200);
            let expected = (401, Some("token_key_unknown".to_owned()));
            assert_eq!(refused.verdict(), expected);
        }
    });
}

#[test]
fn a_rotation_in_which_the_new_key_signs_in_the_instant_of_its_publication_is_not_felt() {
    // Without a refresh nearby, the keys are fetched for the new tokens' sake; with one each second, the two get into each other's way.
    for refresh in ["5m", "1s"] {
        let keys = keys();
        let world = world(&keys[0], refresh);
        let load = Load::new(&world, &keys[0]);
        load.during(|| {
            for pair in keys.windows(2) {
                load.rotate(&pair[0], &pair[1], || {});
                // Each rotation is the first after a cool-down. Both workers have sought the key of this one by now.
                let cooled_down = Instant::now() + COOL_DOWN;
                wait_until("cooled down", PATIENCE, || Instant::now() > cooled_down);
            }
        });
        if refresh == "5m" {
            let started = WORKERS + 1;
            let rotations = WORKERS * (keys.len() - 1);
            let asked = world.idp.keys_asked();
            assert_eq!(
                asked,
                started + rotations,
                "one fetch for each key and worker"
            );
        }
    }
}

#[test]
fn a_key_that_is_exchanged_under_its_own_name_is_not_missed() {
    // One by another algorithm, and one that differs in nothing but itself.
    let keys = [
        SigningKey::rs256("the-key"),
        SigningKey::other_rs256("the-key"),
        SigningKey::ed25519("the-key"),
        SigningKey::rs256("the-key"),
    ];
    for refresh in ["5m", "1s"] {
        let world = world(&keys[0], refresh);
        let load = Load::new(&world, &keys[0]);
        load.during(|| {
            for pair in keys.windows(2) {
                load.exchange(&pair[1]);
                // Each exchange is the first after a cool-down. Both workers have sought the key of this one by now.
                let cooled_down = Instant::now() + COOL_DOWN;
                wait_until("cooled down", PATIENCE, || Instant::now() > cooled_down);
            }
        });
        if refresh == "5m" {
            let started = WORKERS + 1;
            let exchanges = WORKERS * (keys.len() - 1);
            let asked = world.idp.keys_asked();
            assert_eq!(
                asked,
                started + exchanges,
                "one fetch for each key and worker"
            );
        }
    }
}

#[test]
fn strangers_with_random_key_ids_make_each_worker_ask_once_per_cool_down() {
    storm("token_key_unknown", |number| {
        let stranger = SigningKey::ed25519(&format!("random-{number}"));
        token_for("mallory").signed_by(&stranger)
    });
}

#[test]
fn forgers_who_name_the_issuers_key_make_each_worker_ask_once_per_cool_down() {
    storm("token_signature_invalid", |_| {
        with_flipped_signature(&token("mallory"))
    });
}

/// Sends tokens that no key verifies, for `reason`, in turn with sound ones: these pass, and the keys are asked for no more than allowed.
fn storm(reason: &str, hostile: impl Fn(usize) -> String) {
    let world = World::new(IdentityProvider::start(0).unwrap(), |setup| setup);
    let carol = token("carol");
    let ask = || world.proxy.get("/me").token(&carol).send();
    ask_until("the keys are there", PATIENCE, ask, |answer| {
        answer.status == 200
    });
    wait_until("every worker has its keys", PATIENCE, || {
        world.idp.keys_asked() == WORKERS + 1
    });
    let began = Instant::now();
    for number in 0..300 {
        let answer = world.proxy.get("/me").token(&hostile(number)).send();
        let expected = (401, Some(reason.to_owned()));
        assert_eq!(answer.verdict(), expected, "{answer:?}");
        assert_eq!(ask().status, 200);
    }
    let cool_downs = began.elapsed().as_secs() / 10 + 1;
    let at_most = WORKERS + 1 + WORKERS * usize::try_from(cool_downs).unwrap();
    let asked = world.idp.keys_asked();
    assert!(asked > WORKERS + 1, "nobody asked for other keys");
    assert!(
        asked <= at_most,
        "{asked} fetches in {cool_downs} cool-downs"
    );
}
