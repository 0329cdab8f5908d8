//! Users whose tokens are known, while strangers come.

use super::{Comparison, Group, Lane, Row};
use crate::contender::{COOL_DOWN, Contender};
use crate::crowd::Crowd;
use crate::premise::Premise;

const ALONE: &str = "alone";
const ISSUERS: &str = "and unknown issuers";

/// Users with remembered tokens, alone and while strangers come. Any stranger's request costs the worker something; what the handling of
/// unknown key ids costs is the difference to strangers who are refused before a key is looked for.
pub(super) fn disturbed() -> Group {
    let regulars = |name, premises: &[Premise]| {
        let premises = [&[Premise::Remembered], premises].concat();
        Row::new(name, Contender::HallpassRemote, Crowd::Regulars, &premises)
    };
    let sought = Premise::KeysSought {
        cool_down: COOL_DOWN,
    };
    let issuers = Row {
        strangers: Some(Lane::new(Crowd::OfUnknownIssuer)),
        ..regulars(ISSUERS, &[Premise::RefusedFor("token_issuer_unknown")])
    };
    let kids = Row {
        strangers: Some(Lane::new(Crowd::OfUnknownKey)),
        ..regulars(
            "and unknown kids",
            &[Premise::RefusedFor("token_key_unknown"), sought],
        )
    };
    Group {
        id: "strangers".to_owned(),
        title: "hallpass: users with remembered tokens, while strangers come".to_owned(),
        workers: 1,
        rows: vec![regulars(ALONE, &[]), issuers, kids],
        comparisons: vec![
            Comparison {
                heading: "to alone",
                with: ALONE,
            },
            Comparison {
                heading: "to unknown issuers",
                with: ISSUERS,
            },
        ],
    }
}
