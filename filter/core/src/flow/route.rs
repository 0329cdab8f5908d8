//! What a request is for: its one reading, and the resource that decides about it.

use super::Exchange;
use crate::audit::Record;
use crate::config::Config;
use crate::denial::{Answer, Reason};
use crate::ids::Action;
use crate::request::{Ambiguous, CanonicalRequest, LastAuthority};

/// What a request is for.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) request: CanonicalRequest,
    pub(super) resource: usize,
    pub(super) action: Action,
    pub(super) is_preflight: bool,
}

/// What becomes of a request that no resource decides about.
pub(super) enum Unrouted {
    Refused(Reason),
    /// The filter itself has what was asked for.
    Answered(Answer),
}

impl Route {
    /// Adds to a record what was asked for.
    pub(super) fn tell<'a>(&'a self, record: &mut Record<'a>, config: &'a Config) {
        record.method = Some((&*self.request.method).into());
        record.host = Some((&*self.request.host).into());
        record.path = Some((&self.request.path).into());
        record.action = Some(self.action.as_str());
        let resource = config.policy.get(self.resource);
        record.resource = resource.map(|resource| resource.name.as_str());
    }
}

impl Exchange {
    /// What the request is for.
    pub(super) fn find_route(
        &self,
        config: &Config,
        last: &mut LastAuthority,
    ) -> Result<Box<Route>, Unrouted> {
        let request = self
            .canonical_with(config, last)
            .map_err(|_| Unrouted::Refused(Reason::RequestAmbiguous))?;
        if let Some(metadata) = &config.resource_metadata
            && let Some(answer) = metadata.answer(&request)
        {
            return Err(Unrouted::Answered(answer));
        }
        let policy = &config.policy;
        if let Some((resource, _)) = policy.find_preflighted(&request, &self.head) {
            return Ok(Box::new(Route {
                // Nothing of what is asked about is done, whatever a grant for it is called.
                action: Action::new("options"),
                resource,
                request,
                is_preflight: true,
            }));
        }
        let found = policy.find(&request);
        let (resource, found) = found.ok_or(Unrouted::Refused(Reason::ResourceUnknown))?;
        Ok(Box::new(Route {
            action: policy.action(found, &request.method),
            resource,
            request,
            is_preflight: false,
        }))
    }

    /// The one reading of the request that every decision is about.
    ///
    /// # Errors
    /// [`Ambiguous`] when there is more than one.
    pub fn canonical(&self, config: &Config) -> Result<CanonicalRequest, Ambiguous> {
        self.canonical_with(config, &mut LastAuthority::default())
    }

    fn canonical_with(
        &self,
        config: &Config,
        last: &mut LastAuthority,
    ) -> Result<CanonicalRequest, Ambiguous> {
        // RFC 9110, section 7.6.1: the next proxy removes what `connection` names, so a client could have our own headers removed.
        let names_protected = self.head.headers.all("connection").any(|value| {
            value.split(|byte| *byte == b',').any(|name| {
                config
                    .headers
                    .protects(&name.trim_ascii().to_ascii_lowercase())
            })
        });
        if names_protected {
            return Err(Ambiguous::HopByHop);
        }
        let request = self.head.canonical_with(last)?;
        if config.policy.is_read_in_two_ways(&request, &self.head) {
            return Err(Ambiguous::PathReading);
        }
        Ok(request)
    }
}
