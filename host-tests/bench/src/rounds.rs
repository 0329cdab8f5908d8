//! Measures every row in turn, round after round.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hallpass_demo::idp::IdentityProvider;
use hallpass_demo::process::OwnedChild;

use crate::answer::Answer;
use crate::counters::Counters;
use crate::crowd::Audience;
use crate::load::{CONNECTIONS, Load, Walk};
use crate::plan::{Group, Lane, Row};
use crate::premise::Seen;
use crate::proxy::Proxy;
use crate::sample::{Sample, Strangers};

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rounds {
    /// How often each row is measured.
    pub(crate) count: u32,
    /// How many seconds each measurement takes.
    pub(crate) seconds: u32,
    /// How many seconds a row takes that is measured once.
    pub(crate) steady_seconds: u32,
    /// How many requests a second strangers send at most.
    pub(crate) strangers_a_second: u32,
}

impl Rounds {
    /// How many strangers come at most until the end: a second goes by before each measurement and after it, and one is the warm-up.
    pub(crate) fn strangers_in_all(&self) -> usize {
        let seconds = (self.count + 1) * (self.seconds + 2);
        (seconds * self.strangers_a_second) as usize
    }
}

/// What is measured with.
#[derive(Debug)]
pub(crate) struct Bench {
    /// By how many workers they have.
    pub(crate) proxies: BTreeMap<u32, Proxy>,
    pub(crate) load: Load,
    pub(crate) audience: Audience,
    pub(crate) idp: IdentityProvider,
    pub(crate) rounds: Rounds,
}

/// One moment, to measure from and to.
struct Moment {
    counters: Counters,
    log_length: u64,
    key_fetches: usize,
    time: Instant,
}

/// After how long the proxy's counters are complete: Hallpass tells them with its tick, four times a second.
const UNTIL_COUNTED: Duration = Duration::from_millis(300);
/// How long strangers may take to be seen.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long each row runs before the first round, for compilers and caches to do their work.
const WARM_UP_SECONDS: u32 = 1;
/// How often it does so at most, where every token has to be seen.
const MOST_WARM_UPS: usize = 30;
/// For how many seconds new tokens are sent between two looks at how many are remembered, first and later, and how often at most.
const ACQUAINTANCE_SECONDS: [u32; 40] = {
    let mut seconds = [8; 40];
    [seconds[0], seconds[1], seconds[2]] = [1, 2, 4];
    seconds
};

impl Bench {
    /// The proxy with so many workers.
    pub(crate) fn proxy(&self, workers: u32) -> Result<&Proxy> {
        let proxy = self.proxies.get(&workers);
        proxy.with_context(|| format!("no proxy has {workers} workers"))
    }

    /// Measures all rows. One whose premise fails is not measured again.
    pub(crate) fn run(&self, groups: &mut [Group]) -> Result<()> {
        let mut rows: Vec<(&Proxy, &mut Row)> = Vec::new();
        for group in groups {
            let proxy = self.proxy(group.workers)?;
            rows.extend(group.rows.iter_mut().map(|row| (proxy, row)));
        }
        eprintln!("warming up");
        for (proxy, row) in &mut rows {
            self.warm_up(proxy, row)?;
        }
        for round in 1..=self.rounds.count {
            eprintln!("round {round} of {}", self.rounds.count);
            for (proxy, row) in &mut rows {
                let seconds = match (row.is_steady, round) {
                    (false, _) => self.rounds.seconds,
                    (true, 1) => self.rounds.steady_seconds,
                    (true, _) => continue,
                };
                if row.fault.is_none()
                    && let Some(sample) = self.measure(proxy, row, seconds)?
                {
                    row.samples.push(sample);
                }
            }
            // The next round goes the other way, so that nobody always comes after the same one.
            rows.reverse();
        }
        Ok(())
    }

    /// Runs a row for a moment, or until all tokens were there that are to be remembered then.
    fn warm_up(&self, proxy: &Proxy, row: &mut Row) -> Result<()> {
        let fault = self.acquaint(proxy, row)?;
        let tokens = self.walk(row, row.users)?.count;
        let needs_all = row.premises.iter().any(|premise| premise.is_of_memory());
        let start = row.users.next;
        for _ in 0..MOST_WARM_UPS {
            // What the caches do not hold yet is no fault now.
            self.measure(proxy, row, WARM_UP_SECONDS)?;
            row.fault = None;
            if !needs_all || row.users.next - start > tokens {
                break;
            }
        }
        if let Some(other) = row.answers_like {
            let [own, others] = [row.contender, other]
                .map(|contender| Answer::of(proxy.address(contender)?, row.path));
            row.fault = own?.difference(&others?);
        }
        row.fault = row.fault.take().or(fault);
        Ok(())
    }

    /// Has those come whose tokens are to be remembered, until all are. The fault, if they are not.
    fn acquaint(&self, proxy: &Proxy, row: &Row) -> Result<Option<String>> {
        let Some(mut lane) = row.acquainted else {
            return Ok(None);
        };
        let address = proxy.address(row.contender)?;
        let before = self.moment(proxy)?.counters;
        let mut remembered = 0;
        let count = self.walk(row, lane)?.count;
        eprintln!("{count} users come whose tokens are to be remembered");
        for seconds in ACQUAINTANCE_SECONDS {
            let walk = self.walk(row, lane)?;
            lane.next = self.load.users(address, walk, seconds)?.next;
            // A gauge, which has grown by those that came for the first time.
            let grown = self.moment(proxy)?.counters.since(&before);
            remembered = grown.hallpass("tokens.entries");
            if remembered >= count as u64 {
                return Ok(None);
            }
        }
        Ok(Some(format!(
            "the premise that {count} tokens are remembered did not hold: {remembered} were"
        )))
    }

    /// Runs a row at a proxy of its own, with everyone whose tokens are to be remembered, until its premises hold. The one that does not
    /// then, if there is one; the row stays what it is.
    pub(crate) fn settle(&self, proxy: &Proxy, row: &mut Row) -> Result<Option<String>> {
        let before = row.fault.take();
        let mut fault = self.acquaint(proxy, row)?;
        if fault.is_none() {
            for _ in 0..MOST_WARM_UPS {
                self.measure(proxy, row, WARM_UP_SECONDS)?;
                fault = row.fault.take();
                if fault.is_none() {
                    break;
                }
            }
        }
        row.fault = before;
        Ok(fault)
    }

    /// Measures a row once. `None` when a premise did not hold, which the row's fault tells then.
    fn measure(&self, proxy: &Proxy, row: &mut Row, seconds: u32) -> Result<Option<Sample>> {
        let listener = &*row.contender.listener();
        let address = proxy.address(row.contender)?;

        let first = self.moment(proxy)?;
        let strangers = self.let_strangers_in(proxy, row, &first.counters)?;
        let before = self.moment(proxy)?;
        let walk = self.walk(row, row.users)?;
        let used_before = proxy.cpu_time()?;
        let answered = self.load.users(address, walk, seconds)?;
        let cpu = proxy.cpu_time()?.saturating_sub(used_before);
        thread::sleep(UNTIL_COUNTED);
        let after = self.moment(proxy)?;
        drop(strangers);

        row.users.next = answered.next;
        if let Some(lane) = &mut row.strangers {
            let came = after
                .counters
                .since(&first.counters)
                .answers(listener, "4xx");
            lane.next += usize::try_from(came)? + CONNECTIONS as usize;
        }

        let grown = after.counters.since(&before.counters);
        let key_fetches = after.key_fetches - first.key_fetches;
        let seen = Seen {
            listener,
            answered: answered.requests.into(),
            refused: answered.refused.into(),
            broken: answered.broken.into(),
            with_strangers: row.strangers.is_some(),
            grown: &grown,
            audit_lines: proxy.audit_lines_from(before.log_length)?,
            key_fetches,
            since_strangers: after.time - first.time,
            lasted: after.time - before.time,
        };
        let premises = row.premises.iter().map(|premise| premise.check(&seen));
        if let Some(fault) = [seen.everyone_was(row.outcome)]
            .into_iter()
            .chain(premises)
            .find_map(Result::err)
        {
            row.fault = Some(fault);
            return Ok(None);
        }
        let strangers = row.strangers.as_ref().map(|_| Strangers {
            came: grown.answers(listener, "4xx"),
            elapsed: after.time - before.time,
            key_fetches,
        });
        Ok(Some(Sample::new(&answered, cpu, strangers)))
    }

    /// The way through a crowd's tokens from where it was left.
    fn walk(&self, row: &Row, lane: Lane) -> Result<Walk<'_>> {
        let tokens = self.audience.tokens(lane.crowd)?;
        Ok(Walk {
            tokens,
            first: lane.next,
            count: lane.among.unwrap_or(tokens.count()),
            headers: row.headers,
            path: row.path,
        })
    }

    /// Starts the strangers' requests, and waits until they arrive.
    fn let_strangers_in(
        &self,
        proxy: &Proxy,
        row: &Row,
        before: &Counters,
    ) -> Result<Option<OwnedChild>> {
        let Some(lane) = row.strangers else {
            return Ok(None);
        };
        let walk = self.walk(row, lane)?;
        let address = proxy.address(row.contender)?;
        let strangers = self
            .load
            .strangers(address, walk, self.rounds.strangers_a_second)?;
        let listener = &*row.contender.listener();
        let deadline = Instant::now() + PATIENCE;
        while proxy.counters()?.since(before).answers(listener, "4xx") < u64::from(CONNECTIONS) {
            ensure!(
                Instant::now() < deadline,
                "{}: no stranger was refused within {PATIENCE:?}",
                row.name
            );
            thread::sleep(Duration::from_millis(10));
        }
        Ok(Some(strangers))
    }

    fn moment(&self, proxy: &Proxy) -> Result<Moment> {
        Ok(Moment {
            counters: proxy.counters()?,
            log_length: proxy.log_length()?,
            key_fetches: self.idp.keys_asked(),
            time: Instant::now(),
        })
    }
}
