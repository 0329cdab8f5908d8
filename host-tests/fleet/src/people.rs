//! Users' requests, each with the token of its user.
//!
//! The tokens are not signed, and the verifier takes any signature: what is counted here does not depend on cryptography, and a million
//! signatures would take longer than all the rest.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass_core::request::RequestHead;
use hallpass_core::token::Algorithm;
use hallpass_core::token::signature::{PublicKey, SignatureFault, SignatureVerifier};
use hallpass_tokens::{AUDIENCE, ISSUER, NOW};
use serde_json::json;

use crate::Fleet;

/// The key that the issuer publishes, by name.
pub(crate) const KEY: &str = "k";
/// In seconds: longer than any simulation.
const LIFETIME: i64 = 24 * 3_600;

/// All who come.
pub(crate) struct People {
    /// What all tokens begin with: the header, and the claims up to the subject.
    beginning: String,
}

impl People {
    /// Those of a fleet.
    pub(crate) fn of(fleet: &Fleet) -> Self {
        let wanted = usize::try_from(fleet.token_bytes).expect("a length");
        let missing = wanted.saturating_sub(Self::padded(0).token(0).len());
        Self::padded(missing * 3 / 4)
    }

    /// Those whose claims are so many bytes longer than they need be.
    fn padded(bytes: usize) -> Self {
        let header = json!({ "alg": "ES256", "kid": KEY, "typ": "JWT" }).to_string();
        let mut claims = format!(
            r#"{{"iss":"{ISSUER}","aud":"{AUDIENCE}","iat":{NOW},"nbf":{NOW},"exp":{},"padding":"{}","#,
            NOW + LIFETIME,
            "x".repeat(bytes)
        );
        // Three bytes at a time are encoded, so what comes after whole threes can be encoded alone.
        while !claims.len().is_multiple_of(3) {
            claims.push(' ');
        }
        Self {
            beginning: format!("{}.{}", encode(header), encode(claims)),
        }
    }

    /// The request of a user for a resource.
    pub(crate) fn request(&self, user: u32, resource: u32) -> RequestHead {
        let mut head = RequestHead::default();
        head.headers.push(b":method", b"GET");
        head.headers.push(b":authority", b"admin.example");
        let path = format!("/{resource}/orders");
        head.headers.push(b":path", path.as_bytes());
        let token = format!("Bearer {}", self.token(user));
        head.headers.push(b"authorization", token.as_bytes());
        head
    }

    fn token(&self, user: u32) -> String {
        let rest = format!(r#""sub":"{}"}}"#, subject(user));
        let mut signature = [0; 64];
        signature[60..].copy_from_slice(&user.to_be_bytes());
        let beginning = &self.beginning;
        let (rest, signature) = (encode(rest), encode(signature));
        format!("{beginning}{rest}.{signature}")
    }
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A user's name. All are of one length, and so all tokens are.
pub(crate) fn subject(user: u32) -> String {
    format!("user-{user:010}")
}

/// The user of that name.
pub(crate) fn user(subject: &str) -> Option<u32> {
    subject.strip_prefix("user-")?.parse().ok()
}

/// Takes every signature.
pub(crate) struct Credulous;

impl SignatureVerifier for Credulous {
    fn verify(
        &self,
        _algorithm: Algorithm,
        _key: &PublicKey,
        _message: &[u8],
        _signature: &[u8],
    ) -> Result<(), SignatureFault> {
        Ok(())
    }
}
