//! Permission that ends by itself: what a grant is, where grants come from, and how long an answer may be remembered.

pub mod asker;
pub mod backoff;
pub mod decisions;
pub mod embedded;
pub mod gathering;
pub mod key;
pub mod service;
pub mod shelf;
pub mod tally;
pub mod under_way;

use crate::ids::{Action, GrantId, ResourceName};
use crate::time::Window;

pub use asker::Asker;
pub use backoff::Backoff;
pub use decisions::Decisions;
pub use embedded::EmbeddedGrants;
pub use gathering::Gathering;
pub use key::DecisionKey;
pub use service::{Failure, GrantOutcome, GrantReply, Query, Question, Ruling, ServiceFault, Word};
pub use shelf::Shelf;
pub use tally::Tally;
pub use under_way::UnderWay;

/// One subject's permission for some actions on one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Its own name, for the records.
    pub id: Option<GrantId>,
    /// What it is for.
    pub resource: ResourceName,
    /// What may be done.
    pub actions: Actions,
    /// When it holds.
    pub window: Window,
}

/// The actions that a grant allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actions {
    /// Any action: the list was `"*"` alone.
    Any,
    /// These.
    Only(Vec<Action>),
}

impl Grant {
    /// Whether it is about this action on this resource, whatever the time.
    pub fn covers(&self, resource: &ResourceName, action: &Action) -> bool {
        self.allows(action) && self.resource == *resource
    }

    /// Whether it is about this action, on whatever resource.
    fn allows(&self, action: &Action) -> bool {
        match &self.actions {
            Actions::Any => true,
            Actions::Only(actions) => actions.contains(action),
        }
    }
}
