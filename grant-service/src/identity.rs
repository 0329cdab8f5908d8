//! Who calls: a person, by a token of their own or by the identity headers of a proxy that is trusted; or a program, by a service token.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName};

use crate::clock::Clock;
use crate::config::{Config, Secret, Service, TrustedProxies};
use crate::life::{Actor, Person, PersonId};

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
    proxies: Option<TrustedProxies>,
    services: Vec<Service>,
}

impl Doorkeeper {
    /// One that goes by this configuration.
    pub fn new(config: &Config, _clock: Clock) -> Self {
        Self {
            proxies: config.proxies.clone(),
            services: config.services.clone(),
        }
    }

    /// Who sent a request with these headers from this address.
    ///
    /// # Errors
    /// When there is nothing to go by, or it does not hold.
    #[allow(clippy::unused_async, reason = "keys may have to be fetched")]
    pub async fn who(&self, headers: &HeaderMap, peer: IpAddr) -> Result<Caller, Stranger> {
        if let Some(bearer) = headers.get("authorization") {
            let bearer = bearer.to_str().unwrap_or_default();
            let token = bearer.strip_prefix("Bearer ").unwrap_or_default();
            let called = Service::new("", &Secret::new(token));
            let mut services = self.services.iter();
            let known = services.find(|service| service.token_sha256 == called.token_sha256);
            let refused = || Stranger::Refused("the token is not known".to_owned());
            return known
                .map(|service| Caller::Service(service.name.clone()))
                .ok_or_else(refused);
        }
        let proxies = self.proxies.as_ref();
        let Some(proxies) = proxies.filter(|proxies| proxies.include(peer)) else {
            return Err(Stranger::Unnamed);
        };
        let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let (Some(subject), Some(issuer)) = (
            text(&proxies.headers.subject),
            text(&proxies.headers.issuer),
        ) else {
            return Err(Stranger::Unnamed);
        };
        Ok(Caller::Person(Person {
            id: PersonId {
                issuer: issuer.to_owned(),
                subject: subject.to_owned(),
            },
            email: text(&proxies.headers.email).map(str::to_owned),
            groups: text(&proxies.headers.groups)
                .unwrap_or_default()
                .split(',')
                .map(|group| group.trim().to_owned())
                .filter(|group| !group.is_empty())
                .collect(),
        }))
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
