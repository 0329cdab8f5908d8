//! Users who are refused.

use super::{Comparison, Group, Row};
use crate::contender::Contender;
use crate::crowd::Crowd;
use crate::premise::{Outcome, Premise};

const PLAIN: &str = "plain, letting pass";
const REFUSING: &str = "empty filter, refusing";
const NATIVE: &str = "jwt_authn";

const TO_PLAIN: Comparison = Comparison {
    heading: "to plain",
    with: PLAIN,
};
const TO_NATIVE: Comparison = Comparison {
    heading: "to jwt_authn",
    with: NATIVE,
};

/// Requests without a token, which the empty filter answers as Hallpass does.
pub(super) fn without_token() -> Group {
    let empty = Row {
        answers_like: Some(Contender::Hallpass),
        ..refused(REFUSING, Contender::Refusing, Crowd::Tokenless, &[])
    };
    Group {
        id: "refusal-none".to_owned(),
        title: "no token".to_owned(),
        workers: 1,
        rows: vec![
            Row::new(PLAIN, Contender::Plain, Crowd::Tokenless, &[]),
            empty,
            refused(
                NATIVE,
                Contender::Native,
                Crowd::Tokenless,
                &[Premise::NativelyDenied],
            ),
            refused(
                "hallpass",
                Contender::Hallpass,
                Crowd::Tokenless,
                &[Premise::RefusedFor("token_missing")],
            ),
        ],
        comparisons: vec![
            TO_PLAIN,
            Comparison {
                heading: "to empty refusing",
                with: REFUSING,
            },
            TO_NATIVE,
        ],
    }
}

/// Tokens whose signature is not what it should be.
pub(super) fn with_bad_signature() -> Group {
    Group {
        id: "refusal-signature".to_owned(),
        title: "RS256 tokens with a bad signature".to_owned(),
        workers: 1,
        rows: vec![
            Row::new(PLAIN, Contender::Plain, Crowd::Forged, &[]),
            refused(
                NATIVE,
                Contender::Native,
                Crowd::Forged,
                &[Premise::NativelyDenied],
            ),
            refused(
                "hallpass",
                Contender::Hallpass,
                Crowd::Forged,
                &[Premise::RefusedFor("token_signature_invalid")],
            ),
        ],
        comparisons: vec![TO_PLAIN, TO_NATIVE],
    }
}

fn refused(name: &'static str, contender: Contender, users: Crowd, premises: &[Premise]) -> Row {
    Row {
        outcome: Outcome::Refused,
        ..Row::new(name, contender, users, premises)
    }
}
