use super::super::{Revocation, TakenBack};
use super::*;
use crate::identity::sample::identity;
use hallpass_tokens::TokenBuilder;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

const NOW: UnixMillis = UnixMillis::new(1_790_000_000_000);

fn after(millis: u64) -> UnixMillis {
    NOW.saturating_add(Duration::from_millis(millis))
}

fn grant(id: &str, until: UnixMillis) -> Revocation {
    let what = TakenBack::Grant(id.to_owned());
    Revocation { what, until }
}

fn resource(name: &str, not_before: UnixMillis, until: UnixMillis) -> Revocation {
    let what = TakenBack::Resource {
        resource: name.to_owned(),
        not_before,
    };
    Revocation { what, until }
}

fn subject(name: &str, until: UnixMillis) -> Revocation {
    let what = TakenBack::Subject {
        issuer: hallpass_tokens::ISSUER.to_owned(),
        subject: name.to_owned(),
        not_before: NOW,
    };
    Revocation { what, until }
}

fn feed(complete: bool, revocations: Vec<Revocation>) -> Feed {
    Feed {
        cursor: "7".to_owned(),
        complete,
        epoch: None,
        revocations,
    }
}

fn takes_grant(revoked: &Revoked, id: &str) -> bool {
    revoked.takes_grant(Some(&GrantId::new(id)))
}

fn takes_orders(revoked: &Revoked, asked: UnixMillis) -> bool {
    let alice = identity(TokenBuilder::for_user("alice"));
    revoked.takes_answer(&alice, &ResourceName::new("orders"), asked)
}

#[test]
fn what_is_over_by_itself_is_forgotten() {
    let mut revoked = Revoked::awaited();
    let entries = vec![
        grant("over", NOW),
        grant("short", after(10)),
        grant("long", after(20)),
        subject("alice", after(10)),
        resource("orders", NOW, after(10)),
    ];
    assert_eq!(revoked.apply(feed(true, entries), NOW).len(), 4);
    assert_eq!(revoked.len(), 4);
    revoked.forget_over(after(9));
    assert_eq!(revoked.len(), 4);
    revoked.forget_over(after(10));
    assert_eq!(revoked.len(), 1);
    assert!(takes_grant(&revoked, "long") && !takes_grant(&revoked, "short"));
    revoked.forget_over(after(20));
    assert!(revoked.is_empty());
}

#[test]
fn an_entry_arrives_once_unless_it_takes_back_more() {
    let mut revoked = Revoked::awaited();
    for complete in [true, true, false] {
        revoked.apply(
            feed(complete, vec![resource("orders", NOW, after(900))]),
            after(5),
        );
        let later = revoked.apply(
            feed(complete, vec![resource("orders", NOW, after(1_000))]),
            after(50),
        );
        assert_eq!(later, [""; 0]);
        assert!(takes_orders(&revoked, after(5)));
        assert!(!takes_orders(&revoked, after(6)));
    }
    let more = vec![resource("orders", after(1), after(1_000))];
    assert_eq!(revoked.apply(feed(false, more), after(60)).len(), 1);
    assert!(takes_orders(&revoked, after(60)));
    assert_eq!(revoked.len(), 1);
    let less = vec![resource("orders", NOW, after(1_000))];
    revoked.apply(feed(true, less), after(70));
    assert!(takes_orders(&revoked, after(60)) && !takes_orders(&revoked, after(61)));
}

#[test]
fn what_does_not_fit_takes_everything_back_that_was_given_until_now() {
    let mut revoked = Revoked::awaited();
    let fitting = (0..MAX_ENTRIES).map(|number| grant(&number.to_string(), after(60_000)));
    revoked.apply(feed(true, fitting.clone().collect()), NOW);
    assert_eq!(revoked.len(), MAX_ENTRIES);
    assert!(!takes_orders(&revoked, NOW));
    for (entry, moment) in [
        (subject("mallory", after(60_000)), 5),
        (grant("one more", after(60_000)), 10),
        (resource("billing", NOW, after(60_000)), 15),
    ] {
        revoked.apply(feed(false, vec![entry]), after(moment));
        assert_eq!(revoked.len(), MAX_ENTRIES);
        assert!(takes_orders(&revoked, after(moment)));
        assert!(!takes_orders(&revoked, after(moment + 1)));
    }
    let alice = identity(TokenBuilder::for_user("alice"));
    assert!(revoked.takes_token(&alice, &ResourceName::new("orders")));
    assert!(
        takes_grant(&revoked, "77"),
        "what fits is held all the same"
    );
}

#[test]
fn what_does_not_fit_takes_answers_back_also_under_an_epoch_that_lies_ahead() {
    let mut revoked = Revoked::awaited();
    let ahead = Feed {
        epoch: Some(after(500_000)),
        ..feed(true, Vec::new())
    };
    revoked.apply(ahead, NOW);
    let many = (0..=MAX_ENTRIES).map(|number| grant(&number.to_string(), after(60_000)));
    revoked.apply(feed(true, many.collect()), after(10));
    assert!(takes_orders(&revoked, after(10)));
}

#[test]
fn a_question_is_after_what_arrived_before_it_whatever_the_clock_says() {
    let mut revoked = Revoked::awaited();
    let early = revoked.asking(after(1_000));
    let entry = |moment| {
        feed(
            false,
            vec![resource("orders", after(moment), after(90_000))],
        )
    };
    // The clock is set back: by it, the revocation came before the question.
    revoked.apply(entry(1), NOW);
    assert!(takes_orders(&revoked, early));
    let late = revoked.asking(NOW);
    assert!(!takes_orders(&revoked, late));
    revoked.apply(entry(2), NOW);
    assert!(takes_orders(&revoked, late));
}

#[test]
fn without_a_feed_a_question_is_asked_when_the_clock_says() {
    let mut none = Revoked::default();
    assert_eq!(none.asking(NOW), NOW);
    assert_eq!(none.standing(NOW), Standing::Current);
    assert!(none.is_empty());
}
