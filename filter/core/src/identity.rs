//! Who is asking: the parts of verified claims that decisions, records and upstreams use.

#[cfg(test)]
pub(crate) mod sample;
mod step_up;
mod texts;

use std::sync::{Arc, OnceLock};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::Sha256;

use crate::ids::Issuer;
use crate::json::borrowed::Value;
use crate::time::{UnixMillis, Window};
use crate::token::{TokenFault, VerifiedClaims, moment};
pub use step_up::{SignIn, StepUp};
use texts::{Span, Texts, TextsBuilder};

/// Which claims hold what, and which headers tell the upstream about it.
#[derive(Debug, Clone)]
pub struct IdentityMapping {
    /// The claim that holds the subject.
    pub subject: String,
    /// The claim that holds the e-mail address.
    pub email: String,
    /// The claim that holds the groups: a string or an array of strings.
    pub groups: String,
    /// Headers for the upstream, each with what it holds.
    pub headers: Vec<(Arc<str>, HeaderSource)>,
}

/// What an identity header holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderSource {
    /// The subject.
    Subject,
    /// The issuer.
    Issuer,
    /// The e-mail address.
    Email,
    /// The groups, joined with commas.
    Groups,
    /// Any other claim.
    Claim(String),
}

/// A person or program, as its issuer named it: what is kept of a token's claims.
#[derive(Debug, Clone)]
pub struct Identity {
    issuer: Issuer,
    window: Window,
    texts: Texts,
    subject: Span,
    email: Option<Span>,
    token_id: Option<Span>,
    acr: Option<Span>,
    amr: Box<[Span]>,
    auth_time: Option<UnixMillis>,
    issued: Option<UnixMillis>,
    groups: Box<[Span]>,
    headers: Box<[(Arc<str>, Span)]>,
    hashed: OnceLock<Sha256>,
}

impl Identity {
    /// Reads the identity out of verified claims.
    ///
    /// # Errors
    /// [`TokenFault::ClaimMismatch`] when there is no subject, or a claim that an upstream is told about holds control characters:
    /// it could end the header that carries it and begin another.
    pub fn from_claims(
        claims: &VerifiedClaims<'_>,
        mapping: &IdentityMapping,
    ) -> Result<Self, TokenFault> {
        let text = |claim: &str| claims.get(claim).and_then(Value::as_str);
        let subject = text(&mapping.subject)
            .filter(|subject| !subject.is_empty())
            .ok_or(TokenFault::ClaimMismatch)?;
        let groups = claims.get(&mapping.groups).map(strings).unwrap_or_default();

        let mut texts = TextsBuilder::with_capacity(USUAL_BYTES);
        let subject = texts.add(subject);
        let email = text(&mapping.email).map(|email| texts.add(email));
        let token_id = text("jti").map(|id| texts.add(id));
        let acr = text("acr").map(|acr| texts.add(acr));
        let amr = claims.get("amr").map(strings).unwrap_or_default();
        let amr = amr.into_iter().map(|method| texts.add(method)).collect();
        let mut headers = Vec::with_capacity(mapping.headers.len());
        for (name, source) in &mapping.headers {
            let value = match source {
                HeaderSource::Subject => Some(subject.clone()),
                HeaderSource::Issuer => Some(texts.add(claims.issuer().as_str())),
                HeaderSource::Email => email.clone(),
                HeaderSource::Groups if groups.is_empty() => None,
                HeaderSource::Groups => Some(texts.write(|texts| join(&groups, texts))),
                HeaderSource::Claim(claim) => claims
                    .get(claim)
                    .and_then(|value| claim_text(value, &mut texts)),
            };
            if let Some(value) = value {
                if !is_header_value(texts.get(&value)) {
                    return Err(TokenFault::ClaimMismatch);
                }
                headers.push((name.clone(), value));
            }
        }
        let groups = groups.iter().map(|group| texts.add(group)).collect();
        Ok(Self {
            issuer: claims.issuer().clone(),
            window: claims.window(),
            subject,
            email,
            token_id,
            acr,
            amr,
            auth_time: claims.get("auth_time").and_then(moment),
            issued: claims.get("iat").and_then(moment),
            groups,
            headers: headers.into(),
            texts: texts.finish(),
            hashed: OnceLock::new(),
        })
    }

    /// Who vouches for it.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// When the token that says so holds.
    pub fn window(&self) -> Window {
        self.window
    }

    /// The subject: unique only within its issuer.
    pub fn subject(&self) -> &str {
        self.texts.get(&self.subject)
    }

    /// The e-mail address, if the token has one.
    pub fn email(&self) -> Option<&str> {
        self.email.as_ref().map(|email| self.texts.get(email))
    }

    /// The token's own name (`jti`), for the records.
    pub fn token_id(&self) -> Option<&str> {
        self.token_id.as_ref().map(|id| self.texts.get(id))
    }

    /// How strongly the person signed in (`acr`, `OpenID` Connect Core 1.0, section 2).
    pub fn acr(&self) -> Option<&str> {
        self.acr.as_ref().map(|acr| self.texts.get(acr))
    }

    /// By which methods the person signed in (`amr`, RFC 8176).
    pub fn amr(&self) -> impl Iterator<Item = &str> {
        self.amr.iter().map(|method| self.texts.get(method))
    }

    /// When the person signed in (`auth_time`, `OpenID` Connect Core 1.0, section 2). A date that cannot be read is none.
    pub fn auth_time(&self) -> Option<UnixMillis> {
        self.auth_time
    }

    /// When the token was issued (`iat`, RFC 7519, section 4.1.6). A date that cannot be read is none.
    pub fn issued(&self) -> Option<UnixMillis> {
        self.issued
    }

    /// The groups, as the token lists them.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().map(|group| self.texts.get(group))
    }

    /// The hash of what is always asked about it, begun by `hash` when it is first wanted.
    pub(crate) fn hashed_once(&self, hash: impl FnOnce(&Self) -> Sha256) -> &Sha256 {
        self.hashed.get_or_init(|| hash(self))
    }

    /// What to tell the upstream: header name and value, each safe to send.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let headers = self.headers.iter();
        headers.map(|(name, value)| (&**name, self.texts.get(value)))
    }
}

/// What the texts of most tokens need; more is allocated where it is needed, and none is kept that is not.
const USUAL_BYTES: usize = 256;

fn strings<'a>(value: &'a Value<'_>) -> Vec<&'a str> {
    match value {
        Value::Str(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    }
}

/// Text as it is, numbers and booleans in JSON, arrays of strings joined; anything else as compact JSON.
fn claim_text(value: &Value<'_>, texts: &mut TextsBuilder) -> Option<Span> {
    match value {
        Value::Null => None,
        Value::Str(text) => Some(texts.add(text)),
        Value::Array(elements) if elements.iter().all(Value::is_string) => {
            Some(texts.write(|texts| join(&strings(value), texts)))
        }
        other => Some(texts.add(&other.to_string())),
    }
}

/// Whether some reader may trim it, who trims more than HTTP does: a space of Unicode, or the mark of the byte order.
fn is_space(character: char) -> bool {
    (character.is_whitespace() && !character.is_control()) || character == '\u{feff}'
}

/// Joins with commas. A comma, percent sign or space inside an element is escaped, so that no element can pass for two, or for another
/// one that a reader's trimming would make of it.
fn join(elements: &[&str], joined: &mut String) {
    for (index, element) in elements.iter().enumerate() {
        if index > 0 {
            joined.push(',');
        }
        for character in element.chars() {
            match character {
                '%' => joined.push_str("%25"),
                ',' => joined.push_str("%2C"),
                // Whatever some reader may take for the space around a name: of `lead\u{a0}` it would make another group.
                // Controls stay what they are, and are refused.
                space if is_space(space) => {
                    let mut utf8 = [0; 4];
                    let space = space.encode_utf8(&mut utf8);
                    joined.extend(utf8_percent_encode(space, NON_ALPHANUMERIC));
                }
                plain => joined.push(plain),
            }
        }
    }
}

/// RFC 9110, section 5.5: no control characters, and no space at the ends that a proxy might trim.
pub fn is_header_value(text: &str) -> bool {
    !text.chars().any(char::is_control) && text.trim().len() == text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn joined(elements: &[&str]) -> String {
        let mut joined = String::new();
        join(elements, &mut joined);
        joined
    }

    #[test]
    fn a_group_with_a_comma_cannot_pass_for_two_groups() {
        assert_eq!(joined(&["a", "b,admin"]), "a,b%2Cadmin");
        assert_eq!(joined(&["100%2C"]), "100%252C");
    }

    #[test]
    fn a_group_with_space_around_it_cannot_pass_for_one_without() {
        assert_eq!(joined(&["a", " admin"]), "a,%20admin");
        for space in [
            '\u{a0}', '\u{1680}', '\u{2003}', '\u{2028}', '\u{3000}', '\u{feff}',
        ] {
            let told = joined(&["a", &format!("lead{space}"), "b"]);
            assert!(told.is_ascii(), "{told}");
            let read = percent_encoding::percent_decode_str(&told)
                .decode_utf8()
                .unwrap();
            assert_eq!(read, format!("a,lead{space},b"));
        }
        assert_eq!(joined(&["a\tb\u{85}"]), "a\tb\u{85}", "refused as a whole");
    }

    #[test]
    fn claims_are_told_as_text() {
        for (claim, text) in [
            (json!("acme"), Some("acme")),
            (json!(7), Some("7")),
            (json!(true), Some("true")),
            (json!(["a", "b"]), Some("a,b")),
            (json!([]), Some("")),
            (json!({ "a": 1 }), Some(r#"{"a":1}"#)),
            (json!(null), None),
        ] {
            let mut texts = TextsBuilder::default();
            let told = claim_text(&Value::from(&claim), &mut texts);
            assert_eq!(told.map(|told| texts.get(&told)), text, "{claim}");
        }
    }

    #[test]
    fn a_value_that_could_end_a_header_is_no_header_value() {
        for text in ["a\r\nb", "a\0", "\u{85}", " a", "a\t"] {
            assert!(!is_header_value(text), "{text:?}");
        }
        assert!(is_header_value("Zoë"));
    }
}
