//! Figures that a premise lets through, and those that it keeps back.

use super::*;

/// Whether a premise holds after 100 answers to users, when the counters grew as `grown` says.
fn holds(premise: Premise, grown: &str, key_fetches: usize) -> bool {
    let grown = Counters::parse(grown);
    let seen = Seen {
        listener: "l",
        answered: 100,
        refused: 0,
        broken: 0,
        with_strangers: true,
        grown: &grown,
        audit_lines: 0,
        key_fetches,
        since_strangers: Duration::from_millis(2_500),
        lasted: Duration::from_secs(20),
    };
    premise.check(&seen).is_ok()
}

#[test]
fn tokens_that_should_be_new_may_not_be_remembered_and_the_other_way_round() {
    let verified = "wasmcustom.hallpass.tokens.hit: 1\nwasmcustom.hallpass.tokens.miss: 99";
    let remembered = "wasmcustom.hallpass.tokens.hit: 99\nwasmcustom.hallpass.tokens.miss: 1";
    assert!(holds(Premise::Verified, verified, 0));
    assert!(!holds(Premise::Verified, remembered, 0));
    assert!(holds(Premise::Remembered, remembered, 0));
    assert!(!holds(Premise::Remembered, verified, 0));

    let verified = "http.l.jwt_authn.allowed: 100\nhttp.l.jwt_authn.jwt_cache_hit: 0";
    let remembered = "http.l.jwt_authn.allowed: 100\nhttp.l.jwt_authn.jwt_cache_hit: 100";
    assert!(holds(Premise::NativelyVerified, verified, 0));
    assert!(!holds(Premise::NativelyVerified, remembered, 0));
    assert!(holds(Premise::NativelyRemembered, remembered, 0));
    assert!(!holds(Premise::NativelyRemembered, verified, 0));
}

#[test]
fn strangers_must_come_and_be_refused_for_the_reason_that_is_measured() {
    let premise = Premise::RefusedFor("token_key_unknown");
    let refused = "http.l.downstream_rq_4xx: 900\nwasmcustom.hallpass.decisions.deny.";
    assert!(holds(
        premise,
        &format!("{refused}token_key_unknown: 890"),
        0
    ));
    assert!(!holds(premise, &format!("{refused}token_expired: 900"), 0));
    assert!(!holds(premise, "", 0));
}

#[test]
fn keys_must_be_fetched_and_not_more_than_once_in_a_cool_down() {
    let premise = Premise::KeysSought {
        cool_down: Duration::from_secs(1),
    };
    let fetched = [0, 1, 3, 4].map(|fetches| holds(premise, "", fetches));
    assert_eq!(fetched, [false, true, true, false]);
}

#[test]
fn the_service_must_be_asked_about_as_often_as_is_reckoned() {
    let premise = Premise::Asked {
        questions: 100,
        period: Duration::from_secs(4),
    };
    let asked = |times| {
        let grown = format!("wasmcustom.hallpass.callouts.ok: {times}");
        holds(premise, &grown, 0)
    };
    assert_eq!(
        [440, 460, 500, 540, 560].map(asked),
        [false, true, true, true, false]
    );
}

#[test]
fn every_request_must_have_gone_where_the_row_says() {
    let cases = [
        (Premise::NativelyDenied, "http.l.jwt_authn.denied"),
        (Premise::ExternallyAllowed, "http.l.ext_authz.ok"),
        (Premise::ScriptRan, "http.l.lua.executions"),
        (
            Premise::Allowed("grant_embedded"),
            "wasmcustom.hallpass.decisions.allow.grant_embedded",
        ),
        (Premise::AskedEachTime, "cluster.grants.upstream_rq_200"),
    ];
    for (premise, counter) in cases {
        assert!(holds(premise, &format!("{counter}: 100"), 0), "{premise:?}");
        assert!(!holds(premise, &format!("{counter}: 30"), 0), "{premise:?}");
    }
    let failures = ["ext_authz.denied", "ext_authz.error"];
    for failure in failures {
        let grown = format!("http.l.ext_authz.ok: 100\nhttp.l.{failure}: 1");
        assert!(!holds(Premise::ExternallyAllowed, &grown, 0), "{failure}");
    }
    let failed = "http.l.lua.executions: 100\nhttp.l.lua.errors: 1";
    assert!(!holds(Premise::ScriptRan, failed, 0));
    let twice = "cluster.grants.upstream_rq_200: 200";
    assert!(!holds(Premise::AskedEachTime, twice, 0));
}

#[test]
fn questions_must_be_asked_anew_each_time_and_in_fewer_calls() {
    let together = |missed, joined, calls| {
        let grown = format!(
            "wasmcustom.hallpass.grants.miss: {missed}\nwasmcustom.hallpass.grants.coalesced: {joined}\n\
             cluster.grants.upstream_rq_200: {calls}"
        );
        holds(Premise::AskedTogether, &grown, 0)
    };
    assert!(together(100, 0, 20));
    assert!(!together(30, 0, 20), "most were remembered");
    assert!(!together(200, 0, 20), "each was asked about twice");
    assert!(!together(100, 70, 20), "most joined a question of another");
    assert!(!together(100, 0, 99), "each was asked about alone");
}

#[test]
fn two_workers_must_have_as_many_connections_each() {
    let share = |first, second| {
        let grown = format!(
            "listener.l.worker_0.downstream_cx_total: {first}\nlistener.l.worker_1.downstream_cx_total: {second}"
        );
        holds(Premise::WorkersShare, &grown, 0)
    };
    assert!(share(8, 8));
    assert!(share(8, 9));
    assert!(!share(9, 7));
    assert!(!share(0, 0));
}

/// What 100 users saw, `refused` of whom were refused, while the proxy refused `refusals` requests.
fn seen_by_users(grown: &Counters, refused: u64, with_strangers: bool) -> Seen<'_> {
    Seen {
        listener: "l",
        answered: 100,
        refused,
        broken: 0,
        with_strangers,
        grown,
        audit_lines: 0,
        key_fetches: 0,
        since_strangers: Duration::ZERO,
        lasted: Duration::ZERO,
    }
}

#[test]
fn each_request_must_have_its_line_in_the_log() {
    let nothing = Counters::default();
    let audited = |audit_lines| {
        let seen = Seen {
            audit_lines,
            ..seen_by_users(&nothing, 0, false)
        };
        Premise::Audited.check(&seen).is_ok()
    };
    assert_eq!([0, 100, 200].map(audited), [false, true, false]);
}

#[test]
fn a_refused_user_spoils_the_figure_and_so_does_a_refusal_without_strangers() {
    let refusals = Counters::parse("http.l.downstream_rq_4xx: 1");
    let served = |refused, with_strangers| {
        seen_by_users(&refusals, refused, with_strangers)
            .everyone_was(Outcome::Served)
            .is_ok()
    };
    assert!(served(0, true));
    assert!(!served(1, true));
    assert!(!served(0, false));
}

#[test]
fn where_users_are_to_be_refused_all_must_be_and_by_the_proxy() {
    let all = Counters::parse("http.l.downstream_rq_4xx: 110");
    let none = Counters::parse("http.l.downstream_rq_2xx: 100");
    let failures = Counters::parse("http.l.downstream_rq_4xx: 99\nhttp.l.downstream_rq_5xx: 1");
    let refused = |grown, refused| {
        seen_by_users(grown, refused, false)
            .everyone_was(Outcome::Refused)
            .is_ok()
    };
    assert!(refused(&all, 100));
    assert!(!refused(&all, 99));
    assert!(!refused(&none, 100));
    assert!(!refused(&failures, 100));
}
