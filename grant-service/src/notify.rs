//! Telling others what happens: a webhook for each entry of the record that a receiver wants to hear of.
//!
//! What is to be told is kept with the entry, in the same transaction, so that nothing that happened goes untold and nothing that did not is
//! told. [`Courier`] works it off: at least once, each receiver on its own, tried again for a day. Whoever receives it knows by the signature
//! of Standard Webhooks who sent it, and by `webhook-id` whether it came before: the place in the record alone would be another entry's too, once
//! a backup was put back.

mod courier;
mod message;
mod post;
mod schedule;
mod secret;

use std::fmt;

use url::Url;

use crate::audit::Event;
use crate::desk::Hook;

pub use courier::Courier;
pub use secret::{Secret, WeakSecret};

/// Someone who is told what happens.
#[derive(Clone)]
pub struct Receiver {
    /// Its name in the configuration.
    pub name: String,
    /// Where to post to. For many chat tools it is a secret itself.
    pub url: Url,
    /// What messages are signed with.
    pub secret: Secret,
    /// What it is told; empty stands for everything.
    pub events: Vec<Event>,
}

impl Receiver {
    /// What the [`Desk`](crate::desk::Desk) needs to know of it.
    pub fn hook(&self) -> Hook {
        Hook {
            name: self.name.clone(),
            events: self.events.clone(),
        }
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("name", &self.name)
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}
