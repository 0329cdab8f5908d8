//! Requests that would be refused and pass all the same, since their resource, or the plugin, is in monitor mode.
//!
//! Such a request goes on as if there were no filter, with one exception that no mode takes back: nobody speaks for the filter. Headers
//! that upstreams believe are taken out and none is set, which takes a permit; and the token goes no further than it would otherwise.

use super::{Exchange, Passage};
use crate::audit::Written;
use crate::config::Config;
use crate::denial::Reason;
use crate::edits::Edits;

impl Exchange {
    /// Whether what is decided about the request is held to: by its resource's mode, or the plugin's where it has none.
    ///
    /// A request whose headers could not be read is not let through in any mode, as nothing can be taken out of it.
    pub(super) fn is_enforced(&self, config: &Config) -> bool {
        let mode = match self.resource(config) {
            Some(resource) => resource.mode,
            None if self.is_ambiguous => config.mode_of_ambiguous,
            None => config.mode,
        };
        mode.enforces() || self.head.headers.is_empty()
    }

    /// Lets a request pass that would be refused for `reason`.
    pub(super) fn let_pass(
        &self,
        config: &Config,
        reason: Reason,
        audit: Option<Box<Written>>,
    ) -> Passage {
        let request = self.route.as_ref().map(|route| &route.request);
        Passage {
            edits: Edits::stripping(&self.head, request, config),
            reason,
            audit,
            enforced: false,
            until: None,
            stream: None,
        }
    }
}
