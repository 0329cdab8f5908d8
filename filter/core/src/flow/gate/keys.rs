//! How a worker comes by its issuers' keys: what it asks for, and what it makes of the answers.
//!
//! What an issuer publishes decides about everyone's tokens, so every answer that is not sound is told to the operator with its cause and
//! origin, and changes nothing. The answers are strangers' text: what is repeated of them fits on one line.

use std::time::Duration;

use super::Gate;
use crate::cache_control::CacheControl;
use crate::config::RemoteJwks;
use crate::jwks::{Address, KeySet, Keys, ParsedSet, Stage};
use crate::line::one_line;
use crate::metrics::Counter;
use crate::time::UnixMillis;

/// One question on the way to a provider's keys.
#[derive(Debug, Clone, Copy)]
pub struct KeysRequest<'a> {
    /// The host's cluster.
    pub cluster: &'a str,
    /// What to ask it for.
    pub address: &'a Address,
    /// How long to wait for the answer to this question; a fetch may take two.
    pub timeout: Duration,
}

/// The answer to such a question.
#[derive(Debug, Clone, Copy)]
pub struct KeysReply<'a> {
    /// The HTTP status.
    pub status: u16,
    /// `cache-control`.
    pub cache_control: Option<&'a [u8]>,
    /// The body.
    pub body: &'a [u8],
}

/// How far a fetch has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It has ended, well or not.
    Ended,
    /// The answer says what to ask for next: see [`Gate::keys_request`].
    HalfWay,
}

enum Learned {
    Address(Address),
    Keys(ParsedSet),
}

impl Gate {
    /// Providers whose keys should be fetched now, by place in the configuration.
    pub fn due_keys(&self, now: UnixMillis) -> Vec<usize> {
        let due = self.stores.iter().enumerate();
        due.filter(|(_, store)| store.is_due(now))
            .map(|(index, _)| index)
            .collect()
    }

    /// What to ask for, for a provider's keys. `None` if they are part of the configuration.
    pub fn keys_request(&self, provider: usize) -> Option<KeysRequest<'_>> {
        let remote = self.remote(provider)?;
        Some(KeysRequest {
            cluster: &remote.cluster,
            address: self.stage(provider)?.address(),
            timeout: remote.timeout,
        })
    }

    /// A provider's keys are being fetched.
    pub fn fetch_started(&mut self, provider: usize, now: UnixMillis) {
        if let Some(store) = self.stores.get_mut(provider) {
            store.fetch_started(now);
        }
    }

    /// Takes the reply to what was last asked of a provider's server. If it is not what it should be, the last good keys stay.
    pub fn on_keys_reply(
        &mut self,
        provider: usize,
        reply: KeysReply<'_>,
        now: UnixMillis,
    ) -> Progress {
        match self.learn(provider, reply) {
            Ok(Learned::Address(address)) => {
                if let Some(Some(locator)) = self.locators.get_mut(provider) {
                    locator.found(address);
                }
                Progress::HalfWay
            }
            Ok(Learned::Keys(parsed)) => {
                let max_age = reply
                    .cache_control
                    .and_then(|value| CacheControl::parse(value).max_age);
                self.take_keys(provider, parsed, max_age, now);
                self.start_over(provider);
                Progress::Ended
            }
            Err(fault) => {
                self.fetch_failed(provider, &format!("status {}: {fault}", reply.status), now);
                Progress::Ended
            }
        }
    }

    /// A provider's keys were not to be had, and `why`; the last good ones stay.
    pub fn fetch_failed(&mut self, provider: usize, why: &str, now: UnixMillis) {
        self.count(Counter::JwksError);
        let origin = self.origin(provider);
        self.notices.push(format!(
            "the keys of {origin} could not be fetched: {}",
            one_line(why)
        ));
        self.start_over(provider);
        if let Some(store) = self.stores.get_mut(provider) {
            store.fetch_failed(now);
        }
    }

    fn learn(&self, provider: usize, reply: KeysReply<'_>) -> Result<Learned, String> {
        let stage = self.stage(provider).ok_or("nothing was asked for")?;
        if reply.status != 200 {
            return Err("expected status 200".to_owned());
        }
        match stage {
            Stage::Document(discovery) => discovery.read(reply.body).map(Learned::Address),
            Stage::Keys(_) => KeySet::parse(reply.body).map(Learned::Keys),
        }
    }

    fn take_keys(
        &mut self,
        provider: usize,
        parsed: ParsedSet,
        max_age: Option<Duration>,
        now: UnixMillis,
    ) {
        self.count(Counter::JwksOk);
        let Some(store) = self.stores.get_mut(provider) else {
            return;
        };
        let faults: Vec<String> = parsed
            .skipped
            .iter()
            .map(|(index, fault)| format!("key {index} cannot be used and is skipped: {fault}"))
            .collect();
        let is_news = store.fetched(parsed, max_age, now);
        if let Keys::Ready(current) = store.keys(now) {
            self.bearers.keep_only(provider, &current);
        }
        // A bad key is told once, not with each refresh.
        if is_news {
            let origin = self.origin(provider);
            let notices = faults
                .iter()
                .map(|fault| format!("of the keys of {origin}, {}", one_line(fault)));
            self.notices.extend(notices);
        }
    }

    /// A fetch has ended; the next one begins where the way to the keys does.
    fn start_over(&mut self, provider: usize) {
        if let Some(Some(locator)) = self.locators.get_mut(provider) {
            locator.start_over();
        }
    }

    fn remote(&self, provider: usize) -> Option<&RemoteJwks> {
        self.config.providers.get(provider)?.jwks.remote()
    }

    fn stage(&self, provider: usize) -> Option<Stage<'_>> {
        let locator = self.locators.get(provider)?.as_ref()?;
        Some(locator.stage())
    }

    /// Whose keys, and where they are asked for, in words.
    fn origin(&self, provider: usize) -> String {
        let name = self.config.providers.get(provider).map(|p| p.name.as_str());
        let request = self.keys_request(provider);
        format!(
            "provider `{}` (cluster `{}`, path `{}`)",
            name.unwrap_or_default(),
            request.map_or("", |request| request.cluster),
            request.map_or("", |request| &request.address.path),
        )
    }
}
