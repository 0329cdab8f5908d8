//! What a receiver knows us by: the signature of Standard Webhooks 1.0 (standardwebhooks.com), symmetric.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What a secret begins with that is written as the standard writes it.
const PREFIX: &str = "whsec_";
/// A shorter one could be guessed.
const MIN_BYTES: usize = 16;

/// A secret that we share with one receiver.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

/// A text that is no secret to sign with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeakSecret;

impl Secret {
    /// From `whsec_` and base64, or from a text whose bytes are the secret.
    ///
    /// # Errors
    /// When it is not base64 behind `whsec_`, or shorter than 16 bytes.
    pub fn parse(text: &str) -> Result<Self, WeakSecret> {
        let bytes = match text.strip_prefix(PREFIX) {
            Some(encoded) => STANDARD.decode(encoded).map_err(|_| WeakSecret)?,
            None => text.as_bytes().to_vec(),
        };
        if bytes.len() < MIN_BYTES {
            return Err(WeakSecret);
        }
        Ok(Self(bytes))
    }

    /// The value of `webhook-signature` for a message.
    pub(super) fn signature(&self, id: &str, timestamp: u64, body: &str) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            // HMAC takes keys of any length.
            return String::new();
        };
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body.as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl fmt::Display for WeakSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{PREFIX}` and base64, or a text; {MIN_BYTES} bytes at least"
        )
    }
}

impl std::error::Error for WeakSecret {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with `openssl dgst -sha256 -mac HMAC`.
    #[test]
    fn a_message_is_signed_as_the_standard_says() {
        let secret = Secret::parse("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=").unwrap();
        let same = Secret::parse("0123456789abcdef0123456789abcdef").unwrap();
        let signature = secret.signature("7", 1_790_000_000, r#"{"id":"7"}"#);
        assert_eq!(signature, "v1,EfLK+gP2zkNfu+RRcqULHpvk7fvOCzhHasy8EVtkI7w=");
        assert_eq!(
            same.signature("7", 1_790_000_000, r#"{"id":"7"}"#),
            signature
        );
        assert_ne!(
            same.signature("8", 1_790_000_000, r#"{"id":"7"}"#),
            signature
        );
    }

    #[test]
    fn a_secret_that_is_short_or_not_what_it_says_is_none() {
        for text in [
            "",
            "0123456789abcde",
            "whsec_MDEyMw==",
            "whsec_?0123456789abcdef0123456789abcdef",
        ] {
            assert!(Secret::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_secret_is_not_shown() {
        let secret = Secret::parse("0123456789abcdef0123456789abcdef").unwrap();
        assert_eq!(format!("{secret:?}"), "Secret");
    }
}
