//! How a worker keeps up with what is taken back, and what counts while it cannot.

use std::time::Duration;

use super::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

#[test]
fn a_feed_that_cannot_be_read_for_too_long_makes_nothing_count_but_what_is_asked_now() {
    let mut world = World::following();
    world.allowed("alice");
    world.pass(9);
    world.feed_says(500, "");
    assert_eq!(world.outcome(order(alice())), "grant_cached");
    assert_eq!(world.outcome(order(carrying("g-7"))), "grant_embedded");
    world.pass(1);
    world.feed_says(200, "<html>");
    assert_eq!(world.outcome(Request::get("/healthz")), "public");
    assert_eq!(world.outcome(Request::get("/me").by(alice())), "identity");
    for (answer, expected) in [
        (allow_until(NOW + 60), "grant_service"),
        (DENY.to_owned(), "403 grant_denied"),
        (String::new(), "503 grant_service_unavailable"),
    ] {
        let outcome = world.outcome_when_answered(order(alice()), &answer, 0);
        assert_eq!(outcome, expected);
        world.pass(3);
    }
    for answer in [DENY, ""] {
        let outcome = world.outcome_when_answered(order(carrying("g-7")), answer, 0);
        assert_eq!(outcome, "503 grant_service_unavailable");
        world.pass(3);
    }
    world.feed_says(304, "");
    assert_eq!(
        world.outcome(order(carrying("g-7"))),
        "asks",
        "of what list?"
    );
    world.feed(&json!([]));
    assert_eq!(world.outcome(order(carrying("g-7"))), "grant_embedded");
    let told = world.gate.take_notices();
    let of_feed: Vec<&String> = told.iter().filter(|line| line.contains("feed")).collect();
    assert_eq!(of_feed.len(), 2, "{told:?}");
    assert!(of_feed[0].contains("status 500") && of_feed[1].ends_with("again"));
}

#[test]
fn before_the_first_reply_only_those_wait_who_need_it() {
    let mut world = World::with(&following());
    assert_eq!(world.outcome(Request::get("/healthz")), "public");
    assert_eq!(world.outcome(Request::get("/me").by(alice())), "identity");
    assert_eq!(world.outcome(order(alice())), "asks");
    let (mut exchange, step) = world.send(order(carrying("g-7")));
    assert_eq!(told(&step), "waits for revocations");
    world.feed(&json!([]));
    let step = exchange.on_revocations(&mut world.gate, world.now);
    assert_eq!(told(&step), "grant_embedded");
}

#[test]
fn who_waited_for_a_first_reply_that_never_came_asks_the_service() {
    let mut world = World::with(&following());
    let (mut exchange, _) = world.send(order(carrying("g-7")));
    let (mut crowded, _) = world.send(order(carrying("g-7")));
    let step = crowded.without_revocations(&mut world.gate, world.now);
    assert_eq!(told(&step), "503 grant_service_unavailable");
    world.gate.feed_asked(world.now);
    world.gate.feed_failed("the proxy never answered the call");
    let step = exchange.on_revocations(&mut world.gate, world.now);
    assert_eq!(told(&step), "asks");
    let step = exchange.on_grant(
        &mut world.gate,
        &GrantOutcome::Failed(Failure::Service),
        world.now,
    );
    assert_eq!(told(&step), "503 grant_service_unavailable");
}

#[test]
fn the_next_question_says_up_to_where_the_feed_has_told() {
    let mut world = World::with(&following());
    let asks = |world: &World| {
        let request = world.gate.feed_request().unwrap();
        (request.path, request.tag.map(str::to_owned))
    };
    assert_eq!(asks(&world), ("/revocations".into(), None));
    world.gate.feed_asked(world.now);
    let reply = FeedReply {
        status: 200,
        tag: Some(b"\"a&b\""),
        body: br#"{"cursor":"a&b=\u00e9 ","complete":true,"revocations":[]}"#,
    };
    world.gate.on_feed_reply(reply, world.now);
    let next = (
        "/revocations?since=a%26b%3D%C3%A9%20".to_owned(),
        Some("\"a&b\"".to_owned()),
    );
    assert_eq!(asks(&world), next);
    world.feed_says(503, "");
    assert_eq!(asks(&world), next, "a service that is away forgets nothing");
    world.feed_says(400, "");
    assert_eq!(asks(&world), ("/revocations".into(), None));
}

#[test]
fn a_part_of_the_list_is_added_and_the_whole_takes_its_place() {
    let mut world = World::following();
    let part = |taken: Value| {
        json!({ "cursor": "8", "complete": false, "revocations": [taken] }).to_string()
    };
    world.feed_says(200, &part(grant("g-7")));
    world.feed_says(200, &part(grant("g-8")));
    world.feed_says(304, "");
    for id in ["g-7", "g-8"] {
        assert_eq!(world.outcome(order(carrying(id))), "asks", "{id}");
    }
    world.feed(&json!([grant("g-8")]));
    assert_eq!(world.outcome(order(carrying("g-7"))), "grant_embedded");
    assert_eq!(world.outcome(order(carrying("g-8"))), "asks");
}

#[test]
fn each_revocation_is_told_once_and_many_are_not_told_one_by_one() {
    let mut world = World::following();
    world.feed(&json!([grant("g\n7"), subject("alice", NOW)]));
    world.feed(&json!([grant("g\n7"), subject("alice", NOW)]));
    let told = world.gate.take_revocations();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(!told.concat().contains('\n'));
    let many: Vec<Value> = (0..200).map(|number| grant(&number.to_string())).collect();
    world.feed(&json!(many));
    assert_eq!(world.gate.take_revocations().len(), 51);
}

#[test]
fn a_clock_that_is_set_back_neither_revives_what_was_taken_back_nor_locks_out_for_good() {
    let mut world = World::following();
    world.allowed("alice");
    world.pass(1);
    world.feed(&json!([subject("alice", NOW)]));
    world.now = world.now.saturating_sub(Duration::from_hours(1));
    let request = order(alice().issued_at(NOW - 4_000).not_before(NOW - 4_000));
    let outcome = world.outcome_when_answered(request, &allow_until(NOW + 60), 0);
    assert_eq!(outcome, "grant_service");
    assert!(world.gate.is_feed_due(world.now));
    let bob = || {
        let token = TokenBuilder::for_user("bob")
            .issued_at(NOW - 3_700)
            .not_before(NOW - 3_700);
        order(token.grant(Grant::new("orders", &["read"]).until(NOW + 60)))
    };
    world.pass(9);
    assert_eq!(world.outcome(bob()), "grant_embedded");
    world.pass(1);
    assert_eq!(world.outcome(bob()), "asks", "what is known is too old");
}

#[test]
fn a_worker_with_another_configuration_goes_on_with_what_is_known() {
    let mut world = World::following();
    world.feed(&json!([grant("g-7")]));
    let renewed = |config: &Value, before: &mut Gate| {
        let config = Config::parse(config.to_string().as_bytes()).unwrap();
        Gate::new(
            Arc::new(config),
            Box::new(crate::token::signature::PureRust),
        )
        .succeeding(before)
    };
    let mut config = following();
    config["grants"]["service"]["timeout"] = json!("400ms");
    world.gate = renewed(&config, &mut world.gate);
    assert_eq!(world.outcome(order(carrying("g-7"))), "asks");
    assert_eq!(world.outcome(order(carrying("g-8"))), "grant_embedded");
    config["grants"]["service"]["revocations"]["path"] = json!("/other");
    world.gate = renewed(&config, &mut world.gate);
    assert_eq!(
        world.outcome(order(carrying("g-8"))),
        "waits for revocations"
    );
    world.gate = renewed(&super::config(), &mut world.gate);
    assert_eq!(world.outcome(order(carrying("g-7"))), "grant_embedded");
}

#[test]
fn a_stale_answer_stands_in_only_while_it_is_known_that_it_was_not_taken_back() {
    let mut config = following();
    config["grants"]["service"]["cache"] = json!({ "stale_if_error": "1h" });
    let mut world = World::following_with(&config);
    world.allowed("alice");
    world.pass(60);
    world.feed(&json!([]));
    world.pass(9);
    let outcome = world.outcome_when_answered(order(alice()), "", 0);
    assert_eq!(outcome, "grant_stale");
    world.pass(1);
    let outcome = world.outcome_when_answered(order(alice()), "", 0);
    assert_eq!(outcome, "503 grant_service_unavailable");
}
