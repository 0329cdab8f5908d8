//! What is counted. The names are bounded by construction: nothing from a request is part of one.

use crate::denial::Reason;

/// Declares every counter once that is not about a reason: what it is called here and in the proxy's stats, and what it counts.
macro_rules! counters {
    ($($name:ident = $word:literal, $counts:literal;)*) => {
        /// A counter of the proxy's stats.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Counter {
            /// A request was decided for this reason.
            Decision(Reason),
            /// A request would have been refused for this reason, and passed in monitor mode.
            Monitored(Reason),
            $(#[doc = $counts] $name,)*
        }

        /// Where a counter stands among those that are not about a reason.
        enum Place {
            $($name,)*
        }

        impl Counter {
            const OTHERS: &'static [Self] = &[$(Self::$name),*];

            /// Its place in [`Counter::all`].
            pub const fn index(self) -> usize {
                let decisions = Reason::ALL.len();
                match self {
                    Self::Decision(reason) => reason as usize,
                    // Refusals stand before allows.
                    Self::Monitored(reason) => decisions
                        .saturating_add(Self::OTHERS.len())
                        .saturating_add(reason as usize),
                    $(Self::$name => decisions.saturating_add(Place::$name as usize),)*
                }
            }

            /// The name in the proxy's stats.
            pub fn name(self) -> String {
                match self {
                    Self::Decision(reason) => {
                        let decision = if reason.allows() { "allow" } else { "deny" };
                        format!("hallpass.decisions.{decision}.{}", reason.as_str())
                    }
                    Self::Monitored(reason) => format!("hallpass.monitored.{}", reason.as_str()),
                    $(Self::$name => concat!("hallpass.", $word).to_owned(),)*
                }
            }
        }
    };
}

counters! {
    TokenHit = "tokens.hit", "A token was recognized that was verified before.";
    TokenMiss = "tokens.miss", "A token had to be verified.";
    GrantHit = "grants.hit", "A remembered decision of the grant service answered.";
    GrantMiss = "grants.miss", "The grant service had to be asked.";
    GrantShared = "grants.shared", "Another worker had asked the grant service, and its answer was taken.";
    GrantStale = "grants.stale", "The grant service failed, and its word of before stood in for it.";
    GrantGathered = "grants.gathered", "A question left for the grant service together with others.";
    GrantApart = "grants.apart", "A question that had left together with others was put by itself, since the reply answered not each of them.";
    GrantUnasked = "grants.unasked", "A question was not put in time, since as many calls were under way as there may be.";
    GrantCoalesced = "grants.coalesced", "A request joined a question to the grant service that was under way.";
    CalloutOk = "callouts.ok", "A call came back with status 200.";
    CalloutError = "callouts.error", "A call came back with anything else.";
    CalloutTimeout = "callouts.timeout", "A call did not come back in time.";
    CalloutRefused = "callouts.refused", "The host would not make the call.";
    JwksOk = "jwks.ok", "Keys were fetched.";
    JwksError = "jwks.error", "Keys were not to be had.";
    RevocationsOk = "revocations.ok", "The revocation feed was read.";
    RevocationsError = "revocations.error", "The revocation feed could not be read.";
    AuditExported = "audit.exported", "Records that a collector took.";
    AuditDropped = "audit.dropped", "Records that were to be exported and are lost.";
    AuditRetried = "audit.retried", "Records that were sent to the collector again.";
}

impl Counter {
    /// Every counter.
    pub fn all() -> impl Iterator<Item = Self> {
        let decisions = Reason::ALL.iter().copied().map(Self::Decision);
        let refusals = Reason::ALL.iter().filter(|reason| !reason.allows());
        let monitored = refusals.copied().map(Self::Monitored);
        decisions
            .chain(Self::OTHERS.iter().copied())
            .chain(monitored)
    }
}

/// How many entries a worker holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Held {
    /// Verified tokens.
    pub tokens: usize,
    /// Decisions of the grant service.
    pub decisions: usize,
    /// Revocations.
    pub revocations: usize,
}

/// How often each counter was counted since that was last told to the proxy.
///
/// To count is all that a request does: to tell costs a call of the host.
#[derive(Debug)]
pub struct Counts([u32; Self::SIZE]);

impl Counts {
    /// At least one for each of [`Counter::all`]: allows have no [`Counter::Monitored`].
    const SIZE: usize = Reason::ALL.len() * 2 + Counter::OTHERS.len();

    /// Counts so many.
    pub fn add(&mut self, counter: Counter, count: u32) {
        if let Some(so_far) = self.0.get_mut(counter.index()) {
            *so_far = so_far.saturating_add(count);
        }
    }

    /// What was counted; from here on it is counted anew.
    pub fn take(&mut self) -> impl Iterator<Item = (Counter, u32)> + use<> {
        let Self(counts) = std::mem::take(self);
        Counter::all().zip(counts).filter(|(_, count)| *count > 0)
    }
}

impl Default for Counts {
    fn default() -> Self {
        Self([0; Self::SIZE])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn every_counter_knows_its_place() {
        for (place, counter) in Counter::all().enumerate() {
            assert_eq!(counter.index(), place, "{counter:?}");
        }
    }

    #[test]
    fn what_was_counted_is_told_once() {
        let mut counts = Counts::default();
        for counter in Counter::all() {
            counts.add(counter, 1);
        }
        counts.add(Counter::AuditDropped, 4);
        let told: Vec<_> = counts.take().collect();
        let expected = Counter::all().map(|counter| match counter {
            Counter::AuditDropped => (counter, 5),
            other => (other, 1),
        });
        assert!(told.into_iter().eq(expected));
        assert_eq!(counts.take().next(), None);
    }
}
