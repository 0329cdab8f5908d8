//! What is measured: groups of rows. A row is a contender under one kind of load; the rows of a group are compared with each other.

mod cold;
pub(crate) mod growth;
mod hot;
mod refusals;
mod service;
mod strangers;

use crate::contender::{Contender, PATH};
use crate::crowd::Crowd;
use crate::premise::{Outcome, Premise};
use crate::sample::Sample;

/// The row of the proxy alone.
const PLAIN: &str = "plain";
/// The row of an empty filter that makes the calls of the host that Hallpass makes, and decides nothing.
const LEAST: &str = "empty filter, same calls";
/// The row of the other build.
const OTHER_BUILD: &str = "hallpass, other build";

/// Rows that are compared with each other.
#[derive(Debug)]
pub(crate) struct Group {
    /// Its name for programs, which stays.
    pub(crate) id: String,
    pub(crate) title: String,
    /// How many workers the proxy has.
    pub(crate) workers: u32,
    pub(crate) rows: Vec<Row>,
    pub(crate) comparisons: Vec<Comparison>,
}

/// A column of ratios: each row to one of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Comparison {
    pub(crate) heading: &'static str,
    /// The name of the row that the others are compared with.
    pub(crate) with: &'static str,
}

/// A contender under one kind of load, and what was measured of it.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) contender: Contender,
    /// What the users get.
    pub(crate) outcome: Outcome,
    pub(crate) premises: Vec<Premise>,
    /// Of whom an answer must be the same as this contender's, but for what differs from request to request.
    pub(crate) answers_like: Option<Contender>,
    pub(crate) users: Lane,
    /// What the users ask for, unless their file says otherwise.
    pub(crate) path: &'static str,
    /// How many further headers of a kilobyte each of their requests has.
    pub(crate) headers: usize,
    /// Of whom Hallpass remembers the tokens, too: they come before the first round, each of them new to it.
    pub(crate) acquainted: Option<Lane>,
    /// Where it stands, if it shows how the cost grows.
    pub(crate) point: Option<Point>,
    pub(crate) strangers: Option<Lane>,
    /// Whether it is measured once, and for longer.
    pub(crate) is_steady: bool,
    /// One for each round.
    pub(crate) samples: Vec<Sample>,
    /// Why the row has no figures, if a premise did not hold.
    pub(crate) fault: Option<String>,
}

impl Row {
    /// A row whose users are let through.
    pub(crate) fn new(
        name: &'static str,
        contender: Contender,
        users: Crowd,
        premises: &[Premise],
    ) -> Self {
        Self {
            name,
            contender,
            outcome: Outcome::Served,
            premises: premises.to_vec(),
            answers_like: None,
            users: Lane::new(users),
            path: PATH,
            headers: 0,
            acquainted: None,
            point: None,
            strangers: None,
            is_steady: false,
            samples: Vec::new(),
            fault: None,
        }
    }

    /// The same, asking for something else.
    fn at(self, path: &'static str) -> Self {
        Self { path, ..self }
    }

    /// The same, as the point of a series.
    fn point_of(self, series: &'static str, size: usize) -> Self {
        let point = Some(Point { series, size });
        Self { point, ..self }
    }

    /// What was measured; nothing if a premise did not hold.
    pub(crate) fn sound_samples(&self) -> &[Sample] {
        if self.fault.is_some() {
            &[]
        } else {
            &self.samples
        }
    }

    /// Everyone who sends requests.
    pub(crate) fn crowds(&self) -> impl Iterator<Item = Crowd> {
        let others = [self.strangers, self.acquainted].into_iter().flatten();
        [self.users]
            .into_iter()
            .chain(others)
            .map(|lane| lane.crowd)
    }
}

/// A place on the way from a small size to a large one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Point {
    /// Whose cost grows. Rows of the same series are one after the other in their group, the smallest first.
    pub(crate) series: &'static str,
    pub(crate) size: usize,
}

/// A walk through the tokens of a crowd that goes on from measurement to measurement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lane {
    pub(crate) crowd: Crowd,
    pub(crate) next: usize,
    /// How many of the crowd walk, if not all.
    pub(crate) among: Option<usize>,
}

impl Lane {
    const fn new(crowd: Crowd) -> Self {
        Self {
            crowd,
            next: 0,
            among: None,
        }
    }

    /// The first `count` of a crowd.
    const fn of_first(crowd: Crowd, count: usize) -> Self {
        Self {
            crowd,
            next: 0,
            among: Some(count),
        }
    }
}

/// Every group. `other_build` is whether there is another build of the filter to measure.
pub(crate) fn groups(other_build: bool) -> Vec<Group> {
    let mut groups = vec![hot::one_user(other_build), hot::many_users()];
    groups.extend(cold::tokens(other_build));
    groups.extend([cold::questions(), cold::both()]);
    groups.extend([refusals::without_token(), refusals::with_bad_signature()]);
    groups.extend([
        hot::two_workers(),
        strangers::disturbed(),
        service::steady(),
    ]);
    groups.extend(growth::groups());
    groups
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_unique_and_so_are_the_names_of_rows_within_a_group() {
        let groups = groups(true);
        let ids: BTreeSet<_> = groups.iter().map(|group| &group.id).collect();
        assert_eq!(ids.len(), groups.len());
        for group in &groups {
            let names: BTreeSet<_> = group.rows.iter().map(|row| row.name).collect();
            assert_eq!(names.len(), group.rows.len(), "{}", group.id);
        }
    }

    #[test]
    fn rows_are_compared_with_one_of_their_group_that_stands_above_hallpass() {
        for group in groups(true) {
            let last = group.rows.len() - 1;
            for Comparison { with, .. } in group.comparisons {
                let position = group.rows.iter().position(|row| row.name == with);
                assert!(
                    position.is_some_and(|row| row < last),
                    "{}: {with}",
                    group.id
                );
            }
        }
    }
}
