//! A stronger or fresher sign-in, which a resource or an allow of the grant service may demand: how a token meets it, and how a client is
//! told of it (RFC 9470).
//!
//! Whether it is met is a matter of each token, not of the decision: of two tokens of one person, one may be of a fresh sign-in.

use std::fmt::{self, Write};
use std::time::Duration;

use super::Identity;
use crate::time::UnixMillis;

/// Longer lists are not taken: they lie in memory with the decision, and one of them goes into a header.
const MAX_LIST_BYTES: usize = 512;
/// How far ahead of our clock the issuer's may be. What was signed in later than that was not.
const MAX_AHEAD: Duration = Duration::from_mins(5);

/// How a person must have signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepUp {
    /// One of these must be the token's `acr`, if there are any.
    classes: Names,
    /// All of these must be in the token's `amr`.
    methods: Names,
    /// The sign-in must be younger, in seconds.
    max_age: Option<u64>,
}

/// What a token's sign-in is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignIn {
    /// All that is demanded.
    Suffices {
        /// Up to when it is fresh enough, where that is demanded. At this moment it no longer is.
        until: Option<UnixMillis>,
    },
    /// Less; another sign-in may suffice.
    FallsShort,
    /// Less, and RFC 9470 has no word for what is missing: nobody could be told how to sign in.
    FallsShortUntellably,
}

impl StepUp {
    /// A demand for one of `classes`, if there are any, for all of `methods`, and for a sign-in that is younger than `max_age` seconds.
    /// `None` where it demands nothing that RFC 9470 has a word for, or cannot be told in a header.
    pub fn new(classes: &[&str], methods: &[&str], max_age: Option<u64>) -> Option<Self> {
        let classes = Names::new(classes)?;
        let can_be_told = !classes.is_empty() || max_age.is_some();
        can_be_told.then_some(Self {
            classes,
            methods: Names::new(methods)?,
            max_age,
        })
    }

    /// The demand that is met where both are. `None` where no sign-in meets both.
    pub fn and(&self, other: &Self) -> Option<Self> {
        let classes: Vec<_> = match (self.classes.is_empty(), other.classes.is_empty()) {
            (true, _) => other.classes.iter().collect(),
            (_, true) => self.classes.iter().collect(),
            (false, false) => {
                let common = self.classes.iter().filter(|v| other.classes.has(v));
                let common: Vec<_> = common.collect();
                (!common.is_empty()).then_some(common)?
            }
        };
        let further = other.methods.iter().filter(|v| !self.methods.has(v));
        let methods: Vec<_> = self.methods.iter().chain(further).collect();
        let max_age = [self.max_age, other.max_age].into_iter().flatten().min();
        Self::new(&classes, &methods, max_age)
    }

    /// What the sign-in that a token tells of is worth at `now`.
    pub fn judge(&self, identity: &Identity, now: UnixMillis) -> SignIn {
        let has_class = identity.acr().is_some_and(|acr| self.classes.has(acr));
        let is_strong = self.classes.is_empty() || has_class;
        let has_used = |method| identity.amr().any(|used| used == method);
        let until = match self.max_age.map(|age| fresh_until(identity, age, now)) {
            Some(None) => return SignIn::FallsShort,
            Some(until) => until,
            None => None,
        };
        if !is_strong {
            SignIn::FallsShort
        } else if self.methods.iter().all(has_used) {
            SignIn::Suffices { until }
        } else {
            SignIn::FallsShortUntellably
        }
    }

    /// Whether a sign-in that suffices now may not do so later.
    pub const fn may_end(&self) -> bool {
        self.max_age.is_some()
    }

    /// `WWW-Authenticate` (RFC 9470, section 3). Every name in it was found fit for a quoted string.
    pub fn challenge(&self) -> String {
        let mut challenge = r#"Bearer error="insufficient_user_authentication""#.to_owned();
        // Writing to a string does not fail.
        if !self.classes.is_empty() {
            let _ = write!(challenge, r#", acr_values="{}""#, self.classes.0);
        }
        if let Some(max_age) = self.max_age {
            let _ = write!(challenge, r#", max_age="{max_age}""#);
        }
        challenge
    }

    /// What it takes in memory, in bytes.
    pub(crate) fn weight(&self) -> usize {
        let texts = self.classes.0.len().saturating_add(self.methods.0.len());
        texts.saturating_add(size_of::<Self>())
    }
}

/// When a sign-in is as old as `max_age` seconds. `None` if it is by now, nobody knows when it was, or it is said to lie ahead.
fn fresh_until(identity: &Identity, max_age: u64, now: UnixMillis) -> Option<UnixMillis> {
    let signed_in = identity.auth_time()?;
    let stale = signed_in.saturating_add(Duration::from_secs(max_age));
    let is_fresh = now < stale && signed_in <= now.saturating_add(MAX_AHEAD);
    is_fresh.then_some(stale)
}

impl fmt::Display for StepUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        if !self.classes.is_empty() {
            write!(f, "of one of the classes {}", self.classes.0)?;
            separator = ", ";
        }
        if !self.methods.is_empty() {
            write!(f, "{separator}by all of the methods {}", self.methods.0)?;
            separator = ", ";
        }
        match self.max_age {
            Some(age) => write!(f, "{separator}younger than {age} s"),
            None => Ok(()),
        }
    }
}

/// Names in one piece of memory, with spaces between them, as they stand in `acr_values`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Names(Box<str>);

impl Names {
    fn new(names: &[&str]) -> Option<Self> {
        let joined = names.join(" ");
        let are_sound = names.iter().all(|name| is_name(name)) && joined.len() <= MAX_LIST_BYTES;
        are_sound.then(|| Self(joined.into()))
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ').filter(|name| !name.is_empty())
    }

    fn has(&self, name: &str) -> bool {
        self.iter().any(|one| one == name)
    }
}

/// RFC 6749, appendix A: what may stand in a list with spaces and in a quoted string without being escaped.
fn is_name(text: &str) -> bool {
    let is_fit = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    !text.is_empty() && text.bytes().all(is_fit)
}

#[cfg(test)]
mod tests;
