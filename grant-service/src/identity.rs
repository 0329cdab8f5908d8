//! Who calls: a person, by a token of their own or by the identity headers of a proxy that is trusted; or a program, by a service token.

use std::net::IpAddr;

use axum::http::HeaderMap;

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

/// The names of the headers that a trusted proxy sets for who has signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityHeaders {
    /// The subject's.
    pub subject: String,
    /// The issuer's.
    pub issuer: String,
    /// The e-mail address's.
    pub email: String,
    /// The groups', separated by commas.
    pub groups: String,
}

impl Default for IdentityHeaders {
    fn default() -> Self {
        Self {
            subject: "x-hallpass-subject".to_owned(),
            issuer: "x-hallpass-issuer".to_owned(),
            email: "x-hallpass-email".to_owned(),
            groups: "x-hallpass-groups".to_owned(),
        }
    }
}

/// Finds out who calls.
#[derive(Debug, Default)]
pub struct Doorkeeper {
    /// Addresses whose identity headers are believed, since a proxy that sets them speaks from there.
    pub trusted_proxies: Vec<IpAddr>,
    /// The names of those headers.
    pub headers: IdentityHeaders,
}

impl Doorkeeper {
    /// Who sent a request with these headers from this address.
    ///
    /// # Errors
    /// When there is nothing to go by, or it does not hold.
    #[allow(clippy::unused_async, reason = "keys may have to be fetched")]
    pub async fn who(&self, headers: &HeaderMap, peer: IpAddr) -> Result<Caller, Stranger> {
        if !self.trusted_proxies.contains(&peer) {
            return Err(Stranger::Unnamed);
        }
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let (Some(subject), Some(issuer)) =
            (text(&self.headers.subject), text(&self.headers.issuer))
        else {
            return Err(Stranger::Unnamed);
        };
        Ok(Caller::Person(Person {
            id: PersonId {
                issuer: issuer.to_owned(),
                subject: subject.to_owned(),
            },
            email: text(&self.headers.email).map(str::to_owned),
            groups: text(&self.headers.groups)
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
