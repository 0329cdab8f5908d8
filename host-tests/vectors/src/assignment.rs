//! What the module is told to do, as its configuration in the proxy.

use serde::{Deserialize, Serialize};

use crate::Group;

/// What precedes the JSON of a [`Report`](crate::Report) in the proxy's log.
pub const MARKER: &str = "hallpass.vectors ";

/// Cases, and who shall judge them.
#[derive(Debug, Serialize, Deserialize)]
pub struct Assignment {
    /// Whose cryptography.
    pub backend: Backend,
    /// The cases.
    pub groups: Vec<Group>,
}

/// Whose cryptography verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// The proxy's, by its foreign function.
    Host,
    /// The module's own.
    Module,
}
