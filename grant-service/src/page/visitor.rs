//! Who looks at a page. Whoever has not signed in gets a page that says how.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::Method;
use axum::http::request::Parts;

use super::trouble::Trouble;
use crate::app::App;
use crate::identity::{Caller, Stranger};
use crate::life::{Origin, Person};

/// Someone who has signed in, and from where they look.
#[derive(Debug)]
pub(super) struct Visitor {
    pub(super) person: Person,
    pub(super) origin: Origin,
}

/// What of the service is for this visitor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rooms {
    pub(super) approvals: bool,
    pub(super) everyone: bool,
    pub(super) record: bool,
}

impl Visitor {
    pub(super) fn rooms(&self, app: &App) -> Rooms {
        let rules = &app.desk.policy().rules;
        Rooms {
            approvals: rules
                .iter()
                .any(|rule| rule.approvers.includes(&self.person)),
            everyone: app.desk.is_administrator(&self.person),
            record: app.desk.is_auditor(&self.person),
        }
    }
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Trouble> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map(|ConnectInfo(address)| address.ip());
        let caller = match peer {
            Some(peer) => app.doorkeeper.who(&parts.headers, peer).await,
            None => Err(Stranger::Unnamed),
        };
        let person = match caller {
            Ok(Caller::Person(person)) => person,
            Ok(Caller::Service(_)) => return Err(Trouble::NoPerson),
            Err(Stranger::Unknowable) => return Err(Trouble::Unknowable),
            Err(Stranger::Unnamed | Stranger::Refused(_)) => return Err(sign_in(parts, app)),
        };
        Ok(Self {
            person,
            origin: match peer {
                Some(peer) => app.doorkeeper.origin(&parts.headers, peer),
                None => Origin::default(),
            },
        })
    }
}

/// The way to the identity provider and back to this page; what a form held is not kept on that way.
fn sign_in(parts: &Parts, app: &App) -> Trouble {
    let path = match (&parts.method, parts.uri.path_and_query()) {
        (&Method::GET, Some(path)) => path.as_str(),
        _ => "/",
    };
    let page = app
        .public_url
        .join(path)
        .unwrap_or_else(|_| app.public_url.clone());
    let page = super::words::encoded(page.as_str());
    let url = app.sign_in_url.as_ref();
    Trouble::NotSignedIn(url.map(|url| url.replace("{return_to}", &page)))
}
