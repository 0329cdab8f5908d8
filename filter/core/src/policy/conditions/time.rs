//! When a request may come: windows of the week, by the clock on the wall of a time zone.
//!
//! A window is open whenever that clock shows a time in it. Where the clock is put forward, times that it never shows are in no window;
//! where it is put back, what it shows twice is in the window twice. So nothing has to be guessed about times that are missing or come
//! twice, and a window's end is the first moment at which the clock shows no time of it any longer.

mod last_change;

use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Verdict;
use crate::time::UnixMillis;
use last_change::LastChange;

const DAY: u64 = 86_400;
/// If nothing has changed for this long, each time of the week has come twice, also where the last look is a day old, and nothing will: a clock is not put forward over the same
/// time in two weeks running.
const LONGEST_LOOK_SECONDS: u64 = 15 * 86_400;

/// The names of the days in configurations, from Monday on.
pub const DAY_NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Days of the week.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Days(u8);

impl Days {
    /// Every day.
    pub const ALL: Self = Self(0b111_1111);

    /// Reads `mon`, or `sat-mon` for all from Saturday to Monday. `None` if it is neither.
    pub fn parse(text: &str) -> Option<Self> {
        let day = |name: &str| DAY_NAMES.iter().position(|day| *day == name);
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let (first, last) = (day(first)?, day(last)?);
        let mut days = Self::default();
        let week = (0..DAY_NAMES.len()).cycle().skip(first);
        for day in week.take(DAY_NAMES.len()) {
            days.0 |= 1 << day;
            if day == last {
                break;
            }
        }
        Some(days)
    }

    /// These and those.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Whether `day`, counted from the epoch, is one of them. The epoch was a Thursday.
    const fn has(self, day: u64) -> bool {
        self.0 & (1 << (day.saturating_add(3) % 7)) != 0
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = DAY_NAMES.iter().enumerate();
        let days: Vec<&str> = named
            .filter(|(day, _)| self.0 & (1 << day) != 0)
            .map(|(_, name)| *name)
            .collect();
        f.write_str(&days.join(","))
    }
}

/// Reads `08:00`, in seconds since midnight; `24:00` is the end of the day. `None` if it is no time.
pub fn time_of_day(text: &str) -> Option<u64> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |digits: &str, most: u64| {
        let is_plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = is_plain.then(|| digits.parse::<u64>().ok()).flatten()?;
        (number <= most).then_some(number)
    };
    let seconds = number(hours, 24)?
        .saturating_mul(3_600)
        .saturating_add(number(minutes, 59)?.saturating_mul(60));
    (seconds <= DAY).then_some(seconds)
}

/// The zone of this name in the IANA time zone database, which is part of the program. `None` if there is none.
pub fn time_zone(name: &str) -> Option<TimeZone> {
    jiff::tz::TimeZoneDatabase::bundled().get(name).ok()
}

/// Some hours of some days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeWindow {
    days: Days,
    /// In seconds since midnight.
    from: u64,
    /// In seconds since midnight; not later than `from` if it is of the day after.
    to: u64,
    zone: TimeZone,
}

/// What the clock on the wall shows.
struct Shown {
    /// Counted from the epoch.
    day: u64,
    /// Since midnight.
    second: u64,
}

impl TimeWindow {
    /// From `from` to `to`, in seconds since midnight, on each of `days`; over midnight if `to` is not later. `None` if both are the same:
    /// that could mean a whole day or none.
    pub fn new(days: Days, from: u64, to: u64, zone: TimeZone) -> Option<Self> {
        let is_window = from < DAY && to <= DAY && from != to;
        is_window.then_some(Self {
            days,
            from,
            to,
            zone,
        })
    }

    fn shown(&self, moment: Timestamp) -> Option<Shown> {
        let seconds = u64::try_from(moment.as_second()).ok()?;
        let offset = i64::from(self.zone.to_offset(moment).seconds());
        let local = seconds.saturating_add_signed(offset);
        Some(Shown {
            day: local / DAY,
            second: local % DAY,
        })
    }

    fn is_open(&self, moment: Timestamp) -> Option<bool> {
        let Shown { day, second } = self.shown(moment)?;
        let today = self.days.has(day);
        if self.from < self.to {
            return Some(today && (self.from..self.to).contains(&second));
        }
        // It belongs to the day on which it begins.
        let yesterday = day.checked_sub(1).is_some_and(|day| self.days.has(day));
        Some((today && second >= self.from) || (yesterday && second < self.to))
    }

    /// The next moment at which it may open or close: the clock shows its beginning or end, or is put forward or back.
    fn next_event(&self, moment: Timestamp) -> Option<Timestamp> {
        let second = self.shown(moment)?.second;
        let until_shown = |time: u64| {
            let ahead = (time % DAY).saturating_add(DAY).saturating_sub(second) % DAY;
            if ahead == 0 { DAY } else { ahead }
        };
        let ahead = until_shown(self.from).min(until_shown(self.to));
        let shown = moment.as_second().checked_add_unsigned(ahead)?;
        let shown = Timestamp::from_second(shown).ok();
        let put = self.zone.following(moment).next();
        shown
            .into_iter()
            .chain(put.map(|put| put.timestamp()))
            .min()
    }
}

impl fmt::Display for TimeWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = |time: u64| format!("{:02}:{:02}", time / 3_600, time / 60 % 60);
        let zone = self.zone.iana_name().unwrap_or_default();
        let (from, to) = (clock(self.from), clock(self.to));
        write!(f, "{} {from}-{to} {zone}", self.days)
    }
}

/// Windows of which one must be open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeWindows {
    windows: Box<[TimeWindow]>,
    last: LastChange,
}

impl TimeWindows {
    /// One of these.
    pub fn new(windows: Vec<TimeWindow>) -> Self {
        Self {
            windows: windows.into(),
            last: LastChange::default(),
        }
    }

    /// A time that no calendar has, as of a host without a clock, is in no window and outside of none.
    pub(super) fn judge(&self, now: UnixMillis) -> Verdict {
        timestamp(now).map_or(Verdict::Unknown, |now| self.judge_at(now))
    }

    fn judge_at(&self, moment: Timestamp) -> Verdict {
        Verdict::any(self.windows.iter().map(|window| {
            let is_open = window.is_open(moment);
            is_open.map_or(Verdict::Unknown, Verdict::of)
        }))
    }

    /// The first moment after `now` with another verdict. `None` if there is none.
    pub(super) fn next_change(&self, now: UnixMillis) -> Option<UnixMillis> {
        self.last.or_look(now, || self.look_for_change(now))
    }

    fn look_for_change(&self, now: UnixMillis) -> Option<UnixMillis> {
        let start = timestamp(now)?;
        let verdict = self.judge_at(start);
        let last = start
            .as_second()
            .saturating_add_unsigned(LONGEST_LOOK_SECONDS);
        let next = |moment: &Timestamp| {
            self.windows
                .iter()
                .filter_map(|w| w.next_event(*moment))
                .min()
        };
        std::iter::successors(next(&start), next)
            .take_while(|moment| moment.as_second() <= last)
            .find(|moment| self.judge_at(*moment) != verdict)
            .and_then(|moment| UnixMillis::from_seconds(moment.as_second()))
    }
}

impl fmt::Display for TimeWindows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the time is in one of ")?;
        super::list(f, &*self.windows, "; ")
    }
}

fn timestamp(moment: UnixMillis) -> Option<Timestamp> {
    let seconds = i64::try_from(moment.as_seconds()).ok()?;
    Timestamp::from_second(seconds).ok()
}

#[cfg(test)]
mod tests;
