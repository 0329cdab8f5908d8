//! What is measured: groups of rows. A row is a contender under one kind of load; the rows of a group are compared with each other.

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, Result};
use hallpass_demo::idp;
use hallpass_tokens::{SigningKey, TokenBuilder};

use crate::contender::{
    ALGORITHMS, ALLOW_TTL, COOL_DOWN, Contender, REMEMBERED, RESOURCES, granted_path,
};
use crate::premise::Premise;
use crate::rounds::Rounds;
use crate::sample::Sample;
use crate::tokens::TokenFile;

/// Many more tokens than are remembered ([`REMEMBERED`] by Hallpass, none by `jwt_authn`). They are walked through in their order, round and
/// round, so fewer than one in a hundred is known when its turn comes again.
const FRESH: usize = 120 * REMEMBERED;
/// How many users have grants.
const GRANTED_USERS: usize = 200;
/// How many users there are whose tokens are remembered while strangers come.
const REGULARS: usize = REMEMBERED;

/// Rows that are compared with each other.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) title: String,
    pub(crate) rows: Vec<Row>,
    pub(crate) comparisons: Vec<Comparison>,
}

/// A column of ratios: the throughput of each row to that of one of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Comparison {
    pub(crate) heading: &'static str,
    /// The index of the row that the others are compared with.
    pub(crate) with: usize,
}

/// A contender under one kind of load, and what was measured of it.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) contender: Contender,
    pub(crate) premises: Vec<Premise>,
    pub(crate) users: Lane,
    pub(crate) strangers: Option<Lane>,
    /// Whether it is measured once, and for longer.
    pub(crate) is_steady: bool,
    /// One for each round.
    pub(crate) samples: Vec<Sample>,
    /// Why the row has no figures, if a premise did not hold.
    pub(crate) fault: Option<String>,
}

impl Row {
    /// What was measured; nothing if a premise did not hold.
    pub(crate) fn sound_samples(&self) -> &[Sample] {
        if self.fault.is_some() {
            &[]
        } else {
            &self.samples
        }
    }
}

/// A walk through a file of tokens that goes on from measurement to measurement.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) tokens: Rc<TokenFile>,
    pub(crate) next: usize,
}

impl Lane {
    fn new(tokens: &Rc<TokenFile>) -> Self {
        Self {
            tokens: tokens.clone(),
            next: 0,
        }
    }
}

/// Everyone who sends requests.
#[derive(Debug)]
pub(crate) struct Audience {
    one: Rc<TokenFile>,
    regulars: Rc<TokenFile>,
    fresh: Vec<(&'static str, Rc<TokenFile>)>,
    of_unknown_issuer: Rc<TokenFile>,
    of_unknown_key: Rc<TokenFile>,
    granted: Rc<TokenFile>,
    /// One who asks for another path with each request.
    pub(crate) curious: TokenFile,
}

impl Audience {
    /// Signs all tokens, into `directory`.
    pub(crate) fn sign(directory: &Path, rounds: &Rounds) -> Result<Self> {
        let make = |name: &str, count, token: &(dyn Fn(usize) -> String + Sync)| {
            TokenFile::make(directory, name, count, token).map(Rc::new)
        };
        let rsa = key("RS256")?;
        let user = |number: usize| idp::token_for(&user_name(number));
        let mut fresh = Vec::new();
        for name in ALGORITHMS {
            let key = key(name)?;
            let tokens = make(name, FRESH, &|number| user(number).signed_by(key))?;
            fresh.push((name, tokens));
        }
        // The strangers' tokens are as sound as they can make them.
        let own_key = key("EdDSA")?;
        let strangers = rounds.strangers_in_all();
        let of_unknown_key = |number: usize| {
            let kid = format!("key-of-stranger-{number}");
            user(number).header("kid", kid.into()).signed_by(own_key)
        };
        let of_unknown_issuer = |number: usize| -> TokenBuilder {
            user(number).issuer(&format!("https://stranger-{number}.example"))
        };
        Ok(Self {
            one: make("one-user", 1, &|number| user(number).signed_by(rsa))?,
            regulars: make("regulars", REGULARS, &|number| user(number).signed_by(rsa))?,
            fresh,
            of_unknown_issuer: make("unknown-issuers", strangers, &|number| {
                of_unknown_issuer(number).signed_by(own_key)
            })?,
            of_unknown_key: make("unknown-kids", strangers, &of_unknown_key)?,
            curious: TokenFile::make(directory, "curious", 1, |number| {
                format!("{} /many/{{n}}", user(number).signed_by(own_key))
            })?,
            granted: make("granted", GRANTED_USERS * RESOURCES, &|number| {
                let token = user(number % GRANTED_USERS).signed_by(own_key);
                format!("{token} {}", granted_path(number / GRANTED_USERS))
            })?,
        })
    }
}

/// The subject of a user's token.
fn user_name(number: usize) -> String {
    format!("user-{number}")
}

fn key(algorithm: &str) -> Result<&'static SigningKey> {
    idp::key_for(algorithm).with_context(|| format!("the provider has no {algorithm} key"))
}

/// Every group. `other_build` is whether there is another build of the filter to measure.
pub(crate) fn groups(audience: &Audience, other_build: bool) -> Vec<Group> {
    let hot = Group {
        title: "one token, again and again".to_owned(),
        rows: with_other_build(
            other_build,
            vec![
                row("plain", Contender::Plain, &audience.one, &[]),
                row(
                    "jwt_authn, with its cache",
                    Contender::NativeCached,
                    &audience.one,
                    &[Premise::NativelyRemembered],
                ),
                row(
                    "hallpass, telling nothing",
                    Contender::HallpassUntold,
                    &audience.one,
                    &[Premise::Remembered],
                ),
                row(
                    "hallpass",
                    Contender::Hallpass,
                    &audience.one,
                    &[Premise::Remembered],
                ),
            ],
        ),
        comparisons: vec![TO_PLAIN, TO_NATIVE],
    };
    let fresh = audience.fresh.iter().map(|(name, tokens)| Group {
        title: format!("a new {name} token with each request"),
        rows: with_other_build(
            other_build,
            vec![
                row("plain", Contender::Plain, tokens, &[]),
                row(
                    "jwt_authn",
                    Contender::Native,
                    tokens,
                    &[Premise::NativelyVerified],
                ),
                row(
                    "hallpass, telling nothing",
                    Contender::HallpassUntold,
                    tokens,
                    &[Premise::Verified],
                ),
                row(
                    "hallpass",
                    Contender::Hallpass,
                    tokens,
                    &[Premise::Verified],
                ),
            ],
        ),
        comparisons: vec![TO_PLAIN, TO_NATIVE],
    });
    let mut groups = vec![hot];
    groups.extend(fresh);
    groups.push(disturbed(audience));
    groups.push(steady(audience));
    groups
}

const TO_PLAIN: Comparison = Comparison {
    heading: "to plain",
    with: 0,
};
const TO_NATIVE: Comparison = Comparison {
    heading: "to jwt_authn",
    with: 1,
};

/// Users with remembered tokens, alone and while strangers come. Any stranger's request costs the worker something; what the handling of
/// unknown key ids costs is the difference to strangers who are refused before a key is looked for.
fn disturbed(audience: &Audience) -> Group {
    let regulars = |name, premises: &[Premise]| {
        let premises = [&[Premise::Remembered], premises].concat();
        row(
            name,
            Contender::HallpassRemote,
            &audience.regulars,
            &premises,
        )
    };
    let sought = Premise::KeysSought {
        cool_down: COOL_DOWN,
    };
    let alone = regulars("alone", &[]);
    let issuers = Row {
        strangers: Some(Lane::new(&audience.of_unknown_issuer)),
        ..regulars(
            "and unknown issuers",
            &[Premise::StrangersRefused("token_issuer_unknown")],
        )
    };
    let kids = Row {
        strangers: Some(Lane::new(&audience.of_unknown_key)),
        ..regulars(
            "and unknown kids",
            &[Premise::StrangersRefused("token_key_unknown"), sought],
        )
    };
    Group {
        title: "hallpass: users with remembered tokens, while strangers come".to_owned(),
        rows: vec![alone, issuers, kids],
        comparisons: vec![
            Comparison {
                heading: "to alone",
                with: 0,
            },
            Comparison {
                heading: "to unknown issuers",
                with: 1,
            },
        ],
    }
}

/// Users who keep asking for a few resources: what it costs that answers of the grant service are asked for anew before they are over.
fn steady(audience: &Audience) -> Group {
    let questions = u32::try_from(GRANTED_USERS * RESOURCES).unwrap_or(u32::MAX);
    // An answer is asked for anew in the last fifth of its time; the question leaves with one of four ticks a second.
    let period = ALLOW_TTL.mul_f64(0.8) + Duration::from_millis(125);
    let steady = |name, contender, premises: &[Premise]| Row {
        is_steady: true,
        ..row(name, contender, &audience.granted, premises)
    };
    Group {
        title: "hallpass: 200 users and 5 resources, decided by a grant service".to_owned(),
        rows: vec![
            steady("answers count an hour", Contender::HallpassGrants, &[]),
            steady(
                "answers count 5 seconds",
                Contender::HallpassFleetingGrants,
                &[Premise::Asked { questions, period }],
            ),
        ],
        comparisons: vec![Comparison {
            heading: "to an hour",
            with: 0,
        }],
    }
}

fn row(
    name: &'static str,
    contender: Contender,
    tokens: &Rc<TokenFile>,
    premises: &[Premise],
) -> Row {
    Row {
        name,
        contender,
        premises: premises.to_vec(),
        users: Lane::new(tokens),
        strangers: None,
        is_steady: false,
        samples: Vec::new(),
        fault: None,
    }
}

/// Measures the other build, if there is one, under the load and the premises of the last row.
fn with_other_build(other_build: bool, mut rows: Vec<Row>) -> Vec<Row> {
    if let Some(last) = rows.last().filter(|_| other_build) {
        let tokens = last.users.tokens.clone();
        rows.push(row(
            "hallpass, other build",
            Contender::OtherBuild,
            &tokens,
            &last.premises,
        ));
    }
    rows
}
