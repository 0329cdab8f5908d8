//! What changes in a request on its way upstream: strip first, then add.
//!
//! Whatever the decision was based on, headers by which a client could speak for the filter are taken out; identity headers are added
//! only on the strength of a [`Permit`].

use std::sync::Arc;

use crate::bearer::Bearer;
use crate::config::Config;
use crate::decision::Permit;
use crate::request::{CanonicalRequest, RequestHead};
use crate::token::extract::{Removal, removals};

/// Header changes, to be applied in this order: removals, replacements, additions. The texts are shared with those who know them.
#[derive(Debug, Default)]
pub struct Edits {
    /// Names to remove, however often each stands.
    pub remove: Vec<Arc<[u8]>>,
    /// Names of the request's own, with what is to stand there instead.
    pub replace: Vec<(&'static str, Vec<u8>)>,
    told: Option<Arc<Bearer>>,
    grant: Vec<(Arc<str>, Arc<str>)>,
}

impl Edits {
    /// The changes for a request that a permit lets pass.
    pub fn for_permit(
        permit: &Permit,
        bearer: Option<&Arc<Bearer>>,
        head: &RequestHead,
        request: &CanonicalRequest,
        config: &Config,
    ) -> Self {
        let mut edits = Self::stripping(head, Some(request), config);
        edits.told = bearer.cloned();
        if let (Some(name), Some(id)) = (&config.headers.grant_id, permit.grant_id()) {
            edits.grant.push((name.clone(), id.shared()));
        }
        if let (Some(name), Some(until)) = (&config.headers.grant_expires, permit.grant_until()) {
            let seconds = until.as_seconds().to_string();
            edits.grant.push((name.clone(), seconds.into()));
        }
        edits
    }

    /// Sends upstream what was matched, where it came in another spelling.
    #[cold]
    fn spell_as(&mut self, request: &CanonicalRequest, head: &RequestHead) {
        if let Some(target) = &request.rewritten_target {
            self.replace.push((":path", target.clone().into_bytes()));
        }
        let Some(authority) = &request.rewritten_authority else {
            return;
        };
        for name in [":authority", "host"] {
            if head.headers.all(name).next().is_some() {
                self.replace.push((name, authority.clone().into_bytes()));
            }
        }
    }

    /// The same without what a permit had allowed to tell.
    #[must_use]
    pub fn without_permit(self) -> Self {
        Self {
            told: None,
            grant: Vec::new(),
            ..self
        }
    }

    /// Names of the filter's own, with their values. None of them stands in the request: those that did are among the removals.
    pub fn additions(&self) -> impl Iterator<Item = (&str, &str)> {
        let identity = self
            .told
            .iter()
            .flat_map(|bearer| bearer.identity.headers());
        let grant = self.grant.iter().map(|(name, value)| (&**name, &**value));
        identity.chain(grant)
    }

    /// The changes for a request that passes without a permit: nothing is told. Its path becomes the canonical one, if it has one.
    pub fn stripping(
        head: &RequestHead,
        request: Option<&CanonicalRequest>,
        config: &Config,
    ) -> Self {
        let mut edits = Self::default();
        for (name, _) in head.headers.iter() {
            if config.headers.protects(name) {
                edits.remove_once(name);
            }
        }
        if !config.forward_token {
            for removal in removals(&head.headers, &config.token_sources) {
                match removal {
                    Removal::Header(name) => edits.remove.push(name.into()),
                    Removal::Cookies(rest) => edits.replace.push(("cookie", rest)),
                }
            }
        }
        if let Some(request) = request.filter(|request| request.is_respelt()) {
            edits.spell_as(request, head);
        }
        edits
    }

    #[cold]
    fn remove_once(&mut self, name: &[u8]) {
        if !self.remove.iter().any(|other| **other == *name) {
            self.remove.push(name.into());
        }
    }
}
