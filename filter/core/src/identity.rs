//! Who is asking: the parts of verified claims that decisions, records and upstreams use.

use std::sync::Arc;

use crate::ids::{Issuer, Subject};
use crate::json::borrowed::Value;
use crate::time::Window;
use crate::token::{TokenFault, VerifiedClaims};

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
    /// Who vouches for it.
    pub issuer: Issuer,
    /// When the token that says so holds.
    pub window: Window,
    /// The subject.
    pub subject: Subject,
    /// The e-mail address, if the token has one.
    pub email: Option<Arc<str>>,
    /// The groups, as the token lists them.
    pub groups: Vec<String>,
    /// The token's own name (`jti`), for the records.
    pub token_id: Option<String>,
    /// What to tell the upstream: header name and value, each safe to send.
    pub headers: Vec<(Arc<str>, Arc<str>)>,
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
        let mut identity = Self {
            issuer: claims.issuer().clone(),
            window: claims.window(),
            subject: Subject::new(subject),
            email: text(&mapping.email).map(Arc::from),
            groups: claims.get(&mapping.groups).map(strings).unwrap_or_default(),
            token_id: text("jti").map(str::to_owned),
            headers: Vec::with_capacity(mapping.headers.len()),
        };
        for (name, source) in &mapping.headers {
            let value = match source {
                HeaderSource::Subject => Some(identity.subject.shared()),
                HeaderSource::Issuer => Some(identity.issuer.shared()),
                HeaderSource::Email => identity.email.clone(),
                HeaderSource::Groups if identity.groups.is_empty() => None,
                HeaderSource::Groups => Some(join(&identity.groups)),
                HeaderSource::Claim(claim) => claims.get(claim).and_then(claim_text),
            };
            if let Some(value) = value {
                if !is_header_value(&value) {
                    return Err(TokenFault::ClaimMismatch);
                }
                identity.headers.push((name.clone(), value));
            }
        }
        Ok(identity)
    }
}

fn strings(value: &Value<'_>) -> Vec<String> {
    match value {
        Value::Str(one) => vec![one.to_string()],
        Value::Array(many) => many
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    }
}

/// Text as it is, numbers and booleans in JSON, arrays of strings joined; anything else as compact JSON.
fn claim_text(value: &Value<'_>) -> Option<Arc<str>> {
    match value {
        Value::Null => None,
        Value::Str(text) => Some(text.as_ref().into()),
        Value::Array(elements) if elements.iter().all(Value::is_string) => {
            Some(join(&strings(value)))
        }
        other => Some(other.to_string().into()),
    }
}

/// Joins with commas. A comma, percent sign or space inside an element is escaped, so that no element can pass for two, or for another
/// one that a reader's trimming would make of it.
fn join(elements: &[String]) -> Arc<str> {
    let letters: usize = elements.iter().map(String::len).sum();
    let mut joined = String::with_capacity(letters.saturating_add(elements.len()));
    for (index, element) in elements.iter().enumerate() {
        if index > 0 {
            joined.push(',');
        }
        for character in element.chars() {
            match character {
                '%' => joined.push_str("%25"),
                ',' => joined.push_str("%2C"),
                ' ' => joined.push_str("%20"),
                plain => joined.push(plain),
            }
        }
    }
    joined.into()
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

    #[test]
    fn a_group_with_a_comma_cannot_pass_for_two_groups() {
        assert_eq!(&*join(&["a".into(), "b,admin".into()]), "a,b%2Cadmin");
        assert_eq!(&*join(&["100%2C".into()]), "100%252C");
        assert_eq!(&*join(&["a".into(), " admin".into()]), "a,%20admin");
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
            assert_eq!(claim_text(&Value::from(&claim)).as_deref(), text, "{claim}");
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
