//! The durations that a form offers.

use std::collections::BTreeSet;
use std::time::Duration;

/// What people think in, in minutes.
const ROUND: [u64; 12] = [
    5, 15, 30, 60, 120, 240, 480, 720, 1_440, 4_320, 10_080, 43_200,
];
/// So many can be taken in at a glance.
const OFFERED: usize = 6;

/// Durations to choose from, the shortest first: the usual one, the longest, and the round ones that are nearest to those.
pub(super) fn choices(usual: Duration, longest: Duration) -> Vec<Duration> {
    let mut offered = BTreeSet::from([usual.min(longest), longest]);
    let round = ROUND.map(|minutes| Duration::from_secs(minutes.saturating_mul(60)));
    for duration in round.into_iter().rev().filter(|round| *round < longest) {
        if offered.len() < OFFERED {
            offered.insert(duration);
        }
    }
    offered.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_and_the_longest_are_always_offered_and_never_more_than_the_longest() {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        for (usual, longest, expected) in [
            (30, 60, &[5, 15, 30, 60][..]),
            (60, 480, &[15, 30, 60, 120, 240, 480]),
            (5, 10_080, &[5, 480, 720, 1_440, 4_320, 10_080]),
            (90, 45, &[5, 15, 30, 45]),
            (1, 1, &[1]),
        ] {
            let expected: Vec<_> = expected.iter().map(|&count| minutes(count)).collect();
            assert_eq!(choices(minutes(usual), minutes(longest)), expected);
        }
    }
}
