//! What this person may ask for, to pick from.

use maud::{Markup, html};

use super::{Fields, open_to};
use crate::http::App;
use crate::life::{Refusal, Rule, Target};
use crate::page::frame::{Page, Place, page as framed};
use crate::page::notice::Notice;
use crate::page::visitor::Visitor;

pub(super) fn page(
    app: &App,
    visitor: &Visitor,
    fields: &Fields,
    refusal: Option<&Refusal>,
) -> Markup {
    let rules = &app.desk.policy().rules;
    let open: Vec<_> = rules
        .iter()
        .filter_map(|rule| offered(app, visitor, rule).map(|actions| (rule, actions)))
        .collect();
    let body = html! {
        @if open.is_empty() {
            div class="card empty" {
                p { "There is nothing that you can request." }
                p class="soft" { "Ask whoever keeps the policy of this service to let you." }
            }
        } @else {
            p class="lead" { "Pick what you want to do. You say how long and why in the next step." }
            ul class="cards" {
                @for (rule, actions) in open { li class="card" { (entry(rule, &actions, fields)) } }
            }
        }
    };
    let notice = refusal.map_or_else(Notice::default, |_| {
        Notice::not("You cannot request this access. Here is what you can request.".to_owned())
    });
    framed(
        app,
        visitor,
        &Page {
            place: Place::Request,
            title: "Request access",
            notice: &notice,
            body,
            reload: None,
        },
    )
}

/// The actions of a rule that this person may ask for, and that no rule before it decides; none of them by name if the rule is about any.
fn offered<'a>(app: &App, visitor: &Visitor, rule: &'a Rule) -> Option<Vec<&'a str>> {
    let is_open = |action: &str| {
        let target = Target {
            resource_type: rule.resource_type.clone(),
            resource: rule.resource.clone(),
            action: action.to_owned(),
        };
        open_to(app, &visitor.person, target)
            .is_some_and(|opening| std::ptr::eq(opening.rule, rule))
    };
    if rule.actions.is_empty() {
        // The name of no action: only this very rule can be about it.
        return is_open("").then(Vec::new);
    }
    let actions: Vec<_> = rule
        .actions
        .iter()
        .map(String::as_str)
        .filter(|action| is_open(action))
        .collect();
    (!actions.is_empty()).then_some(actions)
}

fn entry(rule: &Rule, actions: &[&str], fields: &Fields) -> Markup {
    let name = if rule.title.is_empty() {
        &rule.resource
    } else {
        &rule.title
    };
    html! {
        h2 { (name) }
        p class="soft" { code { (rule.resource) } }
        @if actions.is_empty() {
            form class="deeds" action="/request" {
                input type="hidden" name="resource" value=(rule.resource);
                input type="hidden" name="type" value=(rule.resource_type);
                input type="hidden" name="return_to" value=(fields.return_to);
                label { span { "Action" } input name="action" required autocomplete="off" autocapitalize="none" spellcheck="false"; }
                button class="button quiet" { "Next" }
            }
        } @else {
            p class="deeds" {
                @for action in actions {
                    a class="button quiet" href=(link(rule, action, fields)) aria-label=(format!("{action} on {name}")) { (action) }
                }
            }
        }
    }
}

fn link(rule: &Rule, action: &str, fields: &Fields) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::from("/request?"));
    query
        .append_pair("resource", &rule.resource)
        .append_pair("type", &rule.resource_type)
        .append_pair("action", action);
    if !fields.return_to.is_empty() {
        query.append_pair("return_to", &fields.return_to);
    }
    query.finish()
}
