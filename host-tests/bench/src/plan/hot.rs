//! Users whose tokens and grants are known.

use super::{Comparison, Group, LEAST, OTHER_BUILD, PLAIN, Row};
use crate::contender::Contender;
use crate::crowd::Crowd;
use crate::premise::Premise;

const STRIPPED: &str = "empty filter, stripped";
const CACHED: &str = "jwt_authn, cached";
const PAIR: &str = "jwt_authn cached + ext_authz";

const COMPARISONS: [Comparison; 5] = [
    Comparison {
        heading: "to plain",
        with: PLAIN,
    },
    Comparison {
        heading: "to empty stripped",
        with: STRIPPED,
    },
    Comparison {
        heading: "to the same calls",
        with: LEAST,
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
        row(LEAST, Contender::Telling, &[]),
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
        row(
            "hallpass, audit lines together",
            Contender::HallpassAuditedTogether,
            &[&IDENTITY[..], &[Premise::Audited]].concat(),
        ),
    ]);
    group("hot", "one token, again and again", 1, rows)
}

/// So many users that what is remembered is not all in the processor's caches.
pub(super) fn many_users() -> Group {
    let rows = vec![
        plain(Crowd::Many),
        cached(Crowd::Many),
        pair(Crowd::Many),
        hallpass(Contender::HallpassManyUsers, Crowd::Many),
    ];
    let title = "10,000 tokens in turn, all remembered";
    group("many-users", title, 1, rows)
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
    let title = "one token, again and again, at two workers";
    group("two-workers", title, 2, rows)
}

/// These rows, compared with those of [`COMPARISONS`] that are among them.
fn group(id: &str, title: &str, workers: u32, rows: Vec<Row>) -> Group {
    let is_there = |comparison: &Comparison| rows.iter().any(|row| row.name == comparison.with);
    Group {
        id: id.to_owned(),
        title: title.to_owned(),
        workers,
        comparisons: COMPARISONS.into_iter().filter(is_there).collect(),
        rows,
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
