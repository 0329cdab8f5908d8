//! A thousand requests that need the same grant at the same time: each worker asks the grant service once, whatever becomes of the client
//! that came first and of the service, and everybody gets the same answer. So many who are answered in one moment are also a weight of their
//! own: Envoy must bear it, whatever the answer is.

pub(crate) mod clients;

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use hallpass_demo::grants::GrantService;
use hallpass_demo::idp::{IdentityProvider, token_for};
use hallpass_envoy_tests::{Answer, Proxy};
use hallpass_tokens::SigningKey;
use serde_json::json;

use crate::world::{World, token, wait_until};
use clients::{CONNECTIONS, Crowd};

/// How many ask at once.
const CROWD: usize = 1_000;
/// Each worker asks by itself, and the connections are spread evenly over them.
const WORKERS: usize = 2;
/// How long anything else may take until it has happened.
const PATIENCE: Duration = Duration::from_secs(15);
/// How many requests Envoy has taken and not yet answered.
const ACTIVE: &str = "http.hallpass.downstream_rq_active";
/// How many calls to the grant service its circuit breaker did not let through.
const OVERFLOWN: &str = "cluster.grants.upstream_rq_pending_overflow";
/// How many requests have joined another's question to the grant service.
const COALESCED: &str = "wasmcustom.hallpass.grants.coalesced";

/// A world that is fit for a crowd. A question to its grant service may take `timeout`.
fn world_around(idp: IdentityProvider, timeout: &str) -> World {
    World::new(idp, |setup| {
        setup
            // Both workers get the same number of connections, so that it is no matter of luck that each of them has to ask.
            .listener(|listener| {
                listener["connection_balance_config"] = json!({ "exact_balance": {} });
            })
            // The upstream sees a few connections, not a thousand: sockets are scarce.
            .treating("upstream", |upstream| {
                upstream["circuit_breakers"] = json!({ "thresholds": [{ "max_connections": 16 }] });
            })
            .plugin(|plugin| {
                plugin["grants"]["service"]["timeout"] = json!(timeout);
                plugin["providers"][0]["jwks"]["remote"]["timeout"] = json!("10s");
            })
    })
}

/// The same, every worker of which knows the keys, and the crowd before it.
fn world_and_crowd(timeout: &str) -> (World, Crowd) {
    let world = world_around(IdentityProvider::start(0).unwrap(), timeout);
    let crowd = Crowd::before(&world.proxy);
    for answer in crowd.ask(CONNECTIONS, "/me", &token("first")) {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    (world, crowd)
}

/// Lets `ask` run beside `meanwhile`, and returns what it was answered.
fn beside<T>(ask: impl FnOnce() -> T + Send, meanwhile: impl FnOnce()) -> T
where
    T: Send,
{
    thread::scope(|scope| {
        let asked = scope.spawn(ask);
        meanwhile();
        asked.join().unwrap()
    })
}

/// Waits until so many requests are in Envoy.
fn await_active(proxy: &Proxy, requests: usize) {
    wait_until(
        &format!("{requests} requests are in Envoy"),
        PATIENCE,
        || stat(proxy, ACTIVE) == requests,
    );
}

/// Waits until the whole crowd is in Envoy, and each of it has asked the grant service or joined someone who has.
fn await_crowd(proxy: &Proxy, grants: &GrantService) {
    await_active(proxy, CROWD);
    wait_until("each waits for the grant service", PATIENCE, || {
        grants.calls() + stat(proxy, COALESCED) == CROWD
    });
}

fn stat(proxy: &Proxy, name: &str) -> usize {
    usize::try_from(proxy.stat(name)).unwrap()
}

/// All passed, under the grant `id`.
fn assert_all_pass(answers: &[Answer], id: &str) {
    for answer in answers {
        assert_eq!(
            answer.received("x-hallpass-grant-id").as_deref(),
            Some(id),
            "{answer:?}"
        );
    }
}

/// All were refused for this reason.
fn assert_all_refused(answers: &[Answer], status: u16, reason: &str) {
    let refused = (status, Some(reason.to_owned()));
    for answer in answers {
        assert_eq!(answer.verdict(), refused, "{answer:?}");
    }
}

/// All were refused, since the grant service could not be asked.
fn assert_all_unavailable(answers: &[Answer]) {
    assert_all_refused(answers, 503, "grant_service_unavailable");
    for answer in answers {
        assert_eq!(answer.header("retry-after"), Some("1"), "{answer:?}");
    }
}

/// Each worker made one call, for whoever of the crowd came first, and all others waited for it.
fn assert_one_call_of_each_worker(world: &World) {
    assert_eq!(world.grants.calls(), WORKERS);
    assert_eq!(stat(&world.proxy, COALESCED), CROWD - WORKERS);
}

#[test]
fn a_thousand_who_ask_at_once_cost_one_call_of_each_worker_and_are_answered_alike() {
    let (world, crowd) = world_and_crowd("10s");
    let grant = world.grants.give("crowd", "orders", "read", 600);
    let crowds = token("crowd");
    world.grants.hold();
    let answers = beside(
        || crowd.ask(CROWD, "/orders/1", &crowds),
        || {
            await_crowd(&world.proxy, &world.grants);
            world.grants.release();
        },
    );
    assert_one_call_of_each_worker(&world);
    assert_all_pass(&answers, &grant.id);

    assert_all_pass(&crowd.ask(CONNECTIONS, "/orders/1", &crowds), &grant.id);
    assert_eq!(world.grants.calls(), WORKERS, "what it said was not kept");
}

#[test]
fn a_thousand_who_are_denied_at_once_are_all_told_so() {
    let (world, crowd) = world_and_crowd("10s");
    let nobody = token("nobody");
    world.grants.hold();
    let answers = beside(
        || crowd.ask(CROWD, "/orders/0", &nobody),
        || {
            await_crowd(&world.proxy, &world.grants);
            world.grants.release();
        },
    );
    assert_one_call_of_each_worker(&world);
    assert_all_refused(&answers, 403, "grant_denied");
    assert_eq!(world.upstream.served("/orders/0"), 0);
}

/// A client of its own that asks for `path`, and hangs up when dropped.
fn first_client(proxy: &Proxy, path: &str, token: &str) -> TcpStream {
    let mut client = TcpStream::connect(proxy.address()).unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\n\r\n",
        proxy.address()
    );
    client.write_all(request.as_bytes()).unwrap();
    client
}

#[test]
fn the_first_of_a_thousand_hangs_up_and_the_others_do_not_notice() {
    let (world, crowd) = world_and_crowd("10s");
    let grant = world.grants.give("crowd", "orders", "read", 600);
    let crowds = token("crowd");
    world.grants.hold();
    let first = first_client(&world.proxy, "/orders/2", &crowds);
    wait_until("the first one's question is asked", PATIENCE, || {
        world.grants.calls() == 1
    });
    let answers = beside(
        || crowd.ask(CROWD - 1, "/orders/2", &crowds),
        || {
            await_crowd(&world.proxy, &world.grants);
            drop(first);
            await_active(&world.proxy, CROWD - 1);
            world.grants.release();
        },
    );
    assert_one_call_of_each_worker(&world);
    assert_all_pass(&answers, &grant.id);
    assert_eq!(
        world.upstream.served("/orders/2"),
        CROWD - 1,
        "who has hung up is served nothing"
    );
}

#[test]
fn a_service_that_dies_while_a_thousand_wait_is_told_to_each_of_them_and_when_it_is_back_all_pass()
{
    let (world, crowd) = world_and_crowd("10s");
    let World {
        proxy,
        upstream,
        grants,
        idp: _idp,
    } = world;
    let address = grants.address();
    let crowds = token("crowd");
    let ask = |requests| crowd.ask(requests, "/orders/3", &crowds);
    grants.give("crowd", "orders", "read", 600);
    grants.hold();
    let waited = beside(
        || ask(CROWD),
        || {
            await_crowd(&proxy, &grants);
            // It goes with its port and every connection.
            drop(grants);
        },
    );
    assert_all_unavailable(&waited);
    assert_all_unavailable(&ask(CROWD));
    assert_eq!(upstream.served("/orders/3"), 0);

    let grants = GrantService::start(address.port()).unwrap();
    let grant = grants.give("crowd", "orders", "read", 600);
    wait_until("everybody passes", PATIENCE, || {
        ask(CONNECTIONS).iter().all(|answer| answer.status == 200)
    });
    assert_all_pass(&ask(CROWD), &grant.id);
    // What one worker learns it may tell the other.
    assert!(
        (1..=WORKERS).contains(&grants.calls()),
        "{}",
        grants.calls()
    );
}

#[test]
fn a_service_that_never_answers_is_given_up_for_all_who_wait_at_the_time_that_was_set() {
    const TIMEOUT: Duration = Duration::from_secs(2);
    // For sending a thousand requests and reading as many answers, on a busy machine.
    const SLACK: Duration = Duration::from_secs(2);

    let (world, crowd) = world_and_crowd("2s");
    world.grants.give("crowd", "orders", "read", 600);
    world.grants.hold();
    let began = Instant::now();
    let answers = crowd.ask(CROWD, "/orders/4", &token("crowd"));
    let took = began.elapsed();
    assert_all_unavailable(&answers);
    assert!(
        (TIMEOUT..TIMEOUT + SLACK).contains(&took),
        "the last one was answered after {took:?}"
    );
    assert_one_call_of_each_worker(&world);
    assert_eq!(world.upstream.served("/orders/4"), 0);
}

#[test]
fn very_many_different_questions_are_put_by_and_by_and_each_has_its_answer() {
    // A worker has so many calls under way at most.
    const CALLS: usize = 256;

    let idp = IdentityProvider::start(0).unwrap();
    let world = World::new(idp, |setup| {
        let patient = setup.workers(1).treating("grants", |cluster| {
            // So many connections at once take their time on a busy machine.
            cluster["connect_timeout"] = json!("20s");
        });
        patient.plugin(|plugin| {
            let service = plugin["grants"]["service"].as_object_mut().unwrap();
            service.insert("timeout".to_owned(), json!("20s"));
            // It would be under way besides, now and then.
            service.remove("revocations");
        })
    });
    let users: Vec<_> = (0..CALLS + 44).map(|user| format!("user-{user}")).collect();
    let give = |user: &String| world.grants.give(user, "orders", "read", 600);
    let grants: Vec<_> = users.iter().map(give).collect();
    let crowd = Crowd::before(&world.proxy);
    for answer in crowd.ask(CONNECTIONS, "/me", &token("first")) {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let tokens: Vec<_> = users.iter().map(|user| token(user)).collect();
    world.grants.hold();
    let answers = beside(
        || crowd.ask_as("/orders/5", &tokens),
        || {
            await_active(&world.proxy, users.len());
            let asking = || stat(&world.proxy, "cluster.grants.upstream_rq_active");
            wait_until("as many are asked about as may be", PATIENCE, || {
                world.grants.calls() >= CALLS && asking() >= CALLS
            });
            assert_eq!((world.grants.calls(), asking()), (CALLS, CALLS));
            world.grants.release();
        },
    );
    for (answer, grant) in answers.iter().zip(&grants) {
        assert_all_pass(std::slice::from_ref(answer), &grant.id);
    }
    assert_eq!(
        world.grants.calls(),
        users.len(),
        "each is asked about once"
    );
}

#[test]
fn what_the_circuit_breaker_does_not_let_through_waits_for_room_and_passes_by_no_failure_mode() {
    let world = World::new(IdentityProvider::start(0).unwrap(), |setup| {
        setup
            .workers(1)
            .plugin(|plugin| {
                let service = plugin["grants"]["service"].as_object_mut().unwrap();
                service.insert("failure_mode".to_owned(), json!("allow"));
                service.insert("timeout".to_owned(), json!("10s"));
                // It would want a connection, too.
                service.remove("revocations");
            })
            .treating("grants", |cluster| {
                let one = json!({ "max_connections": 1, "max_pending_requests": 1 });
                cluster["circuit_breakers"] = json!({ "thresholds": [one] });
            })
    });
    for user in ["first", "second"] {
        world.grants.give(user, "orders", "read", 600);
        let answer = world.proxy.get("/me").token(&token(user)).send();
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    world.grants.hold();
    thread::scope(|scope| {
        let proxy = &world.proxy;
        let ask = |user| scope.spawn(move || proxy.get("/orders/6").token(&token(user)).send());
        let first = ask("first");
        wait_until("the first has the connection", PATIENCE, || {
            world.grants.calls() == 1
        });
        let second = ask("second");
        wait_until("the second waits for it", PATIENCE, || {
            stat(proxy, "cluster.grants.upstream_rq_pending_active") == 1
        });
        let third = ask("third");
        wait_until("the third has no room", PATIENCE, || {
            stat(proxy, OVERFLOWN) == 1
        });
        // Nobody else is asked about before there is room, so these wait as well.
        let others = ["fourth", "fifth"].map(ask);
        await_active(proxy, 5);
        assert_eq!(stat(proxy, OVERFLOWN), 1);
        assert_eq!(world.upstream.served("/orders/6"), 0);
        world.grants.release();
        for let_through in [first, second] {
            let answer = let_through.join().unwrap();
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        for denied in [third].into_iter().chain(others) {
            assert_all_refused(&[denied.join().unwrap()], 403, "grant_denied");
        }
    });
    assert_eq!(world.upstream.served("/orders/6"), 2);
    let told = world.proxy.log().so_far();
    assert!(told.iter().any(|line| line.contains("circuit breaker")));
    assert!(
        !told
            .iter()
            .any(|line| line.contains("failed several times"))
    );
}

#[test]
fn a_thousand_forgeries_that_wait_for_the_keys_are_all_refused_and_harm_nobody() {
    let idp = IdentityProvider::start_holding_keys(0).unwrap();
    let world = world_around(idp, "10s");
    let crowd = Crowd::before(&world.proxy);
    let forged = token_for("mallory").signed_by(&SigningKey::es256("nobodys"));
    let answers = beside(
        || crowd.ask(CROWD, "/me", &forged),
        || {
            await_active(&world.proxy, CROWD);
            world.idp.release_keys();
        },
    );
    assert_all_refused(&answers, 401, "token_key_unknown");
    assert_eq!(world.upstream.served("/me"), 0);
    for answer in crowd.ask(CONNECTIONS, "/me", &token("honest")) {
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}
