//! What is taken back, as users feel it.

mod feed;

use super::*;
use crate::revocation::FeedReply;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn following() -> Value {
    with_service(
        "revocations",
        json!({ "interval": "2s", "max_stale": "10s" }),
    )
}

impl World {
    /// A worker that follows the feed, which has told it that nothing is taken back.
    fn following() -> Self {
        Self::following_with(&following())
    }

    fn following_with(config: &Value) -> Self {
        let mut world = Self::with(config);
        world.feed(&json!([]));
        world
    }

    /// The feed is asked and says that all of this is taken back, and nothing else.
    fn feed(&mut self, revocations: &Value) {
        let feed = json!({ "cursor": "7", "complete": true, "revocations": revocations });
        self.feed_says(200, &feed.to_string());
    }

    fn feed_says(&mut self, status: u16, body: &str) {
        self.gate.feed_asked(self.now);
        let reply = FeedReply {
            status,
            tag: None,
            body: body.as_bytes(),
        };
        self.gate.on_feed_reply(reply, self.now);
    }

    fn epoch(&mut self, seconds: i64) {
        let feed =
            json!({ "cursor": "7", "complete": true, "epoch": date(seconds), "revocations": [] });
        self.feed_says(200, &feed.to_string());
    }

    /// The service is asked and allows.
    fn allowed(&mut self, who: &str) {
        let request = order(TokenBuilder::for_user(who));
        let outcome = self.outcome_when_answered(request, &allow_until(NOW + 3600), 0);
        assert_eq!(outcome, "grant_service");
    }
}

fn order(token: TokenBuilder) -> Request {
    Request::get("/orders/7").by(token)
}

fn date(seconds: i64) -> String {
    UnixMillis::from_seconds(seconds).unwrap().to_rfc3339()
}

fn grant(id: &str) -> Value {
    json!({ "grant": id, "until": date(NOW + 3600) })
}

fn subject(subject: &str, not_before: i64) -> Value {
    let until = date(NOW + 3600);
    json!({ "subject": subject, "issuer": hallpass_tokens::ISSUER, "not_before": date(not_before), "until": until })
}

fn resource(name: &str, not_before: i64) -> Value {
    json!({ "resource": name, "not_before": date(not_before), "until": date(NOW + 3600) })
}

fn carrying(id: &str) -> TokenBuilder {
    alice()
        .issued_at(NOW - 10)
        .grant(Grant::new("orders", &["read"]).id(id).until(NOW + 3600))
}

#[test]
fn nothing_is_different_while_nothing_is_taken_back() {
    let mut world = World::following();
    assert_eq!(world.outcome(order(carrying("g-7"))), "grant_embedded");
    world.allowed("alice");
    assert_eq!(world.outcome(order(alice())), "grant_cached");
}

#[test]
fn a_grant_in_a_token_counts_no_longer_and_the_service_is_asked() {
    for taken in [
        grant("g-7"),
        subject("alice", NOW - 10),
        resource("orders", NOW),
    ] {
        let mut world = World::following();
        let token = || order(carrying("g-7"));
        assert_eq!(world.outcome(token()), "grant_embedded");
        world.feed(&json!([taken]));
        let outcome = world.outcome_when_answered(token(), DENY, 1);
        assert_eq!(outcome, "403 grant_denied", "{taken}");
        world.pass(3);
        let outcome = world.outcome_when_answered(token(), &allow_until(NOW + 60), 0);
        assert_eq!(outcome, "grant_service", "{taken}");
        world.pass(3);
        let outcome = world.outcome(token());
        assert_eq!(outcome, "grant_cached", "{taken}");
    }
}

#[test]
fn what_concerns_others_or_what_came_before_changes_nothing() {
    for taken in [
        grant("g-8"),
        subject("bob", NOW),
        subject("alice", NOW - 11),
        resource("billing", NOW),
        resource("orders", NOW - 11),
        json!({ "subject": "alice", "issuer": "https://other.example", "not_before": date(NOW), "until": date(NOW + 60) }),
        json!({ "grant": "g-7", "until": date(NOW) }),
    ] {
        let mut world = World::following();
        world.feed(&json!([taken]));
        let outcome = world.outcome(order(carrying("g-7")));
        assert_eq!(outcome, "grant_embedded", "{taken}");
    }
}

#[test]
fn another_grant_of_the_token_still_counts() {
    let mut world = World::following();
    world.feed(&json!([grant("g-7")]));
    let other = Grant::new("orders", &["*"]).id("g-9").until(NOW + 60);
    let outcome = world.outcome(order(carrying("g-7").grant(other)));
    assert_eq!(outcome, "grant_embedded");
}

#[test]
fn a_token_that_does_not_say_when_it_was_issued_may_have_been_issued_before() {
    let mut world = World::following();
    let token = || order(carrying("g-7").without_claim("iat"));
    assert_eq!(world.outcome(token()), "grant_embedded");
    world.feed(&json!([subject("alice", NOW - 1_000)]));
    assert_eq!(world.outcome(token()), "asks");
}

#[test]
fn a_remembered_answer_counts_no_longer_and_the_service_is_asked_anew() {
    for taken in [
        grant("g-1"),
        subject("alice", NOW - 1_000),
        resource("orders", NOW - 1_000),
    ] {
        let mut world = World::following();
        world.allowed("alice");
        world.pass(1);
        world.feed(&json!([taken]));
        let outcome = world.outcome_when_answered(order(alice()), DENY, 0);
        assert_eq!(outcome, "403 grant_denied", "{taken}");
    }
}

#[test]
fn what_the_service_says_afterwards_counts_again_and_others_feel_nothing() {
    let mut world = World::following();
    world.allowed("alice");
    world.allowed("bob");
    world.pass(1);
    world.feed(&json!([subject("alice", NOW)]));
    assert_eq!(
        world.outcome(order(TokenBuilder::for_user("bob"))),
        "grant_cached"
    );
    let outcome = world.outcome_when_answered(order(alice()), &allow_until(NOW + 60), 1);
    assert_eq!(outcome, "grant_service");
    // The same list again is no news.
    world.pass(1);
    world.feed(&json!([subject("alice", NOW)]));
    assert_eq!(world.outcome(order(alice())), "grant_cached");
}

#[test]
fn the_incident_switch_takes_everything_back_and_never_goes_back_itself() {
    let mut world = World::following();
    world.allowed("bob");
    world.pass(1);
    world.epoch(NOW);
    let bob = || order(TokenBuilder::for_user("bob"));
    assert_eq!(world.outcome(bob()), "asks");
    assert_eq!(world.outcome(order(carrying("g-7"))), "asks");
    world.feed(&json!([]));
    world.epoch(NOW - 100);
    assert_eq!(world.outcome(bob()), "asks");
    assert_eq!(world.outcome(order(carrying("g-7"))), "asks");
    let token = carrying("g-7").issued_at(NOW + 1);
    assert_eq!(world.outcome(order(token)), "grant_embedded");
}

#[test]
fn a_question_under_way_when_a_revocation_comes_is_asked_again() {
    let mut world = World::following();
    let (mut exchange, step) = world.send(order(alice()));
    let Step::Wait(Need::Grant(query)) = step else {
        panic!("{}", told(&step));
    };
    let asked = world.gate.asking(world.now);
    // Within the same millisecond.
    world.feed(&json!([subject("alice", NOW - 1_000)]));
    let outcome = world.learn_asked(query.key(), &allow_until(NOW + 60), asked);
    let step = exchange.on_grant(&mut world.gate, &outcome, world.now);
    assert_eq!(told(&step), "asks");
    assert_eq!(
        world.outcome(order(alice())),
        "asks",
        "nor is it remembered"
    );
    let asked = world.gate.asking(world.now);
    let outcome = world.learn_asked(query.key(), &allow_until(NOW + 60), asked);
    let step = exchange.on_grant(&mut world.gate, &outcome, world.now);
    assert_eq!(told(&step), "grant_service");
}

#[test]
fn a_question_that_is_overtaken_again_and_again_is_given_up() {
    let mut world = World::following();
    let (mut exchange, mut step) = world.send(order(alice()));
    for number in 1..=3 {
        let Step::Wait(Need::Grant(query)) = step else {
            panic!("{}", told(&step));
        };
        let asked = world.gate.asking(world.now);
        world.feed(&json!([subject("alice", NOW + number)]));
        let outcome = world.learn_asked(query.key(), &allow_until(NOW + 60), asked);
        step = exchange.on_grant(&mut world.gate, &outcome, world.now);
    }
    assert_eq!(told(&step), "503 grant_service_unavailable");
}

#[test]
fn an_answer_by_a_grant_that_is_taken_back_does_not_count_however_new_it_is() {
    let mut world = World::following();
    world.feed(&json!([grant("g-1")]));
    world.pass(1);
    let outcome = world.outcome_when_answered(order(alice()), &allow_until(NOW + 60), 1);
    assert_eq!(outcome, "403 grant_revoked");
}

#[test]
fn who_is_known_to_have_lost_a_grant_is_told_so_while_the_service_fails() {
    for failure_mode in ["deny", "allow"] {
        let mut config = following();
        config["grants"]["service"]["failure_mode"] = json!(failure_mode);
        let mut world = World::following_with(&config);
        world.feed(&json!([grant("g-7"), subject("carol", NOW)]));
        let outcome = world.outcome_when_answered(order(carrying("g-7")), "", 0);
        assert_eq!(outcome, "403 grant_revoked", "{failure_mode}");
        let carol = TokenBuilder::for_user("carol").issued_at(NOW - 10);
        let outcome = world.outcome_when_answered(order(carol), "", 0);
        let expected = match failure_mode {
            "allow" => "403 grant_revoked",
            _ => "503 grant_service_unavailable",
        };
        assert_eq!(outcome, expected);
    }
}

#[test]
fn a_stale_answer_that_was_taken_back_does_not_stand_in_nor_opens_failing() {
    for (failure_mode, expected) in [
        ("deny", "503 grant_service_unavailable"),
        ("allow", "403 grant_revoked"),
    ] {
        let mut config = following();
        config["grants"]["service"]["failure_mode"] = json!(failure_mode);
        config["grants"]["service"]["cache"] = json!({ "stale_if_error": "1h" });
        for wait in [5, 60] {
            let mut world = World::following_with(&config);
            world.allowed("alice");
            world.pass(wait);
            world.feed(&json!([grant("g-1")]));
            let outcome = world.outcome_when_answered(order(alice()), "", 0);
            assert_eq!(outcome, expected, "after {wait}s");
        }
    }
}

#[test]
fn a_remembered_denial_needs_no_feed() {
    let mut world = World::following();
    assert_eq!(
        world.outcome_when_answered(order(alice()), DENY, 0),
        "403 grant_denied"
    );
    world.pass(1);
    world.feed(&json!([subject("alice", NOW)]));
    assert_eq!(world.outcome(order(alice())), "403 grant_denied");
}

/// Whether what was kept of an open request is taken back.
fn is_cut(world: &mut World, request: Request, answer: Option<&str>, taken: &Value) -> bool {
    let (mut exchange, mut step) = world.send(request);
    if let (Step::Wait(Need::Grant(query)), Some(answer)) = (&step, answer) {
        let asked = world.gate.asking(world.now);
        let outcome = world.learn_asked(query.key(), answer, asked);
        step = exchange.on_grant(&mut world.gate, &outcome, world.now);
    }
    let Step::Continue(passage) = step else {
        panic!("{}", told(&step));
    };
    let stream = passage.stream.unwrap();
    assert!(!stream.is_revoked(world.gate.revoked()));
    world.feed(&json!([taken]));
    stream.is_revoked(world.gate.revoked())
}

#[test]
fn an_open_request_knows_whether_what_let_it_pass_is_taken_back() {
    let allow = allow_until(NOW + 3600);
    for (taken, by_token, by_service) in [
        (grant("g-7"), true, false),
        (grant("g-1"), false, true),
        (subject("alice", NOW), true, true),
        (subject("alice", NOW - 1_000), false, true),
        (subject("bob", NOW), false, false),
        (resource("orders", NOW), true, true),
        (resource("billing", NOW), false, false),
    ] {
        let mut world = World::following();
        let cut = is_cut(&mut world, order(carrying("g-7")), None, &taken);
        assert_eq!(cut, by_token, "{taken}");
        let mut world = World::following();
        let cut = is_cut(&mut world, order(alice()), Some(&allow), &taken);
        assert_eq!(cut, by_service, "{taken}");
        let mut world = World::following();
        let profile = Request::get("/me").by(alice());
        assert!(!is_cut(&mut world, profile, None, &taken), "{taken}");
    }
}
