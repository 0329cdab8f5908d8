//! What the proxy holds after a great many different questions, of which it remembers a bounded number.

use std::fmt::{self, Display};

use anyhow::{Result, ensure};
use serde::Serialize;

use crate::contender::{Contender, NEW_PATHS};
use crate::crowd::Crowd;
use crate::load::Walk;
use crate::rounds::Bench;

/// Its id and its title.
pub(crate) const SECTION: (&str, &str) = ("memory", "the proxy's memory");
/// What it is measured of.
pub(crate) const CONTENDER: Contender = Contender::HallpassManyQuestions;
/// How many workers the proxy has.
pub(crate) const WORKERS: u32 = 1;
/// Who asks.
pub(crate) const USER: Crowd = Crowd::One;
/// How many steps the way is measured in.
const STEPS: u64 = 10;
/// How many seconds the load runs between two looks.
const SECONDS: u32 = 1;
/// How often it is looked at most.
const MOST_LOOKS: u32 = 1_200;

/// The proxy's memory on the way to the last question.
#[derive(Debug, Serialize)]
pub(crate) struct Memory {
    steps: Vec<Step>,
}

#[derive(Debug, Serialize)]
struct Step {
    /// How many different questions were asked so far.
    questions: u64,
    /// What is resident, in KiB.
    resident_kib: u64,
}

/// Has one user ask for another path with each request, until so many questions were asked.
pub(crate) fn measure(bench: &Bench, questions: u64) -> Result<Memory> {
    let proxy = bench.proxy(WORKERS)?;
    let address = proxy.address(CONTENDER)?;
    let tokens = bench.audience.tokens(USER)?;
    let asked = || -> Result<u64> { Ok(proxy.counters()?.hallpass("callouts.ok")) };
    let before = asked()?;
    let mut steps: Vec<Step> = Vec::new();
    let mut first = 0;
    for _ in 0..MOST_LOOKS {
        let walk = Walk {
            tokens,
            first,
            count: tokens.count(),
            headers: 0,
            path: NEW_PATHS,
        };
        let answered = bench.load.users(address, walk, SECONDS)?;
        ensure!(
            answered.refused == 0,
            "{} requests were refused",
            answered.refused
        );
        first = answered.next;
        let so_far = asked()? - before;
        let step = steps.len() as u64 + 1;
        if so_far * STEPS >= questions * step {
            steps.push(Step {
                questions: so_far,
                resident_kib: proxy.resident_kib()?,
            });
        }
        if so_far >= questions {
            break;
        }
    }
    Ok(Memory { steps })
}

impl Display for Memory {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "\nhallpass: another question with each request, 10,000 decisions remembered by the worker\n  {:>12}{:>18}",
            "questions", "proxy holds, MiB"
        )?;
        self.steps.iter().try_for_each(|step| {
            writeln!(
                out,
                "  {:>12}{:>18}",
                step.questions,
                step.resident_kib / 1024
            )
        })
    }
}
