//! What a proxy holds that has one worker and one contender alone, while its users come.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;

use crate::contender::{Contender, Setting};
use crate::crowd::Crowd;
use crate::plan::growth::HALLPASS;
use crate::plan::{Group, Row};
use crate::proxy::Proxy;
use crate::rounds::Bench;

/// What such a proxy depends on.
type Kind = (Contender, Crowd, usize);

/// What is resident of each proxy, in KiB; or the premise that did not hold.
#[derive(Debug, Default)]
pub(crate) struct Alone(BTreeMap<Kind, Result<u64, String>>);

const WORKERS: u32 = 1;

impl Alone {
    /// Starts a proxy for each row that shows how Hallpass grows, one after the other, and has its users come.
    pub(crate) fn measure(
        program: &Path,
        setting: &Setting,
        bench: &Bench,
        groups: &mut [Group],
        directory: &Path,
    ) -> Result<Self> {
        let mut all = Self::default();
        let rows = groups.iter_mut().flat_map(|group| &mut group.rows);
        let is_ours = |row: &&mut Row| row.point.is_some_and(|point| point.series == HALLPASS);
        let rows: Vec<_> = rows.filter(is_ours).collect();
        if !rows.is_empty() {
            eprintln!("proxies of their own");
        }
        for row in rows {
            let kind = kind(row);
            if all.0.contains_key(&kind) {
                continue;
            }
            let alone = BTreeSet::from([row.contender]);
            let proxy = Proxy::start(program, WORKERS, setting, &alone, directory)?;
            let held = match bench.settle(&proxy, row)? {
                Some(fault) => Err(fault),
                None => Ok(proxy.resident_kib()?),
            };
            all.0.insert(kind, held);
        }
        Ok(all)
    }

    /// What was found of these rows.
    #[cfg(test)]
    pub(super) fn of_rows<'a>(
        rows: impl IntoIterator<Item = (&'a Row, Result<u64, String>)>,
    ) -> Self {
        let rows = rows.into_iter();
        Self(rows.map(|(row, held)| (kind(row), held)).collect())
    }

    /// What the proxy of this row held, if there was one.
    pub(super) fn of(&self, row: &Row) -> Option<&Result<u64, String>> {
        self.0.get(&kind(row))
    }
}

const fn kind(row: &Row) -> Kind {
    (row.contender, row.users.crowd, row.headers)
}
