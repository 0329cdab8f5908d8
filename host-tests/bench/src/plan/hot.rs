//! Users whose tokens and grants are known.

use super::{Comparison, Group, OTHER_BUILD, PLAIN, Row};
use crate::contender::Contender;
use crate::crowd::Crowd;
use crate::premise::Premise;

const STRIPPED: &str = "empty filter, stripped";
const CACHED: &str = "jwt_authn, cached";
const PAIR: &str = "jwt_authn cached + ext_authz";

const COMPARISONS: [Comparison; 4] = [
    Comparison {
        heading: "to plain",
        with: PLAIN,
    },
    Comparison {
        heading: "to empty stripped",
        with: STRIPPED,
    },
    Comparison {
        heading: "to jwt_authn cached",
        with: CACHED,
    },
    Comparison {
        heading: "to jwt_authn + ext_authz",
        with: PAIR,
    },
];

/// What holds of Hallpass, where it lets pass for this reason.
pub(super) const fn known(reason: &'static str) -> [Premise; 2] {
    [Premise::Remembered, Premise::Allowed(reason)]
}

const IDENTITY: [Premise; 2] = known("identity");

/// One user, again and again.
pub(super) fn one_user(other_build: bool) -> Group {
    let row =
        |name, contender, premises: &[Premise]| Row::new(name, contender, Crowd::One, premises);
    let mut rows = vec![
        plain(Crowd::One),
        row("empty filter, as built", Contender::Empty, &[]),
        stripped(Crowd::One),
        row(
            "lua, verifying nothing",
            Contender::Lua,
            &[Premise::ScriptRan],
        ),
        cached(Crowd::One),
        row(
            "ext_authz",
            Contender::External,
            &[Premise::ExternallyAllowed],
        ),
        pair(Crowd::One),
        row(
            "hallpass, telling nothing",
            Contender::HallpassUntold,
            &IDENTITY,
        ),
        hallpass(Contender::Hallpass, Crowd::One),
    ];
    rows.extend(other_build.then(|| row(OTHER_BUILD, Contender::OtherBuild, &IDENTITY)));
    rows.extend([
        row(
            "hallpass, embedded grant",
            Contender::HallpassEmbedded,
            &known("grant_embedded"),
        ),
        row(
            "hallpass, remembered grant",
            Contender::HallpassGrants,
            &known("grant_cached"),
        )
        .at("/granted/0"),
        row(
            "hallpass, audit line",
            Contender::HallpassAudited,
            &[&IDENTITY[..], &[Premise::Audited]].concat(),
        ),
    ]);
    Group {
        id: "hot".to_owned(),
        title: "one token, again and again".to_owned(),
        workers: 1,
        rows,
        comparisons: COMPARISONS.to_vec(),
    }
}

/// So many users that what is remembered is not all in the processor's caches.
pub(super) fn many_users() -> Group {
    let comparisons = COMPARISONS.into_iter();
    Group {
        id: "many-users".to_owned(),
        title: "10,000 tokens in turn, all remembered".to_owned(),
        workers: 1,
        rows: vec![
            plain(Crowd::Many),
            cached(Crowd::Many),
            pair(Crowd::Many),
            hallpass(Contender::HallpassManyUsers, Crowd::Many),
        ],
        comparisons: comparisons
            .filter(|comparison| comparison.with != STRIPPED)
            .collect(),
    }
}

/// One user at a proxy with two workers, each of which has half of the connections.
pub(super) fn two_workers() -> Group {
    let mut rows = vec![
        plain(Crowd::One),
        stripped(Crowd::One),
        cached(Crowd::One),
        pair(Crowd::One),
        hallpass(Contender::Hallpass, Crowd::One),
    ];
    for row in &mut rows {
        row.premises.push(Premise::WorkersShare);
    }
    Group {
        id: "two-workers".to_owned(),
        title: "one token, again and again, at two workers".to_owned(),
        workers: 2,
        rows,
        comparisons: COMPARISONS.to_vec(),
    }
}

fn plain(users: Crowd) -> Row {
    Row::new(PLAIN, Contender::Plain, users, &[])
}

fn stripped(users: Crowd) -> Row {
    Row::new(STRIPPED, Contender::EmptyStripped, users, &[])
}

fn cached(users: Crowd) -> Row {
    let premises = [Premise::NativelyRemembered];
    Row::new(CACHED, Contender::NativeCached, users, &premises)
}

fn pair(users: Crowd) -> Row {
    let premises = [Premise::NativelyRemembered, Premise::ExternallyAllowed];
    Row::new(PAIR, Contender::NativeCachedAndExternal, users, &premises)
}

fn hallpass(contender: Contender, users: Crowd) -> Row {
    Row::new("hallpass", contender, users, &IDENTITY)
}
