//! The steps before the grant service: the one reading of the request, the resources in their order, the token, its grants.

use hallpass_core::bearer::Bearer;
use hallpass_core::config::Config;
use hallpass_core::flow::Exchange;
use hallpass_core::policy::conditions::Facts;
use hallpass_core::policy::{Access, Mismatch, Resource};
use hallpass_core::request::CanonicalRequest;
use hallpass_core::time::UnixMillis;

use super::inputs::Inputs;
use super::{Step, grants, token};

pub(super) fn steps(inputs: &Inputs) -> Vec<Step> {
    let config = &inputs.config;
    let request = match Exchange::new(inputs.head.clone()).canonical(config) {
        Ok(request) => request,
        Err(why) => {
            let text = format!("it could be read in two ways: {why}");
            return vec![Step::no("request", text)];
        }
    };
    let CanonicalRequest {
        method, host, path, ..
    } = &request;
    let mut steps = vec![Step::yes(
        "request",
        format!("method {method}, host {host}, path {path}"),
    )];
    if let Some(step) = apart_from_resources(inputs, &request) {
        steps.push(step);
        return steps;
    }
    let Some(resource) = tried(config, &request, &mut steps) else {
        return steps;
    };
    if !resource.access.needs_identity() {
        steps.extend(conditions(inputs, resource, None));
        return steps;
    }
    let Some(bearer) = token::steps(inputs, &mut steps) else {
        return steps;
    };
    steps.extend(conditions(inputs, resource, Some(&bearer)));
    if resource.access == Access::Grant {
        let action = config.policy.action(resource, &request.method);
        grants::steps(inputs, &bearer, resource, &action, &mut steps);
    }
    steps
}

/// What becomes of requests that no resource is asked about as usual.
fn apart_from_resources(inputs: &Inputs, request: &CanonicalRequest) -> Option<Step> {
    let config = &inputs.config;
    let metadata = config.resource_metadata.as_ref();
    if metadata.is_some_and(|metadata| metadata.answer(request).is_some()) {
        let text = "the filter answers this itself: it is the document for OAuth clients";
        return Some(Step::yes("resource", text));
    }
    let preflighted = config.policy.find_preflighted(request, &inputs.head);
    preflighted.map(|(index, resource)| {
        let name = resource.name.as_str();
        let text = format!("resources[{index}] {name}: lets preflights pass, and this is one");
        Step::yes("resource", text)
    })
}

/// What the resource's conditions come to, if it has some.
fn conditions(inputs: &Inputs, resource: &Resource, bearer: Option<&Bearer>) -> Option<Step> {
    const ABOUT: &str = "condition";
    let conditions = resource.conditions.as_ref()?;
    let mut head = inputs.head.clone();
    head.source_ip = inputs.config.trusted_hops.source_ip(&head);
    let facts = Facts {
        head: &head,
        identity: bearer.map(|bearer| &bearer.identity),
        claims: bearer.map(|bearer| &bearer.claims),
    };
    Some(match conditions.judge(&facts, inputs.now) {
        Ok(all) => {
            let end = all.until.map(UnixMillis::to_rfc3339);
            let end = end.map_or_else(String::new, |end| format!(" until {end}"));
            Step::yes(ABOUT, format!("all of the resource's hold{end}"))
        }
        Err(unmet) => Step::no(ABOUT, unmet.to_string()),
    })
}

/// Tells of each resource until the one that matches, which it returns.
fn tried<'a>(
    config: &'a Config,
    request: &CanonicalRequest,
    steps: &mut Vec<Step>,
) -> Option<&'a Resource> {
    const ABOUT: &str = "resource";
    for (index, resource) in config.policy.iter().enumerate() {
        let name = resource.name.as_str();
        let Some(mismatch) = resource.matcher.mismatch(request) else {
            let action = config.policy.action(resource, &request.method);
            let demands = match resource.access {
                Access::Public => "it is public".to_owned(),
                Access::Identity => "it demands an identity".to_owned(),
                Access::Grant => format!("it demands a grant for the action {action}"),
                Access::Deny => "it is closed".to_owned(),
            };
            let text = format!("resources[{index}] {name}: matches, and {demands}");
            steps.push(Step::yes(ABOUT, text));
            return Some(resource);
        };
        let what = match mismatch {
            Mismatch::Host => "host",
            Mismatch::Method => "method",
            Mismatch::Path => "path",
        };
        let text = format!("resources[{index}] {name}: another {what}");
        steps.push(Step::note(ABOUT, text));
    }
    steps.push(Step::no(ABOUT, "no resource matches"));
    None
}
