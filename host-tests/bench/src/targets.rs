//! What the filter is to reach, and whether it did.

use std::fmt::{self, Display};

use serde::Serialize;

use crate::contender::Contender;
use crate::plan::Group;
use crate::ratio::Ratio;
use crate::sample::Spread;

/// A figure that is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Figure {
    /// Requests a second: the ratio is to be at least so much.
    Throughput,
    /// The time to an answer that one in a hundred exceeds: the ratio is to be at most so much.
    P99,
    /// Processor time for a request: the ratio is to be at most so much.
    Cpu,
}

/// A bound for the ratio of one contender's figure to another's, within a group.
#[derive(Clone, Copy, Debug, Serialize)]
struct Target {
    group: &'static str,
    contender: Contender,
    to: Contender,
    figure: Figure,
    #[serde(flatten)]
    bounds: Option<Bounds>,
}

/// What must be reached, and what is hoped for.
#[derive(Clone, Copy, Debug, Serialize)]
struct Bounds {
    required: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    aimed: Option<f64>,
}

const TARGETS: [Target; 16] = {
    use Contender as C;
    use Figure::{Cpu, P99, Throughput};
    [
        target(
            "hot",
            C::Hallpass,
            C::EmptyStripped,
            Throughput,
            Some(within(0.80, 0.90)),
        ),
        target(
            "hot",
            C::Hallpass,
            C::NativeCached,
            Throughput,
            Some(within(0.75, 0.90)),
        ),
        target(
            "hot",
            C::Hallpass,
            C::NativeCachedAndExternal,
            Throughput,
            Some(within(2.2, 2.6)),
        ),
        target(
            "hot",
            C::Hallpass,
            C::NativeCached,
            P99,
            Some(within(1.3, 1.0)),
        ),
        target(
            "hot",
            C::HallpassAudited,
            C::EmptyStripped,
            Throughput,
            Some(within(0.70, 0.80)),
        ),
        target(
            "hot",
            C::HallpassAuditedTogether,
            C::EmptyStripped,
            Throughput,
            Some(within(0.70, 0.80)),
        ),
        target(
            "cold-rs256",
            C::HallpassEmbedded,
            C::Native,
            Throughput,
            Some(within(1.0, 1.3)),
        ),
        target(
            "cold-es256",
            C::HallpassEmbedded,
            C::Native,
            Throughput,
            Some(within(1.0, 1.3)),
        ),
        target(
            "cold-eddsa",
            C::HallpassEmbedded,
            C::Native,
            Throughput,
            None,
        ),
        target(
            "cold-both",
            C::HallpassManyQuestions,
            C::NativeAndExternal,
            Throughput,
            Some(within(1.0, 1.5)),
        ),
        target(
            "cold-both",
            C::HallpassGathering,
            C::NativeAndExternal,
            Throughput,
            Some(within(1.0, 1.5)),
        ),
        target(
            "refusal-none",
            C::Hallpass,
            C::Refusing,
            Throughput,
            Some(within(0.90, 0.95)),
        ),
        target(
            "growth-resources",
            C::HallpassResources(1_000),
            C::HallpassResources(1),
            Cpu,
            Some(at_most(1.10)),
        ),
        target(
            "growth-grants",
            C::HallpassLongTokens(100),
            C::HallpassLongTokens(1),
            Cpu,
            Some(at_most(1.10)),
        ),
        target(
            "growth-grants",
            C::HallpassEmbeddedGrants(100),
            C::HallpassEmbeddedGrants(1),
            Cpu,
            Some(at_most(1.10)),
        ),
        target(
            "growth-tokens",
            C::HallpassRemembering(100_000),
            C::HallpassRemembering(100),
            Cpu,
            Some(at_most(1.15)),
        ),
    ]
};

const fn target(
    group: &'static str,
    contender: Contender,
    to: Contender,
    figure: Figure,
    bounds: Option<Bounds>,
) -> Target {
    Target {
        group,
        contender,
        to,
        figure,
        bounds,
    }
}

const fn within(required: f64, aimed: f64) -> Bounds {
    Bounds {
        required,
        aimed: Some(aimed),
    }
}

/// Nothing is hoped for beyond what must be reached.
const fn at_most(required: f64) -> Bounds {
    Bounds {
        required,
        aimed: None,
    }
}

/// What the largest may cost of what the smallest costs, in a group that is about growth and has a target.
pub(crate) fn bound_of_growth(group: &str) -> Option<f64> {
    let is_about = |target: &&Target| target.group == group && target.figure == Figure::Cpu;
    let target = TARGETS.iter().find(is_about)?;
    target.bounds.map(|bounds| bounds.required)
}

/// How a target stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Standing {
    /// What is hoped for is reached.
    Aim,
    /// What must be reached is.
    Holds,
    Missed,
    /// There is a figure, and no bound for it.
    Unbounded,
    /// A row has no figure.
    Unknown,
}

/// A target, and what was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Verdict {
    #[serde(flatten)]
    target: Target,
    measured: Option<Spread>,
    standing: Standing,
}

/// How the targets stand that these groups are about.
pub(crate) fn judge(groups: &[Group]) -> Vec<Verdict> {
    let verdict = |target: Target| {
        let group = groups.iter().find(|group| group.id == target.group)?;
        let measured = target.measured(group);
        Some(Verdict {
            target,
            measured,
            standing: target.standing(measured),
        })
    };
    TARGETS.into_iter().filter_map(verdict).collect()
}

impl Target {
    fn measured(self, group: &Group) -> Option<Spread> {
        let of = |contender| group.rows.iter().find(|row| row.contender == contender);
        let ratio = Ratio::between(of(self.contender)?, of(self.to)?)?;
        Some(match self.figure {
            Figure::Throughput => ratio.throughput,
            Figure::P99 => ratio.p99,
            Figure::Cpu => ratio.cpu,
        })
    }

    /// The median counts.
    fn standing(self, measured: Option<Spread>) -> Standing {
        let Some(Spread { median, .. }) = measured else {
            return Standing::Unknown;
        };
        let Some(Bounds { required, aimed }) = self.bounds else {
            return Standing::Unbounded;
        };
        let reaches = |bound| match self.figure {
            Figure::Throughput => median >= bound,
            Figure::P99 | Figure::Cpu => median <= bound,
        };
        match (aimed.is_some_and(reaches), reaches(required)) {
            (true, _) => Standing::Aim,
            (false, true) => Standing::Holds,
            (false, false) => Standing::Missed,
        }
    }
}

impl Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Target {
            group,
            contender,
            to,
            figure,
            bounds,
        } = self.target;
        let (figure, sign) = match figure {
            Figure::Throughput => ("requests/s", "≥"),
            Figure::P99 => ("p99", "≤"),
            Figure::Cpu => ("CPU/request", "≤"),
        };
        let (contender, to) = (contender.listener(), to.listener());
        write!(out, "  {group:18}{contender:32}{figure:12}{to:32}")?;
        let shown = |bound: Option<f64>| {
            let shown = bound.map(|bound| format!("{sign} {bound:.2}"));
            shown.unwrap_or_default()
        };
        let required = shown(bounds.map(|bounds| bounds.required));
        let aimed = shown(bounds.and_then(|bounds| bounds.aimed));
        let measured = self.measured.map(|spread| spread.to_string());
        let measured = measured.unwrap_or_default();
        let standing = match self.standing {
            Standing::Aim => "holds, and the aim too",
            Standing::Holds => "holds",
            Standing::Missed => "missed",
            Standing::Unbounded => "no target",
            Standing::Unknown => "no figure",
        };
        writeln!(out, "{required:>10}{aimed:>10}{measured:>24}  {standing}")
    }
}

/// The verdicts as a table.
pub(crate) fn table(verdicts: &[Verdict], out: &mut fmt::Formatter<'_>) -> fmt::Result {
    if verdicts.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\ntargets\n  {:18}{:32}{:12}{:32}{:>10}{:>10}{:>24}",
        "group", "contender", "ratio of", "to", "required", "aimed", "measured"
    )?;
    verdicts.iter().try_for_each(|verdict| verdict.fmt(out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Row, groups};
    use crate::ratio::tests::measured;

    /// The standings of the first and the fourth target, throughput to the stripped empty filter and p99 to `jwt_authn`, when the ratio
    /// of each figure is this.
    fn standings(throughput: f64, p99: f64) -> [Standing; 2] {
        let row = |contender, figures| measured(contender, &[figures]);
        let hot = Group {
            id: "hot".to_owned(),
            title: String::new(),
            workers: 1,
            rows: vec![
                row(Contender::EmptyStripped, (1.0, 1.0)),
                row(Contender::NativeCached, (1.0, 1.0)),
                row(Contender::Hallpass, (throughput, p99)),
            ],
            comparisons: Vec::new(),
        };
        let verdicts = judge(&[hot]);
        [&verdicts[0], &verdicts[3]].map(|verdict| verdict.standing)
    }

    #[test]
    fn throughput_is_to_be_at_least_the_bound_and_latency_at_most() {
        use Standing::{Aim, Holds, Missed};
        assert_eq!(standings(0.95, 0.9), [Aim, Aim]);
        assert_eq!(standings(0.90, 1.0), [Aim, Aim]);
        assert_eq!(standings(0.85, 1.2), [Holds, Holds]);
        assert_eq!(standings(0.80, 1.3), [Holds, Holds]);
        assert_eq!(standings(0.79, 1.4), [Missed, Missed]);
    }

    /// The standing of the only target of a group without an aim, when its rows cost this for a request.
    fn standing_of_growth(smallest: f64, largest: f64) -> Standing {
        let row = |number, cost: f64| {
            let contender = Contender::HallpassResources(number);
            measured(contender, &[(1.0 / cost, 1.0)])
        };
        let resources = Group {
            id: "growth-resources".to_owned(),
            title: String::new(),
            workers: 1,
            rows: vec![row(1, smallest), row(1_000, largest)],
            comparisons: Vec::new(),
        };
        let verdicts = judge(&[resources]);
        assert_eq!(verdicts.len(), 1);
        verdicts[0].standing
    }

    #[test]
    fn the_largest_is_to_cost_at_most_the_bound_and_nothing_is_hoped_for_beyond() {
        assert_eq!(standing_of_growth(10.0, 9.0), Standing::Holds);
        assert_eq!(standing_of_growth(10.0, 10.9), Standing::Holds);
        assert_eq!(standing_of_growth(10.0, 11.1), Standing::Missed);
    }

    #[test]
    fn a_row_without_figures_leaves_its_targets_without_a_verdict() {
        let mut groups = groups(false);
        groups.retain(|group| group.id == "hot");
        let verdicts = judge(&groups);
        assert_eq!(verdicts.len(), 6);
        let mut standings = verdicts.iter().map(|verdict| verdict.standing);
        assert!(standings.all(|standing| standing == Standing::Unknown));
    }

    #[test]
    fn every_target_is_about_two_rows_of_a_group_that_there_is() {
        let groups = groups(false);
        for target in TARGETS {
            let group = groups.iter().find(|group| group.id == target.group);
            let group = group.unwrap_or_else(|| panic!("{target:?}: no such group"));
            let has = |contender| {
                let is = |row: &&Row| row.contender == contender;
                group.rows.iter().filter(is).count() == 1
            };
            assert!(has(target.contender) && has(target.to), "{target:?}");
        }
    }
}
