//! How the cost of a request grows with what there is a lot of, and what a worker holds of it: told of the groups whose rows are points of
//! a series.

mod alone;
mod shape;

use std::fmt::{self, Display};

use serde::Serialize;

pub(crate) use alone::Alone;
use shape::{Cost, Shape};

use crate::plan::growth::{HALLPASS, STRIPPED};
use crate::plan::{Group, Row};
use crate::sample::Spread;
use crate::targets::bound_of_growth;

/// What the largest may cost of what the smallest costs to count as constant, where no target says.
const BOUND: f64 = 1.10;

/// Every series that was measured.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Growth(Vec<Series>);

/// One contender's way from a small size to a large one.
#[derive(Debug, Serialize)]
struct Series {
    group: String,
    name: &'static str,
    /// Whose cost is taken off.
    #[serde(skip_serializing_if = "Option::is_none")]
    less: Option<&'static str>,
    /// What the largest may cost of what the smallest costs to count as constant.
    bound: f64,
    shape: Option<Shape>,
    points: Vec<Reached>,
}

/// What was measured at one size.
#[derive(Debug, Serialize)]
struct Reached {
    size: usize,
    /// The proxy's processor time for a request, in microseconds.
    cpu_us_per_request: Option<Spread>,
    /// Of it to that of the smallest size, round by round; of a difference, to the median there, since a single one may be next to nothing.
    to_smallest: Option<Spread>,
    /// What is resident of a proxy that has one worker and this contender alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    resident_kib: Option<u64>,
    /// How much more that is than at the smallest size.
    #[serde(skip_serializing_if = "Option::is_none")]
    more_kib: Option<i64>,
    /// Why it is not known what is resident, if a premise did not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
}

/// A size, what each round cost there, and what its proxy held, if it had one.
struct Point<'a> {
    size: usize,
    costs: Vec<f64>,
    held: Option<&'a Result<u64, String>>,
}

impl Growth {
    /// Of rows that have been measured.
    pub(crate) fn new(groups: &[Group], alone: &Alone) -> Self {
        Self(
            groups
                .iter()
                .flat_map(|group| all_of(group, alone))
                .collect(),
        )
    }

    /// Whether nothing was measured.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether every proxy has its figure.
    pub(crate) fn is_complete(&self) -> bool {
        let mut points = self.0.iter().flat_map(|series| &series.points);
        points.all(|point| point.fault.is_none())
    }
}

/// The series of a group, and what Hallpass adds to the filter that does nothing, if that is there.
fn all_of(group: &Group, alone: &Alone) -> Vec<Series> {
    let points = |name: &str| -> Vec<Point<'_>> {
        let rows = group.rows.iter().filter_map(|row| Some((row, row.point?)));
        rows.filter(|(_, point)| point.series == name)
            .map(|(row, point)| Point {
                size: point.size,
                costs: costs(row),
                held: alone.of(row),
            })
            .collect()
    };
    let mut names: Vec<&str> = Vec::new();
    for point in group.rows.iter().filter_map(|row| row.point) {
        if !names.contains(&point.series) {
            names.push(point.series);
        }
    }
    let bound = bound_of_growth(&group.id).unwrap_or(BOUND);
    let series = |name, less: Option<&'static str>, points: &[Point<'_>]| {
        let points = reached(points, less.is_some());
        Series {
            group: group.id.clone(),
            name,
            less,
            bound,
            shape: shape(&points, bound),
            points,
        }
    };
    let own = names.iter().map(|&name| series(name, None, &points(name)));
    let added = names.contains(&STRIPPED).then(|| {
        let added = difference(&points(HALLPASS), &points(STRIPPED));
        series(HALLPASS, Some(STRIPPED), &added)
    });
    own.chain(added).collect()
}

fn costs(row: &Row) -> Vec<f64> {
    let samples = row.sound_samples().iter();
    samples.map(|sample| sample.cpu_us_per_request).collect()
}

/// By how much the one costs more than the other, round by round.
fn difference<'a>(of: &[Point<'a>], less: &[Point<'_>]) -> Vec<Point<'a>> {
    let pairs = of.iter().zip(less);
    pairs
        .map(|(of, less)| Point {
            size: of.size,
            costs: of
                .costs
                .iter()
                .zip(&less.costs)
                .map(|(of, less)| of - less)
                .collect(),
            held: None,
        })
        .collect()
}

fn reached(points: &[Point<'_>], are_differences: bool) -> Vec<Reached> {
    let resident = |point: &Point<'_>| point.held?.as_ref().ok().copied();
    let Some(smallest) = points.first() else {
        return Vec::new();
    };
    let median = Spread::of(smallest.costs.iter().copied()).map(|spread| spread.median);
    let units: Vec<f64> = if are_differences {
        smallest.costs.iter().filter_map(|_| median).collect()
    } else {
        smallest.costs.clone()
    };
    let one = |point: &Point<'_>| {
        // Next to a cost of nothing no other has a multiple.
        let pairs = point.costs.iter().zip(&units);
        let ratios = pairs.filter(|(_, unit)| **unit > 0.0);
        Reached {
            size: point.size,
            cpu_us_per_request: Spread::of(point.costs.iter().copied()),
            to_smallest: Spread::of(ratios.map(|(cost, unit)| cost / unit)),
            resident_kib: resident(point),
            more_kib: resident(point)
                .zip(resident(smallest))
                .and_then(|(now, then)| now.checked_signed_diff(then)),
            fault: point.held.and_then(|held| held.as_ref().err().cloned()),
        }
    };
    points.iter().map(one).collect()
}

/// The median counts. `None` when a size has no figure, or costs less than nothing: then a difference is lost in the noise.
fn shape(points: &[Reached], bound: f64) -> Option<Shape> {
    let cost = |point: &Reached| {
        Some(Cost {
            size: f64::from(u32::try_from(point.size).ok()?),
            cost: point
                .to_smallest
                .map(|ratio| ratio.median)
                .filter(|cost| *cost >= 0.0)?,
        })
    };
    let costs: Option<Vec<Cost>> = points.iter().map(cost).collect();
    Shape::of(&costs?, bound)
}

impl Display for Growth {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "\ngrowth: CPU time for a request by size, and what is resident of a proxy with one worker and this alone\n  \
             {:24}{:36}{:>8}{:>12}{:>24}{:>8}{:>8}",
            "group", "", "size", "CPU µs/req", "to the smallest", "MiB", "more"
        )?;
        writeln!(out, "  shape")?;
        self.0.iter().try_for_each(|series| series.fmt(out))
    }
}

impl Display for Series {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let less = self.less.map(|less| format!(", less {less}"));
        let name = format!("{}{}", self.name, less.unwrap_or_default());
        let last = self.points.len().saturating_sub(1);
        for (index, point) in self.points.iter().enumerate() {
            let (group, name) = if index == 0 {
                (&*self.group, &*name)
            } else {
                ("", "")
            };
            write!(out, "  {group:24}{name:36}{point}")?;
            if let Some(shape) = self.shape.filter(|_| index == last) {
                write!(out, "  {}", shape.name())?;
            }
            writeln!(out)?;
        }
        Ok(())
    }
}

impl Display for Reached {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cpu = self.cpu_us_per_request;
        let cpu = cpu.map(|Spread { median, .. }| format!("{median:.1}"));
        let ratio = self.to_smallest.map(|ratio| ratio.to_string());
        let mib = self.resident_kib.map(|kib| (kib / 1024).to_string());
        let more = self.more_kib.map(|kib| (kib / 1024).to_string());
        let [cpu, ratio, mib, more] = [cpu, ratio, mib, more].map(Option::unwrap_or_default);
        write!(out, "{:>8}{cpu:>12}{ratio:>24}{mib:>8}{more:>8}", self.size)?;
        self.fault
            .iter()
            .try_for_each(|fault| write!(out, "  no figure: {fault}"))
    }
}

#[cfg(test)]
mod tests;
