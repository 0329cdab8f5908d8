//! The life of a request and of the grant that comes of it.
//!
//! ```text
//!             approve (last one needed)
//!   pending ─────────────────────────────▶ approved ──▶ a grant:  active ──▶ expired   by itself
//!      │ approve (more are needed): pending                          └─────▶ revoked   by someone
//!      ├──▶ denied      by an approver, or since its subject, resource or everything was revoked
//!      ├──▶ withdrawn   by the one who asked
//!      └──▶ expired     by itself, undecided
//! ```
//!
//! Only [`Pending`] can be decided and only [`Active`] can end, and each of these steps consumes it: what has ended has no way on.

mod grant;
mod person;
mod policy;
mod refusal;
mod request;
mod target;

pub use grant::{Active, End, Ended, Grant, GrantId};
pub use person::{Actor, Origin, Person, PersonId};
pub use policy::{Policy, Rule, Shortcut, Who};
pub use refusal::{Refusal, TooMany};
pub use request::{
    Approval, Ask, Closed, Closing, Granted, Outcome, Pending, Request, RequestId, Term, check_why,
    open,
};
pub use target::{MAX_NAME_BYTES, Target, is_name};
