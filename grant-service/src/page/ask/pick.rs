//! What this person may ask for, to pick from.

use maud::{Markup, html};

use super::{Fields, open_to};
use crate::app::App;
use crate::life::{Refusal, Rule, Target};
use crate::page::frame::{Page, Place, page as framed};
use crate::page::notice::Notice;
use crate::page::visitor::Visitor;
use crate::page::words;

pub(super) fn page(
    app: &App,
    visitor: &Visitor,
    fields: &Fields,
    refusal: Option<&Refusal>,
) -> Markup {
    let open = offers(app, visitor);
    let body = html! {
        @if open.is_empty() {
            div class="card empty" {
                p { "There is nothing that you can request." }
                p class="soft" { "Ask whoever keeps the policy of this service to let you." }
            }
        } @else {
            p class="lead" { "Pick what you want to do. You say how long and why in the next step." }
            ul class="cards" {
                @for offer in &open { li class="card" { (entry(offer, fields)) } }
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

/// A resource, and what of it this person may ask for.
struct Offer<'a> {
    rule: &'a Rule,
    actions: Vec<Action<'a>>,
    /// Whether there are actions that no rule names.
    any: bool,
}

struct Action<'a> {
    name: &'a str,
    only_in_an_emergency: bool,
}

fn offers<'a>(app: &'a App, visitor: &Visitor) -> Vec<Offer<'a>> {
    let mut offers: Vec<Offer<'a>> = Vec::new();
    for rule in &app.desk.policy().rules {
        let actions: Vec<_> = rule
            .actions
            .iter()
            .filter_map(|name| offered(app, visitor, rule, name))
            .collect();
        // The name of no action: only a rule about any can be about it.
        let any = rule.actions.is_empty() && offered(app, visitor, rule, "").is_some();
        if actions.is_empty() && !any {
            continue;
        }
        let same = offers.iter_mut().find(|offer| {
            offer.rule.resource_type == rule.resource_type && offer.rule.resource == rule.resource
        });
        match same {
            Some(offer) => {
                offer.actions.extend(actions);
                offer.any |= any;
            }
            None => offers.push(Offer { rule, actions, any }),
        }
    }
    offers
}

/// An action that this person may ask for by this rule, and that no rule before it decides.
fn offered<'a>(app: &App, visitor: &Visitor, rule: &Rule, name: &'a str) -> Option<Action<'a>> {
    let target = Target {
        resource_type: rule.resource_type.clone(),
        resource: rule.resource.clone(),
        action: name.to_owned(),
    };
    let opening =
        open_to(app, &visitor.person, target).filter(|opening| std::ptr::eq(opening.rule, rule))?;
    Some(Action {
        name,
        only_in_an_emergency: !opening.usually,
    })
}

fn entry(offer: &Offer<'_>, fields: &Fields) -> Markup {
    let rule = offer.rule;
    let name = if rule.title.is_empty() {
        &rule.resource
    } else {
        &rule.title
    };
    html! {
        h2 { (name) }
        p class="soft" { code { (rule.resource) } }
        @if !offer.actions.is_empty() {
            p class="deeds" {
                @for action in &offer.actions {
                    a class="button quiet" href=(words::ask_page(&target_of(rule, action.name), &fields.return_to)) aria-label=(format!("{} on {name}", action.name)) { (action.name) }
                    @if action.only_in_an_emergency { span class="soft" { "in an emergency" } }
                }
            }
        }
        @if offer.any {
            form class="deeds" action="/request" {
                input type="hidden" name="resource" value=(rule.resource);
                input type="hidden" name="type" value=(rule.resource_type);
                input type="hidden" name="return_to" value=(fields.return_to);
                label { span { "Action" } input name="action" required autocomplete="off" autocapitalize="none" spellcheck="false"; }
                button class="button quiet" { "Next" }
            }
        }
    }
}

fn target_of(rule: &Rule, action: &str) -> Target {
    Target {
        resource_type: rule.resource_type.clone(),
        resource: rule.resource.clone(),
        action: action.to_owned(),
    }
}
