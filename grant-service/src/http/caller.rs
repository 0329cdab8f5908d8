//! Who calls, and from where, found out before anything else is read.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;

use super::problem::{Kind, Problem};
use crate::app::App;
use crate::identity::Caller;
use crate::life::{Origin, Person};

/// Whoever calls: a person or a program.
pub(super) struct Anyone(pub(super) Caller);

/// A person, and from where.
pub(super) struct Someone {
    pub(super) person: Person,
    pub(super) origin: Origin,
}

/// A program.
pub(super) struct Program;

impl FromRequestParts<App> for Anyone {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let caller = app.doorkeeper.who(&parts.headers, peer(parts)).await?;
        Ok(Self(caller))
    }
}

impl FromRequestParts<App> for Someone {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Anyone(caller) = Anyone::from_request_parts(parts, app).await?;
        match caller {
            Caller::Person(person) => Ok(Self {
                person,
                origin: app.doorkeeper.origin(&parts.headers, peer(parts)),
            }),
            Caller::Service(_) => Err(Problem::new(
                Kind::Forbidden,
                "this is for people, not for services",
            )),
        }
    }
}

impl FromRequestParts<App> for Program {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        match Anyone::from_request_parts(parts, app).await?.0 {
            Caller::Service(_) => Ok(Self),
            Caller::Person(_) => Err(Problem::new(
                Kind::Forbidden,
                "this is for services, not for people",
            )),
        }
    }
}

/// The address of the other end. Where it is not known, nobody trusted speaks from there.
fn peer(parts: &Parts) -> IpAddr {
    parts
        .extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip())
}
