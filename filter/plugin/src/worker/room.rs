//! The requests that a worker holds, and how many of them are whose.

use std::collections::HashMap;

use hallpass_core::flow::Exchange;
use hallpass_core::grant::{Asker, Tally};

use super::Outcome;
use super::held::Answer;
use crate::callouts::Purpose;

/// A request that is held.
pub(super) enum HeldRequest {
    /// What it waits for is not there.
    Waiting(Waiting),
    /// It is, and the request is to be judged anew.
    Ready {
        exchange: Box<Exchange>,
        answer: Answer,
        asker: Option<Asker>,
    },
    /// It was judged under a configuration that is gone, and is to be told.
    Settled(Outcome),
}

/// A request that waits.
pub(super) struct Waiting {
    pub(super) exchange: Box<Exchange>,
    pub(super) purpose: Purpose,
    /// Who is known to wait.
    pub(super) asker: Option<Asker>,
}

/// The requests that are held, and how many of them are whose, as far as that is known.
#[derive(Default)]
pub(super) struct HeldRequests {
    requests: HashMap<u32, HeldRequest>,
    whose: Tally,
}

impl HeldRequests {
    pub(super) fn len(&self) -> usize {
        self.requests.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    pub(super) fn contains(&self, id: u32) -> bool {
        self.requests.contains_key(&id)
    }

    /// How many are of `asker`.
    pub(super) fn of(&self, asker: Asker) -> usize {
        self.whose.of(asker)
    }

    pub(super) fn insert(&mut self, id: u32, request: HeldRequest) {
        // The host gives no number twice, so there is none of before, but nothing may be counted that is not there.
        self.remove(id);
        if let Some(asker) = request.asker() {
            self.whose.add(asker);
        }
        self.requests.insert(id, request);
    }

    pub(super) fn remove(&mut self, id: u32) -> Option<HeldRequest> {
        let request = self.requests.remove(&id)?;
        if let Some(asker) = request.asker() {
            self.whose.take(asker);
        }
        Some(request)
    }
}

impl HeldRequest {
    fn asker(&self) -> Option<Asker> {
        match self {
            Self::Waiting(waiting) => waiting.asker,
            Self::Ready { asker, .. } => *asker,
            Self::Settled(_) => None,
        }
    }
}
