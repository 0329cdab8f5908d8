//! A stronger or fresher sign-in, which an allow may demand: how a token meets it, and how a client is told of it (RFC 9470).
//!
//! Whether it is met is a matter of each token, not of the decision: of two tokens of one person, one may be of a fresh sign-in.

use std::fmt::Write;
use std::time::Duration;

use crate::identity::Identity;
use crate::time::UnixMillis;

/// Longer lists are not taken: they lie in memory with the decision, and one of them goes into a header.
const MAX_LIST_BYTES: usize = 512;
/// How far ahead of our clock the issuer's may be. What was signed in later than that was not.
const MAX_AHEAD: Duration = Duration::from_mins(5);

/// How a person must have signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepUp {
    /// One of these must be the token's `acr`.
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
    Suffices,
    /// Less; another sign-in may suffice.
    FallsShort,
    /// Less, and RFC 9470 has no word for what is missing: nobody could be told how to sign in.
    FallsShortUntellably,
}

impl StepUp {
    /// A demand. `None` where there is no sign-in that meets it, or it cannot be told in a header.
    pub fn new(classes: &[&str], methods: &[&str], max_age: Option<u64>) -> Option<Self> {
        let classes = Names::new(classes)?;
        Some(Self {
            classes: (!classes.is_empty()).then_some(classes)?,
            methods: Names::new(methods)?,
            max_age,
        })
    }

    /// The demand that is met where both are.
    pub fn and(&self, other: &Self) -> Option<Self> {
        let classes = self.classes.iter();
        let classes: Vec<_> = classes.filter(|v| other.classes.has(v)).collect();
        let further = other.methods.iter().filter(|v| !self.methods.has(v));
        let methods: Vec<_> = self.methods.iter().chain(further).collect();
        let max_age = [self.max_age, other.max_age].into_iter().flatten().min();
        Self::new(&classes, &methods, max_age)
    }

    /// What the sign-in that a token tells of is worth at `now`.
    pub fn judge(&self, identity: &Identity, now: UnixMillis) -> SignIn {
        let is_strong = identity.acr().is_some_and(|acr| self.classes.has(acr));
        let has_used = |method| identity.amr().any(|used| used == method);
        if !is_strong || !self.is_fresh(identity, now) {
            SignIn::FallsShort
        } else if self.methods.iter().all(has_used) {
            SignIn::Suffices
        } else {
            SignIn::FallsShortUntellably
        }
    }

    fn is_fresh(&self, identity: &Identity, now: UnixMillis) -> bool {
        let Some(max_age) = self.max_age else {
            return true;
        };
        identity.auth_time().is_some_and(|signed_in| {
            let stale = signed_in.saturating_add(Duration::from_secs(max_age));
            now < stale && signed_in <= now.saturating_add(MAX_AHEAD)
        })
    }

    /// `WWW-Authenticate` (RFC 9470, section 3). Every name in it was found fit for a quoted string.
    pub fn challenge(&self) -> String {
        let mut challenge = format!(
            r#"Bearer error="insufficient_user_authentication", acr_values="{}""#,
            self.classes.0
        );
        if let Some(max_age) = self.max_age {
            // Writing to a string does not fail.
            let _ = write!(challenge, r#", max_age="{max_age}""#);
        }
        challenge
    }

    /// What it takes in memory, in bytes.
    pub(super) fn weight(&self) -> usize {
        let texts = self.classes.0.len().saturating_add(self.methods.0.len());
        texts.saturating_add(size_of::<Self>())
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
mod tests {
    use super::super::tests::identity;
    use super::*;
    use hallpass_tokens::{NOW, TokenBuilder};
    use serde_json::{Value, json};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn signed_in(claims: &[(&str, Value)]) -> Identity {
        let alice = TokenBuilder::for_user("alice");
        identity(claims.iter().fold(alice, |alice, (name, value)| {
            alice.claim(name, value.clone())
        }))
    }

    fn judged(step_up: &StepUp, claims: &[(&str, Value)]) -> SignIn {
        let now = UnixMillis::from_seconds(NOW).unwrap();
        step_up.judge(&signed_in(claims), now)
    }

    #[test]
    fn a_sign_in_is_as_strong_as_its_acr_says_and_no_stronger() {
        let step_up = StepUp::new(&["phr", "phrh"], &[], None).unwrap();
        for (acr, expected) in [
            (json!("phr"), SignIn::Suffices),
            (json!("phrh"), SignIn::Suffices),
            (json!("PHR"), SignIn::FallsShort),
            (json!("ph"), SignIn::FallsShort),
            (json!("phr phrh"), SignIn::FallsShort),
            (json!(["phr"]), SignIn::FallsShort),
            (json!(""), SignIn::FallsShort),
            (json!(null), SignIn::FallsShort),
        ] {
            let claims = [("acr", acr.clone())];
            assert_eq!(judged(&step_up, &claims), expected, "{acr}");
        }
        assert_eq!(judged(&step_up, &[]), SignIn::FallsShort);
    }

    #[test]
    fn a_sign_in_is_fresh_until_its_age_is_reached() {
        let step_up = StepUp::new(&["phr"], &[], Some(300)).unwrap();
        for (auth_time, expected) in [
            (json!(NOW), SignIn::Suffices),
            (json!(NOW - 299), SignIn::Suffices),
            (json!(NOW - 300), SignIn::FallsShort),
            (json!(NOW + 300), SignIn::Suffices),
            (json!(NOW + 301), SignIn::FallsShort),
            (json!(NOW * 1_000), SignIn::FallsShort),
            (json!(-1), SignIn::FallsShort),
            (json!(NOW.to_string()), SignIn::FallsShort),
            (json!(null), SignIn::FallsShort),
        ] {
            let claims = [("acr", json!("phr")), ("auth_time", auth_time.clone())];
            assert_eq!(judged(&step_up, &claims), expected, "{auth_time}");
        }
        assert_eq!(
            judged(&step_up, &[("acr", json!("phr"))]),
            SignIn::FallsShort
        );
        let endless = StepUp::new(&["phr"], &[], Some(u64::MAX)).unwrap();
        let claims = [("acr", json!("phr")), ("auth_time", json!(0))];
        assert_eq!(judged(&endless, &claims), SignIn::Suffices);
    }

    #[test]
    fn every_method_that_is_demanded_must_have_been_used() {
        let step_up = StepUp::new(&["phr"], &["mfa", "hwk"], None).unwrap();
        for (acr, amr, expected) in [
            ("phr", json!(["hwk", "pwd", "mfa"]), SignIn::Suffices),
            ("phr", json!(["mfa"]), SignIn::FallsShortUntellably),
            ("phr", json!("mfa hwk"), SignIn::FallsShortUntellably),
            ("phr", json!(null), SignIn::FallsShortUntellably),
            ("low", json!(["mfa"]), SignIn::FallsShort),
        ] {
            let claims = [("acr", json!(acr)), ("amr", amr.clone())];
            assert_eq!(judged(&step_up, &claims), expected, "{acr} {amr}");
        }
    }

    #[test]
    fn the_challenge_tells_what_is_demanded_in_quotable_words() {
        let challenge = |acr: &[&str], max_age| {
            let step_up = StepUp::new(acr, &["hwk"], max_age);
            step_up.map(|step_up| step_up.challenge())
        };
        assert_eq!(
            challenge(&["urn:x:loa:3", "phr"], Some(300)).as_deref(),
            Some(
                r#"Bearer error="insufficient_user_authentication", acr_values="urn:x:loa:3 phr", max_age="300""#
            )
        );
        assert_eq!(
            challenge(&["phr"], None).as_deref(),
            Some(r#"Bearer error="insufficient_user_authentication", acr_values="phr""#)
        );
        for text in ["", " ", "a b", "a\"", "a\\", "a\n", "\u{e4}", "a\u{7f}"] {
            assert_eq!(challenge(&[text], None), None, "{text:?}");
        }
        assert_eq!(challenge(&[], None), None);
        assert_eq!(challenge(&[&"a".repeat(MAX_LIST_BYTES + 1)], None), None);
    }
}
