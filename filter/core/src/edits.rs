//! What changes in a request on its way upstream: strip first, then add.
//!
//! Whatever the decision was based on, headers by which a client could speak for the filter are taken out; identity headers are added
//! only on the strength of a [`Permit`].

use crate::config::Config;
use crate::decision::Permit;
use crate::identity::Identity;
use crate::request::{CanonicalRequest, RequestHead};
use crate::token::extract::{Removal, removals};

/// Header changes, to be applied in this order: all removals, then all settings.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Edits {
    /// Names to remove, however often each stands.
    pub remove: Vec<Vec<u8>>,
    /// Names and values to set in place of what stands there.
    pub set: Vec<(String, Vec<u8>)>,
}

impl Edits {
    /// The changes for a request that a permit lets pass.
    pub fn for_permit(
        permit: &Permit,
        identity: Option<&Identity>,
        head: &RequestHead,
        request: &CanonicalRequest,
        config: &Config,
    ) -> Self {
        let mut edits = Self::stripped(head, config);
        if let Some(target) = &request.rewritten_target {
            edits.set(":path", target);
        }
        if let Some(identity) = identity {
            for (name, value) in &identity.headers {
                edits.set(name, value);
            }
        }
        if let (Some(name), Some(id)) = (&config.headers.grant_id, permit.grant_id()) {
            edits.set(name, id.as_str());
        }
        if let (Some(name), Some(until)) = (&config.headers.grant_expires, permit.grant_until()) {
            edits.set(name, &until.as_seconds().to_string());
        }
        edits
    }

    fn stripped(head: &RequestHead, config: &Config) -> Self {
        let mut edits = Self::default();
        for (name, _) in head.headers.iter() {
            if config.headers.protects(name) && !edits.remove.iter().any(|other| other == name) {
                edits.remove.push(name.to_vec());
            }
        }
        if !config.forward_token {
            for removal in removals(&head.headers, &config.token_sources) {
                match removal {
                    Removal::Header(name) => edits.remove.push(name.into_bytes()),
                    Removal::Cookies(rest) => edits.set.push(("cookie".to_owned(), rest)),
                }
            }
        }
        edits
    }

    fn set(&mut self, name: &str, value: &str) {
        self.set.push((name.to_owned(), value.as_bytes().to_vec()));
    }
}
