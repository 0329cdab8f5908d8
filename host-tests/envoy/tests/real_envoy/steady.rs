//! A grant that ends while many requests a second are served under it: none is served after its end, and none is refused before.
//!
//! The upstream's record is the proof. It tells of each request when it arrived, and when Envoy had begun to receive it: that Envoy itself
//! writes into a header. The filter judges in between. So a request that was begun at the end or later and arrived nevertheless is a fault,
//! to the millisecond. One that was begun before the end may have been judged before and still arrive after it; there are at most as many of
//! these as there are clients, since each waits for one answer before it asks again. When they were judged stands in the audit lines.
//! If one of them is still open when the filter looks for what is over, it is cut, and its client sees no answer.

use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hallpass_demo::idp::{IdentityProvider, now, signing_key, token_for};
use hallpass_demo::upstream::Arrival;
use hallpass_envoy_tests::Request;
use hallpass_tokens::Grant;
use serde_json::json;

use crate::world::{World, token};

/// How many ask all the time.
const CLIENTS: usize = 20;
/// How long each of them rests between two requests.
const REST: Duration = Duration::from_millis(10);
/// How long the load goes on after the end.
const AFTERWARDS: Duration = Duration::from_secs(1);
/// Where Envoy writes when it began to receive a request, in seconds since the epoch with three decimals.
const BEGUN: &str = "x-begun";

/// The shipped configuration, in which Envoy tells the upstream when it began to receive each request.
fn world() -> &'static World {
    static WORLD: LazyLock<World> = LazyLock::new(|| {
        World::new(IdentityProvider::start(0).unwrap(), |setup| {
            setup.http(|http| {
                http["route_config"]["request_headers_to_add"] = json!([{
                    "header": { "key": BEGUN, "value": "%START_TIME(%s.%3f)%" },
                    "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
                }]);
            })
        })
    });
    &WORLD
}

/// How a request ended, as its client saw it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Answered(u16),
    Cut,
}

/// One request.
struct Asked {
    ended: SystemTime,
    outcome: Outcome,
}

/// What all clients see who ask for `path` until some time after `end`.
fn load(path: &str, token: &str, end: SystemTime) -> Vec<Asked> {
    let client = || {
        let agent = Request::agent();
        let mut asked = Vec::new();
        while SystemTime::now() < end + AFTERWARDS {
            let answer = world().proxy.get(path).token(token).try_by(&agent);
            asked.push(Asked {
                ended: SystemTime::now(),
                outcome: match answer {
                    Ok(answer) => Outcome::Answered(answer.status),
                    Err(_) => Outcome::Cut,
                },
            });
            thread::sleep(REST);
        }
        asked
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
        let asked = clients.into_iter().map(|client| client.join().unwrap());
        asked.flatten().collect()
    })
}

/// When Envoy began to receive this request, in milliseconds since the epoch.
fn begun(arrival: &Arrival) -> i64 {
    let (seconds, millis) = arrival.headers[BEGUN].split_once('.').unwrap();
    seconds.parse::<i64>().unwrap() * 1_000 + millis.parse::<i64>().unwrap()
}

/// Puts `path` under a load in the middle of which the grant of `token` is over, at `end`, and checks what everybody saw of it.
fn assert_a_clean_end(path: &str, token: &str, end: i64) {
    let upstream = &world().upstream;
    upstream.record(path);
    let over = UNIX_EPOCH + Duration::from_secs(end.unsigned_abs());
    let asked = load(path, token, over);
    let ended_with = |outcome| asked.iter().filter(move |asked| asked.outcome == outcome);
    let served = ended_with(Outcome::Answered(200)).count();
    let refused = ended_with(Outcome::Answered(403)).count();
    let cut = ended_with(Outcome::Cut).count();

    assert_eq!(served + refused + cut, asked.len(), "nothing else happens");
    for asked in &asked {
        let early = over.duration_since(asked.ended);
        if let (true, Ok(early)) = (asked.outcome != Outcome::Answered(200), early) {
            panic!("refused or cut {early:?} before the end");
        }
    }
    assert!(served >= 10 * CLIENTS, "{served} were served");
    assert!(refused >= CLIENTS, "{refused} were refused");
    assert!(cut <= CLIENTS, "{cut} were cut");

    let arrivals = upstream.recorded(path);
    assert!(
        (served..=served + cut).contains(&arrivals.len()),
        "what is served arrived, and else nothing but what was cut: {} arrived, {served} were served, {cut} were cut",
        arrivals.len()
    );
    for arrival in &arrivals {
        assert_eq!(arrival.headers["x-hallpass-grant-expires"], end.to_string());
        let late = begun(arrival) - end * 1_000;
        assert!(late < 0, "served, though begun {late} ms after the end");
    }
    let on_their_way = arrivals.iter().filter(|arrival| arrival.at >= over).count();
    assert!(
        on_their_way <= CLIENTS,
        "{on_their_way} arrived after the end"
    );
    assert_judged_in_time(path, served + cut);
}

/// The audit lines tell of so many that were let in, each of them before its grant was over.
fn assert_judged_in_time(path: &str, count: usize) {
    let log = world().proxy.log();
    let judged = log.await_audit(count, Duration::from_secs(5), |line| {
        line["path"] == path && line["decision"] == "allow"
    });
    assert_eq!(judged.len(), count, "one line for each that was let in");
    for line in judged {
        // Both have the same form, so their order is that of their texts.
        let text = |name: &str| line[name].as_str().unwrap_or_default();
        assert!(text("time") < text("grant_expires"), "{line}");
    }
}

#[test]
fn under_a_steady_load_a_grant_of_the_service_ends_for_all_at_its_end() {
    let grant = world().grants.give("steady", "orders", "read", 3);
    assert_a_clean_end("/orders/steady", &token("steady"), grant.until);
}

#[test]
fn under_a_steady_load_a_grant_inside_the_token_ends_for_all_at_its_end() {
    // It is there before the clock runs.
    world();
    let end = now() + 3;
    let token = token_for("steady-embedded")
        .grant(Grant::new("orders", &["read"]).until(end))
        .signed_by(signing_key());
    assert_a_clean_end("/orders/steady-embedded", &token, end);
}
