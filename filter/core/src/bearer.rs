//! What one token tells: who asks, and what they may do by its own word.

use crate::grant::EmbeddedGrants;
use crate::identity::Identity;
use crate::policy::conditions::ClaimVerdicts;

/// Someone whose token was verified, and the grants that came with it.
#[derive(Debug)]
pub struct Bearer {
    /// Who it is.
    pub identity: Identity,
    /// The grants that the token carries.
    pub grants: EmbeddedGrants,
    /// What its claims come to in the conditions of resources.
    pub claims: ClaimVerdicts,
}
