//! How the cost of a request of a known user grows with what there is a lot of. Each group's rows differ in one number alone.

use super::hot::known;
use super::{Group, Lane, PLAIN, Row};
use crate::contender::{Contender, LAST_PATH};
use crate::crowd::{Crowd, MOST_GRANTS};
use crate::premise::Premise;

/// The series of the proxy with a filter that does nothing, where the proxy itself does more for more.
pub(crate) const STRIPPED: &str = "empty filter, stripped";
/// The series of Hallpass.
pub(crate) const HALLPASS: &str = "hallpass";

/// The series of Hallpass, where all tokens are as long as the longest.
const LONG_TOKENS: &str = "hallpass, tokens of one length";

/// A size, and the names of the rows that have it.
type Named<const N: usize> = (usize, [&'static str; N]);

/// What must be a hit, for this reason.
const IDENTITY: [Premise; 2] = known("identity");

/// The groups, each for what there is a lot of.
pub(super) fn groups() -> [Group; 5] {
    [resources(), grants(), tokens(), tokens_in_turn(), headers()]
}

/// Resources in the configuration.
fn resources() -> Group {
    const NAMED: [Named<1>; 3] = [
        (1, ["1 resource"]),
        (100, ["100 resources"]),
        (1_000, ["1,000 resources"]),
    ];
    let row = |(size, [name]): Named<1>| {
        let contender = Contender::HallpassResources(size);
        Row::new(name, contender, Crowd::One, &IDENTITY)
            .at(LAST_PATH)
            .point_of(HALLPASS, size)
    };
    group(
        "resources",
        "one token, for the last of so many resources in the configuration",
        NAMED.map(row),
    )
}

/// Grants in the token. It grows with them, which costs the proxy itself and whatever reads it: so the second series tells what grants cost
/// in tokens that are all of one length, and has a target of its own.
fn grants() -> Group {
    const NAMED: [Named<2>; 3] = [
        (1, ["1 grant", "1 grant, token as long"]),
        (10, ["10 grants", "10 grants, token as long"]),
        (MOST_GRANTS, ["100 grants", "100 grants, token as long"]),
    ];
    let premises = known("grant_embedded");
    let growing = |(size, [name, _]): Named<2>| {
        let contender = Contender::HallpassEmbeddedGrants(size);
        Row::new(name, contender, Crowd::Granting(size), &premises).point_of(HALLPASS, size)
    };
    let at_length = |(size, [_, name]): Named<2>| {
        let (contender, users) = (
            Contender::HallpassLongTokens(size),
            Crowd::GrantingAtLength(size),
        );
        Row::new(name, contender, users, &premises).point_of(LONG_TOKENS, size)
    };
    let rows = NAMED.map(growing).into_iter().chain(NAMED.map(at_length));
    group(
        "grants",
        "one token, for the last of so many grants in it",
        rows,
    )
}

const REMEMBERED: [Named<1>; 3] = [
    (100, ["100 tokens remembered"]),
    (10_000, ["10,000 tokens remembered"]),
    (100_000, ["100,000 tokens remembered"]),
];

/// Tokens that are remembered, while the same few of their users come.
fn tokens() -> Group {
    const ASKING: usize = 100;
    let row = |(size, [name]): Named<1>| Row {
        acquainted: Some(Lane::of_first(Crowd::Multitude, size)),
        ..remembering(name, size, ASKING)
    };
    group(
        "tokens",
        "the same 100 users in turn, while so many tokens are remembered",
        REMEMBERED.map(row),
    )
}

/// Tokens that are remembered and all come. The load walks through as many requests, and so does what the proxy reads of them: of the cost
/// that grows here, not all is the filter's.
fn tokens_in_turn() -> Group {
    let row = |(size, [name]): Named<1>| remembering(name, size, size);
    group(
        "tokens-in-turn",
        "all users in turn, whose tokens are remembered",
        REMEMBERED.map(row),
    )
}

fn remembering(name: &'static str, size: usize, asking: usize) -> Row {
    let contender = Contender::HallpassRemembering(size);
    let row = Row::new(name, contender, Crowd::Multitude, &IDENTITY);
    Row {
        users: Lane::of_first(Crowd::Multitude, asking),
        ..row.point_of(HALLPASS, size)
    }
}

/// Other headers of the request. The proxy itself does more for more of them, and any filter that reads them all: what counts is what
/// Hallpass adds to that.
fn headers() -> Group {
    const NAMED: [Named<3>; 3] = [
        (1, ["plain, 1 KB", "empty filter, 1 KB", "hallpass, 1 KB"]),
        (
            10,
            ["plain, 10 KB", "empty filter, 10 KB", "hallpass, 10 KB"],
        ),
        (
            100,
            ["plain, 100 KB", "empty filter, 100 KB", "hallpass, 100 KB"],
        ),
    ];
    let row = |series, size, name, contender, premises: &[Premise]| Row {
        headers: size,
        ..Row::new(name, contender, Crowd::One, premises).point_of(series, size)
    };
    let plain = NAMED.map(|(size, [name, ..])| row(PLAIN, size, name, Contender::Plain, &[]));
    let stripped =
        NAMED.map(|(size, [_, name, _])| row(STRIPPED, size, name, Contender::EmptyStripped, &[]));
    let hallpass =
        NAMED.map(|(size, [.., name])| row(HALLPASS, size, name, Contender::Hallpass, &IDENTITY));
    let rows = plain.into_iter().chain(stripped).chain(hallpass);
    group(
        "headers",
        "one token, and so many other headers of a kilobyte each",
        rows,
    )
}

fn group(of: &str, title: &str, rows: impl IntoIterator<Item = Row>) -> Group {
    Group {
        id: format!("growth-{of}"),
        title: title.to_owned(),
        workers: 1,
        rows: rows.into_iter().collect(),
        comparisons: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Point;

    #[test]
    fn each_series_has_three_sizes_which_tell_a_shape_with_the_smallest_first() {
        for group in groups() {
            let mut series: Vec<(&str, Vec<usize>)> = Vec::new();
            for Point { series: name, size } in group.rows.iter().filter_map(|row| row.point) {
                match series.last_mut() {
                    Some((last, sizes)) if *last == name => sizes.push(size),
                    _ => series.push((name, vec![size])),
                }
            }
            assert!(
                series.iter().any(|(name, _)| *name == HALLPASS),
                "{}",
                group.id
            );
            for (name, sizes) in series {
                assert_eq!(sizes.len(), 3, "{}: {name}", group.id);
                assert!(sizes.is_sorted(), "{}: {name}", group.id);
            }
        }
    }

    #[test]
    fn those_who_are_asked_for_are_among_those_who_are_remembered() {
        for row in tokens().rows {
            let size = row.point.map(|point| point.size);
            assert_eq!(row.acquainted.and_then(|lane| lane.among), size);
            assert!(row.users.among <= size, "{}", row.name);
        }
    }
}
