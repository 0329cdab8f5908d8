//! What changes in a request on its way upstream: strip first, then add.
//!
//! Whatever the decision was based on, headers by which a client could speak for the filter are taken out; identity headers are added
//! only on the strength of a [`Permit`].

use std::sync::Arc;

use crate::config::Config;
use crate::decision::Permit;
use crate::identity::Identity;
use crate::request::{CanonicalRequest, RequestHead};
use crate::token::extract::{Removal, removals};

/// Header changes, to be applied in this order: all removals, then all settings. The texts are shared with those who know them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Edits {
    /// Names to remove, however often each stands.
    pub remove: Vec<Arc<[u8]>>,
    /// Names and values to set in place of what stands there.
    pub set: Vec<(Arc<str>, Arc<[u8]>)>,
}

const PATH: &str = ":path";
const COOKIE: &str = "cookie";

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
            edits.set(&PATH.into(), target.as_str().into());
        }
        if let Some(identity) = identity {
            for (name, value) in &identity.headers {
                edits.set(name, value.clone());
            }
        }
        if let (Some(name), Some(id)) = (&config.headers.grant_id, permit.grant_id()) {
            edits.set(name, id.shared());
        }
        if let (Some(name), Some(until)) = (&config.headers.grant_expires, permit.grant_until()) {
            edits.set(name, until.as_seconds().to_string().into());
        }
        edits
    }

    fn stripped(head: &RequestHead, config: &Config) -> Self {
        let mut edits = Self::default();
        for (name, _) in head.headers.iter() {
            if config.headers.protects(name) && !edits.remove.iter().any(|other| **other == *name) {
                edits.remove.push(name.into());
            }
        }
        if !config.forward_token {
            for removal in removals(&head.headers, &config.token_sources) {
                match removal {
                    Removal::Header(name) => edits.remove.push(name.into()),
                    Removal::Cookies(rest) => edits.set.push((COOKIE.into(), rest.into())),
                }
            }
        }
        edits
    }

    fn set(&mut self, name: &Arc<str>, value: Arc<str>) {
        self.set.push((name.clone(), value.into()));
    }
}
