//! How a request stands, in words for whoever looks: the one who asked, someone who decides, or an auditor.

use hallpass_core::time::UnixMillis;
use maud::{Markup, html};
use url::Url;

use crate::app::App;
use crate::life::{Active, Closed, Closing, End, Grant, Pending, Request, Term};
use crate::page::approvals::decision;
use crate::page::grants::give_back;
use crate::page::visitor::Visitor;
use crate::page::words;

/// How soon a page that waits for a decision looks for it, in seconds.
const SOON: u32 = 3;
/// The same for one that shows a live grant.
const LATER: u32 = 15;

/// How a request stands.
pub(super) struct Standing {
    /// Its colours.
    pub(super) tone: &'static str,
    /// In a few words, also for listeners.
    pub(super) title: String,
    /// How soon the page looks whether that has changed, in seconds; never, if it cannot.
    pub(super) look_again: Option<u32>,
    /// What follows from it, and what can be done.
    pub(super) text: Markup,
}

/// Who looks, when, and where they came from.
pub(super) struct View<'a> {
    pub(super) app: &'a App,
    pub(super) visitor: &'a Visitor,
    pub(super) back: Option<&'a Url>,
    /// Whether it is the looker's own request.
    pub(super) mine: bool,
    pub(super) now: UnixMillis,
}

impl View<'_> {
    /// How it stands; `grant` is what it came to.
    pub(super) fn standing(&self, request: &Request, grant: Option<&Grant>) -> Standing {
        match (request, grant) {
            (Request::Pending(pending), _) if pending.until <= self.now => undecided(pending.until),
            (Request::Pending(pending), _) => self.pending(pending),
            (_, Some(Grant::Active(grant))) if grant.window.until > self.now => self.live(grant),
            (_, Some(grant)) => self.ended(grant),
            (Request::Closed(closed), None) => self.closed(closed),
        }
    }

    fn pending(&self, pending: &Pending) -> Standing {
        let decides = pending.awaits(self.app.desk.policy(), &self.visitor.person, self.now);
        let deadline = html! {
            p class="soft" { "If nobody decides by " (words::moment(pending.until)) ", the request ends by itself." }
        };
        let (title, text) = if decides {
            ("It waits for you", html! { (deadline) (decision(pending)) })
        } else {
            ("Waiting for approval", self.waiting(pending, &deadline))
        };
        Standing {
            tone: "wait",
            title: title.to_owned(),
            look_again: Some(SOON),
            text,
        }
    }

    fn waiting(&self, pending: &Pending, deadline: &Markup) -> Markup {
        let rule = self.app.desk.policy().rule(&pending.target);
        let needed = rule.map_or(1, |rule| rule.approvals.max(1));
        let given = pending.approvals.len();
        html! {
            p {
                @if needed == 1 { "Someone else who looks after this resource must approve it." }
                @else { (given) " of " (needed) " people who look after this resource have approved it." }
            }
            @if self.mine { p { "You can leave this page open: it shows the decision as soon as there is one." } }
            (deadline)
            @if self.mine {
                form method="post" action=(format!("/requests/{}/withdraw", words::encoded(&pending.id.0))) class="deeds" {
                    button class="button quiet" id="withdraw" { "Withdraw the request" }
                }
            }
        }
    }

    fn live(&self, grant: &Active) -> Standing {
        let name = format!("{} on {}", grant.target.action, grant.target.resource);
        let holder = self.mine;
        Standing {
            tone: "good",
            title: if holder {
                "You are in"
            } else {
                "Access is granted"
            }
            .to_owned(),
            look_again: Some(LATER),
            text: html! {
                (words::countdown(grant.window, self.now, &name))
                @if grant.emergency { p { strong { "Taken in an emergency." } " It is on record as such." } }
                @if holder {
                    @if let Some(back) = self.back {
                        p class="deeds" { a class="button" id="back" href=(back) { "Go back to " (place(back)) } }
                    } @else {
                        p id="back" { "Go back to the page that you came from and reload it." }
                    }
                }
                @if holder || self.may_revoke(grant) { (give_back(grant, holder, "request")) }
            },
        }
    }

    fn may_revoke(&self, grant: &Active) -> bool {
        let rule = self.app.desk.policy().rule(&grant.target);
        let person = &self.visitor.person;
        self.app.desk.is_administrator(person)
            || rule.is_some_and(|rule| rule.approvers.includes(person))
    }

    fn ended(&self, grant: &Grant) -> Standing {
        let (title, at) = match grant {
            Grant::Ended(ended) => match ended.end {
                End::Revoked => ("The access was taken back", ended.at),
                End::Expired => ("The access is over", ended.grant.window.until),
            },
            Grant::Active(grant) => ("The access is over", grant.window.until),
        };
        Standing {
            tone: "odd",
            title: title.to_owned(),
            look_again: None,
            text: html! {
                p { "It ended at " (words::moment(at)) "." }
                (self.again(grant.facts()))
            },
        }
    }

    fn again(&self, grant: &Active) -> Markup {
        html! {
            @if self.mine { p class="deeds" { a class="button quiet" href=(words::ask_page(&grant.target, "")) { "Request it again" } } }
        }
    }

    fn closed(&self, closed: &Closed) -> Standing {
        let again = html! {
            @if self.mine { p class="deeds" { a class="button quiet" href=(words::ask_page(&closed.request.target, "")) { "Request it again" } } }
        };
        let (tone, title, text) = match &closed.closing {
            Closing::Denied { by, why } => (
                "stop",
                "Denied",
                html! {
                    p {
                        @if let Some(by) = by { strong { (by.subject) } " denied it at " (words::moment(closed.at)) ":" }
                        @else { "What it asks for was taken back at " (words::moment(closed.at)) ", before anyone decided:" }
                    }
                    blockquote { (why) }
                    (again)
                },
            ),
            Closing::Withdrawn => (
                "odd",
                "Withdrawn",
                html! {
                    p { "It was withdrawn at " (words::moment(closed.at)) "." }
                    (again)
                },
            ),
            Closing::Expired => (
                "odd",
                "Nobody decided in time",
                html! {
                    p { "The request ended at " (words::moment(closed.request.until)) "." }
                    (again)
                },
            ),
            Closing::Approved(_) => (
                "good",
                "Approved",
                html! {
                    p { "It was approved at " (words::moment(closed.at)) "." }
                },
            ),
        };
        Standing {
            tone,
            title: title.to_owned(),
            look_again: None,
            text,
        }
    }

    /// What it is about.
    pub(super) fn facts(&self, facts: &Pending) -> Markup {
        html! {
            section class="card" aria-labelledby="facts-title" {
                h2 id="facts-title" { "What is asked for" }
                dl class="facts" {
                    @if !self.mine { div { dt { "Who" } dd { (words::person(&facts.requester, facts.email.as_deref())) } } }
                    div { dt { "Access" } dd { (words::access(&facts.target)) } }
                    div { dt { "How long" } dd { (term(facts.term)) } }
                    div { dt { "Why" } dd class="reason" { (facts.reason) } }
                    @if facts.emergency { div { dt { "Emergency" } dd { strong { "Yes" } } } }
                    div { dt { "Asked at" } dd { (words::moment(facts.at)) } }
                    @if !facts.approvals.is_empty() {
                        div {
                            dt { "Approved by" }
                            dd { @for (at, approval) in facts.approvals.iter().enumerate() { @if at > 0 { ", " } (approval.by.subject) } }
                        }
                    }
                    div { dt { "Request" } dd { code { (facts.id.0) } } }
                }
            }
        }
    }
}

/// When the record has not yet told that it ended by itself.
fn undecided(at: UnixMillis) -> Standing {
    Standing {
        tone: "odd",
        title: "Nobody decided in time".to_owned(),
        look_again: None,
        text: html! { p { "The request ended at " (words::moment(at)) "." } },
    }
}

/// How long, in words.
pub(in crate::page) fn term(term: Term) -> Markup {
    match term {
        Term::For(duration) => html! { (words::span(duration)) },
        Term::Until(until) => html! { "until " (words::moment(until)) },
    }
}

fn place(back: &Url) -> String {
    format!("{}{}", back.authority(), back.path())
}
