//! A queue in which whoever brings much waits for himself: everybody has a queue of their own, and these take turns.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

#[derive(Debug)]
pub(super) struct Turns<A, T> {
    /// None of them is empty.
    queues: HashMap<A, VecDeque<T>>,
    /// Everybody who has a queue, once; the first is next.
    order: VecDeque<A>,
    len: usize,
}

impl<A: Eq + Hash + Copy, T> Turns<A, T> {
    pub(super) fn new() -> Self {
        Self {
            queues: HashMap::new(),
            order: VecDeque::new(),
            len: 0,
        }
    }

    /// How many things there are in all queues.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, who: A, what: T) {
        let queue = self.queues.entry(who).or_default();
        if queue.is_empty() {
            self.order.push_back(who);
        }
        queue.push_back(what);
        self.len = self.len.saturating_add(1);
    }

    /// What [`Turns::pop`] would take.
    pub(super) fn next(&self) -> Option<&T> {
        self.queues.get(self.order.front()?)?.front()
    }

    /// The first thing of whoever is next, who comes last then.
    pub(super) fn pop(&mut self) -> Option<T> {
        let who = self.order.pop_front()?;
        let queue = self.queues.get_mut(&who)?;
        let what = queue.pop_front()?;
        self.len = self.len.saturating_sub(1);
        if queue.is_empty() {
            self.queues.remove(&who);
        } else {
            self.order.push_back(who);
        }
        Some(what)
    }

    /// The first thing of everybody's.
    pub(super) fn firsts(&self) -> impl Iterator<Item = &T> {
        self.queues.values().filter_map(VecDeque::front)
    }

    /// Takes out the thing of `who` that is meant.
    pub(super) fn remove(&mut self, who: A, is_it: impl Fn(&T) -> bool) -> Option<T> {
        let queue = self.queues.get_mut(&who)?;
        let place = queue.iter().position(is_it)?;
        let what = queue.remove(place)?;
        self.took_from(who, 1);
        Some(what)
    }

    /// Takes out the first things of everybody's that are such.
    pub(super) fn take_firsts_while(&mut self, is_such: impl Fn(&T) -> bool) -> Vec<T> {
        let mut taken = Vec::new();
        for who in self.order.clone() {
            if let Some(queue) = self.queues.get_mut(&who) {
                let count = queue.iter().take_while(|what| is_such(what)).count();
                taken.extend(queue.drain(..count));
                self.took_from(who, count);
            }
        }
        taken
    }

    fn took_from(&mut self, who: A, count: usize) {
        self.len = self.len.saturating_sub(count);
        if self.queues.get(&who).is_some_and(VecDeque::is_empty) {
            self.queues.remove(&who);
            self.order.retain(|other| *other != who);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn turns(things: &[(char, u32)]) -> Turns<char, u32> {
        let mut turns = Turns::new();
        for (who, what) in things {
            turns.push(*who, *what);
        }
        turns
    }

    fn all(mut turns: Turns<char, u32>) -> Vec<u32> {
        let taken = std::iter::from_fn(|| turns.pop()).collect();
        assert_eq!(turns.len(), 0);
        assert!(turns.queues.is_empty() && turns.order.is_empty());
        taken
    }

    #[test]
    fn whoever_brings_much_waits_for_himself() {
        let turns = turns(&[
            ('a', 1),
            ('a', 2),
            ('a', 3),
            ('b', 10),
            ('c', 20),
            ('b', 11),
        ]);
        assert_eq!(turns.len(), 6);
        assert_eq!(turns.next(), Some(&1));
        assert_eq!(all(turns), [1, 10, 20, 2, 11, 3]);
    }

    #[test]
    fn whoever_comes_back_comes_after_those_who_wait() {
        let mut turns = turns(&[('a', 1), ('b', 10)]);
        assert_eq!(turns.pop(), Some(1));
        turns.push('a', 2);
        assert_eq!(all(turns), [10, 2]);
    }

    #[test]
    fn what_is_taken_out_is_nobodys_turn() {
        let mut turns = turns(&[('a', 1), ('b', 10), ('b', 11)]);
        assert_eq!(turns.remove('a', |what| *what == 1), Some(1));
        assert_eq!(turns.remove('a', |what| *what == 1), None);
        assert_eq!(turns.remove('b', |what| *what == 12), None);
        assert_eq!(turns.remove('b', |what| *what == 10), Some(10));
        assert_eq!(turns.len(), 1);
        assert_eq!(all(turns), [11]);
    }

    #[test]
    fn the_first_of_everybodys_are_taken_out_together() {
        let mut turns = turns(&[('a', 1), ('a', 9), ('a', 2), ('b', 3), ('c', 9)]);
        let mut firsts: Vec<_> = turns.firsts().copied().collect();
        firsts.sort_unstable();
        assert_eq!(firsts, [1, 3, 9]);
        assert_eq!(turns.take_firsts_while(|what| *what < 5), [1, 3]);
        assert_eq!(turns.len(), 3);
        assert_eq!(all(turns), [9, 9, 2]);
    }
}
