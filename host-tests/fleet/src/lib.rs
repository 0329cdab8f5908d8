//! How much a fleet of proxies asks and remembers, and how soon it feels a revocation: by formula, and by simulation.
//!
//! [`Fleet::reckon`] is the arithmetic of `docs/operations.md`, *Sizing*. [`Fleet::simulate`] lets the same fleet run: hallpass-core in every
//! worker, with its memories, what workers share, keys and the revocation feed, under a clock of our own. There is no network, no thread, and
//! no chance but the same one each time. Proxies share nothing but the servers that they ask, and these answer always and at once, so
//! one proxy runs after the other, and what they do adds up.
//!
//! Left out is what does not change the counts: signatures, and how long anything takes but the way to the servers and back. What the module
//! does around the core, and not the core itself, is repeated in `worker`, since the module runs in a proxy only.

mod chance;
mod fleet;
mod measured;
mod people;
mod proxy;
mod reckoned;
mod report;
mod service;
mod worker;

pub use fleet::{Fleet, Routing};
pub use measured::{Delays, Entries, Measured, Seconds};
pub use reckoned::{Between, Reckoned};
pub use report::{Report, Row};

use std::sync::Arc;
use std::time::Duration;

use hallpass_core::config::Config;

use people::People;

/// How a fleet is simulated.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// For how long, from the start of the proxies on.
    pub lasts: Duration,
    /// How much of that passes until what is to be called steady begins.
    pub settles: Duration,
    /// How many users of each proxy have what they were given taken back.
    pub revocations: u32,
    /// Only each of so many proxies is simulated.
    pub one_in: u32,
}

impl Fleet {
    /// Lets the fleet run. What is measured is that of the proxies which are simulated: see [`Fleet::simulated`].
    ///
    /// # Panics
    /// Where the fleet's configuration is not one, or what should not happen does.
    pub fn simulate(&self, run: &Run) -> Measured {
        let config = self.configuration().to_string();
        let config = Config::parse(config.as_bytes()).expect("a sound configuration");
        let config = Arc::new(config);
        let people = People::of(self);
        let mut sum = Measured::default();
        for nth in 0..self.simulated(run) {
            let proxy = nth * run.one_in;
            sum += &proxy::simulate(self, run, &config, &people, proxy);
        }
        sum
    }

    /// How many proxies are simulated.
    pub fn simulated(&self, run: &Run) -> u32 {
        self.proxies.div_ceil(run.one_in)
    }
}
