//! What access is asked for.

use serde::{Deserialize, Serialize};

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
