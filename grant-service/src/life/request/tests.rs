//! What the rules make of a wish, and of those who decide on it.

use regex::Regex;

use super::*;
use crate::life::{End, Shortcut, Who};

const NOON: UnixMillis = UnixMillis::new(1_790_000_000_000);
const HOUR: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_mins(1);

fn person(name: &str, groups: &[&str]) -> Person {
    Person {
        id: PersonId {
            issuer: "https://idp.example".to_owned(),
            subject: name.to_owned(),
        },
        email: None,
        groups: groups.iter().map(|&group| group.to_owned()).collect(),
    }
}

fn members_of(group: &str) -> Who {
    Who {
        groups: [group.to_owned()].into(),
        ..Who::default()
    }
}

/// Developers ask for up to an hour, with a ticket; leads approve. On call: a quarter of an hour at once. In an emergency: two hours.
fn rule(approvals: u32) -> Rule {
    Rule {
        resource_type: "http".to_owned(),
        resource: "orders".to_owned(),
        actions: ["read".to_owned()].into(),
        title: "Orders".to_owned(),
        requesters: members_of("dev"),
        approvers: members_of("lead"),
        approvals,
        max_duration: HOUR,
        default_duration: HOUR / 2,
        pending_for: HOUR * 24,
        reason: Some(Regex::new("^[A-Z]+-[0-9]+ ").unwrap()),
        reason_hint: Some("a ticket's number and a few words".to_owned()),
        automatic: Some(Shortcut {
            who: members_of("oncall"),
            max_duration: HOUR / 4,
        }),
        break_glass: Some(Shortcut {
            who: members_of("sre"),
            max_duration: HOUR * 2,
        }),
    }
}

fn policy(rule: Rule) -> Policy {
    Policy {
        rules: vec![rule],
        ..Policy::default()
    }
}

fn ask(term: Option<Term>) -> Ask {
    Ask {
        target: Target {
            resource_type: "http".to_owned(),
            resource: "orders".to_owned(),
            action: "read".to_owned(),
        },
        term,
        reason: "OPS-7 look into it".to_owned(),
        emergency: false,
    }
}

fn request_id() -> RequestId {
    RequestId("r-1".to_owned())
}

fn grant_id() -> GrantId {
    GrantId("g-1".to_owned())
}

fn opened(asker: &Person, ask: Ask) -> Result<Outcome, Refusal> {
    open(
        &policy(rule(1)),
        asker,
        ask,
        (request_id(), grant_id()),
        NOON,
    )
}

fn waiting(term: Option<Term>) -> Pending {
    match opened(&person("alice", &["dev"]), ask(term)) {
        Ok(Outcome::Waits(pending)) => pending,
        other => panic!("it does not wait: {other:?}"),
    }
}

fn granted(outcome: Result<Outcome, Refusal>) -> Granted {
    match outcome {
        Ok(Outcome::Granted(granted)) => granted,
        other => panic!("no grant: {other:?}"),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "as a wish holds it")]
fn for_minutes(minutes: u32) -> Option<Term> {
    Some(Term::For(MINUTE * minutes))
}

#[expect(clippy::unnecessary_wraps, reason = "as a wish holds it")]
fn until(span: Duration) -> Option<Term> {
    Some(Term::Until(NOON.saturating_add(span)))
}

#[test]
fn a_wish_must_be_within_the_rules_bounds() {
    let too_late = Some(Term::Until(NOON.saturating_sub(MINUTE)));
    let too_long = HOUR + Duration::from_millis(1);
    let too_short = Duration::from_millis(999);
    let second = Duration::from_secs(1);
    for (what, term, expected) in [
        ("no duration is the rule's own", None, Ok(())),
        ("a second", Some(Term::For(second)), Ok(())),
        ("the longest", Some(Term::For(HOUR)), Ok(())),
        ("a bit longer", Some(Term::For(too_long)), Err("duration")),
        ("for ever", Some(Term::For(Duration::MAX)), Err("duration")),
        (
            "not even a second",
            Some(Term::For(too_short)),
            Err("duration"),
        ),
        ("no time", Some(Term::For(Duration::ZERO)), Err("duration")),
        ("until within the hour", until(MINUTE), Ok(())),
        ("until the hour is over", until(HOUR), Ok(())),
        ("until later", until(too_long), Err("requested_until")),
        ("until now", until(Duration::ZERO), Err("requested_until")),
        ("until a minute ago", too_late, Err("requested_until")),
    ] {
        let outcome = opened(&person("alice", &["dev"]), ask(term));
        match (outcome, expected) {
            (Ok(Outcome::Waits(_)), Ok(())) => {}
            (Err(Refusal::Invalid { field, expected }), Err(named)) => {
                assert_eq!(field, named, "{what}");
                assert_eq!(expected, "between 1s and 1h", "{what}");
            }
            (other, _) => panic!("{what}: {other:?}"),
        }
    }
}

#[test]
fn a_reason_must_be_as_the_rule_wants_it() {
    let longest = format!("OPS-7 {}", "ä".repeat(MAX_REASON_CHARS - 6));
    let too_long = format!("{longest}a");
    for (reason, fits) in [
        ("OPS-7 look into it", true),
        (&longest, true),
        (&too_long, false),
        ("", false),
        (" \n\t", false),
        ("because", false),
        ("OPS-7 with a\0in it", false),
    ] {
        let wish = Ask {
            reason: reason.to_owned(),
            ..ask(None)
        };
        let outcome = opened(&person("alice", &["dev"]), wish);
        if fits {
            assert!(matches!(outcome, Ok(Outcome::Waits(_))), "{reason:?}");
        } else {
            let hint = "a ticket's number and a few words";
            let refused = Refusal::invalid("reason", hint);
            assert_eq!(outcome, Err(refused), "{reason:?}");
        }
    }
    let without_pattern = Rule {
        reason: None,
        reason_hint: None,
        ..rule(1)
    };
    for (reason, fits) in [("because", true), ("", false)] {
        assert_eq!(
            check_reason(&without_pattern, reason).is_ok(),
            fits,
            "{reason:?}"
        );
    }
    assert_eq!(check_why(""), Ok(()), "nobody must say why they say no");
    assert!(check_why("\0").is_err());
    assert!(check_why(&too_long).is_err());
}

#[test]
fn who_may_ask_is_told_nothing_else_when_they_may_not() {
    let elsewhere = Person {
        id: PersonId {
            issuer: "https://other.example".to_owned(),
            subject: "alice".to_owned(),
        },
        ..person("alice", &["dev"])
    };
    let only_here = Rule {
        requesters: Who {
            issuers: ["https://idp.example".to_owned()].into(),
            ..members_of("dev")
        },
        ..rule(1)
    };
    let mut unknown = ask(None);
    unknown.target.action = "write".to_owned();
    for (what, rule, asker, wish) in [
        ("no member", rule(1), person("bob", &["lead"]), ask(None)),
        (
            "an unknown action",
            rule(1),
            person("alice", &["dev"]),
            unknown,
        ),
        ("another issuer's", only_here, elsewhere, ask(None)),
    ] {
        let outcome = open(
            &policy(rule),
            &asker,
            wish,
            (request_id(), grant_id()),
            NOON,
        );
        assert_eq!(outcome, Err(Refusal::NotRequestable), "{what}");
    }
}

#[test]
fn a_rule_grants_at_once_to_those_on_call_and_no_longer_than_that() {
    let oscar = person("oscar", &["dev", "oncall"]);
    let at_once = granted(opened(&oscar, ask(for_minutes(15))));
    assert_eq!(at_once.grant.window.until, NOON.saturating_add(HOUR / 4));
    assert!(!at_once.grant.emergency);
    assert_eq!(at_once.request.closing, Closing::Approved(grant_id()));
    let longer = opened(&oscar, ask(for_minutes(16)));
    assert!(matches!(longer, Ok(Outcome::Waits(_))), "{longer:?}");
    let not_a_requester = opened(&person("olga", &["oncall"]), ask(for_minutes(15)));
    assert_eq!(not_a_requester, Err(Refusal::NotRequestable));
}

#[test]
fn an_emergency_is_a_grant_only_for_whoever_may_break_the_glass() {
    let emergency = |minutes| Ask {
        emergency: true,
        ..ask(for_minutes(minutes))
    };
    let sam = person("sam", &["sre"]);
    let taken = granted(opened(&sam, emergency(120)));
    assert!(taken.grant.emergency, "it is marked");
    assert!(taken.request.request.approvals.is_empty());
    assert!(opened(&sam, emergency(121)).is_err(), "longer than that");
    let calm = opened(&sam, ask(for_minutes(15)));
    assert_eq!(calm, Err(Refusal::NotRequestable), "without an emergency");
    let Ok(Outcome::Waits(waits)) = opened(&person("alice", &["dev"]), emergency(15)) else {
        panic!("an emergency is nobody's yes");
    };
    assert!(waits.emergency);
    let lena = person("lena", &["lead"]);
    let approved = granted(waits.approve(&policy(rule(1)), &lena, grant_id(), NOON));
    assert!(!approved.grant.emergency, "someone approved it");
    let on_call_too = person("olaf", &["dev", "oncall", "sre"]);
    let loud = granted(opened(&on_call_too, emergency(5)));
    assert!(
        loud.grant.emergency,
        "whoever cries emergency is on record with it"
    );
}

#[test]
fn only_another_one_who_may_approve_decides_and_in_time() {
    let pending = waiting(for_minutes(30));
    let at_the_end = pending.until;
    let just_before = at_the_end.saturating_sub(Duration::from_millis(1));
    let namesake = Person {
        id: PersonId {
            issuer: "https://other.example".to_owned(),
            subject: "alice".to_owned(),
        },
        ..person("alice", &["lead"])
    };
    let lena = person("lena", &["lead"]);
    let oneself = person("alice", &["lead"]);
    let stranger = person("bob", &["dev"]);
    for (what, approver, now, expected) in [
        ("an approver", &lena, NOON, Ok(())),
        ("a moment before it is too old", &lena, just_before, Ok(())),
        ("too late", &lena, at_the_end, Err(Refusal::Over("expired"))),
        ("their own", &oneself, NOON, Err(Refusal::OwnRequest)),
        ("someone of that name elsewhere", &namesake, NOON, Ok(())),
        ("no approver", &stranger, NOON, Err(Refusal::NotAnApprover)),
    ] {
        let policy = policy(rule(1));
        let yes = pending.clone().approve(&policy, approver, grant_id(), now);
        assert_eq!(yes.map(|_| ()), expected, "{what}: yes");
        let no = pending.clone().deny(&policy, approver, String::new(), now);
        assert_eq!(no.map(|_| ()), expected, "{what}: no");
        let awaits = pending.awaits(&policy, approver, now);
        assert_eq!(awaits, expected.is_ok(), "{what}: is asked");
    }
}

#[test]
fn where_it_takes_two_the_same_one_twice_is_one() {
    let two = policy(rule(2));
    let (lena, leo) = (person("lena", &["lead"]), person("leo", &["lead"]));
    let mut pending = waiting(for_minutes(30));
    for _ in 0..3 {
        match pending.approve(&two, &lena, grant_id(), NOON) {
            Ok(Outcome::Waits(still)) => pending = still,
            other => panic!("one yes is not two: {other:?}"),
        }
    }
    assert_eq!(pending.approvals.len(), 1);
    assert!(!pending.awaits(&two, &lena, NOON), "she has said it");
    assert!(pending.awaits(&two, &leo, NOON));
    let approved = granted(pending.approve(&two, &leo, grant_id(), NOON));
    let by: Vec<_> = approved
        .request
        .request
        .approvals
        .into_iter()
        .map(|given| given.by)
        .collect();
    assert_eq!(by, [lena.id, leo.id]);
}

#[test]
fn the_rules_of_the_day_of_the_decision_count() {
    let lena = person("lena", &["lead"]);
    let Ok(Outcome::Waits(seconded)) =
        waiting(for_minutes(30)).approve(&policy(rule(2)), &lena, grant_id(), NOON)
    else {
        panic!("it takes two");
    };
    let gone = Policy::default();
    let refused = seconded.clone().approve(&gone, &lena, grant_id(), NOON);
    assert_eq!(refused, Err(Refusal::NotAnApprover), "no rule any longer");
    let shorter = Rule {
        max_duration: MINUTE,
        ..rule(1)
    };
    let approved = granted(seconded.approve(&policy(shorter), &lena, grant_id(), NOON));
    assert_eq!(approved.grant.window.until, NOON.saturating_add(MINUTE));
}

#[test]
fn a_grant_lasts_from_its_approval_or_until_the_moment_that_was_asked_for() {
    let lena = person("lena", &["lead"]);
    let later = NOON.saturating_add(MINUTE * 20);
    let soon = NOON.saturating_add(MINUTE * 30);
    let lasting =
        granted(waiting(for_minutes(30)).approve(&policy(rule(1)), &lena, grant_id(), later));
    let window = Window {
        from: later,
        until: later.saturating_add(MINUTE * 30),
    };
    assert_eq!(lasting.grant.window, window);
    let asked_until = waiting(until(MINUTE * 30));
    assert_eq!(asked_until.until, soon, "nobody needs a decision past that");
    let ending = granted(
        asked_until
            .clone()
            .approve(&policy(rule(1)), &lena, grant_id(), later),
    );
    assert_eq!(ending.grant.window.until, soon);
    let too_late = asked_until
        .clone()
        .approve(&policy(rule(1)), &lena, grant_id(), soon);
    assert_eq!(too_late, Err(Refusal::Over("expired")));
    assert!(asked_until.expire(soon).is_some());
}

#[test]
fn what_is_over_says_how() {
    let lena = person("lena", &["lead"]);
    let pending = waiting(for_minutes(30));
    let end = pending.until;
    let no = pending
        .clone()
        .deny(&policy(rule(1)), &lena, "no".to_owned(), NOON)
        .unwrap();
    assert_eq!(no.closing.word(), "denied");
    let stranger = pending.clone().withdraw(&lena.id, NOON);
    assert_eq!(stranger, Err(Refusal::NotTheRequester));
    let taken_back = pending.clone().withdraw(&pending.requester, NOON).unwrap();
    assert_eq!(taken_back.closing, Closing::Withdrawn);
    let overtaken = pending.clone().overtake("incident".to_owned(), NOON);
    assert!(matches!(
        overtaken.closing,
        Closing::Denied { by: None, .. }
    ));
    assert!(pending.clone().expire(end.saturating_sub(MINUTE)).is_none());
    let undecided = pending.clone().expire(end).unwrap();
    assert_eq!(undecided.closing, Closing::Expired);

    let grant = granted(pending.approve(&policy(rule(1)), &lena, grant_id(), NOON)).grant;
    let over = grant.window.until;
    assert!(grant.clone().expire(over.saturating_sub(MINUTE)).is_none());
    assert_eq!(
        grant.clone().expire(over).unwrap().end,
        End::Expired,
        "at its end it is over"
    );
    assert_eq!(grant.revoke(NOON).end, End::Revoked);
}
