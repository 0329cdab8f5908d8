//! The arithmetic: what a fleet asks and remembers, by formula.

use std::time::Duration;

use hallpass_core::grant::shelf::PLACES;

use crate::{Fleet, Routing};

/// What a fleet comes to.
#[derive(Debug, Clone, Copy)]
pub struct Reckoned {
    /// Requests a second.
    pub requests: f64,
    /// Calls to the grant service a second, once the fleet has run for a while: where workers find every answer that another one has got, and
    /// where none is found whose place another one took.
    pub calls: Between,
    /// The same in the busiest second, when all proxies have just started.
    pub first_calls: Between,
    /// Polls of the feed a second.
    pub polls: f64,
    /// Fetches of keys a second.
    pub fetches: f64,
    /// How many polls, and how many fetches, there are in the second in which all proxies start.
    pub gates: u32,
    /// Decisions that a worker holds in the end.
    pub decisions: f64,
    /// Tokens likewise.
    pub tokens: f64,
    /// Bytes that both take in a worker, by what the caches count for each.
    pub bytes: f64,
    /// With a feed, how long it takes until a worker knows of a revocation, on average and at most.
    pub felt: Option<(Duration, Duration)>,
    /// How long after a revocation requests may pass.
    pub passed_late: Duration,
}

/// Two figures between which the true one lies.
#[derive(Debug, Clone, Copy)]
pub struct Between {
    /// The smaller one.
    pub least: f64,
    /// The larger one.
    pub most: f64,
}

/// How long a tick may be away.
const TICK: Duration = Duration::from_millis(250);

impl Fleet {
    /// What it comes to after it has run for so long.
    pub fn reckon(&self, after: Duration) -> Reckoned {
        let gap = self.gap.as_secs_f64();
        let proxies = f64::from(self.proxies);
        let workers = f64::from(self.workers);
        let keys = f64::from(self.users) * f64::from(self.resources);
        // How many proxies each user comes to; to each of them that much more seldom.
        let homes = match self.routing {
            Routing::ByUser => 1.0,
            Routing::ToAny => proxies,
        };
        let keys_of_one = keys * homes / proxies;
        let once_in = self.asked_again_after() + homes * gap;
        let least = keys * homes / once_in;
        // Each worker for itself, which of those who come to the proxy sees its part.
        let alone = keys * homes * workers / (self.asked_again_after() + homes * workers * gap);
        // How many answers to other questions come to the place of an answer while it counts.
        let others = keys_of_one / f64::from(PLACES) * self.allow_ttl.as_secs_f64() / once_in;
        let meets = 1.0 - (-others).exp();
        let seen = |things: f64, gap: f64| {
            let came = 1.0 - (-after.as_secs_f64() / (gap * homes * workers)).exp();
            (things * homes / proxies * came).min(f64::from(self.max_entries))
        };
        let decisions = seen(keys, gap);
        let tokens = seen(f64::from(self.users), gap / f64::from(self.resources));
        let gates = self.proxies * (self.workers + 1);
        Reckoned {
            requests: keys / gap,
            calls: Between {
                least,
                most: least + meets * (alone - least),
            },
            first_calls: Between {
                least: keys / gap * (-1.0 / (gap * homes)).exp(),
                most: keys / gap,
            },
            polls: self
                .interval
                .map_or(0.0, |interval| f64::from(gates) / interval.as_secs_f64()),
            fetches: f64::from(gates) / self.refresh.as_secs_f64(),
            gates,
            decisions,
            tokens,
            bytes: self.bytes(decisions, tokens),
            felt: self
                .interval
                .map(|interval| (interval / 2 + self.way / 2, interval + TICK + self.way)),
            passed_late: match self.interval {
                Some(interval) => interval + TICK + self.way,
                None => self.allow_ttl + self.way,
            },
        }
    }

    /// What so many decisions and tokens take, in bytes: a kilobyte for each, and three times its text for a token.
    pub fn bytes(&self, decisions: f64, tokens: f64) -> f64 {
        decisions * 1_024.0 + tokens * (1_024.0 + 3.0 * f64::from(self.token_bytes))
    }

    /// How long an allow is used before it is asked for again, by whoever comes next: four fifths of its time, and at least a second less.
    fn asked_again_after(&self) -> f64 {
        let ttl = self.allow_ttl.as_secs_f64();
        ttl - (ttl / 5.0).max(1.0_f64.min(ttl / 2.0))
    }
}
