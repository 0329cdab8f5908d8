//! The form for one access. What is not right is told at the top and beside its field, and what was typed is kept.

use hallpass_core::config::span::Span;
use hallpass_core::time::UnixMillis;
use maud::{Markup, html};

use super::{Fields, Opening};
use crate::app::App;
use crate::desk::Evaluation;
use crate::life::{Refusal, Request, RequestId};
use crate::page::frame::{Page, Place, page as framed};
use crate::page::notice::Notice;
use crate::page::trouble::Trouble;
use crate::page::visitor::Visitor;
use crate::page::{term, words};

/// So many of someone's last requests are looked through for one that still waits.
const LOOK_BACK: u32 = 50;

pub(super) async fn page(
    app: &App,
    visitor: &Visitor,
    opening: &Opening<'_>,
    fields: &Fields,
    refusal: Option<&Refusal>,
) -> Result<Markup, Trouble> {
    let already = already(app, visitor, opening).await?;
    let name = name(opening);
    let body = html! {
        @if let Some(refusal) = refusal { (summary(refusal)) } @else { (already) }
        form method="post" action="/request" class="card" id="ask" {
            (hidden(opening, fields))
            p class="what" {
                span class="soft" { "You ask for" } br;
                (words::access(&opening.target))
            }
            (duration(opening, fields, wrong(refusal, "duration")))
            (reason(opening, fields, wrong(refusal, "reason")))
            @if opening.breaks_glass { (emergency(opening, fields)) }
            (what_comes(opening, visitor))
            p class="deeds" {
                button class="button" id="send" { "Send request" }
                a href="/request" { "Something else" }
            }
        }
    };
    Ok(framed(
        app,
        visitor,
        &Page {
            place: Place::Request,
            title: &format!("Request access to {name}"),
            notice: &Notice::default(),
            body,
            reload: None,
        },
    ))
}

fn name<'a>(opening: &'a Opening<'_>) -> &'a str {
    let title = opening.rule.title.as_str();
    if title.is_empty() {
        &opening.target.resource
    } else {
        title
    }
}

fn hidden(opening: &Opening<'_>, fields: &Fields) -> Markup {
    html! {
        input type="hidden" name="resource" value=(opening.target.resource);
        input type="hidden" name="type" value=(opening.target.resource_type);
        input type="hidden" name="action" value=(opening.target.action);
        input type="hidden" name="return_to" value=(fields.return_to);
        input type="hidden" name="key" value=(fields.key);
    }
}

/// What is wrong with this field, if that is what was refused.
fn wrong<'a>(refusal: Option<&'a Refusal>, name: &str) -> Option<&'a str> {
    match refusal {
        Some(Refusal::Invalid { field, expected }) if *field == name => Some(expected),
        _ => None,
    }
}

fn summary(refusal: &Refusal) -> Markup {
    html! {
        div class="notice not" role="alert" id="refused" {
            @match refusal {
                Refusal::Invalid { field: field @ "reason", .. } => {
                    p { "The request was not sent: " a href=(format!("#{field}")) { "look at the reason" } "." }
                }
                Refusal::Invalid { field: "duration", .. } => {
                    p { "The request was not sent: " a href="#duration" { "look at the duration" } "." }
                }
                Refusal::Duplicate(RequestId(id)) => {
                    p { "You are waiting for the same access already. " a href=(format!("/requests/{}", words::encoded(id))) { "See that request" } "." }
                }
                Refusal::KeyReused => {
                    p { "This form was sent before, with other words. If you want to send another request, check it and send it again." }
                }
                other => p { "The request was not sent: " (other) "." }
            }
        }
    }
}

fn duration(opening: &Opening<'_>, fields: &Fields, wrong: Option<&str>) -> Markup {
    let rule = opening.rule;
    let glass = rule.break_glass.as_ref().filter(|_| opening.breaks_glass);
    let longest = match glass {
        Some(glass) if !opening.usually => glass.max_duration,
        _ => rule.max_duration,
    };
    let usual = Span::from(rule.default_duration.min(longest)).to_string();
    let offered = term::choices(rule.default_duration, longest);
    let offered = offered
        .into_iter()
        .map(|duration| (Span::from(duration).to_string(), words::span(duration)));
    // A link may write it in another unit than the form does.
    let wished = humantime::parse_duration(&fields.duration).ok();
    let chosen = wished.map_or(usual, |wished| Span::from(wished).to_string());
    html! {
        fieldset class="choices" id="duration" tabindex="-1" aria-describedby=[wrong.map(|_| "duration-wrong")] {
            legend { "For how long" }
            div {
                @for (value, text) in offered {
                    label { input type="radio" name="duration" value=(value) checked[value == chosen]; span { (text) } }
                }
            }
            @if let Some(expected) = wrong {
                p class="wrong" id="duration-wrong" { "It must be " (expected) "." }
            }
        }
    }
}

fn reason(opening: &Opening<'_>, fields: &Fields, wrong: Option<&str>) -> Markup {
    let hint = opening
        .rule
        .reason_hint
        .as_deref()
        .unwrap_or("What do you want to do there?");
    let described = if wrong.is_some() {
        "reason-wrong reason-hint"
    } else {
        "reason-hint"
    };
    html! {
        div class="field" {
            label for="reason" { "Why" }
            p class="soft" id="reason-hint" { (hint) }
            textarea id="reason" name="reason" rows="3" required maxlength="1000" aria-describedby=(described)
                aria-invalid=[wrong.map(|_| "true")] autofocus[wrong.is_some()] { "\n" (fields.reason) }
            @if let Some(expected) = wrong {
                p class="wrong" id="reason-wrong" { "Expected: " (expected) }
            }
        }
    }
}

fn emergency(opening: &Opening<'_>, fields: &Fields) -> Markup {
    let glass = opening.rule.break_glass.as_ref();
    html! {
        div class="glass" {
            label {
                input type="checkbox" name="emergency" id="emergency" value="yes" aria-describedby="emergency-warning"
                    checked[!fields.emergency.is_empty()] required[!opening.usually];
                span { "This is an emergency: break the glass" }
            }
            p id="emergency-warning" {
                "You are let in at once"
                @if let Some(glass) = glass { ", for at most " (words::span(glass.max_duration)) ","}
                " without anyone’s approval. It goes on record as an emergency, and those who watch are told. Do it only if it cannot wait."
            }
        }
    }
}

fn what_comes(opening: &Opening<'_>, visitor: &Visitor) -> Markup {
    let rule = opening.rule;
    let automatic = rule
        .automatic
        .as_ref()
        .filter(|shortcut| shortcut.who.includes(&visitor.person));
    html! {
        @if let Some(shortcut) = automatic {
            p class="soft" { "You get up to " (words::span(shortcut.max_duration)) " at once. For longer, it takes " (approvals(rule.approvals)) "." }
        } @else if opening.usually {
            p class="soft" { "It takes " (approvals(rule.approvals)) ". Access ends by itself." }
        }
    }
}

fn approvals(count: u32) -> String {
    match count {
        0 | 1 => "the approval of one other person".to_owned(),
        count => format!("the approval of {count} other people"),
    }
}

/// What this person has of it already: nobody should ask for what they have.
async fn already(app: &App, visitor: &Visitor, opening: &Opening<'_>) -> Result<Markup, Trouble> {
    let me = &visitor.person.id;
    if let Evaluation::Allowed(grant) = app.desk.evaluate(me, &opening.target).await? {
        return Ok(html! {
            p class="notice done" { "You have this access already, until " (words::moment(grant.window.until)) ". " a href="/grants" { "My grants" } }
        });
    }
    let now: UnixMillis = app.desk.clock().now();
    let requests = app.desk.store().requests_of(me, LOOK_BACK).await?;
    let waiting = requests.iter().find_map(|request| match request {
        Request::Pending(pending) if pending.target == opening.target && pending.until > now => {
            Some(&pending.id.0)
        }
        _ => None,
    });
    Ok(html! {
        @if let Some(id) = waiting {
            p class="notice wait" { "You are waiting for this access already. " a href=(format!("/requests/{}", words::encoded(id))) { "See your request" } }
        }
    })
}
