//! What the grant service has taken back before its end, and what that means for permission that was given before.
//!
//! A [`Follower`] keeps up with the service's feed by asking again and again, a [`Feed`] is one reply of it, and [`Revoked`] is what every
//! decision looks into. Whatever cannot be read, or does not fit, counts against permission, never for it: a list that is not known says
//! nothing about who is not on it.
//!
//! Two clocks are kept apart. `not_before` is the service's, and is compared with what other servers wrote: a token's `iat`. Answers of the
//! service are compared with the moment at which a revocation *arrived* here, by the proxy's own clock alone: one that was asked for later
//! knows of it.

mod entries;
mod feed;
mod follower;
mod revoked;

pub use entries::MAX_ENTRIES;
pub use feed::{Feed, MAX_FEED_BYTES, Revocation, TakenBack};
pub use follower::{Change, FeedReply, FollowRules, Follower, Told};
pub use revoked::{Revoked, Standing};
