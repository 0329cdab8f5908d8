//! Windows of the week around the changes of the clocks, by moments in UTC.

use super::*;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn at(text: &str) -> UnixMillis {
    UnixMillis::from_rfc3339(text).unwrap_or_else(|| panic!("{text}"))
}

fn window(days: &str, from: &str, to: &str, zone: &str) -> TimeWindow {
    let days = days
        .split(',')
        .map(|days| Days::parse(days).unwrap())
        .fold(Days::default(), Days::and);
    let time = |text| time_of_day(text).unwrap();
    TimeWindow::new(days, time(from), time(to), time_zone(zone).unwrap()).unwrap()
}

fn one(days: &str, from: &str, to: &str, zone: &str) -> TimeWindows {
    TimeWindows::new(vec![window(days, from, to, zone)])
}

/// Goes through moments of each of which the next is the next change; the window is open from the first to the second, and so on.
#[track_caller]
fn assert_changes(windows: &TimeWindows, moments: &[&str]) {
    let mut open = true;
    for pair in moments.windows(2) {
        let [one, next] = pair else { panic!("a pair") };
        assert_eq!(windows.judge(at(one)), Verdict::of(open), "at {one}");
        let change = windows.next_change(at(one)).map(UnixMillis::to_rfc3339);
        assert_eq!(change, Some(at(next).to_rfc3339()), "after {one}");
        let before = UnixMillis::new(at(next).as_millis() - 1);
        assert_eq!(windows.judge(before), Verdict::of(open), "before {next}");
        assert_eq!(windows.next_change(before), Some(at(next)), "before {next}");
        open = !open;
    }
}

#[test]
fn working_hours_are_by_the_clock_of_their_zone() {
    let windows = one("mon-fri", "08:00", "18:00", "Europe/Berlin");
    // Monday, 21 September 2026 in summer; the week in which the clocks change; Monday, 26 October in winter.
    assert_changes(
        &windows,
        &[
            "2026-09-21T06:00:00Z",
            "2026-09-21T16:00:00Z",
            "2026-09-22T06:00:00Z",
        ],
    );
    assert_changes(
        &windows,
        &[
            "2026-10-23T06:00:00Z",
            "2026-10-23T16:00:00Z",
            "2026-10-26T07:00:00Z",
            "2026-10-26T17:00:00Z",
        ],
    );
}

#[test]
fn days_are_names_and_ranges_that_may_wrap() {
    for (text, days) in [
        ("mon", "mon"),
        ("mon-fri", "mon,tue,wed,thu,fri"),
        ("sat-mon", "mon,sat,sun"),
        ("sun-sun", "sun"),
        ("tue-mon", "mon,tue,wed,thu,fri,sat,sun"),
    ] {
        assert_eq!(Days::parse(text).unwrap().to_string(), days, "{text}");
    }
    for text in [
        "",
        "Mon",
        "monday",
        "mon-",
        "-mon",
        "mon-fri-sat",
        "mon - fri",
        "1",
    ] {
        assert_eq!(Days::parse(text), None, "{text}");
    }
    assert_eq!(Days::parse("tue-mon"), Some(Days::ALL));
}

#[test]
fn a_time_of_day_has_two_digits_each_and_may_be_the_end_of_the_day() {
    for (text, seconds) in [
        ("00:00", Some(0)),
        ("08:30", Some(30_600)),
        ("23:59", Some(86_340)),
        ("24:00", Some(86_400)),
        ("24:01", None),
        ("25:00", None),
        ("12:60", None),
        ("8:00", None),
        ("08:0", None),
        ("+8:00", None),
        ("08:00:00", None),
        ("0800", None),
        ("", None),
    ] {
        assert_eq!(time_of_day(text), seconds, "{text}");
    }
}

#[test]
fn a_window_over_midnight_belongs_to_the_day_on_which_it_begins() {
    let windows = one("fri", "22:00", "06:00", "UTC");
    assert_changes(
        &windows,
        &[
            "2026-09-25T22:00:00Z",
            "2026-09-26T06:00:00Z",
            "2026-10-02T22:00:00Z",
            "2026-10-03T06:00:00Z",
        ],
    );
    for closed in [
        "2026-09-25T05:59:59Z",
        "2026-09-25T21:59:59Z",
        "2026-09-26T22:00:00Z",
    ] {
        assert_eq!(windows.judge(at(closed)), Verdict::Fails, "{closed}");
    }
    let until_midnight = one("fri", "22:00", "00:00", "UTC");
    assert_changes(
        &until_midnight,
        &[
            "2026-09-25T22:00:00Z",
            "2026-09-26T00:00:00Z",
            "2026-10-02T22:00:00Z",
        ],
    );
}

#[test]
fn a_day_ends_at_24_00_and_the_next_one_may_go_on() {
    let sunday = one("sun", "00:00", "24:00", "UTC");
    assert_changes(
        &sunday,
        &[
            "2026-09-27T00:00:00Z",
            "2026-09-28T00:00:00Z",
            "2026-10-04T00:00:00Z",
        ],
    );
    let weekend = one("sat-sun", "00:00", "24:00", "UTC");
    assert_changes(
        &weekend,
        &[
            "2026-09-26T00:00:00Z",
            "2026-09-28T00:00:00Z",
            "2026-10-03T00:00:00Z",
        ],
    );
    let always = one("mon-sun", "00:00", "24:00", "Europe/Berlin");
    for moment in ["2026-10-20T12:00:00Z", "2026-03-28T12:00:00Z"] {
        assert_eq!(always.judge(at(moment)), Verdict::Holds);
        assert_eq!(always.next_change(at(moment)), None, "{moment}");
    }
}

#[test]
fn windows_that_touch_are_one() {
    let windows = TimeWindows::new(vec![
        window("mon", "08:00", "12:00", "UTC"),
        window("mon", "14:00", "18:00", "Europe/Berlin"),
        window("mon", "15:00", "17:00", "UTC"),
    ]);
    assert_changes(
        &windows,
        &[
            "2026-09-21T08:00:00Z",
            "2026-09-21T17:00:00Z",
            "2026-09-28T08:00:00Z",
        ],
    );
}

#[test]
fn a_window_around_the_spring_gap_is_an_hour_shorter() {
    // On 29 March 2026 Berlin goes from 02:00 to 03:00 at 01:00 UTC.
    let windows = one("sun", "01:00", "04:00", "Europe/Berlin");
    assert_changes(
        &windows,
        &[
            "2026-03-29T00:00:00Z",
            "2026-03-29T02:00:00Z",
            "2026-04-04T23:00:00Z",
        ],
    );
    let over_midnight = one("sat", "22:00", "06:00", "Europe/Berlin");
    assert_changes(
        &over_midnight,
        &[
            "2026-03-28T21:00:00Z",
            "2026-03-29T04:00:00Z",
            "2026-04-04T20:00:00Z",
        ],
    );
}

#[test]
fn an_end_or_beginning_in_the_gap_is_where_the_clock_is_put_forward() {
    let ends = one("sun", "01:00", "02:30", "Europe/Berlin");
    assert_changes(
        &ends,
        &[
            "2026-03-29T00:00:00Z",
            "2026-03-29T01:00:00Z",
            "2026-04-04T23:00:00Z",
        ],
    );
    let begins = one("sun", "02:30", "05:00", "Europe/Berlin");
    assert_eq!(begins.judge(at("2026-03-29T00:59:59Z")), Verdict::Fails);
    assert_changes(
        &begins,
        &[
            "2026-03-29T01:00:00Z",
            "2026-03-29T03:00:00Z",
            "2026-04-05T00:30:00Z",
        ],
    );
}

#[test]
fn a_window_inside_the_gap_does_not_open_on_that_day() {
    let windows = one("sun", "02:15", "02:45", "Europe/Berlin");
    assert_changes(
        &windows,
        &[
            "2026-03-22T01:15:00Z",
            "2026-03-22T01:45:00Z",
            "2026-04-05T00:15:00Z",
            "2026-04-05T00:45:00Z",
        ],
    );
}

#[test]
fn what_the_clock_shows_twice_is_in_the_window_twice() {
    // On 25 October 2026 Berlin goes from 03:00 back to 02:00 at 01:00 UTC.
    let around = one("sun", "01:00", "04:00", "Europe/Berlin");
    assert_changes(
        &around,
        &[
            "2026-10-24T23:00:00Z",
            "2026-10-25T03:00:00Z",
            "2026-11-01T00:00:00Z",
        ],
    );
    let inside = one("sun", "02:15", "02:45", "Europe/Berlin");
    assert_changes(
        &inside,
        &[
            "2026-10-25T00:15:00Z",
            "2026-10-25T00:45:00Z",
            "2026-10-25T01:15:00Z",
            "2026-10-25T01:45:00Z",
            "2026-11-01T01:15:00Z",
        ],
    );
    let ends_inside = one("sun", "01:00", "02:30", "Europe/Berlin");
    assert_changes(
        &ends_inside,
        &[
            "2026-10-24T23:00:00Z",
            "2026-10-25T00:30:00Z",
            "2026-10-25T01:00:00Z",
            "2026-10-25T01:30:00Z",
            "2026-11-01T00:00:00Z",
        ],
    );
}

#[test]
fn offsets_of_half_hours_and_changes_of_half_an_hour_count() {
    let kolkata = one("mon-fri", "09:00", "17:00", "Asia/Kolkata");
    assert_changes(
        &kolkata,
        &[
            "2026-09-21T03:30:00Z",
            "2026-09-21T11:30:00Z",
            "2026-09-22T03:30:00Z",
        ],
    );
    let kathmandu = one("mon", "00:00", "24:00", "Asia/Kathmandu");
    assert_changes(
        &kathmandu,
        &[
            "2026-09-20T18:15:00Z",
            "2026-09-21T18:15:00Z",
            "2026-09-27T18:15:00Z",
        ],
    );
    // Lord Howe goes from 02:00 to 02:30 on 4 October 2026, at 15:30 UTC of the day before.
    let lord_howe = one("sun", "01:00", "03:00", "Australia/Lord_Howe");
    assert_changes(
        &lord_howe,
        &[
            "2026-10-03T14:30:00Z",
            "2026-10-03T16:00:00Z",
            "2026-10-10T14:00:00Z",
        ],
    );
}

#[test]
fn a_clock_that_is_put_over_midnight_shows_a_day_without_its_beginning_or_twice() {
    // Beirut's 29 March 2026 begins at 01:00, and its 24 October has its last hour twice.
    let begins = one("sun", "00:00", "02:00", "Asia/Beirut");
    assert_changes(
        &begins,
        &[
            "2026-03-28T22:00:00Z",
            "2026-03-28T23:00:00Z",
            "2026-04-04T21:00:00Z",
        ],
    );
    let saturday = one("sat", "00:00", "24:00", "Asia/Beirut");
    assert_changes(
        &saturday,
        &[
            "2026-10-23T21:00:00Z",
            "2026-10-24T22:00:00Z",
            "2026-10-30T22:00:00Z",
        ],
    );
}

#[test]
fn rules_go_on_after_the_last_change_that_the_database_lists() {
    let windows = one("mon-fri", "08:00", "18:00", "Europe/Berlin");
    assert_changes(&windows, &["2126-07-01T06:00:00Z", "2126-07-01T16:00:00Z"]);
    assert_changes(&windows, &["2126-01-01T07:00:00Z", "2126-01-01T17:00:00Z"]);
}

#[test]
fn a_window_without_length_or_of_no_zone_is_none() {
    let utc = || time_zone("UTC").unwrap();
    assert_eq!(TimeWindow::new(Days::ALL, 3_600, 3_600, utc()), None);
    assert_eq!(TimeWindow::new(Days::ALL, DAY, 3_600, utc()), None);
    for name in ["", "Europe/Atlantis", "CET-1", "../etc/passwd", "local"] {
        assert_eq!(time_zone(name), None, "{name}");
    }
}

#[test]
fn a_time_that_no_calendar_has_is_neither_in_a_window_nor_outside() {
    let always = one("mon-sun", "00:00", "24:00", "UTC");
    for now in [u64::MAX, u64::MAX / 1_000] {
        assert_eq!(always.judge(UnixMillis::new(now)), Verdict::Unknown);
        assert_eq!(always.next_change(UnixMillis::new(now)), None);
    }
}
