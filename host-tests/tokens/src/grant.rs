//! Grants as they travel embedded in an identity token.

use serde_json::{Value, json};

use crate::{LIFETIME, NOW};

/// An embedded grant: by default `g-1`, from now on no earlier bound, ending together with a default token.
#[derive(Clone, Debug)]
pub struct Grant(Value);

impl Grant {
    /// A grant of `actions` on `resource`, with the id `g-1`, ending at [`NOW`] + [`LIFETIME`].
    #[must_use]
    pub fn new(resource: &str, actions: &[&str]) -> Self {
        Self(
            json!({ "id": "g-1", "resource": resource, "actions": actions, "exp": NOW + LIFETIME }),
        )
    }

    /// Names the grant.
    #[must_use]
    pub fn id(self, id: &str) -> Self {
        self.with("id", json!(id))
    }

    /// The Unix second at which the grant is over.
    #[must_use]
    pub fn until(self, end: i64) -> Self {
        self.with("exp", json!(end))
    }

    /// The first Unix second at which the grant holds.
    #[must_use]
    pub fn from(self, start: i64) -> Self {
        self.with("nbf", json!(start))
    }

    /// Sets any member, for malformed grants.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.0[name] = value;
        self
    }

    /// The grant as the claim holds it.
    #[must_use]
    pub fn into_json(self) -> Value {
        self.0
    }
}
