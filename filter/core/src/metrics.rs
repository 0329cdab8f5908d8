//! What is counted. The names are bounded by construction: nothing from a request is part of one.

use crate::denial::Reason;

/// A counter of the proxy's stats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Counter {
    /// A request was decided for this reason.
    Decision(Reason),
    /// A request would have been refused for this reason, and passed in monitor mode.
    Monitored(Reason),
    /// A token was recognized that was verified before.
    TokenHit,
    /// A token had to be verified.
    TokenMiss,
    /// A remembered decision of the grant service answered.
    GrantHit,
    /// The grant service had to be asked.
    GrantMiss,
    /// Another worker had asked the grant service, and its answer was taken.
    GrantShared,
    /// The grant service failed, and its word of before stood in for it.
    GrantStale,
    /// A request joined a question to the grant service that was under way.
    GrantCoalesced,
    /// A call came back with status 200.
    CalloutOk,
    /// A call came back with anything else.
    CalloutError,
    /// A call did not come back in time.
    CalloutTimeout,
    /// The host would not make the call.
    CalloutRefused,
    /// Keys were fetched.
    JwksOk,
    /// Keys were not to be had.
    JwksError,
    /// The revocation feed was read.
    RevocationsOk,
    /// The revocation feed could not be read.
    RevocationsError,
    /// Records that a collector took.
    AuditExported,
    /// Records that were to be exported and are lost.
    AuditDropped,
    /// Records that were sent to the collector again.
    AuditRetried,
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

impl Counter {
    /// In the order of [`Counter::place_among_others`].
    const OTHERS: [Self; 18] = [
        Self::TokenHit,
        Self::TokenMiss,
        Self::GrantHit,
        Self::GrantMiss,
        Self::GrantShared,
        Self::GrantStale,
        Self::GrantCoalesced,
        Self::CalloutOk,
        Self::CalloutError,
        Self::CalloutTimeout,
        Self::CalloutRefused,
        Self::JwksOk,
        Self::JwksError,
        Self::RevocationsOk,
        Self::RevocationsError,
        Self::AuditExported,
        Self::AuditDropped,
        Self::AuditRetried,
    ];

    /// Every counter.
    pub fn all() -> impl Iterator<Item = Self> {
        let decisions = Reason::ALL.iter().copied().map(Self::Decision);
        let refusals = Reason::ALL.iter().filter(|reason| !reason.allows());
        let monitored = refusals.copied().map(Self::Monitored);
        decisions.chain(Self::OTHERS).chain(monitored)
    }

    /// Its place in [`Counter::all`].
    pub const fn index(self) -> usize {
        let decisions = Reason::ALL.len();
        match self {
            Self::Decision(reason) => reason as usize,
            // Refusals stand before allows.
            Self::Monitored(reason) => decisions
                .saturating_add(Self::OTHERS.len())
                .saturating_add(reason as usize),
            other => decisions.saturating_add(other.place_among_others()),
        }
    }

    const fn place_among_others(self) -> usize {
        match self {
            Self::Decision(_) | Self::Monitored(_) | Self::TokenHit => 0,
            Self::TokenMiss => 1,
            Self::GrantHit => 2,
            Self::GrantMiss => 3,
            Self::GrantShared => 4,
            Self::GrantStale => 5,
            Self::GrantCoalesced => 6,
            Self::CalloutOk => 7,
            Self::CalloutError => 8,
            Self::CalloutTimeout => 9,
            Self::CalloutRefused => 10,
            Self::JwksOk => 11,
            Self::JwksError => 12,
            Self::RevocationsOk => 13,
            Self::RevocationsError => 14,
            Self::AuditExported => 15,
            Self::AuditDropped => 16,
            Self::AuditRetried => 17,
        }
    }

    /// The name in the proxy's stats.
    pub fn name(self) -> String {
        let name = match self {
            Self::Decision(reason) => {
                let decision = if reason.allows() { "allow" } else { "deny" };
                return format!("hallpass.decisions.{decision}.{}", reason.as_str());
            }
            Self::Monitored(reason) => return format!("hallpass.monitored.{}", reason.as_str()),
            Self::TokenHit => "tokens.hit",
            Self::TokenMiss => "tokens.miss",
            Self::GrantHit => "grants.hit",
            Self::GrantMiss => "grants.miss",
            Self::GrantShared => "grants.shared",
            Self::GrantStale => "grants.stale",
            Self::GrantCoalesced => "grants.coalesced",
            Self::CalloutOk => "callouts.ok",
            Self::CalloutError => "callouts.error",
            Self::CalloutTimeout => "callouts.timeout",
            Self::CalloutRefused => "callouts.refused",
            Self::JwksOk => "jwks.ok",
            Self::JwksError => "jwks.error",
            Self::RevocationsOk => "revocations.ok",
            Self::RevocationsError => "revocations.error",
            Self::AuditExported => "audit.exported",
            Self::AuditDropped => "audit.dropped",
            Self::AuditRetried => "audit.retried",
        };
        format!("hallpass.{name}")
    }
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
