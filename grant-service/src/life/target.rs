//! What access is asked for, and what a name may be.

use serde::{Deserialize, Serialize};

use super::Refusal;

/// An action on a resource, in the words of `AuthZEN`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Target {
    /// The kind of resource; the filter's is `http` unless it is configured otherwise.
    pub resource_type: String,
    /// The resource's name.
    pub resource: String,
    /// The action's name.
    pub action: String,
}

/// A longer name is none. What is looked up by it lies in indices, whose entries are bounded, and proxies read no longer ones.
pub const MAX_NAME_BYTES: usize = 512;

/// Whether this can name anything: a person, a resource, an action, a request, a grant.
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_NAME_BYTES && !text.contains(char::is_control)
}

impl Target {
    /// Whether each part can be a name.
    ///
    /// # Errors
    /// When one cannot, says which.
    pub fn check(&self) -> Result<(), Refusal> {
        let parts = [
            ("resource", &self.resource),
            ("action", &self.action),
            ("type", &self.resource_type),
        ];
        match parts.into_iter().find(|(_, name)| !is_name(name)) {
            None => Ok(()),
            Some((part, _)) => Err(Refusal::no_name(part)),
        }
    }
}
