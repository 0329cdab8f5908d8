//! Questions to the grant service that leave together: when they do in a real worker, and that everybody gets their own answer.

mod service;

use std::iter;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hallpass_demo::idp::IdentityProvider;
use hallpass_demo::upstream::Upstream;
use hallpass_envoy_tests::{Answer, Proxy, Request, Setup};
use serde_json::{Value, json};

use crate::crowd::clients::{CONNECTIONS, Crowd};
use crate::world::{Ends, token, wait_until};
use service::{ALONE, Call, Service, TOGETHER};

/// The longest that a test waits for something to happen.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many questions have left together.
const GATHERED: &str = "wasmcustom.hallpass.grants.gathered";

/// An Envoy with one worker that puts questions to `service` together.
struct Batching {
    proxy: Proxy,
    upstream: Upstream,
    _idp: IdentityProvider,
}

impl Batching {
    fn before(service: &Service, batch: Value) -> Self {
        let upstream = Upstream::start(0).unwrap();
        let idp = IdentityProvider::start(0).unwrap();
        let proxy = Setup::shipped()
            .workers(1)
            .cluster("upstream", upstream.address())
            .cluster("idp", idp.address())
            .cluster("grants", service.address())
            .plugin(|plugin| {
                let service = &mut plugin["grants"]["service"];
                service["batch"] = batch;
                service["timeout"] = json!("20s");
                service["revocations"] = json!({ "interval": "500ms" });
            })
            .start();
        Self {
            proxy,
            upstream,
            _idp: idp,
        }
    }

    /// Sends the request of one whose answer is held, then those of `others` at once, so that their questions gather. Returns the answers
    /// in this order, and when the others were sent.
    fn ask_meanwhile(
        &self,
        service: &Service,
        held: &str,
        others: &[String],
    ) -> (Vec<Answer>, Instant) {
        // On one connection, so that there is no telling them apart by when they come.
        let crowd = Crowd::on(1, &self.proxy);
        let tokens = tokens(others);
        thread::scope(|scope| {
            let first = scope.spawn(|| self.proxy.get("/orders/1").token(&token(held)).send());
            wait_until("the first is asked about", PATIENCE, || {
                service.was_asked_about(held)
            });
            let sent = Instant::now();
            let mut answers = crowd.ask_as("/orders/1", &tokens);
            answers.insert(0, first.join().unwrap());
            (answers, sent)
        })
    }
}

/// So many names that begin with `kind`.
fn users(kind: &str, count: usize) -> Vec<String> {
    (0..count).map(|user| format!("{kind}-{user}")).collect()
}

fn tokens(users: &[String]) -> Vec<String> {
    users.iter().map(|user| token(user)).collect()
}

/// The upstream received the request of `user`, under the grant that is theirs alone.
#[track_caller]
fn assert_passed_as(user: &str, answer: &Answer) {
    let received = |name| answer.received(name);
    assert_eq!(received("x-hallpass-subject").as_deref(), Some(user));
    let grant = received("x-hallpass-grant-id");
    assert_eq!(grant.as_deref(), Some(&*format!("g-{user}")));
}

/// Whom these calls ask about, as often as they do, in the order of their names.
fn asked_about<'a>(calls: impl IntoIterator<Item = &'a Call>) -> Vec<String> {
    let users = calls.into_iter().flat_map(|call| call.users.clone());
    sorted(users.collect())
}

fn sorted(mut users: Vec<String>) -> Vec<String> {
    users.sort();
    users
}

#[test]
fn questions_that_come_while_a_call_is_slow_leave_together_before_it_comes_back() {
    const ROUNDS: usize = 5;
    // A question waits 10 ms. If the tick did not come sooner for it, each round but the first would take a quarter of a second: it begins
    // just after a tick.
    const SOON: Duration = Duration::from_millis(125);

    let service = Service::start();
    let batching = Batching::before(&service, json!({ "calls": 1 }));
    let mut waited = Vec::new();
    for round in 0..ROUNDS {
        let held = format!("held-{round}");
        let others = users(&format!("other-{round}"), 2);
        let (answers, sent) = batching.ask_meanwhile(&service, &held, &others);

        // The first had no answer before there was the second call.
        let calls = service.calls().split_off(2 * round);
        let paths: Vec<_> = calls.iter().map(|call| call.path).collect();
        assert_eq!(paths, [ALONE, TOGETHER]);
        assert_eq!(calls[1].users, others);
        for (user, answer) in iter::once(&held).chain(&others).zip(&answers) {
            assert_passed_as(user, answer);
        }
        waited.push(calls[1].at - sent);
    }
    let soonest = waited[1..].iter().min().unwrap();
    assert!(*soonest < SOON, "they left after {waited:?}");
}

#[test]
fn a_crowd_of_strangers_to_the_cache_costs_few_calls_and_each_gets_their_own_answer() {
    const OF_EACH: usize = 100;

    let service = Service::start();
    let batching = Batching::before(&service, json!({}));
    // Next to each who is allowed stands one who is not.
    let each = users("allowed", OF_EACH)
        .into_iter()
        .zip(users("denied", OF_EACH));
    let everyone: Vec<_> = each.flat_map(<[String; 2]>::from).collect();
    let crowd = Crowd::on(CONNECTIONS, &batching.proxy);
    let answers = crowd.ask_as("/orders/1", tokens(&everyone));

    assert_eq!(answers.len(), everyone.len());
    for (user, answer) in everyone.iter().zip(&answers) {
        if user.starts_with("denied-") {
            let denied = (403, Some("grant_denied".to_owned()));
            assert_eq!(answer.verdict(), denied, "{user}");
        } else {
            assert_passed_as(user, answer);
        }
    }
    assert_eq!(batching.upstream.served("/orders/1"), OF_EACH);
    let calls = service.calls();
    assert!(calls.len() < everyone.len(), "{} calls", calls.len());
    assert_eq!(asked_about(&calls), sorted(everyone));
    let together = calls.iter().filter(|call| call.path == TOGETHER);
    let together = asked_about(together).len() as u64;
    assert!(together > 0);
    wait_until("each of these is counted", PATIENCE, || {
        batching.proxy.stat(GATHERED) == together
    });
}

#[test]
fn a_service_without_the_endpoint_is_asked_about_each_by_itself() {
    let service = Service::start_without_the_endpoint();
    let batching = Batching::before(&service, json!({ "calls": 1 }));
    let others = users("other", 19);
    let (answers, _) = batching.ask_meanwhile(&service, "held-0", &others);

    let everyone: Vec<_> = [vec!["held-0".to_owned()], others].concat();
    assert_eq!(answers.len(), everyone.len());
    for (user, answer) in everyone.iter().zip(&answers) {
        assert_passed_as(user, answer);
    }
    let calls = service.calls();
    assert!(calls.iter().any(|call| call.path == TOGETHER));
    let alone = calls.iter().filter(|call| call.path == ALONE);
    assert_eq!(asked_about(alone), sorted(everyone));
}

#[test]
fn a_worker_whose_questions_gather_all_the_time_still_ticks() {
    const CLIENTS: usize = 6;
    const POLLS: usize = 4;
    const WITHIN: Duration = Duration::from_secs(30);
    // The main thread has a VM too, which serves nobody.
    const FOLLOWERS: usize = 2;

    let service = Service::start();
    let batching = Batching::before(&service, json!({ "calls": 1 }));
    wait_until("all follow the feed", PATIENCE, || {
        service.followers().len() == FOLLOWERS
    });
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let _ends = Ends(&over);
        let client = |client: usize| {
            let agent = Request::agent();
            let mut asked = 0;
            while !over.load(Ordering::SeqCst) {
                let user = format!("client-{client}-{asked}");
                let request = batching.proxy.get("/orders/1").token(&token(&user));
                assert_passed_as(&user, &request.sent_by(&agent));
                asked += 1;
            }
        };
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| scope.spawn(move || client(number)))
            .collect();
        wait_until("questions gather", PATIENCE, || {
            service.calls().iter().any(|call| call.path == TOGETHER)
        });
        let before = service.followers();
        wait_until("the feed is asked again and again", WITHIN, || {
            assert!(!clients.iter().any(thread::ScopedJoinHandle::is_finished));
            let now = service.followers();
            before
                .iter()
                .zip(&now)
                .all(|(before, now)| *now >= before + POLLS)
        });
    });
}
