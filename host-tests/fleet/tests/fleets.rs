//! Small fleets: what is simulated is what was reckoned, and what is reckoned wrongly is told.

use std::time::Duration;

use hallpass_fleet::{Fleet, Measured, Report, Routing, Run};

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const RUN: Run = Run {
    lasts: seconds(60),
    settles: seconds(20),
    revocations: 5,
    one_in: 1,
};

fn of(proxies: u32, workers: u32, users: u32, resources: u32) -> Fleet {
    Fleet {
        proxies,
        workers,
        users,
        resources,
        gap: seconds(5),
        allow_ttl: seconds(10),
        ..Fleet::default()
    }
}

/// Nobody is refused what they have, and nobody passes where it is known that they lost it.
fn is_right(measured: &Measured, what: &str) {
    assert!(measured.requests.total() > 1_000, "{what}");
    assert_eq!(measured.refused_wrongly, 0, "{what}");
    assert_eq!(measured.passed_knowingly, 0, "{what}");
}

#[test]
fn a_fleet_asks_and_remembers_as_much_as_was_reckoned() {
    let small = of(2, 2, 200, 2);
    for (what, fleet) in [
        ("one worker", of(1, 1, 200, 2)),
        ("several workers", of(1, 4, 200, 2)),
        ("several proxies", of(5, 2, 200, 2)),
        ("many resources", of(2, 2, 40, 10)),
        (
            "users who come to any proxy",
            Fleet {
                routing: Routing::ToAny,
                ..of(4, 2, 200, 2)
            },
        ),
        (
            "users who seldom come",
            Fleet {
                gap: seconds(20),
                ..of(2, 2, 800, 2)
            },
        ),
        (
            "answers that count for a short time",
            Fleet {
                allow_ttl: seconds(3),
                ..small
            },
        ),
        (
            "answers that count for a long time",
            Fleet {
                allow_ttl: seconds(20),
                ..small
            },
        ),
        (
            "memories that are too small",
            Fleet {
                max_entries: 50,
                routing: Routing::ToAny,
                ..of(40, 1, 200, 2)
            },
        ),
        (
            "a feed that is followed closely",
            Fleet {
                interval: Some(seconds(1)),
                ..small
            },
        ),
        (
            "no feed",
            Fleet {
                interval: None,
                ..small
            },
        ),
    ] {
        let measured = fleet.simulate(&RUN);
        is_right(&measured, what);
        let report = Report::of(&fleet, &RUN, &measured);
        assert!(report.faults().next().is_none(), "{what}:\n{report}");
    }
}

#[test]
fn what_workers_ask_for_alone_they_ask_for_more_often() {
    // With as many keys as the shelf has places, most answers are gone before another worker looks.
    let crowded = Fleet {
        gap: seconds(30),
        allow_ttl: seconds(30),
        ..of(1, 4, 16_384, 1)
    };
    let run = Run {
        lasts: seconds(60),
        settles: seconds(40),
        ..RUN
    };
    let measured = crowded.simulate(&run);
    is_right(&measured, "crowded");
    let report = Report::of(&crowded, &run, &measured);
    assert!(report.faults().next().is_none(), "{report}");
    let calls = crowded.reckon(run.lasts).calls;
    let measured = measured.calls.rate(run.settles, run.lasts);
    assert!(measured > 1.1 * calls.least, "{measured} of {calls:?}");
}

#[test]
fn keys_are_fetched_once_a_refresh_by_each_worker_and_the_main_thread() {
    let fleet = Fleet {
        refresh: seconds(10),
        ..of(2, 3, 100, 1)
    };
    let measured = fleet.simulate(&RUN);
    // Each of 8 gates at its start and after each 10 seconds, and a tick.
    assert_eq!(measured.fetches.total(), 8 * 6);
    let rate = measured.fetches.rate(Duration::ZERO, RUN.lasts);
    let reckoned = fleet.reckon(RUN.lasts).fetches;
    assert!(
        (rate - reckoned).abs() < reckoned * 0.05,
        "{rate} of {reckoned}"
    );
}

#[test]
fn a_simulation_comes_out_the_same_each_time() {
    let fleet = of(2, 2, 100, 2);
    assert_eq!(fleet.simulate(&RUN), fleet.simulate(&RUN));
}

#[test]
fn some_proxies_stand_for_all() {
    let fleet = of(8, 2, 1_600, 1);
    let some = Run { one_in: 4, ..RUN };
    let measured = fleet.simulate(&some);
    is_right(&measured, "some");
    let report = Report::of(&fleet, &some, &measured);
    assert!(report.faults().next().is_none(), "{report}");
}

#[test]
fn a_fleet_that_is_reckoned_wrongly_is_told_from_the_one_that_runs() {
    let runs = of(2, 2, 400, 2);
    let measured = runs.simulate(&RUN);
    for (what, reckoned) in [
        (
            "calls to the grant service a second",
            Fleet {
                allow_ttl: seconds(15),
                ..runs
            },
        ),
        (
            "polls of the feed a second",
            Fleet {
                interval: Some(seconds(4)),
                ..runs
            },
        ),
        (
            "the same, longest",
            Fleet {
                interval: Some(seconds(1)),
                ..runs
            },
        ),
        ("tokens in a worker", Fleet { users: 300, ..runs }),
        ("requests a second", Fleet { users: 300, ..runs }),
        (
            "fetches of keys in the busiest second",
            Fleet { workers: 3, ..runs },
        ),
    ] {
        let report = Report::of(&reckoned, &RUN, &measured);
        let mut faults = report.faults().map(|row| row.what);
        assert!(faults.any(|fault| fault == what), "{what}:\n{report}");
    }
}
