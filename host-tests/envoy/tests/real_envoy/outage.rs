//! What happens while the identity provider or the grant service is away: nobody gets in unjudged, and it heals by itself.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hallpass_demo::grants::GrantService;
use hallpass_demo::idp::IdentityProvider;
use hallpass_demo::upstream::Upstream;
use hallpass_envoy_tests::{Answer, Proxy, Setup};
use serde_json::json;

use crate::world::{Ends, Stub, World, ask_until, token, wait_until};

/// How long it may take until the proxy notices that a server is back.
const HEALED: Duration = Duration::from_secs(15);
/// How many users are at hand. Each request is another user's, so that no decision comes from the cache.
const USERS: usize = 400;

fn assert_unavailable(answer: &Answer, reason: &str) {
    assert_eq!(
        answer.verdict(),
        (503, Some(reason.to_owned())),
        "{answer:?}"
    );
    assert_eq!(answer.header("retry-after"), Some("1"));
}

#[test]
fn while_the_grant_service_is_killed_nobody_passes_and_when_it_is_back_they_do() {
    let upstream = Upstream::start(0).unwrap();
    let idp = IdentityProvider::start(0).unwrap();
    let service = Stub::start("grants", 0);
    let address = service.address;
    let users: Vec<String> = (0..USERS).map(|user| format!("user-{user}")).collect();
    service.give_all(&users);
    let setup = Setup::shipped()
        .cluster("upstream", upstream.address())
        .cluster("idp", idp.address());
    let proxy = setup.cluster("grants", address).start();

    let next = AtomicUsize::new(0);
    let ask = || {
        let user = &users[next.fetch_add(1, Ordering::SeqCst)];
        proxy.get("/orders/1").token(&token(user)).send()
    };
    let (killed, over) = (AtomicBool::new(false), AtomicBool::new(false));
    let refused_after = thread::scope(|scope| {
        let _ends = Ends(&over);
        let clients: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut refused_after = 0;
                    while !over.load(Ordering::SeqCst) {
                        let sent_after = killed.load(Ordering::SeqCst);
                        let answer = ask();
                        match answer.status {
                            200 => assert!(!sent_after, "let in without the service: {answer:?}"),
                            _ => assert_unavailable(&answer, "grant_service_unavailable"),
                        }
                        refused_after += usize::from(sent_after);
                    }
                    refused_after
                })
            })
            .collect();
        wait_until("requests pass", HEALED, || {
            upstream.served("/orders/1") >= 10
        });
        drop(service);
        killed.store(true, Ordering::SeqCst);
        let asked = next.load(Ordering::SeqCst);
        wait_until("requests are refused", HEALED, || {
            next.load(Ordering::SeqCst) >= asked + 20
        });
        over.store(true, Ordering::SeqCst);
        clients
            .into_iter()
            .map(|client| client.join().unwrap())
            .sum::<usize>()
    });
    assert!(
        refused_after >= 10,
        "{refused_after} requests met the outage"
    );

    let service = Stub::start("grants", address.port());
    service.give_all(&users);
    ask_until("healed", HEALED, ask, |answer| answer.status == 200);
}

/// A world around an identity provider that can be killed, whose keys are fetched anew each `refresh` and serve `max_stale` longer.
fn world_with_mortal_idp(idp: &Stub, refresh: &str, max_stale: &str) -> (Proxy, Upstream) {
    let upstream = Upstream::start(0).unwrap();
    let proxy = Setup::shipped()
        .cluster("upstream", upstream.address())
        .cluster("idp", idp.address)
        .plugin(|plugin| {
            let remote = &mut plugin["providers"][0]["jwks"]["remote"];
            remote["refresh"] = json!(refresh);
            remote["max_stale"] = json!(max_stale);
            plugin["audit"]["log"] = json!("none");
        })
        .start();
    (proxy, upstream)
}

/// How many fetches of keys have failed so far.
fn failed_fetches(proxy: &Proxy) -> usize {
    let lines = proxy.log().so_far();
    let told =
        "the keys of provider `demo` (cluster `idp`, path `/jwks.json`) could not be fetched";
    lines.iter().filter(|line| line.contains(told)).count()
}

#[test]
fn an_outage_of_the_identity_provider_that_its_keys_outlive_is_felt_by_nobody() {
    let idp = Stub::start("idp", 0);
    let address = idp.address;
    let (proxy, upstream) = world_with_mortal_idp(&idp, "1s", "1m");
    let carol = token("carol");
    let ask = || proxy.get("/me").token(&carol).send();
    ask_until("the keys are there", HEALED, ask, |answer| {
        answer.status == 200
    });
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let _ends = Ends(&over);
        let clients: Vec<_> = (0..3)
            .map(|client| {
                scope.spawn({
                    let (over, proxy) = (&over, &proxy);
                    move || {
                        while !over.load(Ordering::SeqCst) {
                            // A token that no worker has seen: it needs the keys.
                            let token = token(&format!("client-{client}"));
                            let answer = proxy.get("/me").token(&token).send();
                            assert_eq!(answer.status, 200, "{answer:?}");
                        }
                    }
                })
            })
            .collect();
        let served_for_a_while = |what: &str| {
            let before = upstream.served("/me");
            wait_until(what, HEALED, || {
                assert!(!clients.iter().any(thread::ScopedJoinHandle::is_finished));
                upstream.served("/me") > before + 100
            });
        };
        served_for_a_while("served before");
        drop(idp);
        wait_until("several fetches of each worker have failed", HEALED, || {
            failed_fetches(&proxy) >= 9
        });
        served_for_a_while("served during the outage");
        let _idp = Stub::start("idp", address.port());
        served_for_a_while("served afterwards");
    });
}

#[test]
fn after_an_outage_that_outlives_the_keys_service_is_good_within_one_refresh() {
    // Keys fetched just before are due after this time and then serve one second more.
    const REFRESH: Duration = Duration::from_secs(3);
    // Ticks, connections and judging take time, on a busy machine more.
    const SLACK: Duration = Duration::from_secs(2);

    let idp = Stub::start("idp", 0);
    let address = idp.address;
    let (proxy, upstream) = world_with_mortal_idp(&idp, "3s", "1s");
    let carol = token("carol");
    let ask = || proxy.get("/me").token(&carol).send();
    ask_until("the keys are there", HEALED, ask, |answer| {
        answer.status == 200
    });

    drop(idp);
    let killed = Instant::now();
    let is_refused = || {
        let answer = ask();
        if answer.status != 200 {
            assert_unavailable(&answer, "keys_unavailable");
        }
        answer.status != 200
    };
    wait_until("nobody passes", HEALED, || in_a_row(20, is_refused));
    let lasted = killed.elapsed();
    assert!(
        lasted >= Duration::from_secs(1),
        "the last good keys served only {lasted:?}"
    );
    let served = upstream.served("/me");
    for _ in 0..20 {
        assert_unavailable(&ask(), "keys_unavailable");
    }
    assert_eq!(upstream.served("/me"), served);

    let _idp = Stub::start("idp", address.port());
    wait_until("healed", REFRESH + SLACK, || {
        in_a_row(20, || ask().status == 200)
    });
}

/// Whether something holds as often as this, one time after the other: connections are spread over both workers.
fn in_a_row(times: usize, mut holds: impl FnMut() -> bool) -> bool {
    (0..times).all(|_| holds())
}

#[test]
fn requests_before_the_first_keys_wait_for_them() {
    let patient = |setup: Setup| {
        setup.plugin(|plugin| plugin["providers"][0]["jwks"]["remote"]["timeout"] = json!("20s"))
    };
    let world = World::new(IdentityProvider::start_holding_keys(0).unwrap(), patient);
    let carol = token("carol");
    let answered = AtomicUsize::new(0);
    thread::scope(|scope| {
        let clients: Vec<_> = (0..6)
            .map(|_| {
                scope.spawn(|| {
                    let answer = world.proxy.get("/me").token(&carol).send();
                    answered.fetch_add(1, Ordering::SeqCst);
                    answer
                })
            })
            .collect();
        wait_until("the keys are asked for", HEALED, || {
            world.idp.keys_asked() > 0
        });
        // An answer that should not come cannot be awaited; a wrong one comes at once.
        thread::sleep(Duration::from_millis(500));
        assert_eq!(
            answered.load(Ordering::SeqCst),
            0,
            "answered before there were keys"
        );
        assert_eq!(
            world.upstream.served("/me"),
            0,
            "served before there were keys"
        );
        world.idp.release_keys();
        for client in clients {
            let answer = client.join().unwrap();
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    });
}

#[test]
fn while_there_are_no_keys_yet_a_token_is_not_called_invalid() {
    let upstream = Upstream::start(0).unwrap();
    let grants = GrantService::start(0).unwrap();
    // A port where nobody listens, but where the provider will.
    let address = Stub::start("idp", 0).address;
    let setup = Setup::shipped()
        .cluster("upstream", upstream.address())
        .cluster("grants", grants.address());
    let proxy = setup
        .cluster("idp", address)
        .plugin(|plugin| refresh_every_second(plugin, "1h"))
        .start();
    let carol = token("carol");
    for _ in 0..6 {
        assert_unavailable(&proxy.get("/me").token(&carol).send(), "keys_unavailable");
    }
    assert_eq!(upstream.served("/me"), 0);

    let _idp = Stub::start("idp", address.port());
    ask_until(
        "served",
        HEALED,
        || proxy.get("/me").token(&carol).send(),
        |answer| answer.status == 200,
    );
}

fn refresh_every_second(plugin: &mut serde_json::Value, max_stale: &str) {
    let remote = &mut plugin["providers"][0]["jwks"]["remote"];
    remote["refresh"] = json!("1s");
    remote["max_stale"] = json!(max_stale);
}
