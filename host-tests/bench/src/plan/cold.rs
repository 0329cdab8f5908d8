//! What is new with each request: the token, the question to the grant service, or both.

use super::{Comparison, Group, LEAST, OTHER_BUILD, PLAIN, Row};
use crate::contender::{ALGORITHMS, Contender, NEW_PATHS};
use crate::crowd::Crowd;
use crate::premise::Premise;

const NATIVE: &str = "jwt_authn";
const PAIR: &str = "jwt_authn + ext_authz";
const CACHED_PAIR: &str = "jwt_authn cached + ext_authz";

const TO_PLAIN: Comparison = Comparison {
    heading: "to plain",
    with: PLAIN,
};

/// A new token with each request, for each algorithm.
pub(super) fn tokens(other_build: bool) -> impl Iterator<Item = Group> {
    ALGORITHMS.into_iter().map(move |name| {
        let row = |row_name, contender, premises: &[Premise]| {
            Row::new(row_name, contender, Crowd::Fresh(name), premises)
        };
        let identity = [Premise::Verified, Premise::Allowed("identity")];
        let mut rows = vec![
            row(PLAIN, Contender::Plain, &[]),
            row(NATIVE, Contender::Native, &[Premise::NativelyVerified]),
            row(
                "hallpass, telling nothing",
                Contender::HallpassUntold,
                &identity,
            ),
            row("hallpass", Contender::Hallpass, &identity),
        ];
        rows.extend(other_build.then(|| row(OTHER_BUILD, Contender::OtherBuild, &identity)));
        rows.push(row(
            "hallpass, embedded grant",
            Contender::HallpassEmbedded,
            &[Premise::Verified, Premise::Allowed("grant_embedded")],
        ));
        Group {
            id: format!("cold-{}", name.to_ascii_lowercase()),
            title: format!("a new {name} token with each request"),
            workers: 1,
            rows,
            comparisons: vec![
                TO_PLAIN,
                Comparison {
                    heading: "to jwt_authn",
                    with: NATIVE,
                },
            ],
        }
    })
}

/// A known token, and a question to the grant service that is not remembered.
pub(super) fn questions() -> Group {
    let mut group = asking(
        "cold-grants",
        "one token, and another question to the grant service with each request",
        Crowd::One,
        (
            CACHED_PAIR,
            Contender::NativeCachedAndExternal,
            Premise::NativelyRemembered,
        ),
        Premise::Remembered,
    );
    let least = Row::new(
        LEAST,
        Contender::Asking,
        Crowd::One,
        &[Premise::AskedEachTime],
    );
    group.rows.insert(1, least.at(NEW_PATHS));
    group.comparisons.push(Comparison {
        heading: "to the same calls",
        with: LEAST,
    });
    group
}

/// A new token, and a question to the grant service that is not remembered.
pub(super) fn both() -> Group {
    asking(
        "cold-both",
        "a new RS256 token and another question to the grant service with each request",
        Crowd::Fresh("RS256"),
        (
            PAIR,
            Contender::NativeAndExternal,
            Premise::NativelyVerified,
        ),
        Premise::Verified,
    )
}

fn asking(
    id: &str,
    title: &str,
    users: Crowd,
    (pair, natives, natively): (&'static str, Contender, Premise),
    token: Premise,
) -> Group {
    let row = |name, contender, premises: &[Premise]| {
        Row::new(name, contender, users, premises).at(NEW_PATHS)
    };
    let asking = |name, contender, asked| {
        row(
            name,
            contender,
            &[token, Premise::Allowed("grant_service"), asked],
        )
    };
    Group {
        id: id.to_owned(),
        title: title.to_owned(),
        workers: 1,
        rows: vec![
            row(PLAIN, Contender::Plain, &[]),
            row(pair, natives, &[natively, Premise::ExternallyAllowed]),
            asking(
                "hallpass",
                Contender::HallpassManyQuestions,
                Premise::AskedEachTime,
            ),
            asking(
                "hallpass, asking together",
                Contender::HallpassGathering,
                Premise::AskedTogether,
            ),
        ],
        comparisons: vec![
            TO_PLAIN,
            Comparison {
                heading: "to jwt_authn + ext_authz",
                with: pair,
            },
        ],
    }
}
