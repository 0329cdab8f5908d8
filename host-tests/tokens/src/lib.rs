//! A test identity provider: it signs identity tokens (JWTs) and publishes the keys that verify them (a JWKS). And the cryptography of a
//! proxy that verifies what it signed.
//!
//! Everything here is deterministic: the same builder and key give the same token on every run, natively and in wasm. The private keys are
//! published with this source code, so nothing that they sign may be trusted outside a test.
//!
//! ```
//! use hallpass_tokens::{Grant, NOW, SigningKey, TokenBuilder, jwks};
//!
//! let key = SigningKey::es256("kid-1");
//! let trusted = jwks(&[&key]);
//! let token = TokenBuilder::for_user("alice")
//!     .expires_in(60)
//!     .grant(Grant::new("orders", &["read"]).id("g-42").until(NOW + 30))
//!     .signed_by(&key);
//! # assert_eq!(trusted["keys"][0]["kid"], "kid-1");
//! # assert_eq!(token.split('.').count(), 3);
//! ```

mod algorithm;
mod grant;
mod key;
mod private;
mod tamper;
mod token;
mod verify_signature;

pub use algorithm::Algorithm;
pub use grant::Grant;
pub use key::{SigningKey, jwks};
pub use tamper::{unsigned, with_claims_swapped, with_flipped_signature};
pub use token::{AUDIENCE, ISSUER, LIFETIME, NOW, TokenBuilder};
pub use verify_signature::{VERIFY_SIGNATURE, signature_verdict, verify_signature};
