//! What is legal in a configuration, and probably not meant.
//!
//! A warning stops nothing: it is for the operator, in the proxy's log and from `hallpass check`. It is found in the validated
//! configuration, so that it is about what the filter will do, not about how that is written.

use std::fmt;
use std::time::Duration;

use super::fault::Place;
use super::span::Span;
use super::{AuditLog, Config};
use crate::decision::FailureMode;
use crate::policy::{Access, Matcher, Mode, Resource};

/// A larger clock skew than this keeps ended tokens alive for longer than clocks are apart.
const USUAL_SKEW: Duration = Duration::from_mins(1);

/// One thing that is suspicious.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The JSON path.
    pub path: String,
    /// What stands there, and what follows from it.
    pub found: String,
    /// What to do about it.
    pub advice: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}; {}", self.path, self.found, self.advice)
    }
}

impl Config {
    /// Everything that is suspicious, in the order of the document.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Warnings(Vec::new());
        warnings.of_mode(self);
        warnings.of_providers(self);
        warnings.of_resources(self);
        warnings.of_grants(self);
        warnings.of_audit(self);
        warnings.0
    }
}

struct Warnings(Vec<Warning>);

impl Warnings {
    fn push(&mut self, place: &Place, found: impl Into<String>, advice: &str) {
        self.0.push(Warning {
            path: place.to_string(),
            found: found.into(),
            advice: advice.to_owned(),
        });
    }

    fn of_mode(&mut self, config: &Config) {
        let member = match config.mode {
            Mode::Monitor => "mode",
            Mode::Enforce => "resources",
        };
        if let Some(notice) = config.monitor_notice() {
            let place = Place::root().member(member);
            let advice = "set `enforce` once the records show what is meant";
            self.push(&place, notice, advice);
        }
    }

    fn of_providers(&mut self, config: &Config) {
        let place = Place::root().member("providers");
        let is_needed = config.policy.iter().any(|r| r.access.needs_identity());
        if !is_needed && !config.providers.is_empty() {
            let found = "no resource demands an identity, so no token is ever looked at";
            self.push(
                &place,
                found,
                "leave the providers out, or give a resource the access `identity` or `grant`",
            );
        }
        for (index, provider) in config.providers.iter().enumerate() {
            let skew = provider.rules.clock_skew;
            if skew > USUAL_SKEW {
                let skew = Span::from(skew);
                let found = format!("a token counts for {skew} after its end");
                let place = place.element(index).member("clock_skew");
                self.push(&place, found, "set the clocks, and take at most `1m`");
            }
        }
    }

    fn of_resources(&mut self, config: &Config) {
        let resources: Vec<&Resource> = config.policy.iter().collect();
        for (index, resource) in resources.iter().enumerate() {
            let place = Place::root().member("resources").element(index);
            if is_open_to_all(resource) {
                self.push(
                    &place.member("access"),
                    "every request that no resource before takes is let through unasked",
                    "name the hosts or paths that are public; what no resource matches is refused",
                );
            }
            let earlier = resources.get(..index).unwrap_or_default();
            self.of_shadows(&place, &resource.matcher, earlier);
        }
    }

    /// The first resource that matches decides, so one that stands behind a wider one is never reached.
    fn of_shadows(&mut self, place: &Place, matcher: &Matcher, earlier: &[&Resource]) {
        const ADVICE: &str = "put it before that, or remove it";
        let taker = |covers: &dyn Fn(&Matcher) -> bool| {
            earlier.iter().position(|other| {
                other.matcher.covers_hosts_and_methods(matcher) && covers(&other.matcher)
            })
        };
        let told = |index: usize| {
            let name = earlier.get(index).map_or("", |other| other.name.as_str());
            format!("`resources[{index}]` ({name:?})")
        };
        if matcher.patterns().is_empty() {
            if let Some(index) = taker(&Matcher::covers_all_paths) {
                let found = format!(
                    "it is never reached, since {} takes all its requests",
                    told(index)
                );
                self.push(place, found, ADVICE);
            }
            return;
        }
        let takers: Vec<Option<usize>> = matcher
            .patterns()
            .iter()
            .map(|pattern| taker(&|other: &Matcher| other.covers_path(pattern)))
            .collect();
        if let Some(Some(first)) = takers.first()
            && takers.iter().all(Option::is_some)
        {
            let found = format!(
                "it is never reached, since {} takes all its requests",
                told(*first)
            );
            self.push(place, found, ADVICE);
            return;
        }
        let paths = place.member("match").member("paths");
        for (index, taker) in takers.iter().enumerate() {
            if let Some(taker) = taker {
                let found = format!(
                    "it is never reached, since {} takes all its requests",
                    told(*taker)
                );
                self.push(&paths.element(index), found, ADVICE);
            }
        }
    }

    fn of_grants(&mut self, config: &Config) {
        let place = Place::root().member("grants");
        let needs_grants = config.policy.iter().any(|r| r.access == Access::Grant);
        if needs_grants && config.grants.request_url.is_none() {
            self.push(
                &place.member("request_url"),
                "it is left out, so whoever is refused for want of a grant is not told where to ask for one",
                "name the page on which access is requested",
            );
        }
        let Some(service) = &config.grants.service else {
            return;
        };
        let place = place.member("service");
        if !needs_grants {
            self.push(
                &place,
                "no resource demands a grant, so the service is never asked",
                "leave it out, or give a resource the access `grant`",
            );
        }
        if service.rules.failure_mode == FailureMode::Allow {
            self.push(
                &place.member("failure_mode"),
                "whoever has a valid token passes without a grant while the service fails",
                "use `deny`, with `cache.stale_if_error` to bridge a failure for those who were allowed before",
            );
        }
        if !service.rules.require_expiry {
            self.push(
                &place.member("require_expiry"),
                "an allow without an end is renewed for as long as the service says so: it is standing permission",
                "have the service send `approved_until`, and leave this out",
            );
        }
    }

    fn of_audit(&mut self, config: &Config) {
        if config.audit.log == AuditLog::None && config.audit.flush_interval.is_some() {
            self.push(
                &Place::root().member("audit").member("flush_interval"),
                "no line is written to the proxy's log, so none waits for others",
                "leave it out, or have lines written with `log`",
            );
        }
    }
}

/// Whether a resource lets through whatever comes. Public preflights (`OPTIONS` alone) are usual.
fn is_open_to_all(resource: &Resource) -> bool {
    let matcher = &resource.matcher;
    let reads_or_writes = ["GET", "POST", "PUT", "PATCH", "DELETE"];
    resource.access == Access::Public
        && matcher.is_for_any_host()
        && matcher.is_for_any_path()
        && reads_or_writes.iter().any(|m| matcher.is_for_method(m))
}

#[cfg(test)]
mod tests;
