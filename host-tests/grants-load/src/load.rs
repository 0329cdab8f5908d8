//! A steady load: the filter's questions at one rate, people's requests and approvals at another, whether or not the service keeps up.

use std::sync::RwLock;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use crate::client::{Client, Person};
use crate::report::{Report, Series};

/// So many connections for questions, and as many for people.
const CONNECTIONS: u32 = 16;

/// How much is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Questions of the filter a second.
    pub evaluations: u32,
    /// Requests a second, and as many approvals.
    pub requests: u32,
    /// For how long.
    pub lasts: Duration,
}

/// What one connection has measured.
#[derive(Debug, Default)]
pub struct Measured {
    evaluations: Series,
    requests: Series,
    approvals: Series,
}

/// Those who have a grant.
type Holders = RwLock<Vec<String>>;

impl Load {
    /// Puts it on these replicas, in turns.
    pub fn put_on(self, addresses: &[&str]) -> Report {
        let holders = Holders::default();
        let begin = Instant::now();
        let measured = thread::scope(|scope| {
            let mut connections = Vec::new();
            for number in 0..CONNECTIONS {
                let holders = &holders;
                connections.push(scope.spawn(move || {
                    let service = Client::new(in_turn(addresses, number));
                    self.evaluate(&service, holders, begin, number)
                }));
                connections.push(scope.spawn(move || {
                    let here = Client::new(in_turn(addresses, number));
                    let there = Client::new(in_turn(addresses, number + 1));
                    self.request(&here, &there, holders, begin, number)
                }));
            }
            let mut all = Measured::default();
            for connection in connections {
                match connection.join() {
                    Ok(measured) => all.extend(measured),
                    Err(_) => all
                        .evaluations
                        .add::<()>(Duration::ZERO, &Err(anyhow!("a panic"))),
                }
            }
            all
        });
        Report {
            lasted: begin.elapsed(),
            series: vec![
                ("evaluations", measured.evaluations),
                ("requests", measured.requests),
                ("approvals", measured.approvals),
            ],
        }
    }

    /// Asks about someone who holds a grant, and about someone who does not, in turns.
    fn evaluate(
        self,
        service: &Client,
        holders: &Holders,
        begin: Instant,
        number: u32,
    ) -> Measured {
        let mut measured = Measured::default();
        for (turn, due) in self.schedule(begin, self.evaluations, number) {
            let holder = (turn % 2 == 0).then(|| some(holders, turn)).flatten();
            let name = holder.clone().unwrap_or_else(|| format!("nobody-{turn}"));
            let answer = service.is_allowed(&name).and_then(|is_allowed| {
                let is_right = is_allowed == holder.is_some();
                is_right
                    .then_some(())
                    .ok_or_else(|| anyhow!("{name}: {is_allowed}"))
            });
            measured.evaluations.add(due.elapsed(), &answer);
        }
        measured
    }

    /// Someone new asks each time, and a lead approves, at the other replica if there are two.
    fn request(
        self,
        here: &Client,
        there: &Client,
        holders: &Holders,
        begin: Instant,
        number: u32,
    ) -> Measured {
        let mut measured = Measured::default();
        for (turn, due) in self.schedule(begin, self.requests, number) {
            let name = format!("person-{turn}");
            let (asker, lead) = (
                Person {
                    name: &name,
                    group: "dev",
                },
                Person {
                    name: "lena",
                    group: "lead",
                },
            );
            let request = here.request(asker);
            measured.requests.add(due.elapsed(), &request);
            let Ok(request) = request else { continue };
            let requested = Instant::now();
            let grant = there.approve(lead, &request);
            measured.approvals.add(requested.elapsed(), &grant);
            if let (Ok(_), Ok(mut holders)) = (grant, holders.write()) {
                holders.push(name);
            }
        }
        measured
    }

    /// When one of the connections has its turns: each is waited for.
    fn schedule(
        self,
        begin: Instant,
        rate: u32,
        number: u32,
    ) -> impl Iterator<Item = (u32, Instant)> {
        let due = move |turn: u32| begin + Duration::from_secs(1) * turn / rate;
        let end = begin + self.lasts;
        (number..)
            .step_by(usize::try_from(CONNECTIONS).unwrap_or(1))
            .map(move |turn| (turn, due(turn)))
            .take_while(move |(_, due)| *due < end)
            .inspect(|(_, due)| thread::sleep(due.saturating_duration_since(Instant::now())))
    }
}

impl Measured {
    fn extend(&mut self, other: Self) {
        self.evaluations.extend(other.evaluations);
        self.requests.extend(other.requests);
        self.approvals.extend(other.approvals);
    }
}

fn in_turn<'a>(addresses: &[&'a str], number: u32) -> &'a str {
    let turn = usize::try_from(number).unwrap_or(0);
    addresses
        .iter()
        .cycle()
        .nth(turn)
        .copied()
        .unwrap_or_default()
}

/// Someone who holds a grant, another one each time.
fn some(holders: &Holders, turn: u32) -> Option<String> {
    let holders = holders.read().ok()?;
    let place = usize::try_from(turn).ok()?.checked_rem(holders.len())?;
    holders.get(place).cloned()
}

/// The figures of a load that was kept up as it should be.
impl Report {
    /// What is not as it was asked for.
    ///
    /// # Errors
    /// Says what.
    pub fn check(&self, load: Load, slowest: Duration) -> Result<()> {
        for (name, series) in &self.series {
            let rate = if *name == "evaluations" {
                load.evaluations
            } else {
                load.requests
            };
            let seconds = usize::try_from(load.lasts.as_secs())?;
            let expected = seconds * usize::try_from(rate)?;
            anyhow::ensure!(
                series.errors.is_empty(),
                "{name}: {} errors",
                series.errors.len()
            );
            anyhow::ensure!(
                series.count() >= expected * 99 / 100,
                "{name}: {} of {expected}",
                series.count()
            );
            let p99 = series.permille(990);
            let is_fast = *name != "evaluations" || p99 < slowest;
            anyhow::ensure!(is_fast, "p99 of {name} is {p99:?}, not under {slowest:?}");
        }
        let kept_up = self.lasted < load.lasts + Duration::from_secs(1);
        anyhow::ensure!(kept_up, "it took {:?}", self.lasted);
        Ok(())
    }
}
