//! Who sends requests: crowds with tokens of one kind each, which are signed before anything is measured.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use hallpass_demo::idp;
use hallpass_tokens::{Grant, SigningKey, TokenBuilder, with_flipped_signature};

use crate::contender::{REMEMBERED, RESOURCE, RESOURCES, granted_path};
use crate::rounds::Rounds;
use crate::tokens::{NO_TOKEN, TokenFile};

/// Many more tokens than are remembered ([`REMEMBERED`] by Hallpass, none by `jwt_authn`). They are walked through in their order, round and
/// round, so fewer than one in a hundred is known when its turn comes again.
const FRESH: usize = 600 * REMEMBERED;
/// How many users there are whose tokens all contenders can remember.
const MANY: usize = 10_000;
/// How many users have grants of the service.
pub(crate) const GRANTED_USERS: usize = 200;
/// How many users there are whose tokens are remembered while strangers come.
const REGULARS: usize = 100;
/// How many users there are where it is measured how the cost grows with their number.
pub(crate) const MULTITUDE: usize = 100_000;
/// How many grants are in a token at most.
pub(crate) const MOST_GRANTS: usize = 100;
/// How many tokens with a bad signature there are. Nobody remembers them.
const FORGED: usize = 1_000;

/// Senders of one kind. The users' tokens carry a grant for [`RESOURCE`], whether or not a contender demands one: so all get the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Crowd {
    /// One user with one RS256 token.
    One,
    /// [`MANY`] users with an RS256 token each.
    Many,
    /// [`MULTITUDE`] users with an `EdDSA` token each: of all kinds these are signed in the shortest time.
    Multitude,
    /// One user with one RS256 token and so many grants in it, of which the one for [`RESOURCE`] is the last.
    Granting(usize),
    /// The same, but the token is as large as if it had [`MOST_GRANTS`].
    GrantingAtLength(usize),
    /// [`REGULARS`] users with an RS256 token each.
    Regulars,
    /// A new token with each request, signed with this algorithm.
    Fresh(&'static str),
    /// Users with a token each, who ask for one resource after the other.
    Granted,
    /// Someone without a token.
    Tokenless,
    /// Tokens whose signatures are spoilt.
    Forged,
    /// Strangers with tokens of an issuer that nobody knows, a new one with each request.
    OfUnknownIssuer,
    /// Strangers with tokens that name a key that nobody knows, a new one with each request.
    OfUnknownKey,
}

/// Everyone who sends requests in a run.
#[derive(Debug)]
pub(crate) struct Audience(BTreeMap<Crowd, TokenFile>);

impl Audience {
    /// Signs the tokens of these crowds, into `directory`.
    pub(crate) fn sign(
        directory: &Path,
        rounds: &Rounds,
        crowds: &BTreeSet<Crowd>,
    ) -> Result<Self> {
        let sign = |crowd: &Crowd| Ok((*crowd, crowd.sign(directory, rounds)?));
        crowds.iter().map(sign).collect::<Result<_>>().map(Self)
    }

    /// The tokens of a crowd.
    pub(crate) fn tokens(&self, crowd: Crowd) -> Result<&TokenFile> {
        let tokens = self.0.get(&crowd);
        tokens.with_context(|| format!("nobody has signed the tokens of {crowd:?}"))
    }
}

impl Crowd {
    fn sign(self, directory: &Path, rounds: &Rounds) -> Result<TokenFile> {
        let rsa = key("RS256")?;
        let own_key = key("EdDSA")?;
        let make = |name: &str, count, token: &(dyn Fn(usize) -> String + Sync)| {
            TokenFile::make(directory, name, count, token)
        };
        match self {
            Self::One => make("one-user", 1, &|number| user(number).signed_by(rsa)),
            Self::Many => make("many-users", MANY, &|number| user(number).signed_by(rsa)),
            Self::Multitude => make("multitude", MULTITUDE, &|number| {
                user(number).signed_by(own_key)
            }),
            Self::Granting(grants) => make(&format!("grants-{grants}"), 1, &|number| {
                user_of_many_grants(number, grants).signed_by(rsa)
            }),
            Self::GrantingAtLength(grants) => {
                make(&format!("grants-{grants}-at-length"), 1, &|number| {
                    let longest = user_of_many_grants(number, MOST_GRANTS).signed_by(rsa);
                    let user = user_of_many_grants(number, grants);
                    signed_at_length(&user, longest.len(), rsa)
                })
            }
            Self::Regulars => make("regulars", REGULARS, &|number| user(number).signed_by(rsa)),
            Self::Fresh(name) => {
                let key = key(name)?;
                make(name, FRESH, &|number| user(number).signed_by(key))
            }
            Self::Granted => make("granted", GRANTED_USERS * RESOURCES, &|number| {
                let token = user(number % GRANTED_USERS).signed_by(own_key);
                format!("{token} {}", granted_path(number / GRANTED_USERS))
            }),
            Self::Tokenless => make("no-token", 1, &|_| NO_TOKEN.to_owned()),
            Self::Forged => make("forged", FORGED, &|number| {
                with_flipped_signature(&user(number).signed_by(rsa))
            }),
            // The strangers' tokens are as sound as they can make them.
            Self::OfUnknownIssuer => {
                make("unknown-issuers", rounds.strangers_in_all(), &|number| {
                    let issuer = format!("https://stranger-{number}.example");
                    user(number).issuer(&issuer).signed_by(own_key)
                })
            }
            Self::OfUnknownKey => make("unknown-kids", rounds.strangers_in_all(), &|number| {
                let kid = format!("key-of-stranger-{number}");
                user(number).header("kid", kid.into()).signed_by(own_key)
            }),
        }
    }
}

fn user(number: usize) -> TokenBuilder {
    user_of_many_grants(number, 1)
}

/// A user with so many grants. That for [`RESOURCE`] is the last, as they are written and by the names of their resources.
fn user_of_many_grants(number: usize, grants: usize) -> TokenBuilder {
    const HOUR: i64 = 3_600;
    let until = idp::now() + HOUR;
    let other = |number: usize| {
        let resource = format!("orders-{number}");
        Grant::new(&resource, &["read"]).id(&format!("g-{number}"))
    };
    let asked = Grant::new(RESOURCE, &["read"]);
    let others = (1..grants).map(|number| other(number + 1));
    let user = idp::token_for(&format!("user-{number}"));
    others
        .chain([asked])
        .fold(user, |user, grant| user.grant(grant.until(until)))
}

/// A token of at least so many bytes, and hardly more: a claim that nobody reads makes it so large.
fn signed_at_length(user: &TokenBuilder, bytes: usize, key: &SigningKey) -> String {
    let sign = |note: usize| {
        let note = "-".repeat(note);
        user.clone().claim("note", note.into()).signed_by(key)
    };
    // Four characters of a token hold three bytes of its claims.
    let missing = bytes.saturating_sub(sign(0).len());
    sign(missing.div_ceil(4) * 3)
}

fn key(algorithm: &str) -> Result<&'static SigningKey> {
    idp::key_for(algorithm).with_context(|| format!("the provider has no {algorithm} key"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contender::MOST_TOKEN_BYTES;

    #[test]
    fn a_token_of_a_hundred_grants_is_larger_than_is_taken_by_default_and_one_of_one_is_not() {
        const DEFAULT: usize = 8_192;
        let key = key("RS256").expect("a key");
        let bytes = |grants| user_of_many_grants(0, grants).signed_by(key).len();
        assert!(bytes(1) < DEFAULT);
        assert!((DEFAULT + 1..MOST_TOKEN_BYTES).contains(&bytes(MOST_GRANTS)));
    }

    #[test]
    fn a_token_is_made_as_long_as_another_and_one_that_is_longer_stays_so() {
        let key = key("RS256").expect("a key");
        let own = user(0).claim("note", "".into()).signed_by(key).len();
        for bytes in [own, own + 1, own + 5_000, own + 5_001] {
            let length = signed_at_length(&user(0), bytes, key).len();
            assert!((bytes..bytes + 8).contains(&length), "{length} for {bytes}");
        }
        assert_eq!(signed_at_length(&user(0), 0, key).len(), own);
    }
}
