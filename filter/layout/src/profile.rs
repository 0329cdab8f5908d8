//! What was counted in a rehearsal.

use std::collections::HashMap;

/// How seldom is hardly ever: once in so many times.
const SELDOM: u64 = 20;

/// What ran, and how often.
#[derive(Debug, Default)]
pub(crate) struct Profile {
    /// In the order in which they were first called.
    functions: Vec<u32>,
    calls: HashMap<u32, u64>,
    /// By their numbers.
    branches: Vec<Sides>,
}

/// How often a branch went either way.
#[derive(Debug, Default, Clone, Copy)]
struct Sides {
    taken: u64,
    passed: u64,
}

impl Profile {
    /// A function was called: its index in the module that does not count.
    pub(crate) fn called(&mut self, function: u32) {
        let calls = self.calls.entry(function).or_insert_with(|| {
            self.functions.push(function);
            0
        });
        *calls += 1;
    }

    /// A branch was come to, and is taken or not.
    pub(crate) fn branched(&mut self, branch: u32, taken: bool) {
        let place = branch as usize;
        if place >= self.branches.len() {
            self.branches.resize(place + 1, Sides::default());
        }
        let sides = &mut self.branches[place];
        if taken {
            sides.taken += 1;
        } else {
            sides.passed += 1;
        }
    }

    /// The functions that were called, in the order in which they first were.
    pub(crate) fn functions(&self) -> &[u32] {
        &self.functions
    }

    /// Which way this branch of this function nearly always goes: `None` if it goes either way, or was come to too seldom to tell.
    ///
    /// The other way must be rare among the calls of the function, too, and not just among the branch's own: the end of a long loop comes
    /// once in many rounds, but in each call, and so does all that follows it.
    pub(crate) fn nearly_always_taken(&self, function: u32, branch: u32) -> Option<bool> {
        let Sides { taken, passed } = self.branches.get(branch as usize)?;
        let calls = self.calls.get(&function)?;
        let is_rare = |rare: &u64, usual: &u64| {
            let often = rare * SELDOM;
            *usual >= SELDOM && often < *usual && often <= *calls
        };
        if is_rare(passed, taken) {
            Some(true)
        } else if is_rare(taken, passed) {
            Some(false)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FUNCTION: u32 = 7;
    const BRANCH: u32 = 3;

    fn profile(calls: u64, taken: u64, passed: u64) -> Profile {
        let mut profile = Profile::default();
        (0..calls).for_each(|_| profile.called(FUNCTION));
        (0..taken).for_each(|_| profile.branched(BRANCH, true));
        (0..passed).for_each(|_| profile.branched(BRANCH, false));
        profile
    }

    #[test]
    fn functions_stand_in_the_order_of_their_first_calls() {
        let mut profile = Profile::default();
        for function in [4, 2, 4, 9] {
            profile.called(function);
        }
        assert_eq!(profile.functions(), [4, 2, 9]);
    }

    #[test]
    fn a_branch_that_goes_one_way_but_for_one_time_in_many_nearly_always_does() {
        for (taken, passed, way) in [
            (100, 0, Some(true)),
            (0, 100, Some(false)),
            (96, 4, Some(true)),
            (90, 10, None),
            (50, 50, None),
        ] {
            let profile = profile(100, taken, passed);
            assert_eq!(
                profile.nearly_always_taken(FUNCTION, BRANCH),
                way,
                "{taken} {passed}"
            );
        }
    }

    #[test]
    fn the_end_of_a_long_loop_is_not_rare_for_it_comes_with_each_call() {
        let profile = profile(10, 990, 10);
        assert_eq!(profile.nearly_always_taken(FUNCTION, BRANCH), None);
    }

    #[test]
    fn nothing_is_known_of_a_branch_that_was_hardly_or_never_come_to() {
        for taken in [0, 1, SELDOM - 1] {
            let profile = profile(10, taken, 0);
            assert_eq!(profile.nearly_always_taken(FUNCTION, BRANCH), None);
        }
    }
}
