//! Users whom a grant service decides about.

use std::time::Duration;

use super::{Comparison, Group, Row};
use crate::contender::{ALLOW_TTL, Contender, RESOURCES};
use crate::crowd::{Crowd, GRANTED_USERS};
use crate::premise::Premise;

const AN_HOUR: &str = "answers count an hour";

/// Users who keep asking for a few resources: what it costs that answers of the grant service are asked for anew before they are over.
pub(super) fn steady() -> Group {
    let questions = u32::try_from(GRANTED_USERS * RESOURCES).unwrap_or(u32::MAX);
    // An answer is asked for anew in the last fifth of its time; the question leaves with one of four ticks a second.
    let period = ALLOW_TTL.mul_f64(0.8) + Duration::from_millis(125);
    let steady = |name, contender, premises: &[Premise]| Row {
        is_steady: true,
        ..Row::new(name, contender, Crowd::Granted, premises)
    };
    Group {
        id: "steady".to_owned(),
        title: "hallpass: 200 users and 5 resources, decided by a grant service".to_owned(),
        workers: 1,
        rows: vec![
            steady(AN_HOUR, Contender::HallpassGrants, &[]),
            steady(
                "answers count 5 seconds",
                Contender::HallpassFleetingGrants,
                &[Premise::Asked { questions, period }],
            ),
        ],
        comparisons: vec![Comparison {
            heading: "to an hour",
            with: AN_HOUR,
        }],
    }
}
