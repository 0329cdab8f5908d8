//! Who calls: a person, by a token of their own or by the identity headers of a proxy that is trusted; or a program, by a service token.
//!
//! A token and the word of a proxy in one request must both hold and name the same person. Otherwise it would be a guess which of them
//! whoever sent the request may use.

mod keeper;
mod keys;
mod people;
mod proxies;
mod services;

use std::net::IpAddr;
use std::sync::Arc;

use anyhow::Result;
use axum::http::HeaderMap;
use hallpass_core::headers::HeaderList;
use hallpass_core::request::RequestHead;

use crate::clock::Clock;
use crate::config::{Config, Service, TrustedProxies};
use crate::life::{Actor, Origin, Person};
use people::People;

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// Someone who signed in.
    Person(Person),
    /// A program with a service token of this name, a proxy's for example.
    Service(String),
}

/// Why it is not known who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stranger {
    /// There is no credential.
    Unnamed,
    /// The credential does not hold. The text is for the caller.
    Refused(String),
    /// It cannot be told now, since keys are not to be had.
    Unknowable,
}

/// Finds out who calls.
#[derive(Debug)]
pub struct Doorkeeper {
    people: Option<Arc<People>>,
    proxies: Option<TrustedProxies>,
    services: Vec<Service>,
}

impl Doorkeeper {
    /// One that goes by this configuration.
    ///
    /// # Errors
    /// When the machine does not give what it takes.
    pub fn new(config: &Config, clock: Clock) -> Result<Self> {
        let providers = config.providers.clone();
        let people = providers.map(|providers| People::new(providers, clock));
        Ok(Self {
            people: people.transpose()?,
            proxies: config.proxies.clone(),
            services: config.services.clone(),
        })
    }

    /// Who sent a request with these headers from this address.
    ///
    /// # Errors
    /// When there is nothing to go by, or it does not hold.
    pub async fn who(&self, headers: &HeaderMap, peer: IpAddr) -> Result<Caller, Stranger> {
        let told = match self.trusted(peer) {
            Some(proxies) => proxies::person(proxies, headers)?,
            None => None,
        };
        match (told, self.by_token(headers).await?) {
            (None, None) => Err(Stranger::Unnamed),
            (Some(person), None) => Ok(Caller::Person(person)),
            (None, Some(caller)) => Ok(caller),
            // The token is nearer to the person than what a proxy repeats of it.
            (Some(told), Some(Caller::Person(person))) if told.id == person.id => {
                Ok(Caller::Person(person))
            }
            (Some(_), Some(_)) => Err(Stranger::Refused(
                "The token is not of the person whom the proxy names. Send one of the two."
                    .to_owned(),
            )),
        }
    }

    /// Whether a request with these headers bears the token of a service, which is found out without waiting for anything.
    pub fn knows_service(&self, headers: &HeaderMap) -> bool {
        services::find(&self.services, &head(headers).headers).is_some()
    }

    /// From where a request with these headers and this peer came, for the record.
    pub fn origin(&self, headers: &HeaderMap, peer: IpAddr) -> Origin {
        Origin {
            source_ip: match self.trusted(peer) {
                Some(proxies) => proxies::source(proxies, headers, peer),
                None => Some(peer.to_canonical()),
            },
            request_id: head(headers).request_id().map(str::to_owned),
        }
    }

    /// Keeps the keys of issuers fresh, for as long as it is let run.
    pub async fn refresh(&self) {
        match &self.people {
            Some(people) => people.refresh().await,
            None => std::future::pending().await,
        }
    }

    fn trusted(&self, peer: IpAddr) -> Option<&TrustedProxies> {
        self.proxies
            .as_ref()
            .filter(|proxies| proxies.include(peer))
    }

    /// Whose token it is, if there is one.
    async fn by_token(&self, headers: &HeaderMap) -> Result<Option<Caller>, Stranger> {
        let head = head(headers);
        if let Some(service) = services::find(&self.services, &head.headers) {
            return Ok(Some(Caller::Service(service.name.clone())));
        }
        match &self.people {
            Some(people) => Ok(people.find(head).await?.map(Caller::Person)),
            None if services::has_token(&head.headers) => {
                Err(Stranger::Refused("The token is not known here.".to_owned()))
            }
            None => Ok(None),
        }
    }
}

/// The request as the filter's code reads it.
fn head(headers: &HeaderMap) -> RequestHead {
    let mut list = HeaderList::default();
    for (name, value) in headers {
        list.push(name.as_str().as_bytes(), value.as_bytes());
    }
    RequestHead {
        headers: list,
        ..RequestHead::default()
    }
}

impl Caller {
    /// As the record names them.
    pub fn actor(&self) -> Actor {
        match self {
            Self::Person(person) => Actor::Person(person.id.clone()),
            Self::Service(name) => Actor::Service(name.clone()),
        }
    }
}

#[cfg(test)]
mod tests;
