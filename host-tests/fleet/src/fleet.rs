//! A fleet, and what its users do.

use std::time::Duration;

use serde_json::{Value, json};

/// Proxies, those who come through them, and the times that are configured.
///
/// The traffic is the same at every hour: each user asks for each of their resources at random moments, `gap` apart on average, and each
/// request comes to any worker of its proxy. All of them have a grant.
#[derive(Debug, Clone, Copy)]
pub struct Fleet {
    /// How many proxies.
    pub proxies: u32,
    /// How many worker threads each of them has.
    pub workers: u32,
    /// How many users are active.
    pub users: u32,
    /// How many resources each of them uses.
    pub resources: u32,
    /// Which proxy a user's request comes to.
    pub routing: Routing,
    /// How long it takes on average until a user asks for the same resource again.
    pub gap: Duration,
    /// `cache.allow_ttl`.
    pub allow_ttl: Duration,
    /// `revocations.interval`, where the feed is followed.
    pub interval: Option<Duration>,
    /// `jwks.remote.refresh`.
    pub refresh: Duration,
    /// `cache.max_entries` and `token_cache.max_entries`.
    pub max_entries: u32,
    /// How long each token is.
    pub token_bytes: u32,
    /// How long a call takes, there and back.
    pub way: Duration,
}

/// Which proxy a user's request comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Routing {
    /// Always the same one: the load balancer hashes the user's cookie or token.
    ByUser,
    /// Any.
    ToAny,
}

impl Default for Fleet {
    /// One proxy of two workers with the usual times, and a hundred users.
    fn default() -> Self {
        Self {
            proxies: 1,
            workers: 2,
            users: 100,
            resources: 3,
            routing: Routing::ByUser,
            gap: Duration::from_secs(10),
            allow_ttl: Duration::from_secs(30),
            interval: Some(Duration::from_secs(5)),
            refresh: Duration::from_mins(5),
            max_entries: 10_000,
            token_bytes: 1_024,
            way: Duration::from_millis(20),
        }
    }
}

impl Fleet {
    /// The users of one proxy, by number: the first, and how many.
    pub(crate) fn users_of(&self, proxy: u32) -> (u32, u32) {
        match self.routing {
            Routing::ToAny => (0, self.users),
            Routing::ByUser => {
                let before = |proxy: u32| {
                    let users = u64::from(self.users) * u64::from(proxy) / u64::from(self.proxies);
                    u32::try_from(users).expect("no more than all")
                };
                (before(proxy), before(proxy + 1) - before(proxy))
            }
        }
    }

    /// How many requests come to one proxy in a second, on average.
    pub(crate) fn requests_a_second(&self, proxy: u32) -> f64 {
        let (_, users) = self.users_of(proxy);
        let all = f64::from(users) * f64::from(self.resources) / self.gap.as_secs_f64();
        match self.routing {
            Routing::ByUser => all,
            Routing::ToAny => all / f64::from(self.proxies),
        }
    }

    /// The configuration of every proxy, as its operator would write it.
    pub(crate) fn configuration(&self) -> Value {
        let span = |span: Duration| format!("{}ms", span.as_millis());
        let resources = (0..self.resources).map(|resource| {
            json!({
                "name": format!("resource-{resource}"),
                "match": { "paths": [format!("/{resource}/{{*rest}}")] },
                "access": "grant",
                "action": "read",
            })
        });
        let mut service = json!({
            "cluster": "grants",
            "cache": { "allow_ttl": span(self.allow_ttl), "max_entries": self.max_entries },
        });
        if let Some(interval) = self.interval {
            service["revocations"] = json!({ "interval": span(interval) });
        }
        json!({
            "providers": [{
                "name": "corp",
                "issuer": hallpass_tokens::ISSUER,
                "audiences": [hallpass_tokens::AUDIENCE],
                "jwks": { "remote": { "cluster": "idp", "uri": "/jwks.json", "refresh": span(self.refresh) } },
            }],
            "resources": resources.collect::<Vec<_>>(),
            "grants": { "service": service },
            "token_cache": { "max_entries": self.max_entries },
            "audit": { "log": "none" },
        })
    }
}
