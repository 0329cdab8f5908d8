//! A thousand requests that need the same grant at the same time: each worker asks the grant service once, whatever becomes of the client
//! that came first and of the service, and everybody gets the same answer.

mod clients;

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use hallpass_demo::grants::GrantService;
use hallpass_demo::idp::IdentityProvider;
use hallpass_envoy_tests::{Answer, Proxy};
use serde_json::json;

use crate::world::{World, token, wait_until};
use clients::{CONNECTIONS, Crowd};

/// How many ask at once.
const CROWD: usize = 1_000;
/// Each worker asks by itself, and the connections are spread evenly over them.
const WORKERS: usize = 2;
/// How long the grant service takes at least.
const SERVICE_TAKES: Duration = Duration::from_millis(200);
/// How long anything else may take until it has happened.
const PATIENCE: Duration = Duration::from_secs(15);
/// How many requests Envoy has taken and not yet answered.
const ACTIVE: &str = "http.hallpass.downstream_rq_active";

/// A world with a crowd before it, every worker of which knows the keys. A question to its grant service may take `timeout`.
fn world_and_crowd(timeout: &str) -> (World, Crowd) {
    let world = World::new(IdentityProvider::start(0).unwrap(), |setup| {
        setup
            // Both workers get the same number of connections, so that it is no matter of luck that each of them has to ask.
            .listener(|listener| {
                listener["connection_balance_config"] = json!({ "exact_balance": {} });
            })
            // The upstream sees a few connections, not a thousand: sockets are scarce.
            .treating("upstream", |upstream| {
                upstream["circuit_breakers"] = json!({ "thresholds": [{ "max_connections": 16 }] });
            })
            .plugin(|plugin| plugin["grants"]["service"]["timeout"] = json!(timeout))
    });
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

fn await_active(proxy: &Proxy, requests: usize) {
    let requests = u64::try_from(requests).unwrap();
    wait_until(
        &format!("{requests} requests are in Envoy"),
        PATIENCE,
        || proxy.stat(ACTIVE) == requests,
    );
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

/// All were refused, since the grant service could not be asked.
fn assert_all_unavailable(answers: &[Answer]) {
    let unavailable = (503, Some("grant_service_unavailable".to_owned()));
    for answer in answers {
        assert_eq!(answer.verdict(), unavailable, "{answer:?}");
        assert_eq!(answer.header("retry-after"), Some("1"), "{answer:?}");
    }
}

/// Each worker made one call, for whoever came first, and all others waited for it.
fn assert_one_call_of_each_worker(world: &World, requests: usize) {
    assert_eq!(world.grants.calls(), WORKERS);
    let joined = world.proxy.stat("wasmcustom.hallpass.grants.coalesced");
    assert_eq!(joined, u64::try_from(requests - WORKERS).unwrap());
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
            await_active(&world.proxy, CROWD);
            thread::sleep(SERVICE_TAKES);
            world.grants.release();
        },
    );
    assert_one_call_of_each_worker(&world, CROWD);
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
            await_active(&world.proxy, CROWD);
            world.grants.release();
        },
    );
    for answer in &answers {
        assert_eq!(
            answer.verdict(),
            (403, Some("grant_denied".to_owned())),
            "{answer:?}"
        );
    }
    assert_one_call_of_each_worker(&world, CROWD);
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
            await_active(&world.proxy, CROWD);
            thread::sleep(SERVICE_TAKES / 4);
            drop(first);
            await_active(&world.proxy, CROWD - 1);
            thread::sleep(SERVICE_TAKES * 3 / 4);
            world.grants.release();
        },
    );
    assert_one_call_of_each_worker(&world, CROWD);
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
            await_active(&proxy, CROWD);
            wait_until("each worker has asked", PATIENCE, || {
                grants.calls() >= WORKERS
            });
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
    assert_one_call_of_each_worker(&world, CROWD);
    assert_eq!(world.upstream.served("/orders/4"), 0);
}
