//! What a worker knows between requests: the configuration, the issuers' keys, remembered decisions.

mod grants;
mod keys;
mod revocations;

use std::sync::Arc;

use super::attempt::Attempt;
use super::bearers::{Bearers, Verified};
use crate::bearer::Bearer;
use crate::config::{Config, JwksSource};
use crate::grant::shelf::SharedPlaces;
use crate::grant::{Backoff, Decisions, EmbeddedGrants, Query, Shelf};
use crate::identity::Identity;
use crate::jwks::{KeyStore, Keys, Locator, Sought};
use crate::metrics::{Counter, Counts, Held};
use crate::request::{LastAuthority, RequestHead};
use crate::request_ids::RequestIds;
use crate::revocation::{Follower, Revoked};
use crate::time::UnixMillis;
use crate::token::extract::find;
use crate::token::signature::SignatureVerifier;
use crate::token::verify::check_without_key;
use crate::token::{
    Extracted, FoundToken, LastHeader, TokenFault, TokenParts, UntrustedToken, VerifiedClaims,
    verify,
};

pub use keys::{KeysReply, KeysRequest, Progress};
pub use revocations::FeedRequest;

/// A worker's knowledge. Each worker has its own; threads share nothing but what lies on the shelf.
pub struct Gate {
    config: Arc<Config>,
    stores: Vec<KeyStore>,
    /// For each provider how far it is to its keys, if they are fetched.
    locators: Vec<Option<Locator>>,
    bearers: Bearers,
    last_header: LastHeader,
    last_authority: LastAuthority,
    decisions: Decisions,
    shelf: Option<Shelf>,
    backoff: Backoff,
    /// The grant service has begun to be left alone, which was not asked for yet.
    outage_began: bool,
    refreshes: Vec<Query>,
    /// Where the grant service says what it takes back, if it does.
    follower: Option<Follower>,
    revoked: Revoked,
    told_revoked: Vec<String>,
    verifier: Box<dyn SignatureVerifier>,
    counted: Counts,
    notices: Vec<String>,
    request_ids: RequestIds,
}

/// What looking for an identity found.
#[derive(Debug)]
pub enum Authenticated {
    /// Someone.
    Known(Arc<Bearer>),
    /// No token that holds.
    Refused(TokenFault),
    /// A token whose issuer's keys are being fetched, by the provider's place in the configuration.
    KeysAwaited(usize),
    /// A token that the keys at hand do not verify, and others might that its issuer may have published since.
    NewKeyAwaited(usize),
    /// A token whose issuer's keys are not to be had.
    KeysUnavailable,
}

impl Gate {
    /// A worker that has just started: fixed keys are there, others are due.
    pub fn new(config: Arc<Config>, verifier: Box<dyn SignatureVerifier>) -> Self {
        let stores = config
            .providers
            .iter()
            .map(|provider| match &provider.jwks {
                JwksSource::Inline(keys) => KeyStore::fixed(keys.clone()),
                JwksSource::Remote(remote) => KeyStore::remote(remote.rules),
            })
            .collect();
        let locators = config
            .providers
            .iter()
            .map(|provider| Some(Locator::new(provider.jwks.remote()?.location.clone())))
            .collect();
        let (follower, revoked) = revocations::follow(&config);
        Self {
            bearers: Bearers::new(config.token_cache),
            last_header: LastHeader::default(),
            last_authority: LastAuthority::default(),
            decisions: grants::decisions(config.grants.service.as_ref()),
            shelf: None,
            backoff: Backoff::default(),
            outage_began: false,
            refreshes: Vec::new(),
            follower,
            revoked,
            told_revoked: Vec::new(),
            counted: Counts::default(),
            notices: Vec::new(),
            request_ids: RequestIds::of_worker(&[&config.hash]),
            config,
            stores,
            locators,
            verifier,
        }
    }

    /// The configuration.
    pub fn config(&self) -> Arc<Config> {
        self.config.clone()
    }

    pub(super) fn last_authority(&mut self) -> &mut LastAuthority {
        &mut self.last_authority
    }

    /// Gives names of this worker's own, where it must tell its requests and calls from those of others.
    #[must_use]
    pub fn giving(mut self, request_ids: RequestIds) -> Self {
        self.request_ids = request_ids;
        self
    }

    /// A name for what has none.
    pub fn new_request_id(&mut self) -> String {
        self.request_ids.give()
    }

    /// Notes that something happened.
    pub fn count(&mut self, counter: Counter) {
        self.count_many(counter, 1);
    }

    /// Notes that something happened so many times.
    pub fn count_many(&mut self, counter: Counter, count: u32) {
        self.counted.add(counter, count);
    }

    /// What happened since this was last asked, and how often, for the proxy's stats.
    pub fn take_counted(&mut self) -> impl Iterator<Item = (Counter, u32)> + use<> {
        self.counted.take()
    }

    /// How much is remembered.
    pub fn held(&self) -> Held {
        Held {
            tokens: self.bearers.len(),
            decisions: self.decisions.len(),
            revocations: self.revoked.len(),
        }
    }

    /// Shares decisions with the other workers of the proxy in these places, if the configuration wants it.
    #[must_use]
    pub fn sharing(mut self, places: Box<dyn SharedPlaces>) -> Self {
        let service = self.config.grants.service.as_ref();
        let wanted = service.is_some_and(|service| service.shared && service.max_entries > 0);
        self.shelf = wanted.then(|| Shelf::new(places, &self.config.hash));
        self
    }

    /// What an operator should know of what happened since this was last asked.
    pub fn take_notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
    }

    /// Finds out who sent the request.
    pub fn authenticate(
        &mut self,
        head: &RequestHead,
        attempt: &mut Attempt,
        now: UnixMillis,
    ) -> Authenticated {
        let config = self.config();
        let found = match find(&head.headers, &config.token_sources) {
            Extracted::Missing => return Authenticated::Refused(TokenFault::Missing),
            Extracted::Ambiguous => return Authenticated::Refused(TokenFault::Ambiguous),
            Extracted::One(found) if found.text.len() > config.max_token_bytes => {
                return Authenticated::Refused(TokenFault::Malformed);
            }
            Extracted::One(found) => found,
        };
        if let Some(known) = attempt.verified()
            && self.still_counts(known, &found, now)
        {
            return Authenticated::Known(known.bearer.clone());
        }
        if let Some(known) = self.bearers.get(found.text, now)
            && self.still_counts(&known, &found, now)
        {
            self.count(Counter::TokenHit);
            return Authenticated::Known(known.bearer);
        }
        self.verify(&config, &found, attempt, now)
    }

    /// Finds out whose a token is that is not known. Apart from [`Gate::authenticate`], whose code nearly every request runs through.
    #[inline(never)]
    fn verify(
        &mut self,
        config: &Config,
        found: &FoundToken<'_>,
        attempt: &mut Attempt,
        now: UnixMillis,
    ) -> Authenticated {
        if found.is_joined() {
            return Authenticated::Refused(TokenFault::Ambiguous);
        }
        let parts = match TokenParts::decode_with(found.text, &mut self.last_header) {
            Ok(parts) => parts,
            Err(fault) => return Authenticated::Refused(fault),
        };
        let token = match UntrustedToken::read(&parts) {
            Ok(token) => token,
            Err(fault) => return Authenticated::Refused(fault),
        };
        let provider = config
            .providers
            .iter()
            .enumerate()
            .find(|(_, provider)| token.issuer() == Some(provider.rules.issuer.as_str()));
        let Some((index, provider)) = provider else {
            return Authenticated::Refused(TokenFault::IssuerUnknown);
        };
        if !found.is_in_one_of(&provider.token_sources) {
            return Authenticated::Refused(TokenFault::Missing);
        }
        let Some(store) = self.stores.get_mut(index) else {
            return Authenticated::KeysUnavailable;
        };
        let keys = match store.keys(now) {
            Keys::Ready(keys) => keys,
            Keys::Awaited => {
                return match check_without_key(&token, &provider.rules, now) {
                    Ok(()) => Authenticated::KeysAwaited(index),
                    Err(fault) => Authenticated::Refused(fault),
                };
            }
            Keys::Unavailable => return Authenticated::KeysUnavailable,
        };
        let verified = match attempt.fault_under(&keys) {
            Some(fault) => Err(fault),
            None => verify(&token, &provider.rules, &keys, self.verifier.as_ref(), now),
        };
        if let Err(fault) = verified
            && fault.may_be_for_want_of_a_key()
            && check_without_key(&token, &provider.rules, now).is_ok()
        {
            match store.seek(attempt.came(), now) {
                Sought::Awaited => {
                    attempt.failed_under(keys, fault);
                    return Authenticated::NewKeyAwaited(index);
                }
                Sought::Unavailable => return Authenticated::KeysUnavailable,
                Sought::Absent => {}
            }
        }
        self.count(Counter::TokenMiss);
        let claims = match verified {
            Ok(claims) => claims,
            Err(fault) => return Authenticated::Refused(fault),
        };
        match Identity::from_claims(&claims, &provider.mapping) {
            Ok(identity) => {
                let bearer = Arc::new(self.bearer(identity, &claims));
                let verified = Verified {
                    bearer: bearer.clone(),
                    provider: index,
                    keys,
                };
                attempt.succeeded(verified.clone());
                self.bearers.put(found.text, verified, now);
                Authenticated::Known(bearer)
            }
            Err(fault) => Authenticated::Refused(fault),
        }
    }

    /// Whether everything that made a token count which was verified before still holds.
    fn still_counts(&self, known: &Verified, found: &FoundToken<'_>, now: UnixMillis) -> bool {
        let provider = self.config.providers.get(known.provider);
        let store = self.stores.get(known.provider);
        let (Some(provider), Some(store)) = (provider, store) else {
            return false;
        };
        let is_current = match store.keys(now) {
            Keys::Ready(keys) => Arc::ptr_eq(&known.keys, &keys),
            Keys::Awaited | Keys::Unavailable => false,
        };
        is_current
            && known.bearer.identity.window().is_open(now)
            && found.is_in_one_of(&provider.token_sources)
    }

    fn bearer(&mut self, identity: Identity, claims: &VerifiedClaims<'_>) -> Bearer {
        let mut grants = EmbeddedGrants::from_claim(claims.get(&self.config.grants.claim));
        if let Some(skipped) = grants.skipped.take() {
            self.notices.push(format!(
                "{} of the grants in the token of {:?} are malformed and grant nothing; the first is {}",
                skipped.count,
                identity.subject(),
                skipped.first,
            ));
        }
        let claims = self.config.policy.claim_tests().judge(claims);
        Bearer {
            identity,
            grants,
            claims,
        }
    }
}
