//! The service's configuration, checked once and in a form that needs no further reading. It is read as the filter's is: all faults at
//! once, each with its place, what stands there and what was expected.

mod identity;
mod policy;
mod providers;
mod secret;
mod shape;
mod warning;
mod webhooks;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hallpass_core::config::Config as Verification;
use hallpass_core::config::fault::Place;
pub use hallpass_core::config::fault::{Fault, Faults};
use hallpass_core::config::field::{Field, filled};
use hallpass_core::json::{self, StrictValue};
use url::{Origin, Url};

pub use hallpass_core::config::Warning;
pub use identity::{IdentityHeaders, Service, TrustedProxies};
pub use secret::Secret;

use crate::life::Policy;
use crate::notify::Receiver;
use policy::Rules;
use shape::{List, RawConfig};

/// Everything that the service knows before the first request.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it listens; port 0 is one that is free.
    pub listen: SocketAddr,
    /// Where people reach it with a browser, and proxies by its name; without a path.
    pub public_url: Url,
    /// Where a browser goes to sign in. `{return_to}` in it stands for the page to come back to.
    pub sign_in_url: Option<String>,
    /// Where a page may lead back to, besides the host of `public_url`: the origins of what is protected.
    pub return_origins: Vec<Origin>,
    /// Its database. It may hold a password.
    pub database: Secret,
    /// Whose tokens are believed, in the terms of the filter, whose code verifies them.
    pub providers: Option<Arc<Verification>>,
    /// Who is believed to tell who has signed in.
    pub proxies: Option<TrustedProxies>,
    /// Programs that may call.
    pub services: Vec<Service>,
    /// The rules.
    pub policy: Arc<Policy>,
    /// Who is told what happens.
    pub webhooks: Vec<Receiver>,
    /// How long proxies must remember that something was revoked.
    pub remember: Duration,
}

impl Config {
    /// Reads and checks a configuration, and the secrets that it points to.
    ///
    /// # Errors
    /// Every fault in it.
    pub fn parse(text: &str) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let root = Place::root();
        let value = match serde_json::from_str::<StrictValue>(text) {
            Ok(StrictValue(value)) => value,
            Err(error) => {
                faults.push(&root, &json::told(&error), "one JSON object");
                return Err(faults);
            }
        };
        let raw: Field<RawConfig> = Field::read(value);
        let config = raw
            .required(&root, &mut faults)
            .and_then(|raw| Self::validate(raw, &mut faults));
        match config {
            Some(config) if faults.is_empty() => Ok(config),
            _ => Err(faults),
        }
    }

    /// The issuer of a subject that is named without one: the only one whose tokens are believed, unless a proxy may name people of others.
    pub fn default_issuer(&self) -> Option<String> {
        if self.proxies.is_some() {
            return None;
        }
        match self.providers.as_ref()?.providers.as_slice() {
            [only] => Some(only.rules.issuer.as_str().to_owned()),
            _ => None,
        }
    }

    fn validate(raw: RawConfig, faults: &mut Faults) -> Option<Self> {
        let root = Place::root();
        raw.refuse_unknown(&root, faults);
        let listen = listen(raw.listen, &root.member("listen"), faults);
        let public_url = public_url(raw.public_url, &root.member("public_url"), faults);
        let sign_in_url = sign_in_url(raw.sign_in_url, &root.member("sign_in_url"), faults);
        let return_origins =
            return_origins(raw.return_origins, &root.member("return_origins"), faults);
        let database = database(raw.database, &root.member("database"), faults);
        let is_needed = raw.identity_headers.is_absent();
        let place = root.member("providers");
        let providers = providers::validate(raw.providers, is_needed, &place, faults);
        let proxies = identity::trusted_proxies(
            raw.identity_headers,
            &root.member("identity_headers"),
            faults,
        );
        let services = identity::services(raw.services, &root.member("services"), faults);
        let has_several_issuers = named_issuers(providers.as_deref(), proxies.as_ref()).len() > 1;
        let policy = Rules {
            has_several_issuers,
            faults,
        }
        .policy(raw.policy, &root.member("policy"));
        let webhooks = webhooks::validate(raw.webhooks, &root.member("webhooks"), faults);
        let remember = remember(raw.revocations, &root.member("revocations"), faults);
        Some(Self {
            listen: listen?,
            public_url: public_url?,
            sign_in_url,
            return_origins,
            database,
            providers,
            proxies,
            services,
            policy: Arc::new(policy),
            webhooks,
            remember,
        })
    }
}

/// The issuers of people, as far as the configuration names them.
fn named_issuers(
    providers: Option<&Verification>,
    proxies: Option<&TrustedProxies>,
) -> BTreeSet<String> {
    let verified = providers.into_iter().flat_map(|config| &config.providers);
    let verified = verified.map(|provider| provider.rules.issuer.as_str().to_owned());
    let told = proxies.into_iter().flat_map(|proxies| &proxies.issuers);
    verified.chain(told.cloned()).collect()
}

fn listen(field: Field<String>, place: &Place, faults: &mut Faults) -> Option<SocketAddr> {
    let text = field.required(place, faults)?;
    let address = text.parse().ok();
    if address.is_none() {
        faults.push_value(
            place,
            &text.into(),
            "an address with a port, such as `127.0.0.1:10003`",
        );
    }
    address
}

fn public_url(field: Field<String>, place: &Place, faults: &mut Faults) -> Option<Url> {
    let text = filled(field, place, faults)?;
    let url = web_url(&text)
        .filter(|url| url.path() == "/" && url.query().is_none() && url.fragment().is_none());
    if url.is_none() {
        let expected = "an `https` or `http` URL without a path, such as `https://grants.example`";
        faults.push_value(place, &text.into(), expected);
    }
    url
}

fn return_origins(field: Field<List<String>>, place: &Place, faults: &mut Faults) -> Vec<Origin> {
    let list = field.optional(place, faults).unwrap_or_default();
    let mut origins = Vec::new();
    for (index, field) in list.into_iter().enumerate() {
        let url = public_url(field, &place.element(index), faults);
        origins.extend(url.map(|url| url.origin()));
    }
    origins
}

/// What is put in place of `{return_to}` must not decide where the browser goes.
fn sign_in_url(field: Field<String>, place: &Place, faults: &mut Faults) -> Option<String> {
    let text = field.optional(place, faults)?;
    let origin = |return_to: &str| Some(web_url(&text.replace("{return_to}", return_to))?.origin());
    let is_fixed = origin("a").is_some() && origin("a") == origin("b");
    if is_fixed {
        return Some(text);
    }
    let expected =
        "an `https` or `http` URL, such as `https://idp.example/login?return_to={return_to}`";
    faults.push_value(place, &text.into(), expected);
    None
}

fn database(field: Field<String>, place: &Place, faults: &mut Faults) -> Secret {
    let text = field.or("sqlite:grants.db".to_owned(), place, faults);
    let kind = text.split_once(':').map(|(kind, _)| kind);
    if !matches!(kind, Some("sqlite" | "postgres" | "postgresql")) {
        // There may be a password in it.
        faults.push_secret(place, "`sqlite:PATH` or `postgres://USER@HOST/NAME`");
    }
    Secret::new(text)
}

fn remember(field: Field<shape::RawRevocations>, place: &Place, faults: &mut Faults) -> Duration {
    const LONGEST: Duration = Duration::from_hours(90 * 24);
    const USUAL: Duration = Duration::from_hours(7 * 24);
    let raw = field.optional(place, faults).unwrap_or_default();
    raw.refuse_unknown(place, faults);
    let place = place.member("remember");
    raw.remember
        .within((Duration::from_mins(1), LONGEST), USUAL, &place, faults)
}

/// A URL of the web that names no user.
fn web_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
    let names_nobody = url.username().is_empty() && url.password().is_none();
    (is_web && names_nobody).then_some(url)
}

#[cfg(test)]
mod tests;
