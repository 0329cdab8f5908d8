//! A token's header (JOSE header, RFC 7515, section 4), and the last one that was read.

use std::sync::Arc;

use super::parse::decode;
use super::{Algorithm, TokenFault};
use crate::json::borrowed::{self, Value};

/// What is used of a header. Nothing in it is known to be true.
#[derive(Debug, PartialEq, Eq)]
pub struct TokenHeader {
    /// `alg`.
    pub algorithm_name: Box<str>,
    /// What that is, if the filter knows it.
    pub algorithm: Option<Algorithm>,
    /// `kid`.
    pub key_id: Option<Box<str>>,
    /// `typ`.
    pub token_type: Option<Box<str>>,
}

impl TokenHeader {
    /// Reads the first part of a compact JWS, as it stands there.
    ///
    /// # Errors
    /// [`TokenFault::Malformed`] when it is not canonical base64url of a strict JSON object; when a member that is read has another type
    /// than its RFC gives it, or `alg` is absent; and when it demands an extension by `crit` (RFC 7515, section 4.1.11) or `b64` (RFC 7797).
    pub fn read(text: &[u8]) -> Result<Self, TokenFault> {
        let document = decode(text)?;
        let members = borrowed::object(&document).ok_or(TokenFault::Malformed)?;
        if members.contains_key("crit") || members.contains_key("b64") {
            return Err(TokenFault::Malformed);
        }
        let text = |name| match members.get(name) {
            Some(Value::Str(text)) => Ok(Some(&**text)),
            Some(_) => Err(TokenFault::Malformed),
            None => Ok(None),
        };
        let algorithm_name = text("alg")?.ok_or(TokenFault::Malformed)?;
        Ok(Self {
            algorithm_name: algorithm_name.into(),
            algorithm: Algorithm::from_name(algorithm_name),
            key_id: text("kid")?.map(Box::from),
            token_type: text("typ")?.map(Box::from),
        })
    }
}

/// The last header that was read, by its text. An issuer writes the same one into all its tokens while it signs with one key, so most of
/// them need no reading.
#[derive(Debug, Default)]
pub struct LastHeader(Option<(Box<[u8]>, Arc<TokenHeader>)>);

impl LastHeader {
    /// As [`TokenHeader::read`].
    ///
    /// # Errors
    /// As there.
    pub fn read(&mut self, text: &[u8]) -> Result<Arc<TokenHeader>, TokenFault> {
        if let Some((last, header)) = &self.0
            && **last == *text
        {
            return Ok(header.clone());
        }
        let header = Arc::new(TokenHeader::read(text)?);
        self.0 = Some((text.into(), header.clone()));
        Ok(header)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn written(json: &str) -> String {
        URL_SAFE_NO_PAD.encode(json)
    }

    #[test]
    fn each_text_is_read_as_itself_whatever_was_read_before() {
        let mut last = LastHeader::default();
        let one = written(r#"{"alg":"RS256","kid":"one"}"#);
        let other = written(r#"{"alg":"ES256","kid":"two","typ":"JWT"}"#);
        let bad = written(r#"{"alg":"RS256","kid":7}"#);
        for text in [&one, &one, &other, &bad, &other, &one, &bad, &bad] {
            let anew = TokenHeader::read(text.as_bytes());
            let read = last.read(text.as_bytes());
            assert_eq!(read, anew.map(Arc::new), "{text}");
        }
    }

    #[test]
    fn an_algorithm_that_is_not_known_is_none() {
        let read = |json: &str| TokenHeader::read(written(json).as_bytes());
        for name in ["none", "HS256", "rs256", ""] {
            let header = read(&format!(r#"{{"alg":"{name}"}}"#)).unwrap();
            assert_eq!(header.algorithm, None, "{name}");
        }
        assert_eq!(read("{}"), Err(TokenFault::Malformed));
        assert_eq!(read(r#"{"alg":null}"#), Err(TokenFault::Malformed));
    }
}
