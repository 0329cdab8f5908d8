//! A queue in which whoever brings much waits for himself: everybody has a queue of their own, and these take turns.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

#[derive(Debug)]
pub(super) struct Turns<A, T> {
    /// None of them is empty.
    queues: HashMap<A, VecDeque<T>>,
    /// Everybody who has a queue, once; the first is next.
    order: VecDeque<A>,
}

impl<A: Eq + Hash + Copy, T> Turns<A, T> {
    pub(super) fn new() -> Self {
        Self {
            queues: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    pub(super) fn push(&mut self, who: A, what: T) {
        let queue = self.queues.entry(who).or_default();
        if queue.is_empty() {
            self.order.push_back(who);
        }
        queue.push_back(what);
    }

    /// The same, before everything that there is of theirs; and it is their turn.
    pub(super) fn push_first(&mut self, who: A, what: T) {
        self.order.retain(|other| *other != who);
        self.order.push_front(who);
        self.queues.entry(who).or_default().push_front(what);
    }

    /// The first thing of the next one of whom it may be taken. They come last then.
    pub(super) fn pop(&mut self, may: impl Fn(A, &T) -> bool) -> Option<T> {
        let may_be_taken = |who: &A| {
            let queue = self.queues.get(who);
            queue
                .and_then(VecDeque::front)
                .is_some_and(|first| may(*who, first))
        };
        let place = self.order.iter().position(may_be_taken)?;
        let who = self.order.remove(place)?;
        let queue = self.queues.get_mut(&who)?;
        let what = queue.pop_front()?;
        if queue.is_empty() {
            self.queues.remove(&who);
        } else {
            self.order.push_back(who);
        }
        Some(what)
    }

    /// The first thing of everybody's, and how many they have.
    pub(super) fn firsts(&self) -> impl Iterator<Item = (A, &T, usize)> {
        let queues = self.queues.iter();
        queues.filter_map(|(who, queue)| Some((*who, queue.front()?, queue.len())))
    }

    /// Takes out the thing of `who` that is meant.
    pub(super) fn remove(&mut self, who: A, is_it: impl Fn(&T) -> bool) -> Option<T> {
        let queue = self.queues.get_mut(&who)?;
        let place = queue.iter().position(is_it)?;
        let what = queue.remove(place)?;
        if queue.is_empty() {
            self.queues.remove(&who);
            self.order.retain(|other| *other != who);
        }
        Some(what)
    }

    /// Takes out the first things of everybody's that are such, in turn.
    pub(super) fn take_firsts_while(&mut self, is_such: impl Fn(&T) -> bool) -> Vec<T> {
        let mut taken = Vec::new();
        for who in &self.order {
            if let Some(queue) = self.queues.get_mut(who) {
                let count = queue.iter().take_while(|what| is_such(what)).count();
                taken.extend(queue.drain(..count));
            }
        }
        if !taken.is_empty() {
            self.queues.retain(|_, queue| !queue.is_empty());
            self.order.retain(|who| self.queues.contains_key(who));
        }
        taken
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
        let taken = std::iter::from_fn(|| turns.pop(|_, _| true)).collect();
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
        assert_eq!(all(turns), [1, 10, 20, 2, 11, 3]);
    }

    #[test]
    fn whoever_comes_back_comes_after_those_who_wait() {
        let mut turns = turns(&[('a', 1), ('b', 10)]);
        assert_eq!(turns.pop(|_, _| true), Some(1));
        turns.push('a', 2);
        assert_eq!(all(turns), [10, 2]);
    }

    #[test]
    fn who_may_not_be_served_keeps_their_turn_and_nobody_waits_for_them() {
        let mut turns = turns(&[('a', 1), ('b', 10), ('b', 11), ('c', 20)]);
        let but_a = |who, _: &u32| who != 'a';
        assert_eq!(turns.pop(but_a), Some(10));
        assert_eq!(turns.pop(but_a), Some(20));
        assert_eq!(turns.pop(|_, what| *what > 11), None);
        assert_eq!(all(turns), [1, 11]);
    }

    #[test]
    fn what_is_put_back_is_the_next_thing() {
        let mut turns = turns(&[('a', 1), ('b', 10), ('b', 11)]);
        turns.push_first('b', 9);
        turns.push_first('c', 20);
        assert_eq!(all(turns), [20, 9, 1, 10, 11]);
    }

    #[test]
    fn what_is_taken_out_is_nobodys_turn() {
        let mut turns = turns(&[('a', 1), ('b', 10), ('b', 11)]);
        assert_eq!(turns.remove('a', |what| *what == 1), Some(1));
        assert_eq!(turns.remove('a', |what| *what == 1), None);
        assert_eq!(turns.remove('b', |what| *what == 12), None);
        assert_eq!(turns.remove('b', |what| *what == 10), Some(10));
        assert_eq!(all(turns), [11]);
    }

    #[test]
    fn the_first_of_everybodys_are_taken_out_together() {
        let mut turns = turns(&[('a', 1), ('a', 9), ('a', 2), ('b', 3), ('c', 9)]);
        let firsts = turns.firsts().map(|(_, what, count)| (*what, count));
        let mut firsts: Vec<_> = firsts.collect();
        firsts.sort_unstable();
        assert_eq!(firsts, [(1, 3), (3, 1), (9, 1)]);
        assert_eq!(turns.take_firsts_while(|what| *what < 5), [1, 3]);
        assert_eq!(all(turns), [9, 9, 2]);
    }
}
