//! How long the proxy takes to start, with a filter and without.

use std::collections::BTreeSet;
use std::fmt::{self, Display};
use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use serde::Serialize;

use crate::contender::{Contender, Setting};
use crate::proxy::Proxy;
use crate::sample::Spread;

/// Its id and its title.
pub(crate) const SECTION: (&str, &str) = ("startup", "the proxy's start");
/// How often each start is measured.
const STARTS: usize = 3;
const WORKERS: u32 = 1;
/// What it is started with.
const CONTENDERS: [Contender; 3] = [Contender::Plain, Contender::Empty, Contender::Hallpass];

/// The time from the process's start until the proxy is ready, with a listener of each of these contenders alone.
#[derive(Debug, Serialize)]
pub(crate) struct StartUp(Vec<Start>);

#[derive(Debug, Serialize)]
struct Start {
    contender: Contender,
    milliseconds: Spread,
}

/// Starts proxies, one after the other.
pub(crate) fn measure(program: &Path, setting: &Setting, directory: &Path) -> Result<StartUp> {
    let mut times = CONTENDERS.map(|contender| (contender, Vec::new()));
    for _ in 0..STARTS {
        for (contender, times) in &mut times {
            let begin = Instant::now();
            let alone = BTreeSet::from([*contender]);
            let proxy = Proxy::start(program, WORKERS, setting, &alone, directory)?;
            times.push(begin.elapsed().as_secs_f64() * 1e3);
            drop(proxy);
        }
    }
    let start = |(contender, times)| {
        let milliseconds = Spread::of(times)?;
        Some(Start {
            contender,
            milliseconds,
        })
    };
    Ok(StartUp(times.into_iter().filter_map(start).collect()))
}

impl Display for StartUp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "\nmilliseconds from the proxy's start until it is ready: the median of {STARTS} (lowest to highest)"
        )?;
        for Start {
            contender,
            milliseconds: Spread { median, min, max },
        } in &self.0
        {
            let name = contender.listener();
            writeln!(out, "  {name:24}{median:>8.0} ({min:.0} to {max:.0})")?;
        }
        Ok(())
    }
}
