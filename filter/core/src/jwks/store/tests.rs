use super::*;
use hallpass_tokens::SigningKey;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const START: UnixMillis = UnixMillis::new(1_790_000_000_000);

fn after(seconds: u64) -> UnixMillis {
    START.saturating_add(Duration::from_secs(seconds))
}

fn store() -> KeyStore {
    KeyStore::remote(RefreshRules {
        refresh: Duration::from_mins(5),
        max_stale: Duration::from_hours(1),
        cool_down: Duration::from_secs(10),
    })
}

fn set(kid: &str) -> ParsedSet {
    let document = hallpass_tokens::jwks(&[&SigningKey::ed25519(kid)]);
    KeySet::from_value(&document).unwrap()
}

/// A store that fetched the key `a` at the start.
fn filled() -> KeyStore {
    let mut store = store();
    store.fetch_started(START);
    store.fetched(set("a"), None, START);
    store
}

fn ready(store: &KeyStore, now: UnixMillis) -> Arc<KeySet> {
    match store.keys(now) {
        Keys::Ready(keys) => keys,
        other => panic!("{other:?}"),
    }
}

#[test]
fn keys_are_due_at_once_awaited_while_fetched_and_then_ready() {
    let mut store = store();
    assert!(store.is_due(START));
    assert!(matches!(store.keys(START), Keys::Unavailable));
    store.fetch_started(START);
    assert!(!store.is_due(START), "one fetch at a time");
    assert!(matches!(store.keys(START), Keys::Awaited));
    store.fetched(set("a"), None, START);
    assert!(matches!(store.keys(START), Keys::Ready(_)));
    assert!(!store.is_due(after(299)));
    assert!(store.is_due(after(300)));
}

#[test]
fn last_good_keys_outlive_failed_fetches_until_their_stated_age() {
    let mut store = filled();
    store.fetch_started(after(300));
    store.fetch_failed(after(300));
    assert!(matches!(store.keys(after(3899)), Keys::Ready(_)));
    assert!(matches!(store.keys(after(3900)), Keys::Unavailable));
}

#[test]
fn failed_fetches_are_repeated_with_growing_waits() {
    let mut store = store();
    let mut waits = Vec::new();
    for _ in 0..7 {
        store.fetch_started(START);
        store.fetch_failed(START);
        waits.push(store.due.since(START).as_secs());
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
}

#[test]
fn fixed_keys_are_never_due_and_have_no_others() {
    let mut store = KeyStore::fixed(KeySet::default());
    assert!(matches!(store.keys(START), Keys::Ready(_)));
    assert_eq!(store.seek(START, START), Sought::Absent);
    assert!(!store.is_due(after(u64::MAX / 2_000)));
}

#[test]
fn the_issuers_word_brings_the_next_fetch_nearer_but_never_nearer_than_the_cool_down() {
    for (max_age, expected) in [
        (None, 300),
        (Some(0), 300),
        (Some(1), 10),
        (Some(60), 60),
        (Some(86_400), 300),
    ] {
        let mut store = store();
        store.fetched(set("a"), max_age.map(Duration::from_secs), START);
        assert_eq!(store.due.since(START).as_secs(), expected, "{max_age:?}");
        assert!(matches!(store.keys(after(3899)), Keys::Ready(_)));
    }
}

#[test]
fn a_set_that_is_fetched_again_unchanged_is_the_very_same() {
    let mut store = filled();
    let before = ready(&store, START);
    store.fetch_started(after(300));
    assert!(!store.fetched(set("a"), None, after(300)), "no news");
    assert!(Arc::ptr_eq(&before, &ready(&store, after(300))));
    store.fetch_started(after(600));
    assert!(store.fetched(set("b"), None, after(600)), "news");
    assert!(!Arc::ptr_eq(&before, &ready(&store, after(600))));
}

#[test]
fn another_bad_key_is_news_though_the_good_ones_are_the_same() {
    let mut store = filled();
    let before = ready(&store, START);
    let with_bad = || ParsedSet {
        skipped: vec![(1, KeyFault::RsaSize)],
        ..set("a")
    };
    assert!(store.fetched(with_bad(), None, after(300)));
    assert!(!store.fetched(with_bad(), None, after(600)));
    assert!(Arc::ptr_eq(&before, &ready(&store, after(600))));
}

#[test]
fn an_unknown_key_is_sought_once_per_cool_down_and_the_answer_stands_in_between() {
    let mut store = filled();
    let came = after(50);
    assert_eq!(store.seek(came, came), Sought::Awaited);
    assert!(store.is_due(came));
    store.fetch_started(came);
    assert_eq!(store.seek(came, came), Sought::Awaited, "it joins");
    store.fetched(set("a"), None, after(51));
    for second in 51..60 {
        assert_eq!(store.seek(after(second), after(second)), Sought::Absent);
        assert!(!store.is_due(after(second)));
    }
    assert_eq!(store.seek(after(60), after(60)), Sought::Awaited);
    assert!(store.is_due(after(60)));
}

#[test]
fn a_refresh_that_just_happened_does_not_keep_an_unknown_key_from_being_sought() {
    let mut store = filled();
    store.fetch_started(after(300));
    store.fetched(set("a"), None, after(300));
    assert_eq!(store.seek(after(300), after(300)), Sought::Awaited);
}

#[test]
fn a_token_that_joins_a_refresh_which_began_before_it_came_is_sought_once_more() {
    let mut store = filled();
    store.fetch_started(after(300));
    assert_eq!(store.seek(after(301), after(301)), Sought::Awaited);
    store.fetched(set("a"), None, after(302));
    assert_eq!(store.seek(after(301), after(302)), Sought::Awaited);
    store.fetch_started(after(302));
    // However long that takes, the cool-down's end included, the issuer was asked after the token came.
    store.fetched(set("a"), None, after(330));
    assert_eq!(store.seek(after(301), after(330)), Sought::Absent);
}

#[test]
fn while_the_issuer_does_not_answer_nobody_can_know_whether_it_has_the_key() {
    let mut store = filled();
    assert_eq!(store.seek(after(50), after(50)), Sought::Awaited);
    store.fetch_started(after(50));
    store.fetch_failed(after(50));
    assert_eq!(store.seek(after(50), after(50)), Sought::Unavailable);
    // The retry is due a second later, and whoever comes then joins it.
    assert_eq!(store.seek(after(51), after(51)), Sought::Awaited);
    store.fetch_started(after(51));
    store.fetch_failed(after(51));
    assert_eq!(store.seek(after(52), after(52)), Sought::Unavailable);
    assert!(matches!(store.keys(after(52)), Keys::Ready(_)));
}

#[test]
fn a_clock_that_is_set_back_has_no_keys_serve_for_longer_while_their_issuer_is_away() {
    let mut store = store();
    store.fetch_started(after(7_200));
    store.fetched(set("a"), None, after(7_200));
    // Two hours back, then once more half an hour: 3,900 seconds in all.
    assert!(store.is_due(START));
    for seconds in [0, 1_800, 3_000, 1_200, 2_000] {
        store.fetch_started(after(seconds));
        store.fetch_failed(after(seconds));
    }
    assert!(matches!(store.keys(after(2_099)), Keys::Ready(_)));
    assert!(matches!(store.keys(after(2_100)), Keys::Unavailable));
}

#[test]
fn a_clock_that_is_set_back_delays_neither_a_refresh_nor_the_search_for_a_key() {
    let mut store = filled();
    store.seek(after(3000), after(3000));
    store.fetch_started(after(3000));
    store.fetched(set("a"), None, after(3000));
    assert!(store.is_due(after(100)));
    store.fetch_started(after(100));
    store.fetched(set("a"), None, after(100));
    assert!(!store.is_due(after(100)));
    assert_eq!(store.seek(after(101), after(101)), Sought::Awaited);
}
