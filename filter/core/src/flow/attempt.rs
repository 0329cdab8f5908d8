//! One request's attempt to be known by its token, over all that it waits for.

use std::sync::Arc;

use super::bearers::Verified;
use crate::jwks::KeySet;
use crate::time::UnixMillis;
use crate::token::TokenFault;

/// When a request came, and what its issuer's keys have said of its token so far: to ask them again would cost another signature check.
#[derive(Debug)]
pub struct Attempt {
    came: UnixMillis,
    failed: Option<(Arc<KeySet>, TokenFault)>,
    verified: Option<Verified>,
}

impl Attempt {
    /// The attempt of a request that came at `came`.
    pub fn new(came: UnixMillis) -> Self {
        Self {
            came,
            failed: None,
            verified: None,
        }
    }

    /// When the request came.
    pub(super) fn came(&self) -> UnixMillis {
        self.came
    }

    /// How the token failed under these very keys before. It would fail again, and of strangers whose forgeries wait for one fetch there
    /// may be many.
    pub(super) fn fault_under(&self, keys: &Arc<KeySet>) -> Option<TokenFault> {
        let (tried, fault) = self.failed.as_ref()?;
        Arc::ptr_eq(tried, keys).then_some(*fault)
    }

    /// The token failed under `keys`, and waits for others.
    pub(super) fn failed_under(&mut self, keys: Arc<KeySet>, fault: TokenFault) {
        self.failed = Some((keys, fault));
    }

    /// What was found out about the request's token, which need not be remembered. It waits for the grant service's word since.
    pub(super) fn verified(&self) -> Option<&Verified> {
        self.verified.as_ref()
    }

    /// The request's token was verified.
    pub(super) fn succeeded(&mut self, verified: Verified) {
        self.verified = Some(verified);
    }
}
