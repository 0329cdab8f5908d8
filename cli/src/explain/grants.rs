//! The steps of the grants: each of the token's and why it counts or does not, and what the service's answer says.

use std::sync::Arc;

use hallpass_core::bearer::Bearer;
use hallpass_core::grant::embedded::Coverage;
use hallpass_core::grant::{Grant, Ruling};
use hallpass_core::ids::{Action, GrantId};
use hallpass_core::policy::Resource;
use hallpass_core::time::{Phase, UnixMillis};

use super::Step;
use super::inputs::Inputs;

const ABOUT: &str = "grant";
const SERVICE: &str = "service";

pub(super) fn steps(
    inputs: &Inputs,
    bearer: &Arc<Bearer>,
    resource: &Resource,
    action: &Action,
    steps: &mut Vec<Step>,
) {
    let mut is_empty = true;
    for grant in bearer.grants.iter() {
        is_empty = false;
        steps.push(embedded(grant, resource, action, inputs.now));
    }
    if is_empty {
        let claim = &inputs.config.grants.claim;
        steps.push(Step::note(
            ABOUT,
            format!("none in the token's claim {claim}"),
        ));
    }
    let longest = resource.max_grant_lifetime;
    let coverage = bearer
        .grants
        .coverage(&resource.name, action, longest, inputs.now);
    let service = &inputs.config.grants.service;
    steps.push(match (coverage, service) {
        (Coverage::Live(_), _) => Step::note(SERVICE, "nobody needs to be asked"),
        (_, Some(service)) => {
            let cluster = &service.cluster;
            let text =
                format!("asked through the cluster {cluster}, unless its answer is remembered");
            Step::note(SERVICE, text)
        }
        (_, None) => Step::no(SERVICE, "there is none to ask"),
    });
}

/// One grant of the token.
fn embedded(grant: &Grant, resource: &Resource, action: &Action, now: UnixMillis) -> Step {
    let id = grant.id.as_ref().map_or("(unnamed)", GrantId::as_str);
    let until = grant.window.until;
    let no = |why: String| Step::no(ABOUT, format!("{id}: {why}"));
    if grant.resource != resource.name {
        return no(format!("for the resource {}", grant.resource));
    }
    if !grant.covers(&resource.name, action) {
        return no(format!("does not allow the action {action}"));
    }
    match grant.window.phase(now) {
        Phase::Before => return no(format!("holds from {} on", grant.window.from.to_rfc3339())),
        Phase::Over => return no(format!("is over since {}", until.to_rfc3339())),
        Phase::Within => {}
    }
    let left = until.since(now);
    match resource.max_grant_lifetime {
        Some(longest) if left > longest => no(format!(
            "lasts {} s more, and at most {} s are accepted",
            left.as_secs(),
            longest.as_secs()
        )),
        _ => Step::yes(ABOUT, format!("{id}: holds until {}", until.to_rfc3339())),
    }
}

/// What the service's answer says.
pub(super) fn ruling(ruling: &Ruling) -> Step {
    match ruling {
        Ruling::Allow { id, until, step_up } => {
            let id = id.as_ref().map_or("(unnamed)", GrantId::as_str);
            let until = match until {
                Some(until) => format!("until {}", until.to_rfc3339()),
                None => "without an end".to_owned(),
            };
            let condition = if step_up.is_some() {
                ", if the sign-in is as it demands"
            } else {
                ""
            };
            Step::yes(
                SERVICE,
                format!("it allows by the grant {id} {until}{condition}"),
            )
        }
        Ruling::Obliged => Step::no(
            SERVICE,
            "it allows on a condition that the filter cannot meet",
        ),
        Ruling::Deny { form_url: None } => Step::no(SERVICE, "it denies"),
        Ruling::Deny {
            form_url: Some(url),
        } => Step::no(SERVICE, format!("it denies, and names the form {url}")),
    }
}
