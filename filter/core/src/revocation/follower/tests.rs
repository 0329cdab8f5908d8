use super::super::Standing;
use super::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const NOW: UnixMillis = UnixMillis::new(1_790_000_000_000);
const NOTHING: &[u8] = br#"{"cursor":"7","complete":true,"revocations":[]}"#;

fn after(seconds: u64) -> UnixMillis {
    NOW.saturating_add(Duration::from_secs(seconds))
}

/// Asks each 2 seconds; what is known counts for 10.
fn start() -> (Follower, Revoked) {
    Follower::new(FollowRules {
        interval: Duration::from_secs(2),
        max_stale: Duration::from_secs(10),
    })
}

fn reply(status: u16, body: &[u8]) -> FeedReply<'_> {
    FeedReply {
        status,
        tag: None,
        body,
    }
}

#[test]
fn it_is_asked_at_once_and_then_each_interval_one_question_at_a_time() {
    let (mut follower, mut revoked) = start();
    assert!(follower.is_due(&mut revoked, NOW));
    follower.started(NOW);
    assert!(
        !follower.is_due(&mut revoked, after(60)),
        "one is under way"
    );
    follower
        .answered(&mut revoked, reply(200, NOTHING), after(1))
        .unwrap();
    assert!(!follower.is_due(&mut revoked, after(1)));
    assert!(follower.is_due(&mut revoked, after(2)));
    follower.started(after(2));
    follower.failed(&mut revoked, "it is away");
    assert!(!follower.is_due(&mut revoked, after(3)));
    assert!(follower.is_due(&mut revoked, after(4)));
}

#[test]
fn what_is_known_counts_from_when_it_was_asked_for() {
    let (mut follower, mut revoked) = start();
    assert_eq!(revoked.standing(NOW), Standing::Awaited);
    follower.started(NOW);
    follower
        .answered(&mut revoked, reply(200, NOTHING), after(1))
        .unwrap();
    assert_eq!(revoked.standing(after(9)), Standing::Current);
    assert_eq!(revoked.standing(after(10)), Standing::Unknown);
    follower.started(after(8));
    follower
        .answered(&mut revoked, reply(304, b""), after(9))
        .unwrap();
    assert_eq!(revoked.standing(after(17)), Standing::Current);
    assert_eq!(revoked.standing(after(18)), Standing::Unknown);
}

#[test]
fn only_the_first_reply_is_waited_for() {
    let (mut follower, mut revoked) = start();
    follower.started(NOW);
    follower.failed(&mut revoked, "it is away");
    assert_eq!(revoked.standing(NOW), Standing::Unknown);
    follower.started(after(2));
    assert_eq!(revoked.standing(after(2)), Standing::Unknown);
}

#[test]
fn what_is_not_the_feed_changes_nothing_and_is_told_once() {
    let part = br#"{"cursor":"7","complete":false,"revocations":[]}"#;
    for (status, body) in [
        (304, &b""[..]),
        (200, part),
        (200, b""),
        (204, NOTHING),
        (301, NOTHING),
        (401, NOTHING),
        (404, NOTHING),
        (500, NOTHING),
    ] {
        let (mut follower, mut revoked) = start();
        follower.started(NOW);
        let lost = follower.answered(&mut revoked, reply(status, body), NOW);
        assert!(matches!(lost, Err(Change::Lost(_))), "{status}: {lost:?}");
        assert_eq!(revoked.standing(NOW), Standing::Unknown, "{status}");
        let again = follower.answered(&mut revoked, reply(status, body), NOW);
        assert_eq!(again, Err(Change::None), "{status}");
        let found = follower.answered(&mut revoked, reply(200, NOTHING), NOW);
        assert_eq!(found, Ok((Vec::new(), Change::Found)));
    }
}

#[test]
fn a_clock_that_is_set_back_makes_it_due_and_what_is_known_no_younger() {
    let (mut follower, mut revoked) = start();
    assert!(follower.is_due(&mut revoked, after(1_000)));
    follower.started(after(1_000));
    follower
        .answered(&mut revoked, reply(200, NOTHING), after(1_000))
        .unwrap();
    assert!(follower.is_due(&mut revoked, NOW));
    assert_eq!(revoked.standing(after(9)), Standing::Current);
    assert_eq!(revoked.standing(after(10)), Standing::Unknown);
}

#[test]
fn a_tag_that_could_not_be_sent_back_is_none() {
    assert_eq!(tag(b"\"7\""), Some("\"7\"".to_owned()));
    assert_eq!(tag(b"W/\"7\""), Some("W/\"7\"".to_owned()));
    for unsound in [&b"\"a\r\nb\""[..], b"\"\xff\"", b" ", &[b'"'; 1_025]] {
        assert_eq!(tag(unsound), None);
    }
}
