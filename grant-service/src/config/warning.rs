//! What is legal in the configuration, and probably not meant. It stops nothing: it is for the operator.

use std::collections::BTreeSet;
use std::net::IpAddr;

use hallpass_core::config::fault::Place;
use hallpass_core::config::{JwksSource, Warning};
use url::{Host, Url};

use super::{Config, named_issuers};
use crate::life::{Policy, Rule, Who};
use crate::store;

impl Config {
    /// Everything that is suspicious, in the order of the document.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Warnings {
            list: Vec::new(),
            issuers: self.only_issuers(),
        };
        warnings.of_urls(self);
        if store::is_unproven(&String::from_utf8_lossy(self.database.bytes())) {
            warnings.push(
                &Place::root().member("database"),
                "whoever is on the way to the server can answer in its place, since its certificate is not verified",
                "add `sslmode=verify-full` to the address, and `sslrootcert=FILE` for an authority of your own",
            );
        }
        warnings.of_providers(self);
        if self.services.is_empty() {
            warnings.push(
                &Place::root().member("services"),
                "no program has a token, so no proxy can ask for decisions",
                "give the proxy a token of its own",
            );
        }
        warnings.of_policy(&self.policy);
        let longest = self.policy.rules.iter().map(|rule| rule.max_duration).max();
        if longest.is_some_and(|longest| longest > self.remember) {
            warnings.push(
                &Place::root().member("revocations").member("remember"),
                "a grant may last longer than proxies remember that it was revoked",
                "remember for as long as the longest `max_duration`",
            );
        }
        warnings.list
    }

    /// The issuers of everyone who can be known, if that is certain: a proxy's word may be about others.
    fn only_issuers(&self) -> Option<BTreeSet<String>> {
        let proxies = self.proxies.as_ref();
        let is_certain = proxies.is_none_or(|proxies| !proxies.issuers.is_empty());
        is_certain.then(|| named_issuers(self.providers.as_deref(), proxies))
    }
}

struct Warnings {
    list: Vec<Warning>,
    issuers: Option<BTreeSet<String>>,
}

impl Warnings {
    fn push(&mut self, place: &Place, found: &str, advice: &str) {
        self.list.push(Warning {
            path: place.to_string(),
            found: found.to_owned(),
            advice: advice.to_owned(),
        });
    }

    fn of_urls(&mut self, config: &Config) {
        const FOUND: &str = "without `https`, anyone on the way can read and change what is said";
        if is_in_the_open(&config.public_url) {
            let place = Place::root().member("public_url");
            self.push(&place, FOUND, "put TLS in front of the service");
        }
        for (index, webhook) in config.webhooks.iter().enumerate() {
            if is_in_the_open(&webhook.url) {
                let place = Place::root().member("webhooks").element(index);
                self.push(&place.member("url"), FOUND, "use `https`");
            }
        }
    }

    fn of_providers(&mut self, config: &Config) {
        let Some(verification) = &config.providers else {
            return;
        };
        for (index, provider) in verification.providers.iter().enumerate() {
            let JwksSource::Remote(remote) = &provider.jwks else {
                continue;
            };
            let locator = hallpass_core::jwks::Locator::new(remote.location.clone());
            let address = locator.stage().address().clone();
            let url = format!("{}://{}{}", remote.cluster, address.authority, address.path);
            if Url::parse(&url).is_ok_and(|url| is_in_the_open(&url)) {
                let place = Place::root().member("providers").element(index);
                self.push(
                    &place.member("jwks"),
                    "keys that come without `https` can be exchanged on the way, and then anyone can be anyone",
                    "use `https`",
                );
            }
        }
    }

    fn of_policy(&mut self, policy: &Policy) {
        let place = Place::root().member("policy");
        let administrators = place.member("administrators");
        self.of_who(&policy.administrators, &administrators);
        if is_nobody(&policy.administrators) {
            self.push(
                &administrators,
                "nobody may revoke what others hold",
                "name those who act in an incident",
            );
        }
        self.of_who(&policy.auditors, &place.member("auditors"));
        let place = place.member("resources");
        if policy.rules.is_empty() {
            self.push(
                &place,
                "there is none, so nothing can be requested",
                "add one",
            );
        }
        for (index, rule) in policy.rules.iter().enumerate() {
            let place = place.element(index);
            let before = policy.rules.get(..index).unwrap_or_default();
            self.of_rule(rule, before, &place);
        }
    }

    fn of_rule(&mut self, rule: &Rule, before: &[Rule], place: &Place) {
        self.of_who(&rule.requesters, &place.member("requesters"));
        self.of_who(&rule.approvers, &place.member("approvers"));
        for (shortcut, member) in [
            (&rule.automatic, "automatic"),
            (&rule.break_glass, "break_glass"),
        ] {
            if let Some(shortcut) = shortcut {
                self.of_who(&shortcut.who, &place.member(member).member("who"));
            }
        }
        let covers = |earlier: &Rule| {
            earlier.resource == rule.resource
                && earlier.resource_type == rule.resource_type
                && (earlier.actions.is_empty()
                    || !rule.actions.is_empty() && rule.actions.is_subset(&earlier.actions))
        };
        if before.iter().any(covers) {
            self.push(
                place,
                "an earlier resource is about all of this, so it is never reached",
                "put it before that one, or leave it out",
            );
        }
        if is_nobody(&rule.requesters) && rule.break_glass.is_none() {
            self.push(
                &place.member("requesters"),
                "nobody can request it",
                "say who may",
            );
        } else if is_nobody(&rule.approvers)
            && rule.automatic.is_none()
            && rule.break_glass.is_none()
        {
            self.push(
                &place.member("approvers"),
                "nobody can approve what is requested",
                "say who may",
            );
        }
        let approvers = self.at_most(&rule.approvers);
        if approvers.is_some_and(|people| (1..rule.approvals as usize).contains(&people)) {
            self.push(
                &place.member("approvals"),
                "it takes more approvals than there are people who may give them",
                "name more approvers, or ask for fewer approvals",
            );
        }
        if rule.approvers.everyone {
            self.push(
                &place.member("approvers"),
                "any two people can give each other access",
                "name groups or subjects",
            );
        }
    }

    /// How many people they are, if a bound is certain: at each issuer a name may be another person's.
    fn at_most(&self, who: &Who) -> Option<usize> {
        if who.everyone || !who.groups.is_empty() {
            return None;
        }
        let issuers = if who.issuers.is_empty() {
            self.issuers.as_ref()?.len()
        } else {
            who.issuers.len()
        };
        Some(who.subjects.len().saturating_mul(issuers))
    }

    fn of_who(&mut self, who: &Who, place: &Place) {
        if !who.issuers.is_empty() && is_nobody(who) {
            self.push(
                place,
                "it names issuers alone, and so it is nobody",
                "say which of their people: `everyone`, `groups` or `subjects`",
            );
        }
        let Some(known) = &self.issuers else { return };
        let stranger = who.issuers.iter().find(|issuer| !known.contains(*issuer));
        if let Some(stranger) = stranger {
            let found = format!("no provider has the issuer {stranger:?}");
            self.push(
                &place.member("issuers"),
                &found,
                "correct it, or leave it out",
            );
        }
    }
}

fn is_nobody(who: &Who) -> bool {
    !who.everyone && who.groups.is_empty() && who.subjects.is_empty()
}

/// Whether what is said there leaves the machine in the clear.
fn is_in_the_open(url: &Url) -> bool {
    let is_here = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    };
    url.scheme() == "http" && !is_here
}
