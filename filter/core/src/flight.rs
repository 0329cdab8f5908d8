//! Single flight: however many requests need the same answer, it is fetched once.
//!
//! The table knows nothing of what is fetched. A flight belongs to no one of its waiters: the first may leave like any other, and the
//! answer still serves the rest. Waiters are bounded in number, and a flight that is never answered is found by [`Flights::overdue`].

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use crate::time::UnixMillis;

/// Flights under way, by what they fetch.
#[derive(Debug)]
pub struct Flights<K, W> {
    flights: HashMap<K, Flight<W>>,
    max_waiters: usize,
}

#[derive(Debug)]
struct Flight<W> {
    waiters: Vec<W>,
    deadline: UnixMillis,
}

/// What joining a flight means for the one who joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joined {
    /// There was no such flight: it must be started now.
    First,
    /// It is under way.
    Waiting,
    /// It has as many waiters as it may have: this one is not among them.
    Full,
}

impl<K: Eq + Hash + Clone, W: PartialEq> Flights<K, W> {
    /// An empty table in which each flight has at most `max_waiters`.
    pub fn new(max_waiters: usize) -> Self {
        Self {
            flights: HashMap::new(),
            max_waiters,
        }
    }

    /// Waits for the flight `key`, which, if it starts now, is overdue at `deadline`.
    pub fn join(&mut self, key: K, waiter: W, deadline: UnixMillis) -> Joined {
        match self.flights.get_mut(&key) {
            None => {
                self.start(key.clone(), deadline);
                self.join(key, waiter, deadline);
                Joined::First
            }
            Some(flight) if flight.waiters.len() < self.max_waiters => {
                flight.waiters.push(waiter);
                Joined::Waiting
            }
            Some(_) => Joined::Full,
        }
    }

    /// Starts the flight `key` without a waiter. One that is under way goes on, with this deadline.
    pub fn start(&mut self, key: K, deadline: UnixMillis) {
        self.flights
            .entry(key)
            .or_insert_with(|| Flight {
                waiters: Vec::new(),
                deadline,
            })
            .deadline = deadline;
    }

    /// Whether the flight `key` is under way.
    pub fn is_under_way(&self, key: &K) -> bool {
        self.flights.contains_key(key)
    }

    /// How many wait for the flight `key`.
    pub fn waiters(&self, key: &K) -> usize {
        self.flights
            .get(key)
            .map_or(0, |flight| flight.waiters.len())
    }

    /// Ends a flight and returns its waiters, in the order in which they came.
    pub fn land(&mut self, key: &K) -> Vec<W> {
        self.flights
            .remove(key)
            .map(|flight| flight.waiters)
            .unwrap_or_default()
    }

    /// Takes a waiter out of the flight `key`, which goes on without it.
    pub fn leave(&mut self, key: &K, waiter: &W) {
        if let Some(flight) = self.flights.get_mut(key) {
            flight.waiters.retain(|other| other != waiter);
        }
    }

    /// Moves the deadlines by so much, as the clock was, but none that is ahead to after `latest`: some were set when the clock had moved
    /// already.
    pub fn put_off(&mut self, by: Duration, latest: UnixMillis) {
        for flight in self.flights.values_mut() {
            let moved = flight.deadline.saturating_add(by);
            flight.deadline = moved.min(latest).max(flight.deadline);
        }
    }

    /// The flights whose deadline has come.
    pub fn overdue(&self, now: UnixMillis) -> Vec<K> {
        self.flights
            .iter()
            .filter(|(_, flight)| flight.deadline <= now)
            .map(|(key, _)| key.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    const SOON: UnixMillis = UnixMillis::new(100);

    #[test]
    fn the_first_starts_the_flight_and_all_are_told_when_it_lands() {
        let mut flights = Flights::new(8);
        assert_eq!(flights.join("key", 1, SOON), Joined::First);
        assert_eq!(flights.join("key", 2, SOON), Joined::Waiting);
        assert_eq!(flights.join("other", 3, SOON), Joined::First);
        assert_eq!(flights.land(&"key"), [1, 2]);
        assert_eq!(flights.land(&"key"), [] as [i32; 0]);
    }

    #[test]
    fn the_flight_goes_on_when_its_first_waiter_leaves() {
        let mut flights = Flights::new(8);
        flights.join("key", 1, SOON);
        flights.join("key", 2, SOON);
        flights.leave(&"key", &1);
        assert_eq!(flights.join("key", 3, SOON), Joined::Waiting);
        assert_eq!(flights.land(&"key"), [2, 3]);
    }

    #[test]
    fn waiters_are_bounded() {
        let mut flights = Flights::new(1);
        flights.join("key", 1, SOON);
        assert_eq!(flights.join("key", 2, SOON), Joined::Full);
        assert_eq!(flights.land(&"key"), [1]);
    }

    #[test]
    fn a_flight_that_is_started_again_keeps_its_waiters_and_gets_a_new_deadline() {
        let mut flights = Flights::new(8);
        flights.join("key", 1, SOON);
        flights.start("key", UnixMillis::new(200));
        assert_eq!(flights.overdue(UnixMillis::new(199)), [] as [&str; 0]);
        assert_eq!(flights.overdue(UnixMillis::new(200)), ["key"]);
        assert_eq!(flights.waiters(&"key"), 1);
        assert!(flights.is_under_way(&"key"));
        assert_eq!(flights.land(&"key"), [1]);
        assert_eq!(flights.waiters(&"key"), 0);
        assert!(!flights.is_under_way(&"key"));
    }

    #[test]
    fn deadlines_move_with_the_clock_but_not_those_that_were_set_after_it() {
        let at = UnixMillis::new;
        let mut flights = Flights::new(8);
        flights.join("before", 1, SOON);
        flights.join("after", 2, at(10_050));
        flights.put_off(Duration::from_secs(10), at(10_100));
        assert_eq!(flights.overdue(at(10_099)), [] as [&str; 0]);
        let mut overdue = flights.overdue(at(10_100));
        overdue.sort_unstable();
        assert_eq!(overdue, ["after", "before"]);
        flights.put_off(Duration::from_secs(10), at(0));
        assert_eq!(flights.overdue(at(10_100)).len(), 2, "none is hastened");
    }

    #[test]
    fn a_flight_that_never_lands_is_overdue_at_its_deadline() {
        let mut flights = Flights::new(8);
        flights.join("key", 1, SOON);
        assert_eq!(flights.overdue(UnixMillis::new(99)), [] as [&str; 0]);
        assert_eq!(flights.overdue(SOON), ["key"]);
    }
}
